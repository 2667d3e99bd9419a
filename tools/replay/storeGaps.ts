import type { Selection } from '../../consumers/audit/replaySource';
import type { Pool } from '../../platform/postgres';

interface MissingRow {
  /** `topic/partition/offset`. */
  readonly record: string;
  readonly factId: string | null;
  /** Base64; null where it says none. */
  readonly time: string | null;
  readonly state: 'put aside' | 'discarded';
}

/** Facts that are named in an error. */
const NAMED = 10;

/**
 * Sees to it that the store has every fact below some offsets that it has read past. What its consumer has put aside, or an
 * operator has discarded there, is not in it, and its positions do not say so. A discarded record that is no fact (none
 * of ours could read it) is no loss.
 * @param below by the partitions' names: the store is read up to these offsets
 * @param known records (`topic/partition/offset`) that may be missing: they are not to be applied
 * @throws Error that names what is missing
 */
export async function mustHaveNoGaps(
  audit: Pool,
  auditGroup: string,
  below: ReadonlyMap<string, number>,
  { keys, from }: Selection = {},
  known: ReadonlySet<string> = new Set(),
): Promise<void> {
  const { rows } = await audit.query<MissingRow>(
    `select range.partition_name || '/' || "offset" as record, fact_id as "factId",
       raw_headers -> 'ce_time' ->> 0 as time, state from (
       select topic, partition, "offset", key, fact_id, raw_headers, 'put aside' as state from inbox_parked
         where consumer_group = $1
       union all
       select topic, partition, "offset", key, fact_id, raw_headers, 'discarded' from inbox_discarded
         where consumer_group = $1 and fact_id is not null
     ) as missing join unnest($2::text[], $3::bigint[]) as range (partition_name, below)
       on topic || '/' || partition = range.partition_name and "offset" < below
     where ($4::text[] is null or key = any ($4) or raw_headers -> 'ce_correlationid' ->> 0 = any ($5))
     order by topic, partition, "offset"`,
    [
      ...[auditGroup, [...below.keys()], [...below.values()], keys ?? null],
      keys?.map((key) => Buffer.from(key).toString('base64')) ?? null,
    ],
  );
  const fromMs = from === undefined ? -Infinity : Date.parse(from);
  const missing = rows.filter((row) => !known.has(row.record) && !(happenedMs(row) < fromMs));
  if (missing.length === 0) return;
  const lines = missing
    .slice(0, NAMED)
    .map((row) => `${row.factId ?? 'a record'} (${row.record}): ${row.state}`);
  if (missing.length > NAMED) lines.push(`and ${missing.length - NAMED} more`);
  throw new Error(`the audit store lacks what its consumer could not take:\n  ${lines.join('\n  ')}`);
}

/** NaN where it says no time. */
const happenedMs = ({ time }: MissingRow): number =>
  Date.parse(time === null ? '' : Buffer.from(time, 'base64').toString());
