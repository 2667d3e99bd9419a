import { Counter, Gauge, Histogram } from 'prom-client';
import type { Metrics } from '../metrics';
import type { RelayObserver } from '../observers';
import type { Pool } from '../postgres';
import { relaySummary, type RelaySummary } from '../relay/summary';
import { durations } from './durations';
import { lookWhenScraped, type Freshness, type Looked } from './scrape';

/**
 * For `runRelay({ observer })`, database by database: what it sends, and, asked of the database when it is looked at, what
 * waits in the outbox.
 */
export function observeRelays(
  { registry }: Metrics,
  freshness: Freshness = {},
): (database: string, pool: Pool) => RelayObserver {
  const registers = [registry];
  const labelNames = ['database'] as const;
  const counter = (name: string, help: string) => new Counter({ name, help, labelNames, registers });
  const facts = counter(
    'hailway_relay_facts_total',
    'Facts that the relay has brought to Kafka, repeats included',
  );
  const bytes = counter('hailway_relay_bytes_total', 'Bytes of their values');
  const refused = counter(
    'hailway_relay_refused_total',
    'Facts that Kafka refused alone: each parks its key',
  );
  const gaps = counter('hailway_relay_gaps_total', 'Facts that were missing between two of their key');
  const sending = new Histogram({
    name: 'hailway_relay_batch_seconds',
    help: 'Time until Kafka had a batch of facts',
    labelNames,
    buckets: durations,
    registers,
  });
  const looks = new Map<string, Looked<RelaySummary>>();
  const gauge = (name: string, help: string, of: keyof RelaySummary) =>
    new Gauge({
      ...{ name, help, labelNames, registers },
      async collect() {
        this.reset();
        for (const [database, look] of looks) {
          const seen = await look();
          if (seen !== null) this.set({ database }, seen[of]);
        }
      },
    });
  gauge(
    'hailway_outbox_oldest_unpublished_seconds',
    'How long the oldest fact that is not in Kafka yet has been committed; 0 where all are',
    'oldestSeconds',
  );
  gauge('hailway_relay_parked_keys', 'Keys whose facts wait behind one that Kafka refused', 'parkedKeys');
  gauge('hailway_relay_parked_facts', 'Facts of these keys', 'parkedFacts');
  return (database, pool) => {
    looks.set(
      database,
      lookWhenScraped(registry, {
        at: `outbox of ${database}`,
        read: () => relaySummary(pool),
        ...freshness,
      }),
    );
    // Shown from the start: what has never happened counts as 0.
    for (const one of [facts, bytes, refused, gaps]) one.inc({ database }, 0);
    return {
      sent(count, size, seconds) {
        facts.inc({ database }, count);
        bytes.inc({ database }, size);
        sending.observe({ database }, seconds);
      },
      refused: () => refused.inc({ database }),
      gap: () => gaps.inc({ database }),
    };
  };
}
