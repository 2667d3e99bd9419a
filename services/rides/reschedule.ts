import { createHash } from 'node:crypto';
import type { Pool } from 'pg';
import type { RescheduleBody } from '../../contracts/api/rides';
import { decideRide } from '../../domain/decideRide';
import { DomainError } from '../../domain/errors';
import type { Policies } from '../../domain/policies';
import { isAskedFor, type RequestChange } from '../../domain/requestChange';
import { hasEnded, type Ride } from '../../domain/ride';
import { claimRequest } from './claims';
import { readQuote } from './quoteToken';
import type { Act } from './rideActions';

export interface RescheduleOptions {
  readonly pool: Pool;
  readonly act: Act;
  readonly quoteSecret: string;
  readonly policies: Policies;
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

/**
 * Changes a ride that waits for its time: when, or (with another quote) what. Answers with the ride after it; a repeat
 * changes nothing more.
 * @throws DomainError `illegal_transition` for a ride that has begun, `scheduled_too_soon`, `scheduled_too_late`,
 *   `quote_invalid`, `quote_expired`, `quote_used`; DependencyUnavailable
 */
export type Reschedule = (ride: Ride, body: RescheduleBody) => Promise<Ride>;

export function createReschedule(options: RescheduleOptions): Reschedule {
  const { pool, act, quoteSecret, policies, now } = options;
  return async (ride, { quoteToken, scheduledFor }) => {
    if (quoteToken === undefined) return change(ride, { scheduledFor: scheduledFor ?? null });

    const { riderId } = ride;
    const { expiresAt, ...quoted } = await readQuote(quoteSecret, quoteToken, { riderId });
    const when = scheduledFor ?? quoted.scheduledFor;
    const { scheduledFor: _, ...other } = quoted;
    const wanted = when === null ? other : { ...other, scheduledFor: when };
    if (isDone(wanted)(ride)) return ride;
    if (Date.parse(expiresAt) <= now()) {
      throw new DomainError('quote_expired', `The quote was good until ${expiresAt}.`);
    }
    mustBeLegal(ride, wanted);
    await useUp(ride, quoted.quoteId);
    return change(ride, wanted);
  };

  /** Only what changes is sent: the ride may have been changed since it was read, and that has to stay. */
  async function change(ride: Ride, request: RequestChange): Promise<Ride> {
    const done = isDone(request);
    if (!done(ride)) mustBeLegal(ride, request);
    return act(ride, { update: 'reschedule', argument: { request }, isDone: done });
  }

  /** Refuses before anything is written. */
  function mustBeLegal(ride: Ride, request: RequestChange): void {
    decideRide({ type: 'reschedule', at: new Date(now()).toISOString(), request }, ride, policies);
  }

  /** A quote is good for one ride: claimed under a key that no caller can send. */
  async function useUp({ rideId, riderId }: Ride, quoteId: string): Promise<void> {
    const key = `reschedule ${rideId} ${quoteId}`;
    const bodyHash = createHash('sha256').update(key).digest('hex');
    const at = new Date(now()).toISOString();
    await claimRequest(pool, { caller: riderId, key, bodyHash, rideId, quoteId, now: at });
  }
}

/** Also on a ride that has begun meanwhile: whoever lost the answer repeats the change. */
const isDone =
  (change: RequestChange) =>
  (ride: Ride): boolean =>
    !hasEnded(ride) && isAskedFor(ride, change);
