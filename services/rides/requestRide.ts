import { createHash } from 'node:crypto';
import {
  WithStartWorkflowOperation,
  WorkflowExecutionAlreadyStartedError,
  type Client,
} from '@temporalio/client';
import type { Pool } from 'pg';
import { v7 as uuidv7 } from 'uuid';
import { rideAccepted, type RideAccepted, type RideRequestBody } from '../../contracts/api/rides';
import { DomainError } from '../../domain/errors';
import { inTime } from '../../domain/schedule';
import { rideUpdates, workflowTypes } from '../../domain/names';
import type { Policies } from '../../domain/policies';
import type { RideRequest } from '../../domain/ride';
import type { RideStart } from '../../domain/sagas';
import { DependencyUnavailable } from '../../platform/errors';
import type { Vault } from '../../platform/personal';
import { claimRequest, findClaim, keepAnswer, type Claim } from './claims';
import { readQuote } from './quoteToken';
import { rideStartOptions, waitsFirst } from './rideStart';
import { getRide } from './store';

export interface RequestRideOptions {
  readonly pool: Pool;
  readonly vault: Pick<Vault, 'isErased'>;
  readonly temporal: Client;
  readonly quoteSecret: string;
  readonly policies: Policies;
  /** How long the start of the workflow may take until the rider is told to repeat, in milliseconds. */
  readonly startDeadlineMs: number;
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

export type RequestRide = (request: {
  readonly riderId: string;
  /** The Idempotency-Key. */
  readonly key: string;
  readonly body: RideRequestBody;
}) => Promise<RideAccepted>;

/**
 * Requests a ride: answers once the ride is durable, and the same for every repeat of (rider, key), whether the first
 * is in flight, crashed half way, or was answered long ago.
 * @throws DomainError `quote_invalid`, `quote_expired`, `quote_used`, `idempotency_key_reused`, `scheduled_too_soon`,
 *   `scheduled_too_late`, `subject_erased`;
 *   DependencyUnavailable: repeat the same request later, it goes on where it stood
 */
export function createRequestRide(options: RequestRideOptions): RequestRide {
  const { pool, vault, quoteSecret, now } = options;
  return async ({ riderId, key, body }) => {
    const bodyHash = hashOf(body);
    // Asked first: a repeat has its answer however old its quote is by now.
    const found = await findClaim(pool, { caller: riderId, key, bodyHash });
    if (found?.answer) return rideAccepted.parse(found.answer);

    if (await vault.isErased(riderId)) throw new DomainError('subject_erased', 'This account was erased.');
    const quote = await readQuote(quoteSecret, body.quoteToken, { riderId });
    if (found === null && Date.parse(quote.expiresAt) <= now()) {
      throw new DomainError('quote_expired', `The quote was good until ${quote.expiresAt}.`);
    }
    const at = new Date(now()).toISOString();
    const { expiresAt: _, ...quoted } = quote;
    const scheduledFor = body.scheduledFor ?? quote.scheduledFor;
    const { paymentMethod, fallbackPaymentMethods } = body;
    const fallbacks = fallbackPaymentMethods === undefined ? {} : { fallbackPaymentMethods };
    const asked = { ...quoted, paymentMethod, ...fallbacks, scheduledFor };
    if (found === null && scheduledFor !== null) inTime(asked, at, options.policies);
    const rideId = uuidv7();
    const { quoteId } = quote;
    const claim =
      found ?? (await claimRequest(pool, { caller: riderId, key, bodyHash, rideId, quoteId, now: at }));
    if (claim.answer) return rideAccepted.parse(claim.answer);

    const request = { ...asked, rideId: claim.rideId };
    // A claim that was there may have its ride, which must not begin a second time, even if Temporal has forgotten it.
    const isNew = claim.rideId === rideId;
    if (isNew || !(await getRide(pool, claim.rideId))) await makeDurable(request, claim, bodyHash, options);
    const answer = answerTo(claim, request);
    await keepAnswer(pool, riderId, key, answer);
    return answer;
  };
}

/** A function of the claim and the request alone, so that whoever finishes the request answers the same. */
const answerTo = ({ rideId, claimedAt }: Claim, request: RideRequest): RideAccepted =>
  rideAccepted.parse({
    rideId,
    status: request.scheduledFor === null ? 'requested' : 'scheduled',
    quoteId: request.quoteId,
    product: request.product,
    pickup: request.pickup,
    stops: request.stops,
    dropoff: request.dropoff,
    fare: request.fare,
    scheduledFor: request.scheduledFor,
    requestedAt: claimedAt,
  });

async function makeDurable(
  request: RideRequest,
  claim: Claim,
  bodyHash: string,
  { pool, temporal, policies, startDeadlineMs }: RequestRideOptions,
): Promise<void> {
  const start: RideStart = { request, requestedAt: claim.claimedAt, policies };
  const type = waitsFirst(start) ? workflowTypes.scheduledRide : workflowTypes.ride;
  const startWorkflowOperation = new WithStartWorkflowOperation(type, {
    ...rideStartOptions(start),
    workflowIdConflictPolicy: 'USE_EXISTING',
    workflowIdReusePolicy: 'REJECT_DUPLICATE',
  });
  try {
    await temporal.withDeadline(Date.now() + startDeadlineMs, () =>
      temporal.workflow.executeUpdateWithStart(rideUpdates.request, {
        startWorkflowOperation,
        updateId: bodyHash,
      }),
    );
  } catch (error) {
    // It was started by another request with this claim, and is over already.
    const isOver = error instanceof WorkflowExecutionAlreadyStartedError;
    if (isOver && (await getRide(pool, claim.rideId))) return;
    throw new DependencyUnavailable('the workflow of the ride', { cause: error });
  }
}

/** The same for the same request, in whatever order its fields come: the schema has put them into its own. */
const hashOf = (body: RideRequestBody): string =>
  createHash('sha256').update(JSON.stringify(body)).digest('hex');
