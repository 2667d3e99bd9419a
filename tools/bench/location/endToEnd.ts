import type { ChildProcess } from 'node:child_process';
import { createKafka, createTopics } from '../../../platform/kafka';
import { wait } from '../../../platform/wait';
import type { Say } from '../../stack/say';
import { percentile, rounded, type Checks, type Metrics } from '../frame';
import { ask, begin, end, locationEnv } from './children';
import type { IndexerMessage, IndexerOrder, IndexerReport } from './indexer';
import type { Shift, TellerOrder, TellerReport } from './teller';

/** Updates a second, as published. */
export const PEAK = 200_000;
/** A little more than what is to be held, as the clock ticks while nobody tells. */
export const minuteAtPeak: Shift = { updatesPerSecond: PEAK * 1.01, seconds: 60 };
/** An age of a position that must not be reached, of 99 in 100. */
export const MOST_AGE_MS = 1_000;
const STEPS = [300_000, 400_000, 500_000, 600_000, 800_000, 1_000_000];
const STEP_SECONDS = 10;
const PARTITIONS = 6;
const DEADLINE_MS = 240_000;

/** How far a process that begins anew came after some time. */
interface Reached {
  readonly positions: number;
  /** Of these, what drivers have told meanwhile. */
  readonly live: number;
  readonly seconds: number;
}

export interface Rebuilt {
  readonly ready: Reached;
  readonly whole: Reached;
  readonly waitP99Ms: number;
}

export interface EndToEndOptions {
  readonly broker: string;
  readonly drivers: number;
  readonly topic: string;
  readonly regionMeters: number;
  /** How many processes share the partitions. */
  readonly indexers: number;
}

/** Processes with the broker between them: one tells what drivers do, one or several have the index. */
export class EndToEnd {
  private told = 0;

  private constructor(
    private readonly teller: ChildProcess,
    private readonly indexers: readonly ChildProcess[],
    private readonly log: Omit<IndexerOrder, 'group'>,
    private readonly checks: Checks,
  ) {}

  static async start(
    { broker, drivers, topic, regionMeters, indexers }: EndToEndOptions,
    checks: Checks,
  ): Promise<EndToEnd> {
    const brokers = [broker];
    await createTopics(createKafka({ brokers, clientId: 'bench' }), [
      { topic, partitions: PARTITIONS, config: { 'retention.ms': '3600000' } },
    ]);
    const teller = begin('teller', { brokers, topic, drivers, regionMeters } satisfies TellerOrder);
    const log = { brokers, topic };
    const all = Array.from({ length: indexers }, () => beginIndexer({ ...log, group: `${topic}-index` }));
    const started = new EndToEnd(teller, all, log, checks);
    // Each has its share: one that has come too late for the first sharing has been in a second.
    const deadline = Date.now() + DEADLINE_MS;
    while (!(await started.look()).every(({ holds }) => holds === PARTITIONS / indexers)) {
      if (Date.now() > deadline) throw new Error(`the partitions of ${topic} are not shared`);
      await wait(100);
    }
    return started;
  }

  /** Drivers tell so much for so long; over when all of it is in the index, which then is what it must be. */
  async shift(shift: Shift): Promise<Metrics> {
    const before = await this.look();
    const report = await ask<TellerReport>(this.teller, shift);
    this.told += report.told;
    const deadline = Date.now() + DEADLINE_MS;
    const ages = new Array<number>(0);
    let seen: IndexerReport[];
    let taken: number;
    do {
      await wait(50);
      seen = await this.look();
      for (const each of seen) add(ages, each.ages);
      taken = sumOf(seen, (each) => each.taken);
    } while (taken < this.told && Date.now() < deadline);
    this.checks.note('allIsTakenOnce', taken === this.told);
    // Of several each has a part, and near the rims two have the same.
    if (seen.length === 1)
      this.checks.note('indexIsNewestOfAllTold', (await this.digest()) === report.digest);
    const shares = seen.map((each, n) => each.taken - before[n]!.taken);
    const cpu = seen.map((each, n) => (each.cpuMs - before[n]!.cpuMs) / 1_000 / report.seconds);
    return {
      updatesPerSecond: report.updates / report.seconds,
      ageP50Ms: percentileOf(ages, 50),
      ageP99Ms: percentileOf(ages, 99),
      ageMaxMs: ages.length - 1,
      busiestShare: Math.max(...shares) / report.told,
      busiestCores: Math.max(...cpu),
    };
  }

