import type { DeadLetter, DeadLetterFilter, WholeDeadLetter } from '../deadLetters';
import type { RawRecord } from '../kafka/consumer';
import type { Queryable, Tx } from '../postgres';
import { keyOf, ownSequenceOf } from './fact';
import { printable, unpackHeaders } from './packed';
import { makeRoom, type Source } from './store';

/** A row of `inbox_parked`. */
export interface ParkedRow {
  readonly offset: number;
  readonly head: boolean;
  /** The headers' word, whether the record is a fact or not. */
  readonly sequence: number | null;
  readonly record: RawRecord;
}

type HeadRow = Omit<DeadLetter, 'id' | 'consumer'>;

const headColumns = `topic, partition, "offset", key, fact_id as "factId", fact_type as type, sequence,
  coalesce(reason, '') as reason, attempts, parked_at as "deadSince",
  case when key = '' then 0 else (
    select count(*) from inbox_parked w
    where w.consumer_group = p.consumer_group and w.topic = p.topic and w.key = p.key and not w.head
  ) end as waiting`;

/** `<topic>:<partition>:<offset>`; no topic has a colon. The offset is below 0 of a log that is gone. */
export const idOf = ({ topic, partition, offset }: { topic: string; partition: number; offset: number }) =>
  `${topic}:${partition}:${offset}`;

function recordOf(id: string): { topic: string; partition: number; offset: number } | null {
  const [, topic, partition, offset] = /^([^:]+):(\d{1,9}):(-?\d{1,15})$/.exec(id) ?? [];
  if (topic === undefined) return null;
  return { topic, partition: Number(partition), offset: Number(offset) };
}

/** The heads that are meant, the oldest first. */
export async function findHeads(
  db: Queryable,
  { group, consumer, prefix }: { group: string; consumer: string; prefix: string },
  filter: DeadLetterFilter,
): Promise<DeadLetter[]> {
  const records = filter.ids?.map(recordOf).filter((record) => record !== null);
  const { rows } = await db.query<HeadRow>({
    name: 'inbox-heads',
    text: `select ${headColumns} from inbox_parked p
           where consumer_group = $1 and head
             and ($2::text is null or topic = $2) and ($3::text is null or key = $3)
             and ($4::text is null or fact_type = $4)
             and ($5::text is null or strpos(coalesce(reason, ''), $5) > 0)
             and ($6::timestamptz is null or parked_at >= $6)
             and ($7::text[] is null or exists (
               select from unnest($7::text[], $8::int[], $9::bigint[]) as i (t, p, o)
               where i.t = topic and i.p = partition and i.o = "offset"))
           order by parked_at, topic, partition, "offset" limit $10`,
    values: [
      ...[group, filter.topic === undefined ? null : prefix + filter.topic, filter.key ?? null],
      ...[filter.type ?? null, filter.reason ?? null, filter.since ?? null],
      ...[records?.map(({ topic }) => topic) ?? null, records?.map(({ partition }) => partition) ?? null],
      ...[records?.map(({ offset }) => offset) ?? null, filter.limit],
    ],
  });
  return rows.map((row) => ({ ...row, id: idOf(row), consumer }));
}

/** All that is kept of one, null where it is gone. */
export async function readWhole(
  db: Queryable,
  { group, consumer }: { group: string; consumer: string },
  id: string,
): Promise<WholeDeadLetter | null> {
  const record = recordOf(id);
  if (record === null) return null;
  const { rows } = await db.query<
    HeadRow & { stack: string | null; value: Buffer | null; headers: Record<string, string[]> }
  >(
    `select ${headColumns}, stack, raw_value as value, raw_headers as headers from inbox_parked p
     where consumer_group = $1 and topic = $2 and partition = $3 and "offset" = $4 and head`,
    [group, record.topic, record.partition, record.offset],
  );
  const [row] = rows;
  if (!row) return null;
  const { rows: behind } = await db.query<{ factId: string | null; offset: number }>(
    `select fact_id as "factId", "offset" from inbox_parked
     where consumer_group = $1 and topic = $2 and key = $3 and key <> '' and not head
     order by sequence nulls last, "offset" limit 100`,
    [group, row.topic, row.key],
  );
  const headers = Object.entries(row.headers).map(([name, values]) => [
    name,
    values.map((value) => readable(Buffer.from(value, 'base64'))),
  ]);
  return {
    ...row,
    ...{ id, consumer, behind },
    value: row.value && readable(row.value),
    headers: Object.fromEntries(headers) as Record<string, string[]>,
  };
}

