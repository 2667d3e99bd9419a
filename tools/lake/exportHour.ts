import { join } from 'node:path';
import type { StoredFact } from '../../consumers/audit/chain';
import { topics } from '../../contracts/topics';
import { beginOffsets, offsetsSince, readTopicRaw, type Kafka } from '../../platform/kafka';
import { withTransaction, type Pool, type Tx } from '../../platform/postgres';
import { ParquetFile, type Column } from './parquetFile';
import { positionsIn, type SentPosition } from './sentPositions';

const HOUR_MS = 3_600_000;
/** Facts that are fetched at once. */
const PAGE = 5_000;
const READING_MS = 30 * 60_000;
/** The log drops none that is younger. */
const positionsKeptMs = topics.find(({ kind }) => kind === 'telemetry')!.retentionMs;

/** What was exported: the file, and how many rows it has. */
export interface Exported {
  readonly file: string;
  readonly rows: number;
}

/** What a row has of a fact: not what only its chain is made of. */
type ExportedFact = Omit<StoredFact, 'place' | 'recordedMs' | 'headers'>;

const factColumns: readonly Column<ExportedFact>[] = [
  { name: 'topic', type: 'STRING', of: ({ topic }) => topic },
  { name: 'partition', type: 'INT32', of: ({ partition }) => partition },
  { name: 'offset', type: 'INT64', of: ({ offset }) => BigInt(offset) },
  { name: 'key', type: 'STRING', of: ({ key }) => key },
  { name: 'sequence', type: 'INT64', of: ({ sequence }) => BigInt(sequence) },
  { name: 'fact_id', type: 'STRING', of: ({ factId }) => factId },
  { name: 'type', type: 'STRING', of: ({ type }) => type },
  { name: 'time', type: 'TIMESTAMP', of: ({ timeMs }) => new Date(timeMs) },
  { name: 'sent_at', type: 'TIMESTAMP', of: ({ sentMs }) => new Date(sentMs) },
  { name: 'correlation_id', type: 'STRING', of: ({ correlationId }) => correlationId },
  { name: 'causation_id', type: 'STRING', of: ({ causationId }) => causationId },
  { name: 'caller', type: 'STRING', nullable: true, of: ({ caller }) => caller },
  // As text: the fields differ from type to type, and what is sealed in them stays sealed.
  { name: 'data', type: 'STRING', of: ({ data }) => data },
];

/** `<dir>/facts/date=2026-03-01/hour=12/facts.parquet`: engines take date and hour from the path. */
const fileOf = (dir: string, what: string, hourMs: number): string => {
  const [date, time] = new Date(hourMs).toISOString().split('T') as [string, string];
  return join(dir, what, `date=${date}`, `hour=${time.slice(0, 2)}`, `${what}.parquet`);
};

/**
 * The facts that were sent in an hour, as the audit store has them, in the order of their topics, partitions and offsets.
 * @param hourMs where the hour begins, in milliseconds since 1970
 */
export async function exportFacts(audit: Pool, dir: string, hourMs: number): Promise<Exported> {
  const path = fileOf(dir, 'facts', hourMs);
  const file = await ParquetFile.create(path, factColumns);
  try {
    await withTransaction(audit, async (tx) => {
      for await (const page of factsOf(tx, hourMs)) await file.add(page);
    });
    await file.finish();
    return { file: path, rows: file.rows };
  } finally {
    file.drop();
  }
}

async function* factsOf(tx: Tx, hourMs: number): AsyncGenerator<ExportedFact[]> {
  await tx.query({
    text: `declare exported no scroll cursor for
           select topic, partition, "offset", key, sequence, fact_id as "factId", type,
             (extract(epoch from time) * 1000)::bigint as "timeMs",
             (extract(epoch from sent_at) * 1000)::bigint as "sentMs",
             correlation_id as "correlationId", causation_id as "causationId", caller, data::text as data
           from facts where sent_at >= $1 and sent_at < $2 order by topic, partition, "offset"`,
    values: [new Date(hourMs).toISOString(), new Date(hourMs + HOUR_MS).toISOString()],
  });
  for (;;) {
    const { rows } = await tx.query<ExportedFact>(`fetch ${PAGE} from exported`);
    if (rows.length === 0) return;
    yield rows;
  }
}

const positionColumns: readonly Column<SentPosition>[] = [
  { name: 'driver_id', type: 'STRING', of: ({ driverId }) => driverId },
  { name: 'lat', type: 'DOUBLE', of: ({ lat }) => lat },
  { name: 'lng', type: 'DOUBLE', of: ({ lng }) => lng },
  { name: 'sequence', type: 'INT64', of: ({ sequence }) => BigInt(sequence) },
  { name: 'time', type: 'TIMESTAMP', of: ({ atMs }) => new Date(atMs) },
  { name: 'sent_at', type: 'TIMESTAMP', of: ({ sentMs }) => new Date(sentMs) },
  { name: 'region', type: 'STRING', of: ({ region }) => region },
];

/**
 * The positions that were sent in an hour. Records that are none are left out.
 * @param topic `driver-positions`, with its prefix
 * @throws where the log may have dropped some of that hour: it begins behind other records, and has none of before
 */
export async function exportPositions(
  { kafka, topic }: { readonly kafka: Kafka; readonly topic: string },
  dir: string,
  hourMs: number,
): Promise<Exported> {
  const from = await offsetsSince(kafka, topic, hourMs);
  const begin = await beginOffsets(kafka, topic);
  const mayMissSome = Object.entries(from).some(([n, offset]) => offset > 0 && offset <= begin[Number(n)]!);
  if (mayMissSome && Date.now() - hourMs > positionsKeptMs)
    throw new Error(`${topic} may not keep all of ${new Date(hourMs).toISOString()} any more`);
  const path = fileOf(dir, 'positions', hourMs);
  const file = await ParquetFile.create(path, positionColumns);
  try {
    await readTopicRaw({
      ...{ kafka, topic, timeoutMs: READING_MS },
      rangeOf: (partition) => ({ from: from[partition] ?? 0 }),
      async onRecord(record) {
        if (record.timestamp >= hourMs && record.timestamp < hourMs + HOUR_MS)
          await file.add(positionsIn(record));
      },
    });
    await file.finish();
    return { file: path, rows: file.rows };
  } finally {
    file.drop();
  }
}