  /**
   * A process more begins with nothing while drivers go on telling at the peak: how long until it answers for what is fresh,
   * and until for everything; in between, how long it keeps who asks waiting.
   */
  async rebuild(): Promise<Rebuilt> {
    const takenBefore = sumOf(await this.look(), (each) => each.taken);
    const beganMs = performance.now();
    const another = beginIndexer({ ...this.log, group: `${this.log.topic}-again` });
    const waits: number[] = [];
    const lookUntil = async (isReached: (seen: IndexerReport) => boolean) => {
      for (;;) {
        const askedMs = performance.now();
        const seen = await askIndexer(another, { digest: false });
        const now = performance.now();
        if (seen.ready) waits.push(now - askedMs);
        const seconds = (now - beganMs) / 1_000;
        if (isReached(seen)) {
          const live = sumOf(await this.look(), (each) => each.taken) - takenBefore;
          return { positions: seen.taken, live, seconds };
        }
        if (seconds * 1_000 > DEADLINE_MS) throw new Error('the index is not rebuilt');
        await wait(20);
      }
    };
    const looking = async () => ({
      ready: await lookUntil((seen) => seen.ready),
      whole: await lookUntil((seen) => seen.holds === PARTITIONS),
    });
    try {
      const [{ updatesPerSecond }, { ready, whole }] = await Promise.all([
        this.shift(minuteAtPeak),
        looking(),
      ]);
      const goesOn = updatesPerSecond! >= PEAK && whole.seconds <= minuteAtPeak.seconds;
      this.checks.note('peakGoesOnMeanwhile', goesOn);
      const wanted = await this.digest();
      const deadline = Date.now() + DEADLINE_MS;
      let digest: number | null;
      do {
        await wait(200);
        digest = (await askIndexer(another, { digest: true })).digest;
      } while (digest !== wanted && Date.now() < deadline);
      this.checks.note('isRebuiltTheSame', digest === wanted);
      return { ready, whole, waitP99Ms: percentile(waits, 99) };
    } finally {
      await end(another);
    }
  }

  async stop(): Promise<void> {
    await Promise.all([this.teller, ...this.indexers].map(end));
  }

  private look(): Promise<IndexerReport[]> {
    return Promise.all(this.indexers.map((indexer) => askIndexer(indexer, { digest: false })));
  }

  /** Of the one index. */
  private async digest(): Promise<number | null> {
    return (await askIndexer(this.indexers[0]!, { digest: true })).digest;
  }
}

/** The greatest of some rates that is held for a while with the age in its bound. */
export async function howFar(endToEnd: EndToEnd, say: Say): Promise<number> {
  let most = PEAK;
  for (const updatesPerSecond of STEPS) {
    const seen = await endToEnd.shift({ updatesPerSecond, seconds: STEP_SECONDS });
    say.line(
      `${updatesPerSecond} a second: p99 of the age ${seen['ageP99Ms']} ms, ${rounded(seen['updatesPerSecond']!)} told`,
    );
    if (seen['ageP99Ms']! >= MOST_AGE_MS || seen['updatesPerSecond']! < updatesPerSecond * 0.99) return most;
    most = updatesPerSecond;
  }
  return most;
}

const sumOf = <T>(all: readonly T[], of: (one: T) => number): number =>
  all.reduce((sum, one) => sum + of(one), 0);

const askIndexer = (indexer: ChildProcess, message: IndexerMessage): Promise<IndexerReport> =>
  ask(indexer, message);

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
