import { ApplicationFailure } from '@temporalio/common';
import { WorkflowNotFoundError, WorkflowUpdateFailedError, type Client } from '@temporalio/client';
import type { Pool } from 'pg';
import { refusalIn } from '../../contracts/api/problems';
import { DomainError } from '../../domain/errors';
import { rideUpdates, rideWorkflowId } from '../../domain/names';
import { hasEnded, type Ride } from '../../domain/ride';
import { DependencyUnavailable } from '../../platform/errors';
import { getRide } from './store';

export interface RideAction {
  readonly update: keyof typeof rideUpdates;
  readonly argument: Readonly<Record<string, unknown>>;
  /** Whether the action took effect on this ride: then a repeat of it changes nothing and is answered as the first. */
  readonly isDone: (ride: Ride) => boolean;
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
  deadlineMs,
}: {
  readonly pool: Pool;
  readonly temporal: Client;
  readonly deadlineMs: number;
}): Act {
  return async (ride, { update, argument, isDone }) => {
    if (isDone(ride)) return ride;
    try {
      return await temporal.withDeadline(Date.now() + deadlineMs, () =>
        temporal.workflow
          .getHandle(rideWorkflowId(ride.rideId))
          .executeUpdate<Ride, [typeof argument]>(rideUpdates[update], { args: [argument] }),
      );
    } catch (error) {
      const committed = (await getRide(pool, ride.rideId)) ?? ride;
      if (isDone(committed)) return committed;
      throw whyNot(error, committed, update);
    }
  };
}

function whyNot(error: unknown, ride: Ride, update: string): Error {
  const refusal = error instanceof WorkflowUpdateFailedError ? error.cause : undefined;
  const refused = refusal instanceof ApplicationFailure ? refusalIn(refusal) : undefined;
  if (refused) return refused;
  // A workflow that is over takes no Updates, or drops those that it had not handled yet.
  if (error instanceof WorkflowNotFoundError || (refusal && hasEnded(ride))) {
    const { status } = ride;
    return new DomainError('illegal_transition', `A ride that is ${status} cannot ${update}.`, { status });
  }
  return new DependencyUnavailable('the workflow of the ride', { cause: error });
}
