import fc from 'fast-check';
import { decideRide } from '../../domain/decideRide';
import { DomainError } from '../../domain/errors';
import { foldRide } from '../../domain/foldRide';
import { standardPolicies } from '../../domain/policies';
import { hasEnded, rideTransitions, terminalRideStatuses } from '../../domain/ride';
import type { Ride, RideCommand, RideCommandType, RideStatus } from '../../domain/ride';
import { at, offerId, play, rideRequest, standardRide } from '../support/rides';

const codeOf = (act: () => unknown): string => {
  try {
    act();
  } catch (error) {
    if (error instanceof DomainError) return error.code;
    throw error;
  }
  return 'no refusal';
};

/** The standard ride up to the command that brings it to a status. */
const rideThatIs = (status: RideStatus): Ride => {
  for (let length = 1; length <= standardRide.length; length += 1) {
    const { ride } = play(standardRide.slice(0, length));
    if (ride.status === status) return ride;
  }
  throw new Error(`the standard ride is never ${status}`);
};

describe('a ride that goes as it should', () => {
  const { ride, facts } = play(standardRide);

  it('tells its story in facts', () => {
    expect(facts.map((fact) => fact.type)).toEqual([
      'ride.requested',
      'ride.matching_started',
      'ride.driver_assigned',
      'ride.driver_arrived',
      'ride.started',
      'ride.completed',
    ]);
  });

  it('ends completed, charged what was quoted, a version for every fact', () => {
    expect(ride).toMatchObject({ status: 'completed', version: 6, chargeMinor: 1_500, driverId: 'driver-1' });
    expect(ride.endedAt).toBe(at(1_200_000));
  });

  it('is rebuilt by folding its facts', () => {
    expect(facts.reduce<Ride | null>(foldRide, null)).toEqual(ride);
  });
});

describe('the transition table', () => {
  const commands: Record<Exclude<RideCommandType, 'request'>, RideCommand> = {
    startMatching: { type: 'startMatching', at: at(0) },
    failPayment: { type: 'failPayment', at: at(0), reason: 'card_declined' },
    assignDriver: { type: 'assignDriver', at: at(0), driverId: 'driver-1', offerId },
    giveUpMatching: { type: 'giveUpMatching', at: at(0) },
    unassignDriver: { type: 'unassignDriver', at: at(0), driverId: 'driver-1', reason: 'flat_tyre' },
    arrive: { type: 'arrive', at: at(0), driverId: 'driver-1' },
    start: { type: 'start', at: at(0), driverId: 'driver-1' },
    complete: { type: 'complete', at: at(0), driverId: 'driver-1' },
    reportNoShow: { type: 'reportNoShow', at: at(86_400_000), driverId: 'driver-1' },
    cancelByRider: { type: 'cancelByRider', at: at(0), reason: 'changed_mind' },
    cancelByOperator: { type: 'cancelByOperator', at: at(0), reason: 'safety' },
  };
  const statuses: RideStatus[] = ['requested', 'matching', 'assigned', 'arrived', 'in_progress', 'completed'];
  const rows = Object.entries(commands).flatMap(([type, command]) =>
    statuses.map((status) => ({ type: type as RideCommandType, status, command })),
  );

  it.each(rows)('$type on a ride that is $status', ({ type, status, command }) => {
    const ride = rideThatIs(status);
    const { from, to, fact } = rideTransitions[type];
    if (from.includes(status)) {
      const decided = decideRide(command, ride, standardPolicies);
      expect(decided.type).toBe(fact);
      expect(foldRide(ride, decided)).toMatchObject({ status: to, version: ride.version + 1 });
    } else {
      expect(codeOf(() => decideRide(command, ride, standardPolicies))).toBe('illegal_transition');
    }
  });

  it('leads out of no terminal status', () => {
    const leaving = Object.values(rideTransitions).flatMap(({ from }) => from);
    expect(terminalRideStatuses.filter((status) => leaving.includes(status))).toEqual([]);
  });

  it('lets nothing but a request begin a ride', () => {
    expect(codeOf(() => decideRide(commands.startMatching, null, standardPolicies))).toBe(
      'illegal_transition',
    );
  });
});

