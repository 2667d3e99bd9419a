import type { Pool } from 'pg';
import { DomainError } from '../../domain/errors';
import { isUniqueViolation } from '../../platform/postgres';

export interface ClaimRequest {
  readonly caller: string;
  readonly key: string;
  /** Hash of the canonical body. */
  readonly bodyHash: string;
  /** The id that the ride gets if this is the first request with the key: a UUIDv7. */
  readonly rideId: string;
  readonly quoteId: string;
  /** ISO 8601 in UTC. */
  readonly now: string;
}

export interface Claim {
  readonly rideId: string;
  readonly claimedAt: string;
  /** The answer that was given, or null where the request is in flight or crashed half way. */
  readonly answer: unknown;
}

/**
 * Claims (caller, key) for a new ride in one insert, or finds the claim that is there. It outlives every workflow,
 * so that the same key gives the same answer, always.
 * @throws DomainError `idempotency_key_reused` for another body, `quote_used` for a quote that has its ride
 */
export async function claimRequest(pool: Pool, request: ClaimRequest): Promise<Claim> {
  const { caller, key, bodyHash, rideId, quoteId, now } = request;
  try {
    const inserted = await pool.query({
      name: 'claim-insert',
      text: `insert into claims (caller, idempotency_key, body_hash, ride_id, quote_id, created_at)
             values ($1, $2, $3, $4, $5, $6) on conflict (caller, idempotency_key) do nothing`,
      values: [caller, key, bodyHash, rideId, quoteId, now],
    });
    if (inserted.rowCount === 1) return { rideId, claimedAt: now, answer: null };
  } catch (error) {
    if (!isUniqueViolation(error, 'claims_quote')) throw error;
    // Of two requests at once with one key and quote, the later may meet the quote's index before the key's.
    const own = await findClaim(pool, request);
    if (own !== null) return own;
    throw new DomainError('quote_used', 'A ride was requested with this quote before.');
  }
  return (await findClaim(pool, request))!;
}

/**
 * The claim that (caller, key) has, or null where this is the first request with the key.
 * @throws DomainError `idempotency_key_reused` for another body
 */
export async function findClaim(
  pool: Pool,
  { caller, key, bodyHash }: Pick<ClaimRequest, 'caller' | 'key' | 'bodyHash'>,
): Promise<Claim | null> {
  const { rows } = await pool.query<Claim & { bodyHash: string }>({
    name: 'claim-find',
    text: `select body_hash as "bodyHash", ride_id as "rideId", created_at as "claimedAt", answer
           from claims where caller = $1 and idempotency_key = $2`,
    values: [caller, key],
  });
  if (!rows[0]) return null;
  const { bodyHash: claimedHash, ...claim } = rows[0];
  if (claimedHash !== bodyHash) {
    throw new DomainError('idempotency_key_reused', 'This Idempotency-Key was used with another body.');
  }
  return claim;
}

/**
 * Keeps the answer with its claim, once: what is there is never changed. The rider does not wait until it is on disk:
 * an answer that is lost with Postgres is made again of the claim and the request.
 */
export async function keepAnswer(pool: Pool, caller: string, key: string, answer: unknown): Promise<void> {
  await pool.query({
    name: 'claim-answer',
    text: `with at_ease as (select set_config('synchronous_commit', 'off', true))
           update claims set answer = $3 from at_ease
           where caller = $1 and idempotency_key = $2 and answer is null`,
    values: [caller, key, JSON.stringify(answer)],
  });
}
