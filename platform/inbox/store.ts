import type { RawRecord } from '../kafka/consumer';
import type { Queryable, Tx } from '../postgres';
import { arrayOf } from '../postgresArray';
import { headerOf, sequenceOf } from './fact';
import { packedId, packHeaders, printable } from './packed';

/** Every table of the inbox: they stay together, in the schema of the projection that they are about. */
export const inboxTables = ['inbox_positions', 'inbox_sequences', 'inbox_parked', 'inbox_discarded'] as const;

/** One partition of a topic, as one consumer group sees it. */
export interface Source {
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
  /** How often it was tried by itself; 0 for one that waits. */
  readonly attempts: number;
}

/**
 * The offset of the partition's next record, its row locked until the end of the transaction: a consumer that has
 * lost the partition and does not know it yet waits here, and then finds its records done.
 */
export async function lockPosition(tx: Tx, { group, topic, partition }: Source): Promise<number> {
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

/** Where each partition goes on that has been read from, by its name. */
export async function storedPositions(db: Queryable, group: string): Promise<Map<string, number>> {
  const { rows } = await db.query<{ name: string; next: number }>(
    `select topic || '/' || partition as name, next_offset as next from inbox_positions where consumer_group = $1`,
    [group],
  );
  return new Map(rows.map(({ name, next }) => [name, next]));
}

/** What is known of the keys of a batch before it is applied. */
export interface KeyStates {
  /** The highest sequence applied, of keys that have one. */
  readonly sequences: Map<string, number>;
  /** Keys with a fact that could not be applied. */
  readonly parked: Set<string>;
  /**
   * The sequence from which its key goes on (null: where it was), where an operator has given this very record up;
   * undefined where not, as for another at the same offset of a topic that was made anew.
   */
  discardedAs(record: RawRecord, key: string): number | null | undefined;
  /** Whether a key's next fact can have this sequence: what is missing before it is what an operator has given up. */
  mayFollow(key: string, high: number, sequence: number): boolean;
}

/** Asked after `lockPosition`, in a statement of its own: so it sees what whoever had the lock before has done. */
export async function readKeys(
  tx: Tx,
  { group, topic, partition }: Source,
  keys: readonly string[],
  offsets: { readonly first: number; readonly last: number },
): Promise<KeyStates> {
  const { rows } = await tx.query<{
    key: string;
    sequence: number | null;
    of: 's' | 'p' | 'd' | 'o';
    record: string | null;
  }>({
    name: 'inbox-keys',
    text: `select key, sequence, 's' as of, null::text as record from inbox_sequences
             where consumer_group = $1 and topic = $2 and key = any ($3)
           union all
           select distinct key, null::bigint, 'p', null from inbox_parked
             where consumer_group = $1 and topic = $2 and key = any ($3)
           union all
           select key, sequence, 'd', "offset" || ' ' || coalesce(raw_headers ->> 'ce_id', '') from inbox_discarded
             where consumer_group = $1 and topic = $2 and partition = $4 and "offset" between $5 and $6
           union all
           select key, own_sequence, 'o', null from inbox_discarded
             where consumer_group = $1 and topic = $2 and key = any ($3) and own_sequence is not null`,
    values: [group, topic, arrayOf(keys), partition, offsets.first, offsets.last],
  });
  const sequences = new Map<string, number>();
  const parked = new Set<string>();
  const discarded = new Map<string, number | null>();
  const givenUp = new Set<string>();
  for (const { key, sequence, of, record } of rows) {
    if (of === 's') sequences.set(key, sequence!);
    else if (of === 'p') parked.add(key);
    else if (of === 'd') discarded.set(`${record} ${key}`, sequence);
    else givenUp.add(`${sequence} ${key}`);
  }
  return {
    ...{ sequences, parked },
    discardedAs: (record, key) =>
      discarded.size === 0 ? undefined : discarded.get(`${record.offset} ${packedId(record)} ${key}`),
    mayFollow(key, high, sequence) {
      let next = high + 1;
      while (next < sequence && givenUp.has(`${next} ${key}`)) next += 1;
      return next === sequence;
    },
  };
}

/** Moves the position, and with it the keys' sequences. */
export async function movePosition(
  tx: Tx,
  { group, topic, partition }: Source,
  moved: {
    readonly nextOffset: number;
    readonly facts: number;
    readonly sequences: ReadonlyMap<string, number>;
  },
): Promise<void> {
  await tx.query({
    name: 'inbox-move',
    text: `with moved as (
             update inbox_positions set next_offset = $4, facts = facts + $5, moved_at = now()
             where consumer_group = $1 and topic = $2 and partition = $3
           )
           insert into inbox_sequences (consumer_group, topic, key, sequence)
           select $1, $2, key, sequence from unnest($6::text[], $7::bigint[]) as s (key, sequence)
           on conflict (consumer_group, topic, key) do update set sequence = excluded.sequence`,
    values: [
      ...[group, topic, partition, moved.nextOffset, moved.facts],
      ...[arrayOf([...moved.sequences.keys()]), arrayOf([...moved.sequences.values()])],
    ],
  });
}

/** Moves one key's sequence. */
export async function writeSequence(
  tx: Tx,
  { group, topic }: Source,
  key: string,
  sequence: number,
): Promise<void> {
  await tx.query(
    `insert into inbox_sequences (consumer_group, topic, key, sequence) values ($1, $2, $3, $4)
     on conflict (consumer_group, topic, key) do update set sequence = excluded.sequence`,
    [group, topic, key, sequence],
  );
}

/** Counts facts that had their effect otherwise than in a batch. */
export async function addFacts(tx: Tx, { group, topic, partition }: Source, facts: number): Promise<void> {
  await tx.query(
    `update inbox_positions set facts = facts + $4 where consumer_group = $1 and topic = $2 and partition = $3`,
    [group, topic, partition, facts],
  );
}

export async function park(tx: Tx, source: Source, parked: ParkedRecord): Promise<void> {
  if ((await insertParked(tx, source, parked)) > 0) return;
  // It has been there before, or another has.
  await makeRoom(tx, source, 'inbox_parked', parked);
  await insertParked(tx, source, parked);
}

async function insertParked(tx: Tx, source: Source, parked: ParkedRecord): Promise<number> {
  const { record, key, factId, reason, stack, attempts } = parked;
  const { key: rawKey, value: rawValue, headers } = record;
  const type = headerOf(headers, 'ce_type');
  const { rowCount } = await tx.query({
    name: 'inbox-park',
    text: `insert into inbox_parked (consumer_group, topic, partition, "offset", key, fact_id, fact_type, sequence,
             head, reason, stack, attempts, raw_key, raw_value, raw_headers, sent_at)
           values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15,
             to_timestamp($16::bigint / 1000.0)) on conflict do nothing`,
    values: [
      ...[source.group, source.topic, source.partition, record.offset, key, factId && printable(factId)],
      ...[type && printable(type), sequenceOf(headers)],
      ...[reason !== null, reason && printable(reason), stack && printable(stack), attempts],
      ...[rawKey, rawValue, JSON.stringify(packHeaders(headers)), sentMsOf(record)],
    ],
  });
  return rowCount ?? 0;
}

/**
 * Where a table has another record at a record's offset, the topic was made anew since: that one goes to an offset which no
 * log has (-1, -2, …), so that both are kept, and it stays before what has come since.
 */
export async function makeRoom(
  tx: Tx,
  { group, topic, partition }: Source,
  table: 'inbox_parked' | 'inbox_discarded',
  { record, key }: Pick<ParkedRecord, 'record' | 'key'>,
): Promise<void> {
  await tx.query(
    `update ${table} set "offset" = (
       select least(min("offset"), 0) - 1 from ${table}
       where consumer_group = $1 and topic = $2 and partition = $3)
     where consumer_group = $1 and topic = $2 and partition = $3 and "offset" = $4
       and (key <> $5 or coalesce(raw_headers ->> 'ce_id', '') <> $6)`,
    [group, topic, partition, record.offset, key, packedId(record)],
  );
}

/** The most that a Date, and Postgres, can say. */
const maxTimeMs = 8_640_000_000_000_000;

/** Whoever sends a record may say any time, or none (-1). */
const sentMsOf = ({ timestamp }: RawRecord): number | null =>
  timestamp >= 0 && timestamp <= maxTimeMs ? timestamp : null;

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
