import { v7 as uuidv7 } from 'uuid';
import type { Raised } from '../../domain/paymentCalls';
import type { Ride, RouteChange } from '../../domain/ride';
import { refusalOf } from '../support/paymentSaga';
import { held } from '../support/playedProvider';
import { startRideSaga, type RideSaga } from '../support/rideSaga';

jest.setTimeout(60_000);

/** The standard fare of these tests is 1500, and 1850 is held for it: waiting may cost 350. */
let saga: RideSaga;
beforeAll(async () => {
  saga = await startRideSaga();
});
afterAll(() => saga?.stop());
beforeEach(() => saga.provider.reset());

interface Driven {
  readonly rideId: string;
  readonly driverId: string;
}

async function underWay(): Promise<Driven> {
  const ride = await saga.arrived();
  await saga.update(ride.rideId, 'start', { driverId: ride.driverId });
  return ride;
}

async function propose(
  rideId: string,
  totalMinor: number,
  changes: Partial<RouteChange> = {},
): Promise<string> {
  const { dropoff, stops, distanceMeters, durationSeconds } = await saga.ride(rideId);
  const changeId = uuidv7();
  const fare = { currency: 'USD', totalMinor, lines: [{ kind: 'base' as const, amountMinor: totalMinor }] };
  const change: RouteChange = {
    ...{ changeId, stops, distanceMeters, durationSeconds, fare },
    dropoff: { ...dropoff, lat: dropoff.lat + 0.01 },
    ...changes,
  };
  const ride = await saga.update(rideId, 'proposeRoute', { change });
  expect(ride.routeChange).toEqual(change);
  return changeId;
}

const accept = ({ rideId, driverId }: Driven, changeId: string): Promise<Ride> =>
  saga.update(rideId, 'acceptRoute', { driverId, changeId });

async function completed({ rideId, driverId }: Driven): Promise<Ride> {
  const ride = await saga.update(rideId, 'complete', { driverId });
  expect(await saga.result(rideId)).toBe('completed');
  await saga.untilPayment(rideId, 'captured');
  return ride;
}

describe('another way, proposed by the rider', () => {
  it('applies once the hold is raised, and is what is charged', async () => {
    const ride = await underWay();
    const changeId = await propose(ride.rideId, 2_200);
    const changed = await accept(ride, changeId);
    expect(changed).toMatchObject({ routeChange: null, fare: { totalMinor: 2_200 } });
    expect(await accept(ride, changeId)).toEqual(changed);
    expect((await completed(ride)).chargeMinor).toBe(2_200);
    expect(saga.provider.asked(ride.rideId)).toEqual(['authorize 1850', 'raise 2200', 'capture 2200']);
  });

  it('asks for no larger hold where that is large enough', async () => {
    const ride = await underWay();
    await accept(ride, await propose(ride.rideId, 1_700));
    expect((await completed(ride)).chargeMinor).toBe(1_700);
    expect(saga.provider.asked(ride.rideId)).toEqual(['authorize 1850', 'capture 1700']);
  });

  it('leaves the ride as it was where the card does not cover it, and says so however often it is asked', async () => {
    const ride = await underWay();
    const before = await saga.ride(ride.rideId);
    const changeId = await propose(ride.rideId, 2_200);
    saga.provider.next('raiseHold', () => Promise.resolve({ raised: false, reason: 'insufficient_funds' }));
    expect(await refusalOf(accept(ride, changeId))).toBe('fare_not_covered');
    expect(await refusalOf(accept(ride, changeId))).toBe('fare_not_covered');
    const { dropoff, fare } = before;
    expect(await saga.ride(ride.rideId)).toMatchObject({ dropoff, fare, routeChange: null });
    expect((await saga.factTypes(ride.rideId)).at(-1)).toBe('ride.route_change_declined');
    expect((await completed(ride)).chargeMinor).toBe(1_500);
    expect(saga.provider.asked(ride.rideId)).toEqual(['authorize 1850', 'raise 2200', 'capture 1500']);
  });

  it('is declined by the driver, once', async () => {
    const ride = await underWay();
    const changeId = await propose(ride.rideId, 2_200);
    const decline = () => saga.update(ride.rideId, 'declineRoute', { ...ride, changeId });
    const declined = await decline();
    expect(declined.routeChange).toBeNull();
    expect(await decline()).toEqual(declined);
    expect(await refusalOf(accept(ride, changeId))).toBe('route_change_over');
    expect((await completed(ride)).chargeMinor).toBe(1_500);
  });

  it('replaces the proposal before; another driver, an unknown change and one after the end are refused', async () => {
    const ride = await underWay();
    const first = await propose(ride.rideId, 2_200);
    const second = await propose(ride.rideId, 1_800);
    expect(await refusalOf(accept(ride, first))).toBe('route_change_over');
    expect(await refusalOf(accept({ ...ride, driverId: 'driver-other' }, second))).toBe('not_your_ride');
    expect(await refusalOf(accept(ride, uuidv7()))).toBe('route_change_over');
    expect((await completed(ride)).chargeMinor).toBe(1_500);
    expect((await saga.ride(ride.rideId)).routeChange).toBeNull();
  });

  it('is proposed once: a late repeat opens nothing anew', async () => {
    const ride = await underWay();
    const changes = new Map<string, RouteChange>();
    const proposeAndKeep = async (totalMinor: number): Promise<string> => {
      const changeId = await propose(ride.rideId, totalMinor);
      changes.set(changeId, (await saga.ride(ride.rideId)).routeChange!);
      return changeId;
    };
    await proposeAndKeep(2_300);
    const declined = await proposeAndKeep(2_200);
    await saga.update(ride.rideId, 'declineRoute', { ...ride, changeId: declined });
    await accept(ride, await proposeAndKeep(1_700));
    const before = await saga.ride(ride.rideId);
    for (const change of changes.values()) {
      expect(await saga.update(ride.rideId, 'proposeRoute', { change })).toEqual(before);
    }
    const last = await proposeAndKeep(1_800);
    for (const change of changes.values()) {
      expect((await saga.update(ride.rideId, 'proposeRoute', { change })).routeChange?.changeId).toBe(last);
    }
    expect((await completed(ride)).chargeMinor).toBe(1_700);
  });

  it('keeps the stops that were reached', async () => {
    const stop = { lat: 40.74, lng: -73.98 };
    const ride = await underWay();
    await accept(ride, await propose(ride.rideId, 1_600, { stops: [stop, { ...stop, lat: 40.75 }] }));
    expect(await refusalOf(saga.update(ride.rideId, 'reachStop', { ...ride, stop: 2 }))).toBe(
      'stop_out_of_order',
    );
    await saga.update(ride.rideId, 'reachStop', { ...ride, stop: 1 });
    expect(await refusalOf(propose(ride.rideId, 1_600, { stops: [] }))).toBe('route_change_not_possible');
    await accept(ride, await propose(ride.rideId, 1_550, { stops: [stop] }));
    expect(await saga.ride(ride.rideId)).toMatchObject({ stops: [stop], stopsReached: 1 });
    expect((await completed(ride)).chargeMinor).toBe(1_550);
  });
});

