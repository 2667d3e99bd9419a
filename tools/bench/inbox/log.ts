import {
  createFactProducer,
  createKafka,
  createTopics,
  endOffsets,
  type OutgoingRecord,
} from '../../../platform/kafka';
import type { BenchServers } from '../servers';

const PARTITIONS = 3;

/** Of each thousand records the last fifty come twice at once, as of a relay that has lost an answer … */
const NEAR_EVERY = 1_000;
const NEAR = 50;
/** … and the first hundredth of all comes again at the end, as of a relay that has been away for long. */
const FAR_PART = 100;

/** Records as a relay sends them, repeats among them. */
export interface BenchLog {
  readonly records: readonly OutgoingRecord[];
  /** Facts, each counted once. */
  readonly facts: number;
  readonly bytesPerFact: number;
}

/** The log of these facts, each given once and in order, with the repeats of a relay among them. */
export function logOf(once: readonly OutgoingRecord[]): BenchLog {
  const records: OutgoingRecord[] = [];
  for (let start = 0; start < once.length; start += NEAR_EVERY) {
    const some = once.slice(start, start + NEAR_EVERY);
    records.push(...some, ...some.slice(-NEAR));
  }
  records.push(...once.slice(0, Math.ceil(once.length / FAR_PART)));
  const bytes = once.reduce((sum, record) => sum + sizeOf(record), 0);
  return { records, facts: once.length, bytesPerFact: Math.round(bytes / once.length) };
}

function sizeOf({ key, value, headers }: OutgoingRecord): number {
  const parts = [key, value, ...Object.entries(headers).flat()] as string[];
  return parts.reduce((sum, part) => sum + Buffer.byteLength(part), 0);
}

/** A log that lies in Kafka, and there alone: what the bench held of it would be its garbage collection's to walk through. */
export interface PreparedLog extends Omit<BenchLog, 'records'> {
  readonly topic: string;
  /** Records that come a second time. */
  readonly repeats: number;
  /** Where its partitions end. */
  readonly ends: Readonly<Record<number, number>>;
}

/** Fills a topic of its own with the log's records, which name it. */
export async function prepareLog(
  servers: BenchServers,
  { records, facts, bytesPerFact }: BenchLog,
): Promise<PreparedLog> {
  const kafka = createKafka({ brokers: [servers.kafkaBroker], clientId: 'bench' });
  const { topic } = records[0]!;
  await createTopics(kafka, [{ topic, partitions: PARTITIONS, config: { 'retention.ms': '-1' } }]);
  const producer = createFactProducer(kafka);
  for (let start = 0; start < records.length; start += 2_000)
    await producer.send(records.slice(start, start + 2_000));
  await producer.disconnect();
  const ends = await endOffsets(kafka, topic);
  return { topic, facts, bytesPerFact, repeats: records.length - facts, ends };
}
