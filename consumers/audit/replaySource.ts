import type { RawRecord } from '../../platform/kafka';
import type { Queryable, Tx } from '../../platform/postgres';

interface Row {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
  readonly key: string;
  readonly sequence: number;
  readonly factId: string;
  readonly type: string;
  readonly time: string;
  readonly sentMs: number;
  readonly headers: Record<string, string>;
  readonly data: string;
}

const columns = `topic, partition, "offset", key, sequence, fact_id as "factId", type, time,
  (extract(epoch from sent_at) * 1000)::bigint as "sentMs", headers, data::text as data`;

/** A stored fact as the record that it came in. */
function recordOf(row: Row): RawRecord {
  const { topic, partition, offset, key, sequence, factId, type, time, sentMs, headers, data } = row;
  // Facts that were stored before all headers were kept lack these.
  const attributes = {
    ce_specversion: '1.0',
    ce_id: factId,
    ce_type: type,
    ce_time: time,
    ce_sequence: String(sequence),
    ...headers,
  };
  return {
    ...{ topic, partition, offset, timestamp: sentMs },
    key: Buffer.from(key),
    value: Buffer.from(data),
    headers: Object.fromEntries(
      Object.entries(attributes).map(([name, value]) => [name, Buffer.from(value)]),
    ),
  };
}

/**
 * The stored records of a partition from an offset on, below another, in the order of the log: a fact that the store took
 * later than those behind it has a late place in the chain.
 */
export async function storedRecords(
  db: Queryable,
  { topic, partition }: { readonly topic: string; readonly partition: number },
  range: { readonly from: number; readonly below: number; readonly limit: number },
): Promise<RawRecord[]> {
  const { rows } = await db.query<Row>({
    name: 'audit-replay',
    text: `select ${columns} from facts
           where topic = $1 and partition = $2 and "offset" >= $3 and "offset" < $4 order by "offset" limit $5`,
    values: [topic, partition, range.from, range.below, range.limit],
  });
  return rows.map(recordOf);
}

/** Which facts are meant: of these keys or correlations, that happened at that time or later. */
export interface Selection {
  readonly keys?: readonly string[] | undefined;
  /** ISO 8601. */
  readonly from?: string | undefined;
}

/** A part of a partition: the offsets from `from` on, below `below`. */
export interface LogRange {
  readonly topic: string;
  readonly partition: number;
  readonly from: number;
  readonly below: number;
}

/**
 * The selected facts of parts of partitions in the order in which they were sent, page by page, and each chain's in its
 * own order: what was put aside and came late comes when what is before it has come. Run it in a transaction; memory
 * holds one page.
 */
export async function* selectedRecords(
  tx: Tx,
  { keys, from }: Selection,
  ranges: readonly LogRange[],
  limit = 500,
): AsyncGenerator<RawRecord[]> {
  await tx.query(
    `declare selected no scroll cursor for select ${columns} from facts
       join unnest($1::text[], $2::int[], $3::bigint[], $4::bigint[]) as range (topic, partition, first, below)
         using (topic, partition)
     where "offset" >= first and "offset" < below and time >= coalesce($6::timestamptz, '-infinity')
       and ($5::text[] is null or correlation_id = any ($5) or (key = any ($5) and topic = any ($1)))
     order by max(sent_at) over (partition by topic, partition order by place), topic, partition, place`,
    [
      ranges.map(({ topic }) => topic),
      ranges.map(({ partition }) => partition),
      ranges.map(({ from: first }) => first),
      ranges.map(({ below }) => below),
      ...[keys ?? null, from ?? null],
    ],
  );
  for (;;) {
    const { rows } = await tx.query<Row>(`fetch ${limit} from selected`);
    if (rows.length === 0) break;
    yield rows.map(recordOf);
  }
  await tx.query('close selected');
}
