import { decideRide, MOST_FACTS_TO_CHANGE } from '../../domain/decideRide';
import { standardPolicies } from '../../domain/policies';
import { requestOf } from '../../domain/requestChange';
import type { Ride, RideCommand } from '../../domain/ride';
import {
  at,
  changeId,
  codeOf,
  offerId,
  play,
  rideRequest,
  rideThatIs,
  scheduling,
  standardRide,
} from '../support/rides';

describe('a ride for later', () => {
  const { scheduleMinAheadMs, scheduleMaxAheadDays } = standardPolicies;
  const longestMs = scheduleMaxAheadDays * 86_400_000;

  it.each([
    ['one millisecond too soon', scheduleMinAheadMs - 1, 'scheduled_too_soon'],
    ['just in time', scheduleMinAheadMs, 'no refusal'],
    ['as late as can be', longestMs, 'no refusal'],
    ['one millisecond later', longestMs + 1, 'scheduled_too_late'],
    ['in the past', -1, 'scheduled_too_soon'],
  ])('%s', (_what, aheadMs, code) => {
    expect(codeOf(() => decideRide(scheduling(aheadMs), null, standardPolicies))).toBe(code);
    const change = { ...scheduling(aheadMs), type: 'reschedule' } as const;
    expect(codeOf(() => decideRide(change, rideThatIs('scheduled'), standardPolicies))).toBe(code);
  });

  it('keeps what a change does not name, and stays the ride of its rider whatever the change names', () => {
    const request = { scheduledFor: at(9_000_000), rideId: offerId, riderId: 'rider-2' };
    const { ride } = play([scheduling(7_200_000), { type: 'reschedule', at: at(1), request }]);
    expect(requestOf(ride)).toEqual(rideRequest({ scheduledFor: at(9_000_000) }));
  });

  it('is changed so often and no more, and can still be cancelled', () => {
    const last = { ...rideThatIs('scheduled'), version: MOST_FACTS_TO_CHANGE };
    const change = { ...scheduling(7_200_000), type: 'reschedule' } as const;
    const changing = (ride: Ride) => codeOf(() => decideRide(change, ride, standardPolicies));
    expect(changing({ ...last, version: MOST_FACTS_TO_CHANGE - 1 })).toBe('no refusal');
    expect(changing(last)).toBe('too_many_changes');
    const cancel = { type: 'cancelByRider', at: at(1), reason: 'changed_mind' } as const;
    expect(decideRide(cancel, last, standardPolicies)).toMatchObject({ type: 'ride.cancelled' });
  });

  it('is not released one millisecond before its time', () => {
    const dueMs = 7_200_000 - standardPolicies.scheduleLeadMs;
    const release = (ms: number) =>
      decideRide({ type: 'release', at: at(ms) }, rideThatIs('scheduled'), standardPolicies);
    expect(codeOf(() => release(dueMs - 1))).toBe('release_not_due');
    expect(codeOf(() => release(dueMs))).toBe('no refusal');
  });

  it('is asked for as it was last changed, when its time comes', () => {
    const { ride, facts } = play([
      scheduling(7_200_000),
      { type: 'reschedule', at: at(1), request: rideRequest({ scheduledFor: at(9_000_000) }) },
      { type: 'release', at: at(8_000_000) },
    ]);
    expect(ride).toMatchObject({ status: 'requested', version: 3, requestedAt: at(8_000_000) });
    expect(facts[2]).toMatchObject({
      type: 'ride.requested',
      data: rideRequest({ scheduledFor: at(9_000_000) }),
    });
  });
});

describe('at the pickup', () => {
  const arriveFrom = (pickupDistanceMeters: number | null): string =>
    codeOf(() =>
      decideRide(
        { type: 'arrive', at: at(0), driverId: 'driver-1', pickupDistanceMeters },
        rideThatIs('assigned'),
        standardPolicies,
      ),
    );

  it('a driver arrives near it, or where nobody can say how near', () => {
    const { arrivalRadiusMeters } = standardPolicies;
    expect(arriveFrom(arrivalRadiusMeters)).toBe('no refusal');
    expect(arriveFrom(arrivalRadiusMeters + 1)).toBe('too_far_from_pickup');
    expect(arriveFrom(null)).toBe('no refusal');
  });

  it.each([
    ['nothing in the free time', 0, 0],
    ['one unit from its next millisecond on', 1, 35],
    ['one unit until its end', 60_000, 35],
    ['two units after that', 60_001, 70],
    ['the cap at most', 3_600_000, 350],
  ])('waiting costs %s', (_what, overFreeMs, waitingMinor) => {
    const startAt = at(200_000 + standardPolicies.freeWaitingMs + overFreeMs);
    const { ride } = play([
      ...standardRide.slice(0, 4),
      { type: 'start', at: startAt, driverId: 'driver-1' },
      { type: 'complete', at: at(9_000_000), driverId: 'driver-1' },
    ]);
    expect(ride).toMatchObject({ waitingMinor, chargeMinor: 1_500 + waitingMinor });
  });
});

