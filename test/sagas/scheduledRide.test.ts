import { rideWorkflowId } from '../../domain/names';
import { standardPolicies } from '../../domain/policies';
import { requestOf } from '../../domain/requestChange';
import type { Ride } from '../../domain/ride';
import { createAct, type RideAction } from '../../services/rides/rideActions';
import { startReleasedRide } from '../../services/rides/startRide';
import { refusalOf } from '../support/paymentSaga';
import { held } from '../support/playedProvider';
import { startRideSaga, type RideSaga } from '../support/rideSaga';

let saga: RideSaga;

/** Where time passes, each test has a server of its own, as in rideTime.test.ts. */
function newSaga(before: typeof beforeAll, after: typeof afterAll): void {
  before(async () => {
    saga = await startRideSaga();
  });
  after(() => saga?.stop());
}

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const { scheduleLeadMs } = standardPolicies;

const inMs = async (ms: number): Promise<string> =>
  new Date((await saga.env.currentTimeMs()) + ms).toISOString();

const schedule = (aheadMs: number): Promise<string> => saga.schedule(aheadMs);
const waiting = (rideId: string) => saga.waiting(rideId);
const begun = (rideId: string) =>
  saga.client.workflow
    .getHandle(rideWorkflowId(rideId))
    .describe()
    .then(
      () => true,
      () => false,
    );
const cancel = (rideId: string): Promise<Ride> =>
  waiting(rideId).executeUpdate('cancel', { args: [{ by: 'rider', reason: 'changed_mind' }] });
async function moveTo(rideId: string, scheduledFor: string): Promise<Ride> {
  const request = { ...requestOf(await saga.ride(rideId)), scheduledFor };
  return waiting(rideId).executeUpdate('reschedule', { args: [{ request }] });
}
const isMatching = (ride: Ride): boolean => ride.status === 'matching';

describe('a scheduled ride', () => {
  newSaga(beforeAll, afterAll);

  it('is cancelled for nothing, never paid for and never begun', async () => {
    const rideId = await schedule(2 * HOUR);
    expect(await cancel(rideId)).toMatchObject({ status: 'cancelled', chargeMinor: 0 });
    expect(await waiting(rideId).result()).toBe('cancelled');
    expect(await begun(rideId)).toBe(false);
    expect(saga.provider.asked(rideId)).toEqual([]);
  });

  it('whose workflow is cancelled in the web UI ends as by an operator', async () => {
    const rideId = await schedule(2 * HOUR);
    await waiting(rideId).cancel();
    expect(await waiting(rideId).result()).toBe('cancelled');
    expect(await saga.ride(rideId)).toMatchObject({ endReason: 'workflow_cancelled' });
    expect(await begun(rideId)).toBe(false);
  });

  it('refuses a time that cannot be asked for, and stays as it was', async () => {
    const rideId = await schedule(2 * HOUR);
    expect(await refusalOf(moveTo(rideId, await inMs(60_000)))).toBe('scheduled_too_soon');
    expect(await refusalOf(moveTo(rideId, await inMs(30 * DAY + HOUR)))).toBe('scheduled_too_late');
    expect(await saga.ride(rideId)).toMatchObject({ version: 1 });
    await cancel(rideId);
  });

  it('that a lost attempt had released is cancelled as it is then, and never begun', async () => {
    const rideId = await schedule(HOUR);
    saga.before.cancelByRider = async (step) => {
      const data = requestOf(await saga.ride(rideId));
      const fact = { type: 'ride.requested', at: step.fact.at, data } as const;
      await saga.activities.transitions.release({ ...step, stepId: `${rideId}/release/1`, fact });
    };
    await cancel(rideId);
    expect(await waiting(rideId).result()).toBe('cancelled');
    expect(await saga.factTypes(rideId)).toEqual(['ride.scheduled', 'ride.requested', 'ride.cancelled']);
    expect(await begun(rideId)).toBe(false);
  });
});

describe('when time passes', () => {
  newSaga(beforeEach, afterEach);

  it('waits, is released and paid for when its pickup comes near, not before, and goes on as every ride', async () => {
    const rideId = await schedule(29 * DAY);
    await saga.env.sleep(29 * DAY - scheduleLeadMs - 10_000);
    expect(await saga.ride(rideId)).toMatchObject({ status: 'scheduled', version: 1 });
    expect(saga.provider.asked(rideId)).toEqual([]);
    await saga.env.sleep(12_000);
    await saga.until(rideId, isMatching);
    expect(await waiting(rideId).result()).toBe('requested');
    expect(saga.provider.asked(rideId)).toHaveLength(1);
    await saga.drivers('driver-1');
    await saga.env.sleep(standardPolicies.searchPauseMs + 1_000);
    await saga.accept('driver-1');
    expect(await saga.factTypes(rideId)).toEqual([
      'ride.scheduled',
      'ride.requested',
      'ride.matching_started',
      'ride.driver_assigned',
    ]);
    await saga.update(rideId, 'cancel', { by: 'operator', reason: 'end_of_test' });
  });

  it('is moved to a later time and not released at the first, then to an earlier one', async () => {
    const rideId = await schedule(2 * HOUR);
    await moveTo(rideId, await inMs(5 * HOUR));
    await saga.env.sleep(3 * HOUR);
    expect((await saga.ride(rideId)).status).toBe('scheduled');
    const soon = await inMs(HOUR);
    const moved = await moveTo(rideId, soon);
    // The same change once more is the same change.
    expect(await moveTo(rideId, soon)).toEqual(moved);
    await saga.env.sleep(HOUR - scheduleLeadMs + 2_000);
    await saga.until(rideId, isMatching);
    expect((await saga.factTypes(rideId)).slice(0, 4)).toEqual([
      'ride.scheduled',
      'ride.rescheduled',
      'ride.rescheduled',
      'ride.requested',
    ]);
    await saga.update(rideId, 'cancel', { by: 'operator', reason: 'end_of_test' });
  });
});

