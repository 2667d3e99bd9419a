import type { Pool } from 'pg';
import { z } from 'zod';
import { DomainError } from '../../domain/errors';
import type { Policies } from '../../domain/policies';
import { hasEnded, type Ride } from '../../domain/ride';
import type { Queryable } from '../../platform/postgres';
import { readToken, signToken } from '../../platform/signedToken';
import { getRide } from './store';

/** What a link says: which ride, until when, and in which round of links it was made. */
const claims = z.object({ rideId: z.uuid(), round: z.int(), exp: z.int() });

const tokenType = 'share+jwt';

type Terms = Pick<Policies, 'shareTtlMs' | 'shareGraceMs'>;

/** When a link made at `nowMs` is over, at the latest: a while after the pickup of a ride for later. */
export const shareUntil = (ride: Ride, nowMs: number, { shareTtlMs }: Terms): number =>
  Math.ceil((Math.max(nowMs, Date.parse(ride.scheduledFor ?? '') || 0) + shareTtlMs) / 1_000) * 1_000;

/** Whether a ride is shown at `nowMs`: until shortly after its end. */
export const isShown = (ride: Ride, nowMs: number, { shareGraceMs }: Terms): boolean =>
  ride.endedAt === null || nowMs < Date.parse(ride.endedAt) + shareGraceMs;

/**
 * Signs a link to the ride.
 * @throws DomainError `share_not_possible` for a ride that is over
 */
export async function signShare(
  db: Queryable,
  secret: string,
  ride: Ride,
  nowMs: number,
  terms: Terms,
): Promise<{ token: string; expiresAt: string }> {
  if (hasEnded(ride)) {
    throw new DomainError('share_not_possible', `The ride is ${ride.status}.`, {
      rideStatus: ride.status,
    });
  }
  const until = new Date(shareUntil(ride, nowMs, terms));
  const link = { rideId: ride.rideId, round: await roundOf(db, ride.rideId) };
  const token = await signToken(secret, tokenType, link, until);
  return { token, expiresAt: until.toISOString() };
}

/**
 * The ride that a link shows, and until when.
 * @throws DomainError `share_not_found` for whatever shows nothing: forged, expired, taken back, over
 */
export async function readShare(
  db: Queryable,
  secret: string,
  token: string,
  nowMs: number,
  terms: Terms,
): Promise<{ ride: Ride; expiresAt: string }> {
  const read = claims.safeParse(await readToken(secret, tokenType, token));
  if (read.success && nowMs < read.data.exp * 1_000) {
    const { rideId, round, exp } = read.data;
    const ride = await getRide(db, rideId);
    if (ride !== null && isShown(ride, nowMs, terms) && round === (await roundOf(db, rideId))) {
      return { ride, expiresAt: new Date(exp * 1_000).toISOString() };
    }
  }
  throw new DomainError('share_not_found', 'This link shows no ride, or no longer.');
}

/** Takes back every link to the ride that was made until now. */
export async function endShares(pool: Pool, rideId: string): Promise<void> {
  await pool.query(
    `insert into share_rounds (ride_id, round) values ($1, 1)
     on conflict (ride_id) do update set round = share_rounds.round + 1`,
    [rideId],
  );
}

async function roundOf(db: Queryable, rideId: string): Promise<number> {
  const { rows } = await db.query<{ round: number }>({
    name: 'share-round',
    text: 'select round from share_rounds where ride_id = $1',
    values: [rideId],
  });
  return rows[0]?.round ?? 0;
}
