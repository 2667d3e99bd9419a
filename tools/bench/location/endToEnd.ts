import type { ChildProcess } from 'node:child_process';
import { createKafka, createTopics } from '../../../platform/kafka';
import { wait } from '../../../platform/wait';
import type { Checks, Metrics } from '../frame';
import { ask, begin, end, locationEnv } from './children';
import type { IndexerOrder, IndexerReport } from './indexer';
import type { Shift, TellerOrder, TellerReport } from './teller';

const PARTITIONS = 6;
const DEADLINE_MS = 240_000;

/** Two processes with the broker between them: one tells what drivers do, one has the index. */
export class EndToEnd {
  private told = 0;

  private constructor(
    private readonly teller: ChildProcess,
    private readonly indexer: ChildProcess,
    private readonly log: Omit<IndexerOrder, 'group'>,
    private readonly checks: Checks,
  ) {}

  static async start(
    options: { broker: string; drivers: number; topic: string; regionMeters: number },
    checks: Checks,
  ): Promise<EndToEnd> {
    const { broker, drivers, topic, regionMeters } = options;
    const brokers = [broker];
    await createTopics(createKafka({ brokers, clientId: 'bench' }), [
      { topic, partitions: PARTITIONS, config: { 'retention.ms': '3600000' } },
    ]);
    const teller = begin('teller', { brokers, topic, drivers, regionMeters } satisfies TellerOrder);
    const log = { brokers, topic };
    const both = new EndToEnd(teller, beginIndexer({ ...log, group: `${topic}-index` }), log, checks);
    while (!(await both.look()).ready) await wait(100);
    return both;
  }

  /** Drivers tell so much for so long; over when all of it is in the index, which then is what it must be. */
  async shift(shift: Shift): Promise<Metrics> {
    await this.look();
    const report = await ask<TellerReport>(this.teller, shift);
    this.told += report.told;
    const deadline = Date.now() + DEADLINE_MS;
    const ages = new Array<number>(0);
    let seen = await this.look();
    add(ages, seen.ages);
    while (seen.taken < this.told && Date.now() < deadline) {
      await wait(50);
      seen = await this.look();
      add(ages, seen.ages);
    }
    this.checks.note('allIsTakenOnce', seen.taken === this.told);
    this.checks.note('indexIsNewestOfAllTold', seen.digest === report.digest);
    return {
      updatesPerSecond: report.updates / report.seconds,
      ageP50Ms: percentileOf(ages, 50),
      ageP99Ms: percentileOf(ages, 99),
      ageMaxMs: ages.length - 1,
    };
  }

  /** A process more begins with nothing: how long it takes until it has the same index from the log. */
  async rebuild(): Promise<{ readonly seconds: number; readonly positions: number }> {
    const { digest } = await this.look();
    const beganMs = Date.now();
    const another = beginIndexer({ ...this.log, group: `${this.log.topic}-again` });
    try {
      let seen: IndexerReport;
      do {
        await wait(100);
        seen = await ask<IndexerReport>(another, {});
      } while ((!seen.ready || seen.digest !== digest) && Date.now() < beganMs + DEADLINE_MS);
      this.checks.note('isRebuiltTheSame', seen.digest === digest);
      return { seconds: (Date.now() - beganMs) / 1_000, positions: seen.taken };
    } finally {
      await end(another);
    }
  }

  async stop(): Promise<void> {
    await Promise.all([this.teller, this.indexer].map(end));
  }

  private look(): Promise<IndexerReport> {
    return ask<IndexerReport>(this.indexer, {});
  }
}

const beginIndexer = (order: IndexerOrder): ChildProcess => begin('indexer', order, locationEnv);

/** Adds counts by age. `to` goes as far as the oldest. */
function add(to: number[], counts: readonly number[]): void {
  const oldest = counts.findLastIndex((count) => count > 0);
  while (to.length <= oldest) to.push(0);
  for (let age = 0; age <= oldest; age++) to[age]! += counts[age]!;
}

function percentileOf(counts: readonly number[], percent: number): number {
  const all = counts.reduce((sum, count) => sum + count, 0);
  let below = 0;
  return counts.findIndex((count) => (below += count) >= (all * percent) / 100);
}