describe('under way', () => {
  const driving = standardRide.slice(0, 5);
  const change = {
    changeId,
    stops: [],
    dropoff: rideRequest().pickup,
    distanceMeters: 9_000,
    durationSeconds: 1_900,
  };
  const dearer = { currency: 'USD', totalMinor: 2_400, lines: [] };
  const propose = { type: 'proposeRoute', at: at(300_000), change: { ...change, fare: dearer } } as const;
  const complete = { type: 'complete', at: at(1_200_000), driverId: 'driver-1' } as const;

  it('a change that was accepted is what is charged', () => {
    const { ride } = play([
      ...driving,
      propose,
      { type: 'changeRoute', at: at(310_000), changeId },
      complete,
    ]);
    expect(ride).toMatchObject({ chargeMinor: 2_400, distanceMeters: 9_000, dropoff: rideRequest().pickup });
  });

  it.each(['rider', 'driver', 'payment'] as const)(
    'one that was declined by the %s leaves all as it was',
    (by) => {
      const declined = { type: 'declineRoute', at: at(310_000), changeId, by, reason: 'no' } as const;
      const { ride } = play([...driving, propose, declined]);
      const before = play(driving).ride;
      expect(ride).toEqual({ ...before, version: before.version + 2 });
      expect(codeOf(() => play([...driving, propose, declined, declined]))).toBe('route_change_over');
    },
  );

  it('a newer proposal takes the place of the older one', () => {
    const newer = { ...propose, change: { ...propose.change, changeId: offerId } };
    expect(
      codeOf(() => play([...driving, propose, newer, { type: 'changeRoute', at: at(1), changeId }])),
    ).toBe('route_change_over');
  });

  it('stops are reached in order, each once', () => {
    const request = rideRequest({ stops: [rideRequest().dropoff, rideRequest().pickup] });
    const start = [{ type: 'request', at: at(0), request }, ...standardRide.slice(1, 5)] as RideCommand[];
    const reach = (stop: number): RideCommand => ({
      type: 'reachStop',
      at: at(400_000),
      driverId: 'driver-1',
      stop,
    });
    expect(play([...start, reach(1), reach(2)]).ride.stopsReached).toBe(2);
    for (const wrong of [[reach(2)], [reach(1), reach(1)], [reach(1), reach(2), reach(3)]])
      expect(codeOf(() => play([...start, ...wrong]))).toBe('stop_out_of_order');
  });

  it.each([
    ['at once', 0, 260_000, 400],
    ['half way', 2_100, 260_000, 950],
    ['further than quoted', 9_000, 260_000, 1_500],
    ['half the time, where nobody knows the way', null, 260_000 + 450_000, 950],
  ])('a ride that ends early %s', (_what, drivenMeters, ms, chargeMinor) => {
    const fare = {
      currency: 'USD',
      totalMinor: 1_500,
      lines: [
        { kind: 'base', amountMinor: 400 },
        { kind: 'distance', amountMinor: 1_100 },
      ],
    } as const;
    const start = [
      { type: 'request', at: at(0), request: rideRequest({ fare }) },
      ...standardRide.slice(1, 5),
    ];
    const end = { type: 'endEarly', at: at(ms), by: 'rider', reason: 'here_is_fine', drivenMeters } as const;
    expect(play([...(start as RideCommand[]), end]).ride).toMatchObject({
      status: 'completed',
      chargeMinor,
      endReason: 'here_is_fine',
    });
  });

  it('a fare that was lowered below its base is the most that an early end costs', () => {
    const fare = {
      currency: 'USD',
      totalMinor: 1_500,
      lines: [{ kind: 'base', amountMinor: 1_500 }],
    } as const;
    const start = [
      { type: 'request', at: at(0), request: rideRequest({ fare }) },
      ...standardRide.slice(1, 5),
    ];
    const adjust = { type: 'adjustFare', at: at(300_000), totalMinor: 0, reason: 'detour' } as const;
    const end = {
      type: 'endEarly',
      at: at(300_001),
      by: 'operator',
      reason: 'x',
      drivenMeters: 100,
    } as const;
    expect(play([...(start as RideCommand[]), adjust, end]).ride.chargeMinor).toBe(0);
  });

  it.each([-1, 0.5, 50_000_001, NaN])('a fare of %p is none', (totalMinor) => {
    const adjust = { type: 'adjustFare', at: at(300_000), totalMinor, reason: 'x' } as const;
    expect(codeOf(() => play([...driving, adjust]))).toBe('fare_not_possible');
  });

  it("an operator's fare is charged, the difference a line of its own", () => {
    const adjust = { type: 'adjustFare', at: at(300_000), totalMinor: 900, reason: 'detour' } as const;
    const { ride } = play([...driving, adjust, complete]);
    expect(ride.chargeMinor).toBe(900);
    expect(ride.fare.lines.reduce((sum, { amountMinor }) => sum + amountMinor, 0)).toBe(900);
  });
});
