import { timeOf, type Fact } from '../../platform/inbox';
import { isUniqueViolation, type Queryable, type Tx } from '../../platform/postgres';
import { chainBegin, factHash, type StoredFact } from './chain';

interface ChainEnd {
  readonly place: number;
  readonly hash: Buffer;
}

/**
 * Adds facts of one partition to the end of its chain, in their order; one statement a batch. What is there already
 * stays as it is.
 * @throws CodedError `fact_invalid` where `ce_time` is no time
 */
export async function appendFacts(tx: Tx, facts: readonly Fact[]): Promise<void> {
  const [first] = facts;
  if (first === undefined) return;
  const end = await chainEnd(tx, first);
  await tx.query('savepoint append');
  try {
    await insertFacts(tx, facts, end);
  } catch (error) {
    if (!isUniqueViolation(error)) throw error;
    // The inbox gives a fact once; this is one that has lost its sequences.
    await tx.query('rollback to savepoint append');
    await insertFacts(tx, await withoutStored(tx, facts), end);
  }
  await tx.query('release savepoint append');
}

async function chainEnd(tx: Tx, { topic, partition }: Fact): Promise<ChainEnd> {
  const { rows } = await tx.query<ChainEnd>({
    name: 'audit-chain-end',
    text: 'select place, hash from fact_chains where topic = $1 and partition = $2',
    values: [topic, partition],
  });
  return rows[0] ?? { place: 0, hash: chainBegin };
}

async function withoutStored(tx: Tx, facts: readonly Fact[]): Promise<Fact[]> {
  const { rows } = await tx.query<{ key: string; sequence: number }>(
    `select key, sequence from facts join unnest($2::text[], $3::bigint[]) as given (key, sequence) using (key, sequence)
     where topic = $1`,
    [facts[0]?.topic, facts.map(({ key }) => key), facts.map(({ sequence }) => sequence)],
  );
  const stored = new Set(rows.map(({ key, sequence }) => `${sequence} ${key}`));
  return facts.filter(({ key, sequence }) => !stored.has(`${sequence} ${key}`));
}

async function insertFacts(tx: Tx, facts: readonly Fact[], end: ChainEnd): Promise<void> {
  if (facts.length === 0) return;
  const recordedMs = Date.now();
  let previous = end.hash;
  const rows = facts.map((fact, i) => {
    const stored = storedFact(fact, end.place + 1 + i, recordedMs);
    previous = factHash(previous, stored);
    return { ...stored, hash: previous };
  });
  const column = <K extends keyof (typeof rows)[number]>(name: K) => rows.map((row) => row[name]);
  await tx.query({
    name: 'audit-append',
    text: `insert into facts (topic, partition, place, "offset", key, sequence, fact_id, type, time, sent_at, recorded_at,
             correlation_id, causation_id, caller, headers, data, hash)
           select $1, $2, place, "offset", key, sequence, fact_id, type, to_timestamp(time / 1000.0),
             to_timestamp(sent / 1000.0), to_timestamp($3::bigint / 1000.0), correlation, causation, caller,
             headers, data, hash
           from unnest($4::bigint[], $5::bigint[], $6::text[], $7::bigint[], $8::text[], $9::text[], $10::bigint[],
             $11::bigint[], $12::text[], $13::text[], $14::text[], $15::json[], $16::json[], $17::bytea[])
             as fact (place, "offset", key, sequence, fact_id, type, time, sent, correlation, causation, caller,
               headers, data, hash)`,
    values: [
      ...[facts[0]?.topic, facts[0]?.partition, recordedMs],
      ...[column('place'), column('offset'), column('key'), column('sequence'), column('factId')],
      ...[column('type'), column('timeMs'), column('sentMs'), column('correlationId')],
      ...[column('causationId'), column('caller'), column('headers'), column('data'), column('hash')],
    ],
  });
}

function storedFact(fact: Fact, place: number, recordedMs: number): StoredFact {
  const { record, topic, partition, offset, key, sequence, id, type, correlationId, causationId } = fact;
  const { headers, value: written } = record;
  const texts = Object.entries(headers).map(([name, value]) => [name, textOf(value)]);
  return {
    ...{ topic, partition, place, offset, key, sequence, factId: id, type, timeMs: timeOf(fact), recordedMs },
    sentMs: record.timestamp,
    ...{ correlationId, causationId, caller: callerOf(headers) },
    headers: JSON.stringify(Object.fromEntries(texts)),
    data: written?.toString() ?? '',
  };
}

const callerOf = (headers: Fact['record']['headers']): string | null => {
  const caller = headers['ce_caller'];
  return caller === undefined ? null : String(textOf(caller));
};

/** Postgres reads no JSON with a NUL in a text. */
const textOf = (value: Fact['record']['headers'][string]): string | string[] =>
  Array.isArray(value)
    ? value.map((one) => textOf(one) as string)
    : (value ?? '').toString().replaceAll('\0', '\uFFFD');

const MONTHS_AHEAD = 3;

/** Makes the partitions of the months to come. Safe to repeat at any time. */
export async function ensureFactPartitions(db: Queryable): Promise<void> {
  await db.query('select ensure_fact_partitions($1)', [MONTHS_AHEAD]);
}
