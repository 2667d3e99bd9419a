import type { Compared } from '../../../domain/reconcile';
import { endOffsets, offsetsSince, type Kafka } from '../../../platform/kafka';
import type { Pool, Queryable, Tx } from '../../../platform/postgres';
import { xidBefore, type Scope } from './pages';

/** The topic of all facts of the payments database. */
export const logTopic = (topicPrefix: string): string => `${topicPrefix}payments`;

/** A fact reaches the log after its commit; it may have been sent a while before another clock’s time. */
const MARGIN_MS = 10 * 60_000;

/**
 * Where a comparison begins: steps of transactions from `below` on, and records from these offsets on, among which are
 * all of those steps. Where the last run has ended, or from a time on where there was none, or where that is asked for;
 * what was missing then is waited for in any case.
 */
export async function beginOfLook(
  { pool, kafka, topic }: { readonly pool: Pool; readonly kafka: Kafka; readonly topic: string },
  { since, resumes }: Pick<Scope, 'since' | 'resumes'>,
): Promise<Compared> {
  const kept = await comparedSoFar(pool, topic, await endOffsets(kafka, topic));
  if (kept !== null && resumes) return kept;
  const asked: Compared = {
    below: await xidBefore(pool, since),
    offsets: await offsetsSince(kafka, topic, Date.parse(since) - MARGIN_MS),
  };
  if (kept === null) return asked;
  return {
    below: BigInt(kept.below) < BigInt(asked.below) ? kept.below : asked.below,
    offsets: Object.fromEntries(
      Object.entries(asked.offsets).map(([partition, offset]) => [
        partition,
        Math.min(offset, kept.offsets[Number(partition)] ?? 0),
      ]),
    ),
  };
}

/** Null before the first run, and where the log or the database has been set back since. */
async function comparedSoFar(
  db: Queryable,
  topic: string,
  ends: Compared['offsets'],
): Promise<Compared | null> {
  const { rows } = await db.query<Compared>(
    `select below::text, offsets from logs_compared
     where topic = $1 and below <= pg_snapshot_xmax(pg_current_snapshot())`,
    [topic],
  );
  const [kept] = rows;
  if (kept === undefined) return null;
  const isSetBack = Object.entries(kept.offsets).some(
    ([partition, offset]) => offset > (ends[Number(partition)] ?? 0),
  );
  return isSetBack ? null : kept;
}

/**
 * All steps of transactions below it are committed for at least as long as a fact may be on its way. Transactions have
 * about the order of their times.
 */
export async function settledBelow(db: Queryable, lagMs: number): Promise<string> {
  const old = await xidBefore(db, new Date(Date.now() - lagMs).toISOString());
  const { rows } = await db.query<{ below: string }>(
    `select least(pg_snapshot_xmin(pg_current_snapshot()),
                  min(xid) filter (where recorded_at > now() - make_interval(secs => $2)))::text as below
     from steps where xid > $1::xid8`,
    [old, lagMs / 1_000],
  );
  return rows[0]!.below;
}

/** A later run goes on from here. */
export async function putCompared(tx: Tx, topic: string, { below, offsets }: Compared): Promise<void> {
  await tx.query(
    `insert into logs_compared (topic, below, offsets) values ($1, $2, $3)
     on conflict (topic) do update set below = excluded.below, offsets = excluded.offsets`,
    [topic, below, JSON.stringify(offsets)],
  );
}
