import { Gauge } from 'prom-client';
import type { Metrics } from '../../../platform/metrics';
import { lookWhenScraped } from '../../../platform/metrics/scrape';
import type { Pool } from '../../../platform/postgres';
import { lastRun } from './runs';

/**
 * Shows what the last run has left, by kind, and when that was; whoever ran it. Nothing of it while the database is away.
 */
export function showDrifts({ registry }: Metrics, pool: Pool): void {
  const look = lookWhenScraped(registry, {
    ...{ at: 'reconciliation', freshForMs: 0 },
    read: async () => ({ run: await lastRun(pool) }),
  });
  const reading = async () => (await look())?.run ?? null;
  new Gauge({
    name: 'hailway_reconciliation_drifts',
    help: 'Drifts that the last reconciliation has found and that were not repaired, by kind',
    labelNames: ['kind'],
    registers: [registry],
    async collect() {
      this.reset();
      for (const [kind, count] of Object.entries((await reading())?.left ?? {})) this.set({ kind }, count);
    },
  });
  new Gauge({
    name: 'hailway_reconciliation_finished_timestamp_seconds',
    help: 'When the last reconciliation finished, in seconds since 1970',
    registers: [registry],
    async collect() {
      this.reset();
      const { finishedAt = null } = (await reading()) ?? {};
      if (finishedAt !== null) this.set(Date.parse(finishedAt) / 1_000);
    },
  });
  new Gauge({
    name: 'hailway_reconciliation_unseen',
    help: 'Checks that could not look in the last reconciliation',
    registers: [registry],
    async collect() {
      this.set((await reading())?.unseen.length ?? 0);
    },
  });
}