describe('whose ride it is', () => {
  it.each(['arrive', 'unassignDriver'] as const)('refuses %s by another driver', (type) => {
    const command: RideCommand = { type, at: at(0), driverId: 'driver-2', reason: 'x' };
    expect(codeOf(() => decideRide(command, rideThatIs('assigned'), standardPolicies))).toBe('not_your_ride');
  });

  it('goes back to matching without the driver who gave it back, and never asks that driver again', () => {
    const { ride } = play([
      ...standardRide.slice(0, 4),
      { type: 'unassignDriver', at: at(210_000), driverId: 'driver-1', reason: 'flat_tyre' },
    ]);
    expect(ride).toMatchObject({
      status: 'matching',
      driverId: null,
      assignedAt: null,
      arrivedAt: null,
      matchingSince: at(210_000),
      excludedDriverIds: ['driver-1'],
    });
  });
});

describe('a rider who does not come', () => {
  const arrivedAtMs = 200_000;
  const report = (ms: number): RideCommand => ({ type: 'reportNoShow', at: at(ms), driverId: 'driver-1' });

  it('has until the last millisecond of the waiting time', () => {
    const tooEarly = report(arrivedAtMs + standardPolicies.noShowAfterMs - 1);
    expect(codeOf(() => decideRide(tooEarly, rideThatIs('arrived'), standardPolicies))).toBe(
      'no_show_too_early',
    );
  });

  it('then owes the fee', () => {
    const fact = decideRide(
      report(arrivedAtMs + standardPolicies.noShowAfterMs),
      rideThatIs('arrived'),
      standardPolicies,
    );
    expect(fact).toMatchObject({
      type: 'ride.cancelled',
      data: { by: 'no_show', feeMinor: 500, driverId: 'driver-1' },
    });
  });
});

describe('what a cancel costs', () => {
  const cancelAt = (ride: Ride, ms: number): unknown =>
    decideRide({ type: 'cancelByRider', at: at(ms), reason: 'changed_mind' }, ride, standardPolicies).data;
  const assignedAtMs = 5_000;

  it('nothing before a driver is on the way', () => {
    expect(cancelAt(rideThatIs('matching'), 86_400_000)).toMatchObject({ feeMinor: 0, driverId: null });
  });

  it('nothing in the last millisecond of the free time, the fee from the next one on', () => {
    const free = assignedAtMs + standardPolicies.freeCancellationMs - 1;
    expect(cancelAt(rideThatIs('assigned'), free)).toMatchObject({ feeMinor: 0 });
    expect(cancelAt(rideThatIs('assigned'), free + 1)).toMatchObject({ feeMinor: 500 });
  });

  it('never more than the fare', () => {
    const fare = { currency: 'USD', totalMinor: 120, lines: [] };
    const request = rideRequest({ fare });
    const { ride } = play([{ type: 'request', at: at(0), request }, ...standardRide.slice(1, 4)]);
    expect(cancelAt(ride, 86_400_000)).toMatchObject({ feeMinor: 120 });
  });

  it('nothing in cash, where no hold secures it', () => {
    const request = rideRequest({ paymentMethod: { type: 'cash' } });
    const { ride } = play([{ type: 'request', at: at(0), request }, ...standardRide.slice(1, 4)]);
    expect(cancelAt(ride, 86_400_000)).toMatchObject({ feeMinor: 0 });
  });
});

it('any commands in any order: illegal ones are refused, versions rise by one, nothing follows the end', () => {
  const command = fc.oneof(
    ...(Object.keys(rideTransitions) as RideCommandType[]).map((type) =>
      fc
        .record({ after: fc.nat(400_000), driver: fc.integer({ min: 1, max: 2 }) })
        .map(({ after, driver }) => ({
          after,
          make: (time: string) => ({
            type,
            at: time,
            request: rideRequest(),
            reason: 'x',
            driverId: `driver-${driver}`,
            offerId,
          }),
        })),
    ),
  );
  fc.assert(
    fc.property(fc.array(command, { maxLength: 25 }), (commands) => {
      let ride: Ride | null = null;
      let clockMs = 0;
      for (const { after, make } of commands) {
        clockMs += after;
        const before: Ride | null = ride;
        try {
          const fact = decideRide(make(at(clockMs)), ride, standardPolicies);
          expect(before !== null && hasEnded(before)).toBe(false);
          ride = foldRide(ride, fact);
          expect(ride.version).toBe((before?.version ?? 0) + 1);
          expect(hasEnded(ride)).toBe(ride.endedAt !== null && ride.chargeMinor !== null);
        } catch (error) {
          if (!(error instanceof DomainError)) throw error;
        }
      }
    }),
    { numRuns: 2_000 },
  );
});
