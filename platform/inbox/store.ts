import type { RawRecord } from '../kafka/consumer';
import type { Queryable, Tx } from '../postgres';

/** One partition of a topic, as one consumer group sees it. */
export interface Place {
  readonly group: string;
  readonly topic: string;
  readonly partition: number;
}

/** A record put aside: `reason` for one that could not be applied, null for one that waits behind such a one. */
export interface ParkedRecord {
  readonly record: RawRecord;
  readonly key: string;
  readonly factId: string | null;
  readonly reason: string | null;
  readonly stack: string | null;
}

/**
 * The offset of the partition's next record, its row locked until the end of the transaction: a consumer that has
 * lost the partition and does not know it yet waits here, and then finds its records done.
 */
export async function lockPosition(tx: Tx, { group, topic, partition }: Place): Promise<number> {
  const read = () =>
    tx.query<{ next: number }>({
      name: 'inbox-lock',
      text: `select next_offset as next from inbox_positions
             where consumer_group = $1 and topic = $2 and partition = $3 for update`,
      values: [group, topic, partition],
    });
  let { rows } = await read();
  if (!rows[0]) {
    await tx.query(
      `insert into inbox_positions (consumer_group, topic, partition) values ($1, $2, $3) on conflict do nothing`,
      [group, topic, partition],
    );
    ({ rows } = await read());
  }
  return rows[0]?.next ?? 0;
}

export async function movePosition(tx: Tx, place: Place, nextOffset: number, facts: number): Promise<void> {
  await tx.query({
    name: 'inbox-move',
    text: `update inbox_positions set next_offset = $4, facts = facts + $5, moved_at = now()
           where consumer_group = $1 and topic = $2 and partition = $3`,
    values: [place.group, place.topic, place.partition, nextOffset, facts],
  });
}

/** For each of the keys that has one: the highest sequence applied. */
export async function readSequences(
  tx: Tx,
  { group, topic }: Place,
  keys: string[],
): Promise<Map<string, number>> {
  const { rows } = await tx.query<{ key: string; sequence: number }>({
    name: 'inbox-sequences',
    text: `select key, sequence from inbox_sequences where consumer_group = $1 and topic = $2 and key = any ($3)`,
    values: [group, topic, keys],
  });
  return new Map(rows.map(({ key, sequence }) => [key, sequence]));
}

export async function writeSequences(
  tx: Tx,
  { group, topic }: Place,
  sequences: Map<string, number>,
): Promise<void> {
  if (sequences.size === 0) return;
  await tx.query({
    name: 'inbox-sequences-write',
    text: `insert into inbox_sequences (consumer_group, topic, key, sequence)
           select $1, $2, key, sequence from unnest($3::text[], $4::bigint[]) as s (key, sequence)
           on conflict (consumer_group, topic, key) do update set sequence = excluded.sequence`,
    values: [group, topic, [...sequences.keys()], [...sequences.values()]],
  });
}

export async function readParkedKeys(tx: Tx, { group, topic }: Place, keys: string[]): Promise<Set<string>> {
  const { rows } = await tx.query<{ key: string }>({
    name: 'inbox-parked-keys',
    text: `select distinct key from inbox_parked where consumer_group = $1 and topic = $2 and key = any ($3)`,
    values: [group, topic, keys],
  });
  return new Set(rows.map(({ key }) => key));
}

/** Postgres keeps no NUL in text. */
const printable = (text: string): string => text.replaceAll('\0', '\uFFFD');

export async function park(tx: Tx, place: Place, parked: ParkedRecord, attempts: number): Promise<void> {
  const { record, key, factId, reason } = parked;
  const headers = Object.entries(record.headers).map(([name, value]) => [
    printable(name),
    (Array.isArray(value) ? value : [value ?? '']).map((v) => Buffer.from(v as string).toString('base64')),
  ]);
  await tx.query({
    name: 'inbox-park',
    text: `insert into inbox_parked (consumer_group, topic, partition, "offset", key, fact_id, head, reason, attempts,
             raw_key, raw_value, raw_headers)
           values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12) on conflict do nothing`,
    values: [
      ...[place.group, place.topic, place.partition, record.offset, key, factId && printable(factId)],
      ...[reason !== null, reason && printable(reason), attempts],
      ...[record.key, record.value, JSON.stringify(Object.fromEntries(headers))],
    ],
  });
}

/** What a group has done in its database: facts applied, keys that are parked and the facts that wait for them. */
export async function inboxSummary(
  db: Queryable,
  group: string,
): Promise<{ applied: number; parkedKeys: number; parkedFacts: number }> {
  const { rows } = await db.query<{ applied: number; parkedKeys: number; parkedFacts: number }>(
    `select (select coalesce(sum(facts), 0)::bigint from inbox_positions where consumer_group = $1) as applied,
       count(distinct (topic, key)) as "parkedKeys", count(*) as "parkedFacts"
     from inbox_parked where consumer_group = $1`,
    [group],
  );
  return rows[0] ?? { applied: 0, parkedKeys: 0, parkedFacts: 0 };
}