/** Bytes as people read them: text where it is text. */
export function readable(bytes: Buffer): string {
  const text = bytes.toString('utf8');
  return Buffer.from(text).equals(bytes) ? text : `base64:${bytes.toString('base64')}`;
}

/**
 * What waits of a key, in the order in which it can have its effect; of those without a key, and where `alone`, only
 * what is at the offset.
 */
export async function readParked(
  tx: Tx,
  source: Source,
  { key, offset, limit, alone = false }: { key: string; offset: number; limit: number; alone?: boolean },
): Promise<ParkedRow[]> {
  const { rows } = await tx.query<{
    offset: number;
    head: boolean;
    sequence: number | null;
    partition: number;
    key: Buffer | null;
    value: Buffer | null;
    headers: Record<string, string[]>;
    sentMs: number;
  }>({
    name: 'inbox-parked',
    text: `select "offset", head, sequence, partition, raw_key as key, raw_value as value, raw_headers as headers,
             (extract(epoch from coalesce(sent_at, parked_at)) * 1000)::bigint as "sentMs"
           from inbox_parked where consumer_group = $1 and topic = $2 and key = $3
             and ((key <> '' and not $7) or (partition = $4 and "offset" = $5))
           order by sequence nulls last, "offset" limit $6 for update`,
    values: [source.group, source.topic, key, source.partition, offset, limit, alone],
  });
  return rows.map((row) => ({
    ...{ offset: row.offset, head: row.head, sequence: row.sequence },
    record: {
      ...{ topic: source.topic, partition: row.partition, offset: row.offset },
      ...{ key: row.key, value: row.value, headers: unpackHeaders(row.headers) },
      timestamp: row.sentMs,
    },
  }));
}

export async function unpark(tx: Tx, { group, topic }: Source, rows: readonly ParkedRow[]): Promise<void> {
  if (rows.length === 0) return;
  await tx.query(
    `delete from inbox_parked where consumer_group = $1 and topic = $2 and (partition, "offset") in (
       select * from unnest($3::int[], $4::bigint[]))`,
    [group, topic, rows.map(({ record }) => record.partition), rows.map(({ offset }) => offset)],
  );
}

/** Makes this one the head of its key: no other is. */
export async function setHead(
  tx: Tx,
  { group, topic }: Source,
  { record, offset }: ParkedRow,
  why: { readonly reason: string; readonly stack: string | null; readonly wasTried: boolean },
): Promise<void> {
  await tx.query(
    `with others as (
       update inbox_parked set head = false, reason = null, stack = null
       where consumer_group = $1 and topic = $2 and head and (partition, "offset") <> ($3, $4)
         and key = (select key from inbox_parked
                    where consumer_group = $1 and topic = $2 and partition = $3 and "offset" = $4)
         and key <> ''
     )
     update inbox_parked set head = true, reason = $5, stack = $6, attempts = attempts + $7
     where consumer_group = $1 and topic = $2 and partition = $3 and "offset" = $4`,
    [
      ...[group, topic, record.partition, offset, printable(why.reason), why.stack && printable(why.stack)],
      why.wasTried ? 1 : 0,
    ],
  );
}

/** Keeps what an operator gives up, for ever, and takes it out of what waits. */
export async function moveToDiscarded(
  tx: Tx,
  { group, topic }: Source,
  row: ParkedRow,
  word: { readonly by: string; readonly because: string; readonly sequence: number | null },
): Promise<void> {
  const { record } = row;
  const key = keyOf(record) ?? '';
  await makeRoom(tx, { group, topic, partition: record.partition }, 'inbox_discarded', { record, key });
  await tx.query(
    `with gone as (
       delete from inbox_parked
       where consumer_group = $1 and topic = $2 and partition = $3 and "offset" = $4 returning *
     )
     insert into inbox_discarded (consumer_group, topic, partition, "offset", key, fact_id, sequence, own_sequence, reason,
       raw_key, raw_value, raw_headers, discarded_by, discarded_because)
     select consumer_group, topic, partition, "offset", key, fact_id, $5, $6, reason, raw_key, raw_value, raw_headers,
       $7, $8
     from gone`,
    [
      ...[group, topic, record.partition, row.offset, word.sequence, ownSequenceOf(record)],
      ...[word.by, word.because],
    ],
  );
}
