import type { RawRecord } from '../../platform/kafka';
import type { Queryable, Tx } from '../../platform/postgres';

interface Row {
  readonly place: number;
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

const columns = `place, topic, partition, "offset", key, sequence, fact_id as "factId", type, time,
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

/** The stored records of a partition behind a place of its chain, below an offset, in the order of the chain. */
export async function storedRecords(
  db: Queryable,
  { topic, partition }: { readonly topic: string; readonly partition: number },
  range: { readonly afterPlace: number; readonly belowOffset: number; readonly limit: number },
): Promise<{ records: RawRecord[]; lastPlace: number | null }> {
  const { rows } = await db.query<Row>({
    name: 'audit-replay',
    text: `select ${columns} from facts
           where topic = $1 and partition = $2 and place > $3 and "offset" < $4 order by place limit $5`,
    values: [topic, partition, range.afterPlace, range.belowOffset, range.limit],
  });
  return { records: rows.map(recordOf), lastPlace: rows.at(-1)?.place ?? null };
}

/** Which facts are meant: of these keys or correlations, that happened at that time or later. */
export interface Selection {
  readonly keys?: readonly string[] | undefined;
  /** ISO 8601. */
  readonly from?: string | undefined;
}

/** A part of a chain: the places behind `after`, up to `upTo`. */
export interface ChainRange {
  readonly topic: string;
  readonly partition: number;
  readonly after: number;
  readonly upTo: number;
}

/** The last place of a partition's chain whose fact lies below an offset; 0 where none does. */
export async function lastPlaceBelow(
  db: Queryable,
  { topic, partition }: { readonly topic: string; readonly partition: number },
  offset: number,
): Promise<number> {
  const { rows } = await db.query<{ place: number }>(
    `select place from facts where topic = $1 and partition = $2 and "offset" < $3 order by place desc limit 1`,
    [topic, partition, offset],
  );
  return rows[0]?.place ?? 0;
}

/**
 * The selected facts of parts of chains in the order in which they were sent, page by page, and each chain's in its own
 * order: what was put aside and came late comes when what is before it has come. Run it in a transaction; memory holds
 * one page.
 */
export async function* selectedRecords(
  tx: Tx,
  { keys, from }: Selection,
  ranges: readonly ChainRange[],
  limit = 500,
): AsyncGenerator<RawRecord[]> {
  await tx.query(
    `declare selected no scroll cursor for select ${columns} from facts
       join unnest($1::text[], $2::int[], $3::bigint[], $4::bigint[]) as chain (topic, partition, after, up_to)
         using (topic, partition)
     where place > after and place <= up_to and time >= coalesce($6::timestamptz, '-infinity')
       and ($5::text[] is null or correlation_id = any ($5) or (key = any ($5) and topic = any ($1)))
     order by max(sent_at) over (partition by topic, partition order by place), topic, partition, place`,
    [
      ranges.map(({ topic }) => topic),
      ranges.map(({ partition }) => partition),
      ranges.map(({ after }) => after),
      ranges.map(({ upTo }) => upTo),
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