describe('races', () => {
  newSaga(beforeEach, afterEach);

  it('a cancel that comes while the release is recorded: released, then cancelled, never begun', async () => {
    const rideId = await schedule(HOUR);
    let cancelling: Promise<Ride> | undefined;
    saga.before.release = async () => {
      cancelling = cancel(rideId);
      await longerThanLocal();
    };
    await saga.env.sleep(HOUR - scheduleLeadMs + 2_000);
    await saga.until(rideId, (ride) => ride.status === 'cancelled');
    expect(await cancelling).toMatchObject({ status: 'cancelled', chargeMinor: 0 });
    expect(await waiting(rideId).result()).toBe('cancelled');
    expect(await saga.factTypes(rideId)).toEqual(['ride.scheduled', 'ride.requested', 'ride.cancelled']);
    expect(await begun(rideId)).toBe(false);
  });

  it('a change that comes while the release is recorded is refused, and the ride begins', async () => {
    const rideId = await schedule(HOUR);
    let changing: Promise<string | null | undefined> | undefined;
    saga.before.release = async () => {
      changing = refusalOf(moveTo(rideId, await inMs(5 * HOUR)));
      await longerThanLocal();
    };
    await saga.env.sleep(HOUR - scheduleLeadMs + 2_000);
    await saga.until(rideId, isMatching);
    expect(await changing).toBe('illegal_transition');
    await saga.update(rideId, 'cancel', { by: 'operator', reason: 'end_of_test' });
  });

  it('a change that is recorded when the time comes: the ride waits for the other time', async () => {
    const rideId = await schedule(HOUR);
    const later = await inMs(5 * HOUR);
    const { scheduledFor } = await saga.ride(rideId);
    saga.before.reschedule = longerThanLocal;
    await saga.sleepUntil(Date.parse(scheduledFor!) - scheduleLeadMs - 2_000);
    // The clock runs on: the time comes while the change is still being recorded.
    expect(await moveTo(rideId, later)).toMatchObject({ status: 'scheduled', scheduledFor: later });
    await saga.env.sleep(1_000);
    expect(await saga.factTypes(rideId)).toEqual(['ride.scheduled', 'ride.rescheduled']);
    await cancel(rideId);
  });

  it('a cancel in the moment between release and beginning reaches the ride, whoever answers first', async () => {
    const { start, release, asked } = startIsHeld();
    saga.instead.startRide = start;
    const rideId = await schedule(HOUR);
    const stale = await saga.ride(rideId);
    await saga.env.sleep(HOUR - scheduleLeadMs + 2_000);
    await asked;
    expect(await begun(rideId)).toBe(false);
    const act = createAct({
      ...{ pool: saga.pool, temporal: saga.client, deadlineMs: 20_000 },
      policies: standardPolicies,
    });
    const asCancel: RideAction = {
      update: 'cancel',
      argument: { by: 'rider', reason: 'changed_mind' },
      isDone: ({ status }) => status === 'cancelled',
    };
    // One has read the ride before its release, the other after.
    const cancels = [act(stale, asCancel), act(await saga.ride(rideId), asCancel)];
    release();
    for (const ride of await Promise.all(cancels)) expect(ride).toMatchObject({ status: 'cancelled' });
    expect(await saga.result(rideId)).toBe('cancelled');
    await saga.untilPayment(rideId, 'voided').catch(() => undefined);
  });

  it('begins once however often it is started, and not again when it has gone on', async () => {
    const rideId = await schedule(HOUR);
    await saga.env.sleep(HOUR - scheduleLeadMs + 2_000);
    await saga.until(rideId, isMatching);
    const { runId } = await saga.client.workflow.getHandle(rideWorkflowId(rideId)).describe();
    const ride = await saga.ride(rideId);
    const released: Ride = { ...ride, status: 'requested', version: 2 };
    const start = { request: requestOf(ride), requestedAt: ride.requestedAt, policies: standardPolicies };
    const again = (version: number) =>
      startReleasedRide(saga.pool, saga.client, { ...start, released: { ...released, version } });
    await Promise.all([again(2), again(ride.version)]);
    await saga.update(rideId, 'cancel', { by: 'rider', reason: 'changed_mind' });
    expect(await saga.result(rideId)).toBe('cancelled');
    await Promise.all([again(2), again((await saga.ride(rideId)).version)]);
    expect((await saga.client.workflow.getHandle(rideWorkflowId(rideId)).describe()).runId).toBe(runId);
  });
});

/** The start of the ride's workflow, held until `release`. */
function startIsHeld() {
  const go = held<void>();
  const { startRide } = saga.activities.lifecycle;
  return {
    asked: go.asked,
    release: () => go.release(undefined),
    start: async (start: Parameters<typeof startRide>[0]): Promise<void> => {
      await go.promise;
      await startRide(start);
    },
  };
}

/**
 * A local activity blocks the workflow's handlers: from then on the step goes on as a regular one, and they are heard.
 */
const longerThanLocal = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 3_500));
