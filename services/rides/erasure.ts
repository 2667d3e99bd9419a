import type { Pool } from 'pg';
import type { ErasureBlocker } from '../../contracts/api/erasure';
import { withoutSubject } from '../../contracts/personal';
import { ERASED, NOWHERE } from '../../contracts/personalMarks';
import { writtenFact } from '../../contracts/writtenFact';
import { foldRide } from '../../domain/foldRide';
import { erasureId, stepId } from '../../domain/names';
import { terminalRideStatuses, type Ride, type RideFact } from '../../domain/ride';
import { findStep, recordFact } from '../../platform/outbox';
import { rewriteFacts } from '../../platform/personal/steps';
import { withTransaction, type Queryable, type Tx } from '../../platform/postgres';

/** Rides that are changed in one transaction. */
const AT_ONCE = 100;

/** A person's rides: those that they asked for, and with them those that they drove or were offered. */
export interface RidesOf {
  readonly asked: readonly string[];
  readonly all: readonly string[];
}

/** By the claim of each ride and its offers, which have the indexes for it. */
export async function ridesOf(db: Queryable, subject: string): Promise<RidesOf> {
  const { rows } = await db.query<{ rideId: string; asked: boolean }>(
    `select ride_id as "rideId", bool_or(asked) as asked from (
       select ride_id, true as asked from claims where caller = $1
       union all select ride_id, false from offers where driver_id = $1
     ) as touched join rides using (ride_id) group by ride_id order by ride_id`,
    [subject],
  );
  return {
    asked: rows.filter(({ asked }) => asked).map(({ rideId }) => rideId),
    all: rows.map(({ rideId }) => rideId),
  };
}

/** For so long a claim may yet become a ride, its request cut short or Temporal's workers away. */
const CLAIM_LIVES = '1 day';

/**
 * What of a person's rides is under way: a ride that they take or have just asked for, one that they drive or are to
 * drive, their shift.
 */
export async function ridesInTheWay(
  db: Queryable,
  subject: string,
  rides: RidesOf,
): Promise<ErasureBlocker[]> {
  const { rows } = await db.query<ErasureBlocker>(
    `select 'ride' as kind, ride_id::text as id from rides
     where ride_id = any ($2) and (rider_id = $1 or driver_id = $1) and status <> all ($3)
     union select 'ride', ride_id::text from claims
       where caller = $1 and created_at > now() - $4::interval and not exists (
         select from rides where rides.ride_id = claims.ride_id)
     union select 'ride', next_ride_id::text from drivers where driver_id = $1 and next_ride_id is not null
     union select 'shift', driver_id from drivers where driver_id = $1 and online`,
    [subject, rides.all, terminalRideStatuses, CLAIM_LIVES],
  );
  return rows;
}

/**
 * Blots a person out of the rides database: out of the facts that steps remember, the rows that are folded from them, the
 * answers that were kept, comments, and their account; and leaves the fact that it was done. Safe to repeat.
 * @param at ISO 8601 UTC
 */
export async function blotRides(
  pool: Pool,
  { subject, rides, at, topicPrefix }: { subject: string; rides: RidesOf; at: string; topicPrefix: string },
): Promise<void> {
  for (let start = 0; start < rides.all.length; start += AT_ONCE) {
    const some = rides.all.slice(start, start + AT_ONCE);
    await withTransaction(pool, (tx) => blotSome(tx, subject, some));
  }
  await withTransaction(pool, async (tx) => {
    await tx.query(`update drivers set name = $2, plate = $2, fleet_id = null where driver_id = $1`, [
      subject,
      ERASED,
    ]);
    await rewriteFacts(tx, [subject], ({ type, data }) => withoutSubject(type, data, subject));
    await recordErased(tx, subject, at, topicPrefix);
  });
}

async function blotSome(tx: Tx, subject: string, rideIds: readonly string[]): Promise<void> {
  const { rows } = await tx.query<{ rideId: string; riderId: string }>(
    `select ride_id as "rideId", rider_id as "riderId" from rides where ride_id = any ($1) order by ride_id for update`,
    [rideIds],
  );
  const riders = new Map(rows.map(({ rideId, riderId }) => [rideId, riderId]));
  const facts = await rewriteFacts(tx, rideIds, ({ type, data }, rideId) =>
    withoutSubject(type, data, subject, { riderId: riders.get(rideId) }),
  );
  const states = [...facts].map(([, ofRide]) => (ofRide as RideFact[]).reduce<Ride | null>(foldRide, null)!);
  await tx.query(
    `update rides set state = now.state from unnest($1::uuid[], $2::jsonb[]) as now (ride_id, state)
     where rides.ride_id = now.ride_id and rides.ride_id = any ($1)`,
    [states.map(({ rideId }) => rideId), states.map((state) => JSON.stringify(state))],
  );
  await tx.query(`update claims set answer = answer || $3 where caller = $1 and ride_id = any ($2)`, [
    ...[subject, rideIds, JSON.stringify({ pickup: NOWHERE, stops: [], dropoff: NOWHERE })],
  ]);
  await tx.query(
    `update ratings set comment = null where ride_id = any ($2) and (rater_id = $1 or rated_id = $1)`,
    [subject, rideIds],
  );
}

async function recordErased(tx: Tx, subject: string, at: string, topicPrefix: string): Promise<void> {
  const aggregateId = erasureId(subject);
  const step = stepId(aggregateId, 'erase');
  if ((await findStep(tx, step)) !== null) return;
  await recordFact(tx, {
    stepId: step,
    aggregateId,
    version: 1,
    source: '/hailway/rides',
    ...writtenFact({ type: 'subject.erased', at, data: { subjectId: subject } }, topicPrefix),
  });
}
