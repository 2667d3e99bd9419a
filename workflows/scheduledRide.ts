import {
  allHandlersFinished,
  ApplicationFailure,
  CancellationScope,
  condition,
  defineUpdate,
  isCancellation,
  patched,
  setHandler,
  sleep,
  upsertSearchAttributes,
} from '@temporalio/workflow';
import type { RideActivities } from '../activities/rides';
import { rideReleased, rideUpdates, searchAttributes } from '../domain/names';
import { isAskedFor, requestOf, type RequestChange } from '../domain/requestChange';
import type { Ride, RideCommand, RideCommandType, RideStatus } from '../domain/ride';
import type { RideStart } from '../domain/sagas';
import { pickupHour } from '../domain/schedule';
import { stuckFromMs } from '../domain/stuck';
import { now } from './now';
import { RideRecord } from './rideRecord';
import { ownDatabase } from './steps';
import { answerUpdate, type Shape } from './updateArguments';
import { autoUpgrade } from './versioning';

/**
 * A ride that was requested for later: waits until its pickup comes near, and starts the ride. It is thin and not
 * pinned, because it may wait for weeks; the ride that it starts begins on the version of that day.
 */
export async function scheduledRide({ request, requestedAt, policies }: RideStart): Promise<RideStatus> {
  const record = new RideRecord(request.rideId, policies, 'scheduled');
  const { startRide } = ownDatabase<RideActivities['lifecycle']>({
    onTrouble: (step, error) => record.operators.failed(step, error),
  });
  let released = false;
  answerRiderAndOperator(record, () => released);
  // Ended by the workflow's own end or cancel.
  watch().catch(() => undefined);

  try {
    await record.apply({ type: 'schedule', at: requestedAt, request });
    while (record.is('scheduled')) {
      const leftMs = releaseAtMs(record.ride) - Date.now();
      if (leftMs <= 0) await record.advance({ type: 'release', at: now() });
      else await changeOr(leftMs);
    }
  } catch (error) {
    if (!record.isRecorded) throw error;
    const reason = isCancellation(error) ? 'workflow_cancelled' : 'saga_failed';
    await record.advance({ type: 'cancelByOperator', at: now(), reason });
  }
  await CancellationScope.nonCancellable(async () => {
    // From here on the ride's own workflow answers; who was heard before has acted on the ride when it starts.
    released = true;
    await condition(allHandlersFinished);
    if (!record.is('requested')) return;
    await startRide(rideStart());
    record.operators.handOver();
  });
  return record.ride.status;

  /** A timer may be late, and the pickup may be moved while it runs: times decide. */
  async function changeOr(leftMs: number): Promise<void> {
    const { version } = record.ride;
    await condition(() => record.ride.version !== version, leftMs, { summary: 'release the ride' });
  }

  /** Looks whether the ride is stuck once what is due has failed; for a ride without trouble that is nothing. */
  async function watch(): Promise<void> {
    await condition(
      () => record.operators.hasFailed && record.isRecorded && releaseAtMs(record.ride) <= Date.now(),
    );
    if (!patched('look-when-late')) return;
    for (;;) {
      const leftMs = (stuckFromMs(record.ride, policies) ?? 0) - Date.now();
      await sleep(leftMs > 0 ? leftMs : policies.stuckCheckMs, { summary: 'look whether the ride is stuck' });
      record.operators.tell();
    }
  }

  function releaseAtMs({ scheduledFor, requestedAt: askedAt }: Ride): number {
    return Date.parse(scheduledFor ?? askedAt) - policies.scheduleLeadMs;
  }

  function rideStart(): RideStart {
    const { ride } = record;
    return { request: requestOf(ride), requestedAt: ride.requestedAt, policies, released: ride };
  }
}
autoUpgrade(scheduledRide);

type Command<T extends RideCommandType> = Omit<Extract<RideCommand, { type: T }>, 'type' | 'at'>;

/** The Updates of a ride that waits. Those who come when it has left are told to ask the ride itself. */
function answerRiderAndOperator(record: RideRecord, isReleased: () => boolean): void {
  const mustWait = (): void => {
    if (isReleased()) throw ApplicationFailure.nonRetryable('The ride has begun.', rideReleased);
  };
  const answer = <Argument>(
    name: string,
    description: string,
    shape: Shape,
    handle: (argument: Argument) => Promise<Ride>,
    // Also first: there are histories in which it was accepted, and refused then.
  ): void => answerUpdate(record, { name, description, shape, refuse: mustWait, first: mustWait }, handle);

  // The first Update has no validator: a refused one would leave the workflow running.
  setHandler(defineUpdate<Ride>(rideUpdates.request), async () => {
    mustWait();
    await condition(() => record.isRecorded);
    return record.ride;
  });
  const when = 'Another time, or other words of the request; what is not named stays';
  answer<{ request: RequestChange }>(
    rideUpdates.reschedule,
    when,
    { request: 'object' },
    async ({ request }) => {
      // A repeat of a change that was made.
      if (isAskedFor(record.ride, request)) return record.ride;
      const ride = await record.apply({ type: 'reschedule', at: now(), request });
      // Operators find it by the hour of its pickup.
      const value = pickupHour(ride, ride.requestedAt);
      upsertSearchAttributes([{ key: searchAttributes.pickupHour, value }]);
      return ride;
    },
  );
  answer<{ by: 'rider' | 'operator' } & Command<'cancelByRider'>>(
    rideUpdates.cancel,
    'Ends the ride; "by" is rider or operator',
    { by: 'rider or operator', reason: 'text' },
    ({ by, ...cancel }) =>
      record.apply({ ...cancel, type: by === 'rider' ? 'cancelByRider' : 'cancelByOperator', at: now() }),
  );
}
