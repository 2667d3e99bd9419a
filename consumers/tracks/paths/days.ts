import { withTransaction, type Pool } from '../../../platform/postgres';

const DAYS_AHEAD = 2;
/** So long a flush waits for who drops a day, at most; it is tried again. */
const LOCK_MS = 500;

/**
 * Makes the partitions of the days to come and drops those of days that are over for longer than `keepDays`. Safe to
 * repeat at any time.
 */
export async function turnDays(pool: Pool, keepDays: number): Promise<void> {
  await pool.query(
    `select ensure_path_day((now() at time zone 'UTC')::date + n) from generate_series(-1, $1::integer) as n`,
    [DAYS_AHEAD],
  );
  const { rows } = await pool.query<{ name: string }>(
    `select relname as name from pg_inherits join pg_class on pg_class.oid = inhrelid
     where inhparent = 'path_chunks'::regclass and relname ~ '^path_chunks_\\d{4}_\\d\\d_\\d\\d$'
       and to_date(right(relname, 10), 'YYYY_MM_DD') < (now() at time zone 'UTC')::date - $1::integer
     order by relname`,
    [keepDays],
  );
  for (const { name } of rows)
    await withTransaction(pool, async (tx) => {
      await tx.query(`set local lock_timeout = ${LOCK_MS}`);
      await tx.query(`drop table if exists ${tx.escapeIdentifier(name)}`);
    });
  await pool.query(
    `delete from path_chunks_other where day < (now() at time zone 'UTC')::date - $1::integer`,
    [keepDays],
  );
}