describe('races', () => {
  it('completed while the hold is raised: at the old fare, and the acceptance is refused', async () => {
    const ride = await underWay();
    const answer = held<Raised>();
    saga.provider.next('raiseHold', () => answer.promise);
    const accepting = refusalOf(accept(ride, await propose(ride.rideId, 2_200)));
    await answer.asked;
    const ended = await saga.update(ride.rideId, 'complete', { driverId: ride.driverId });
    expect(ended).toMatchObject({ status: 'completed', chargeMinor: 1_500 });
    answer.release({ raised: true });
    expect(await accepting).toBe('illegal_transition');
    await saga.untilPayment(ride.rideId, 'captured');
    expect(saga.provider.asked(ride.rideId)).toEqual(['authorize 1850', 'raise 2200', 'capture 1500']);
  });

  it('withdrawn while the hold is raised: the ride is as it was', async () => {
    const ride = await underWay();
    const answer = held<Raised>();
    saga.provider.next('raiseHold', () => answer.promise);
    const changeId = await propose(ride.rideId, 2_200);
    const accepting = refusalOf(accept(ride, changeId));
    await answer.asked;
    await saga.update(ride.rideId, 'withdrawRoute', { changeId });
    answer.release({ raised: true });
    expect(await accepting).toBe('route_change_over');
    expect((await completed(ride)).chargeMinor).toBe(1_500);
  });

  it('accepted before it is withdrawn: it stands', async () => {
    const ride = await underWay();
    const changeId = await propose(ride.rideId, 2_200);
    await accept(ride, changeId);
    expect(await refusalOf(saga.update(ride.rideId, 'withdrawRoute', { changeId }))).toBe(
      'route_change_over',
    );
    expect((await completed(ride)).chargeMinor).toBe(2_200);
  });

  it('accepted twice at once: one raise, and the other is refused at once', async () => {
    const ride = await underWay();
    const changeId = await propose(ride.rideId, 2_200);
    const answer = held<Raised>();
    saga.provider.next('raiseHold', () => answer.promise);
    const accepting = accept(ride, changeId);
    await answer.asked;
    expect(await refusalOf(accept(ride, changeId))).toBe('fare_change_under_way');
    answer.release({ raised: true });
    expect(await accepting).toMatchObject({ fare: { totalMinor: 2_200 } });
    expect(saga.provider.asked(ride.rideId)).toEqual(['authorize 1850', 'raise 2200']);
    await completed(ride);
  });
});
