import { ApplicationFailure } from '@temporalio/common';
import { WorkflowNotFoundError, WorkflowUpdateFailedError, type Client } from '@temporalio/client';
import type { Pool } from 'pg';
import { refusalIn } from '../../contracts/api/problems';
import { decideRide } from '../../domain/decideRide';
import { DomainError } from '../../domain/errors';
import { rideReleased, rideUpdates, rideWorkflowId, scheduledRideWorkflowId } from '../../domain/names';
import type { Policies } from '../../domain/policies';
import { hasEnded, type Ride, type RideCommand, type RideCommandType } from '../../domain/ride';
import { DependencyUnavailable } from '../../platform/errors';
import { wait } from '../../platform/wait';
import { getRide } from './store';

export interface RideAction {
  /** `request` and `offerAccepted` are none: they tell what Postgres has decided. */
  readonly update: Exclude<keyof typeof rideUpdates, 'request' | 'offerAccepted'>;
  readonly argument: Readonly<Record<string, unknown>>;
  /** Whether this action took effect on the ride: then a repeat of it changes nothing and is answered as the first. */
  readonly isDone: (ride: Ride) => boolean | Promise<boolean>;
  /** Joins a repeat to the Update that is under way, for what may take long: a workflow takes ten at a time. */
  readonly updateId?: string;
}

/** The command that an Update is on a ride. */
const commands: Record<
  RideAction['update'],
  RideCommandType | ((ride: Ride, argument: RideAction['argument']) => RideCommandType)
> = {
  arrive: 'arrive',
  start: 'start',
  reachStop: 'reachStop',
  proposeRoute: 'proposeRoute',
  withdrawRoute: 'declineRoute',
  acceptRoute: 'changeRoute',
  declineRoute: 'declineRoute',
  complete: 'complete',
  endEarly: 'endEarly',
  reportNoShow: 'reportNoShow',
  unassign: ({ status, reservedDriverId }, { driverId }) =>
    status === 'matching' && reservedDriverId === driverId ? 'releaseReservation' : 'unassignDriver',
  reschedule: 'reschedule',
  cancel: (_ride, { by }) => (by === 'rider' ? 'cancelByRider' : 'cancelByOperator'),
  reassign: 'reassign',
  forceComplete: 'forceComplete',
  adjustFare: 'adjustFare',
};

/**
 * What the committed ride refuses is not sent on: a workflow takes 2,000 Updates in its life, and an app may ask every
 * second. The workflow may be behind the committed ride, never ahead of it. No cancel is held up by that: what refuses
 * it (under way, ended) is never left again for a status that allows it.
 */
function mustBeAllowed(ride: Ride, { update, argument }: RideAction, policies: Policies): void {
  const command = commands[update];
  const type = typeof command === 'string' ? command : command(ride, argument);
  decideRide({ ...argument, type, at: new Date().toISOString() } as RideCommand, ride, policies);
}

/** Ends a ride under way where it is. `drivenMeters` is null where nobody can say how far that is. */
export const endEarly = (end: {
  readonly by: 'rider' | 'operator';
  readonly reason: string;
  readonly drivenMeters: number | null;
}): RideAction => ({ update: 'endEarly', argument: end, isDone: ({ status }) => status === 'completed' });

/**
 * Asks a ride's workflow to act and answers with the ride after it.
 * @throws DomainError why not; DependencyUnavailable when nobody knows: a repeat is safe
 */
export type Act = (ride: Ride, action: RideAction) => Promise<Ride>;

export function createAct({
  pool,
  temporal,
  policies,
  deadlineMs,
}: {
  readonly pool: Pool;
  readonly temporal: Client;
  readonly policies: Policies;
  readonly deadlineMs: number;
}): Act {
  const ask = (ride: Ride, { update, argument, updateId }: RideAction, deadline: number): Promise<Ride> =>
    temporal.withDeadline(deadline, () =>
      temporal.workflow
        .getHandle(workflowIdOf(ride))
        .executeUpdate<Ride, [typeof argument]>(rideUpdates[update], {
          args: [argument],
          ...(updateId === undefined ? {} : { updateId }),
        }),
    );
  return async (ride, action) => {
    const { update, isDone } = action;
    const deadline = Date.now() + deadlineMs;
    for (let seen = ride; ;) {
      if (await isDone(seen)) return seen;
      mustBeHeard(seen, update);
      mustBeAllowed(seen, action, policies);
      try {
        return await ask(seen, action, deadline);
      } catch (error) {
        seen = (await getRide(pool, ride.rideId)) ?? seen;
        if (await isDone(seen)) return seen;
        if (!isBetween(error, seen) || Date.now() >= deadline) throw whyNot(error, seen, update);
      }
      await wait(RELEASE_PAUSE_MS);
    }
  };
}

/** How long the workflow of a ride that was just released may take to start, as a rule. */
const RELEASE_PAUSE_MS = 50;

/** The workflow that answers for a ride as it is now. */
export const workflowIdOf = ({ rideId, status }: Ride): string =>
  status === 'scheduled' ? scheduledRideWorkflowId(rideId) : rideWorkflowId(rideId);

/** While a ride waits for its time, its workflow knows of two things. */
function mustBeHeard({ status }: Ride, update: RideAction['update']): void {
  if (status !== 'scheduled' || update === 'cancel' || update === 'reschedule') return;
  throw cannot(status, update);
}

/** The second is the server's: a workflow that ends drops the Updates that it has not answered. */
const leaving: ReadonlySet<string> = new Set([rideReleased, 'AcceptedUpdateCompletedWorkflow']);

/** Whether the ride was leaving its schedule meanwhile: one workflow did not have it any more, or the other not yet. */
function isBetween(error: unknown, ride: Ride): boolean {
  if (ride.scheduledFor === null || hasEnded(ride)) return false;
  if (error instanceof WorkflowNotFoundError) return true;
  const refusal = error instanceof WorkflowUpdateFailedError ? error.cause : undefined;
  return refusal instanceof ApplicationFailure && leaving.has(refusal.type ?? '');
}

function whyNot(error: unknown, ride: Ride, update: string): Error {
  const refusal = error instanceof WorkflowUpdateFailedError ? error.cause : undefined;
  const refused = refusal instanceof ApplicationFailure ? refusalIn(refusal) : undefined;
  if (refused) return refused;
  // A workflow that is over takes no Updates, or drops those that it had not handled yet.
  if (error instanceof WorkflowNotFoundError || (refusal && hasEnded(ride))) {
    return cannot(ride.status, update);
  }
  return new DependencyUnavailable('the workflow of the ride', { cause: error });
}

const cannot = (status: Ride['status'], update: string): DomainError =>
  new DomainError('illegal_transition', `A ride that is ${status} cannot ${update}.`, {
    rideStatus: status,
  });
