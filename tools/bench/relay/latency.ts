import { createFactProducer, type FactProducer, type Kafka, type KafkaLog } from '../../../platform/kafka';
import { appendFact } from '../../../platform/outbox';
import { withTransaction, type Pool } from '../../../platform/postgres';
import { runRelay } from '../../../platform/relay';
import { percentile } from '../frame';

const FACTS_PER_SECOND = 200;
const SECONDS = 15;
/** The first ones pay for connections. */
const WARM_UP = FACTS_PER_SECOND * 3;

export interface Latency {
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly maxMs: number;
}

/**
 * How long a fact is on its way at a steady 200 a second: from the moment when its writer has been told of the commit
 * until Kafka has acknowledged it, in a relay that is told of commits as in the house.
 */
export async function measureLatency(
  { pool, databaseUrl, kafka, log }: { pool: Pool; databaseUrl: string; kafka: Kafka; log: KafkaLog },
  topic: string,
): Promise<Latency> {
  const committedAtMs = new Map<string, number>();
  const acknowledgedAtMs = new Map<string, number>();
  const noting = (): FactProducer => {
    const producer = createFactProducer(kafka, { log });
    return {
      async send(records, options) {
        await producer.send(records, options);
        const now = performance.now();
        for (const { headers } of records) acknowledgedAtMs.set(String(headers['ce_id']), now);
      },
      disconnect: () => producer.disconnect(),
    };
  };
  const stopping = new AbortController();
  const relay = runRelay({
    ...{ databaseUrl, database: 'bench', kafka, signal: stopping.signal, log },
    createProducer: noting,
  });
  const count = WARM_UP + FACTS_PER_SECOND * SECONDS;
  const startedAtMs = performance.now();
  const writing: Promise<void>[] = [];
  for (let n = 0; n < count; n += 1) {
    const waitMs = startedAtMs + (n * 1_000) / FACTS_PER_SECOND - performance.now();
    if (waitMs > 0) await new Promise((resolve) => setTimeout(resolve, waitMs));
    const key = `ride-${n}`;
    writing.push(
      withTransaction(pool, (tx) => appendFact(tx, { ...fact, topic, key, id: key })).then(
        () => void committedAtMs.set(`${fact.type}/${key}/1`, performance.now()),
      ),
    );
  }
  await Promise.all(writing);
  while (acknowledgedAtMs.size < count) await new Promise((resolve) => setTimeout(resolve, 20));
  stopping.abort();
  await relay;
  const tookMs = [...committedAtMs]
    .slice(WARM_UP)
    // Kafka may have it before its writer has been told of the commit.
    .map(([id, committed]) => Math.max(0, acknowledgedAtMs.get(id)! - committed));
  return { p50Ms: percentile(tookMs, 50), p99Ms: percentile(tookMs, 99), maxMs: Math.max(...tookMs) };
}

const fact = {
  ...{ type: 'ride.arrived', sequence: 1, time: '2026-01-01T12:00:00.000Z', source: '/hailway/bench' },
  ...{ data: { driverId: 'driver-1' }, correlationId: 'bench', causationId: 'bench' },
};
