import { Kafka, logLevel, type Admin, type LogEntry } from './kafkajs';
import type { Logger } from '../log';
import type { KafkaAddress } from './address';
import { wait } from '../wait';
import { openSocket } from './sockets';

export type { Kafka };
export type KafkaLog = Pick<Logger, 'debug' | 'info' | 'warn' | 'error'>;

/** Said at every new producer, about retries that we do ourselves (a new producer, the whole batch again). */
const expected = /^Limiting retries for the idempotent producer/;
/** Every single connection that fails; who wanted it says so once, with what it does about it. */
const tooMuch = new Set(['Connection', 'BrokerPool']);

/**
 * A client of one cluster; connections are made by what is created from it.
 * kafkajs reports much that heals by itself as an error: its errors are logged as warnings, the rest for debugging.
 */
export function createKafka(options: KafkaAddress & { clientId: string; log?: KafkaLog }): Kafka {
  const { brokers, clientId, log, tls, sasl } = options;
  const logCreator =
    () =>
    ({ level, namespace, log: { message, timestamp: _, logger: __, ...details } }: LogEntry): void => {
      const loud = level <= logLevel.WARN && !expected.test(message) && !tooMuch.has(namespace);
      log?.[loud ? 'warn' : 'debug']({ kafkajs: namespace, ...details }, message);
    };
  return new Kafka({
    clientId,
    brokers: [...brokers],
    ...(tls && { ssl: { ...tls } }),
    // A copy: kafkajs keeps things of its own in it.
    ...(sasl && { sasl: { mechanism: 'scram-sha-512' as const, ...sasl } }),
    socketFactory: openSocket,
    logCreator,
    logLevel: logLevel.INFO,
    connectionTimeout: 2_000,
    requestTimeout: 10_000,
    retry: { retries: 3, initialRetryTime: 100, maxRetryTime: 1_000 },
  });
}

/**
 * The partition of a key among `partitions`: murmur2 as Kafka's own clients have it, so that other languages find the
 * same one. Always given explicitly to kafkajs, whose partitioner is slow.
 */
export function partitionFor(key: string | Buffer, partitions: number): number {
  return (murmur2(typeof key === 'string' ? Buffer.from(key) : key) & 0x7fffffff) % partitions;
}

/** org.apache.kafka.common.utils.Utils.murmur2 */
function murmur2(data: Buffer): number {
  const m = 0x5bd1e995;
  const words = data.length >>> 2;
  let h = 0x9747b28c ^ data.length;
  for (let i = 0; i < words; i++) {
    let k = Math.imul(data.readInt32LE(i * 4), m);
    k = Math.imul(k ^ (k >>> 24), m);
    h = Math.imul(h, m) ^ k;
  }
  const rest = data.subarray(words * 4);
  if (rest.length > 2) h ^= rest.readUInt8(2) << 16;
  if (rest.length > 1) h ^= rest.readUInt8(1) << 8;
  if (rest.length > 0) h = Math.imul(h ^ rest.readUInt8(0), m);
  h = Math.imul(h ^ (h >>> 13), m);
  return h ^ (h >>> 15);
}

/** Runs `work` with an administrative connection and closes it. */
export async function withAdmin<T>(kafka: Kafka, work: (admin: Admin) => Promise<T>): Promise<T> {
  const admin = kafka.admin();
  try {
    await admin.connect();
    return await work(admin);
  } finally {
    await admin.disconnect().catch(() => {});
  }
}

/**
 * Waits until groups can be coordinated: right after its start a broker answers, but loads its offsets first.
 * @throws the last error after `timeoutMs` (30 s).
 */
export async function waitForCoordinator(
  kafka: Kafka,
  options: { timeoutMs?: number; signal?: AbortSignal } = {},
) {
  const deadline = Date.now() + (options.timeoutMs ?? 30_000);
  for (;;) {
    try {
      await withAdmin(kafka, (admin) => admin.describeGroups(['hailway-is-the-coordinator-there']));
      return;
    } catch (error) {
      if (Date.now() >= deadline || options.signal?.aborted) throw error;
      await wait(200, options.signal);
    }
  }
}

export interface PartitionLag {
  readonly topic: string;
  readonly partition: number;
  /** Offset of the group's next record; the log's start when it never committed. */
  readonly next: number;
  /** Offset that the next record written will have. */
  readonly end: number;
  readonly lag: number;
}

/** How far a consumer group is behind, as the broker sees it. */
export async function groupLag(kafka: Kafka, group: string, topics: string[]): Promise<PartitionLag[]> {
  return withAdmin(kafka, async (admin) => {
    const lags: PartitionLag[] = [];
    const committed = await admin.fetchOffsets({ groupId: group, topics });
    for (const topic of topics) {
      const offsets = committed.find((c) => c.topic === topic)?.partitions ?? [];
      for (const { partition, low, high } of await admin.fetchTopicOffsets(topic)) {
        const offset = Number(offsets.find((o) => o.partition === partition)?.offset ?? -1);
        const next = Math.max(offset, Number(low));
        lags.push({ topic, partition, next, end: Number(high), lag: Math.max(0, Number(high) - next) });
      }
    }
    return lags;
  });
}
