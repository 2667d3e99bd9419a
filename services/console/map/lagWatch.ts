import { samplesIn, type Sample } from './metricsText';
import { Rates } from './rates';

/** How far a consumer group is behind, all its partitions together. */
export interface GroupLag {
  readonly group: string;
  readonly records: number;
  /** Of the partition that is behind the most. */
  readonly seconds: number;
}

const names: ReadonlySet<string> = new Set([
  'kafka_consumer_group_lag',
  'hailway_consumer_lag_seconds',
  'hailway_inbox_facts_total',
]);

/** Lag of the consumers, and how fast facts are taken in, from what processes show at /metrics. */
export class LagWatch {
  private readonly rates = new Rates();

  /**
   * @param processes addresses of those to ask
   * @param now milliseconds by a clock that nobody sets
   */
  constructor(
    private readonly processes: readonly string[],
    private readonly timeoutMs: number,
    private readonly now: () => number = () => performance.now(),
  ) {}

  /** Processes that do not answer are left out. */
  async look(): Promise<{ lag: GroupLag[]; factsPerSecond: number }> {
    const seen = await Promise.all(
      this.processes.map(async (process) => {
        const samples = await this.ask(process).catch(() => []);
        return { samples, rate: this.rateOf(process, samples, this.now()) };
      }),
    );
    const lag = lagIn(seen.flatMap(({ samples }) => samples));
    return { lag, factsPerSecond: Math.round(seen.reduce((sum, { rate }) => sum + rate, 0)) };
  }

  private async ask(process: string): Promise<Sample[]> {
    const answer = await fetch(new URL('/metrics', process), { signal: AbortSignal.timeout(this.timeoutMs) });
    return answer.ok ? samplesIn(await answer.text(), names) : [];
  }

  /** Facts a second since the look before. Of a process that is away its last count is kept, to go on from. */
  private rateOf(process: string, samples: readonly Sample[], atMs: number): number {
    const counts = samples.filter(({ name }) => name === 'hailway_inbox_facts_total');
    if (counts.length === 0) return 0;
    const count = counts.reduce((sum, { value }) => sum + value, 0);
    return this.rates.of(process, count, atMs);
  }
}

/** By group, in their order. */
export function lagIn(samples: readonly Sample[]): GroupLag[] {
  const groups = new Map<string, { records: number; seconds: number }>();
  for (const { name, labels, value } of samples) {
    const group = labels['group'];
    if (group === undefined || !name.includes('lag')) continue;
    const known = groups.get(group) ?? { records: 0, seconds: 0 };
    if (name === 'kafka_consumer_group_lag') known.records += value;
    else known.seconds = Math.max(known.seconds, Math.round(value * 10) / 10);
    groups.set(group, known);
  }
  return [...groups].map(([group, lag]) => ({ group, ...lag })).sort((a, b) => (a.group < b.group ? -1 : 1));
}
