import { Counter, Gauge, Histogram } from 'prom-client';
import { codeOf } from '../errors';
import type { Kafka } from '../kafka/client';
import type { Metrics } from '../metrics';
import type { Batch, InboxObserver } from '../observers';
import type { Pool } from '../postgres';
import { SpanKind, withBatchSpan } from '../telemetry';
import { durations } from './durations';
import { showLag } from './lag';
import { lookWhenScraped, type Freshness } from './scrape';

export interface InboxMetricsOptions {
  readonly metrics: Metrics;
  readonly kafka: Kafka;
  /** The consumer's database. */
  readonly pool: Pool;
  readonly group: string;
  readonly topics: readonly string[];
  readonly freshness?: Freshness;
}

/** For `runInbox({ observer })`: what one consumer group's member does, and how far the group is. Once a process. */
export function observeInbox(options: InboxMetricsOptions): InboxObserver {
  const { metrics, group } = options;
  const clock = showLag(options);
  const count = countBatches(metrics, group);
  showParked(options);
  return {
    assigned(partitions) {
      clock.assigned(partitions);
      count.assigned(Object.values(partitions).flat().length);
    },
    restarted: () => count.restarted(),
    async during(batch, work) {
      const [first] = batch.records;
      if (first) clock.inHand(batch, first.timestamp);
      const startedAt = performance.now();
      let error: string | null = null;
      try {
        return await withBatchSpan(spanOf(batch, group), batch.records, work);
      } catch (failure) {
        error = codeOf(failure) ?? codeOf((failure as Error).cause) ?? 'other';
        throw failure;
      } finally {
        count.processed(batch, (performance.now() - startedAt) / 1_000, error);
      }
    },
    settled(batch, outcome) {
      clock.done(batch);
      count.consumed(batch);
      const { topic } = batch;
      count.facts(topic, 'applied', '', outcome.applied);
      count.facts(topic, 'duplicate', '', outcome.duplicates);
      count.facts(topic, 'waiting', '', outcome.waiting);
      for (const [reason, facts] of Object.entries(outcome.skipped))
        count.facts(topic, 'skipped', reason, facts);
      for (const code of outcome.dead) count.facts(topic, 'dead', code, 1);
    },
    failed: ({ topic }, code) => count.failed(topic, code),
    left: (partition) => clock.done(partition),
  };
}

const spanOf = ({ topic, partition }: Batch, group: string) =>
  ({
    name: `process ${topic}`,
    kind: SpanKind.CONSUMER,
    attributes: {
      'messaging.system': 'kafka',
      'messaging.operation.name': 'process',
      'messaging.operation.type': 'process',
      'messaging.consumer.group.name': group,
      'messaging.destination.name': topic,
      'messaging.destination.partition.id': String(partition),
    },
  }) as const;

/** What is counted as it happens. */
function countBatches({ registry }: Metrics, group: string) {
  const registers = [registry];
  const of = {
    messaging_system: 'kafka',
    messaging_operation_name: 'process',
    messaging_consumer_group_name: group,
  } as const;
  const labels = [...Object.keys(of), 'messaging_destination_name'];
  const consumed = new Counter({
    name: 'messaging_client_consumed_messages_total',
    help: 'Records that a consumer group has got from Kafka and is done with, by partition',
    labelNames: [...labels, 'messaging_destination_partition_id'],
    registers,
  });
  const processing = new Histogram({
    name: 'messaging_process_duration_seconds',
    help: 'Time that a batch took to be applied, transaction and all; with error_type where it was not',
    labelNames: [...labels, 'error_type'],
    buckets: durations,
    registers,
  });
  const facts = new Counter({
    name: 'hailway_inbox_facts_total',
    help: 'What became of facts: applied, duplicate, skipped by choice, dead (to the dead-letter topic), waiting behind a dead one',
    labelNames: ['group', 'topic', 'outcome', 'reason'],
    registers,
  });
  const failures = new Counter({
    name: 'hailway_inbox_failures_total',
    help: 'Batches that failed and are tried again, by the code of the error',
    labelNames: ['group', 'topic', 'error_type'],
    registers,
  });
  const rebalances = new Counter({
    name: 'hailway_consumer_rebalances_total',
    help: 'How often the member has joined its group, the first time included',
    labelNames: ['group'],
    registers,
  });
  const restarts = new Counter({
    name: 'hailway_consumer_restarts_total',
    help: 'How often the consumer gave up and a new one took its place',
    labelNames: ['group'],
    registers,
  });
  const partitions = new Gauge({
    name: 'hailway_consumer_assigned_partitions',
    help: 'Partitions that are the member’s',
    labelNames: ['group'],
    registers,
  });
  for (const one of [rebalances, restarts]) one.inc({ group }, 0);
  return {
    assigned(now: number) {
      rebalances.inc({ group });
      partitions.set({ group }, now);
    },
    restarted: () => restarts.inc({ group }),
    processed: ({ topic }: Batch, seconds: number, error: string | null) =>
      processing.observe(
        { ...of, messaging_destination_name: topic, ...(error === null ? {} : { error_type: error }) },
        seconds,
      ),
    consumed: ({ topic, partition, records }: Batch) =>
      consumed.inc(
        { ...of, messaging_destination_name: topic, messaging_destination_partition_id: String(partition) },
        records.length,
      ),
    facts(topic: string, outcome: string, reason: string, number: number) {
      if (number > 0) facts.inc({ group, topic, outcome, reason }, number);
    },
    failed: (topic: string, code: string) => failures.inc({ group, topic, error_type: code }),
  };
}

/** What waits for an operator, asked of the consumer's database. */
function showParked({ metrics: { registry }, pool, group, freshness }: InboxMetricsOptions): void {
  const look = lookWhenScraped(registry, {
    at: `parked facts of ${group}`,
    read: () => parkedIn(pool, group),
    ...freshness,
  });
  const gauge = (name: string, help: string, of: keyof Parked) =>
    new Gauge({
      ...{ name, help, labelNames: ['group'], registers: [registry] },
      async collect() {
        this.reset();
        const seen = await look();
        if (seen !== null) this.set({ group }, seen[of]);
      },
    });
  gauge('hailway_inbox_parked_keys', 'Keys that wait behind a fact that could not be applied', 'parkedKeys');
  gauge('hailway_inbox_parked_facts', 'Facts of these keys', 'parkedFacts');
  gauge('hailway_dead_letter_depth', 'Facts that could not be applied and wait for an operator', 'deadFacts');
}

interface Parked {
  readonly parkedKeys: number;
  readonly parkedFacts: number;
  readonly deadFacts: number;
}

async function parkedIn(pool: Pool, group: string): Promise<Parked> {
  const { rows } = await pool.query<Parked>(
    `select count(distinct (topic, key)) as "parkedKeys", count(*) as "parkedFacts",
       count(*) filter (where head) as "deadFacts"
     from inbox_parked where consumer_group = $1`,
    [group],
  );
  return rows[0]!;
}
