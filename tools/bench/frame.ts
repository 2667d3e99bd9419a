/**
 * What every bench has in common: rounds that take turns, medians, one JSON object, checks that decide the exit code.
 */

/** Numbers of one round of one contestant; the first is the one that ratios are made of. */
export type Metrics = Readonly<Record<string, number>>;

/** One round of each contestant, by name, in the order in which they are to be told. */
export type Contestants = Readonly<Record<string, () => Promise<Metrics>>>;

export interface Spread {
  readonly min: number;
  readonly median: number;
  readonly max: number;
}

/** What a bench found out, whatever it is about. */
export interface BenchResult {
  readonly bench: string;
  readonly rounds: number;
  readonly contestants: Readonly<Record<string, Readonly<Record<string, Spread>>>>;
  /** `hailway/sample`: of the medians of the first metric. */
  readonly ratios: Readonly<Record<string, number>>;
  readonly figures: Readonly<Record<string, number>>;
  /** Whether each thing that has to be true was true in every round. */
  readonly checks: Readonly<Record<string, boolean>>;
}

/** Checks of many rounds: one that was false once stays false. */
export class Checks {
  private readonly held = new Map<string, boolean>();

  note(name: string, holds: boolean): void {
    this.held.set(name, (this.held.get(name) ?? true) && holds);
  }

  get all(): Record<string, boolean> {
    return Object.fromEntries(this.held);
  }
}

/** Rounds in which the contestants take turns, each second one in the other order: a machine that tires is fair. */
export async function inRounds(
  contestants: Contestants,
  rounds: number,
  onRound: (text: string) => void,
): Promise<Record<string, Record<string, Spread>>> {
  const names = Object.keys(contestants);
  const seen = new Map<string, Metrics[]>(names.map((name) => [name, []]));
  for (let round = 1; round <= rounds; round += 1) {
    for (const name of round % 2 === 1 ? names : [...names].reverse()) {
      const metrics = await contestants[name]!();
      seen.get(name)!.push(metrics);
      onRound(`round ${round} of ${rounds}: ${name} ${describe(metrics)}`);
    }
  }
  return Object.fromEntries([...seen].map(([name, metrics]) => [name, spreads(metrics)]));
}

function spreads(rounds: readonly Metrics[]): Record<string, Spread> {
  const names = Object.keys(rounds[0] ?? {});
  return Object.fromEntries(names.map((name) => [name, spreadOf(rounds.map((round) => round[name] ?? NaN))]));
}

export function spreadOf(values: readonly number[]): Spread {
  return {
    min: rounded(Math.min(...values)),
    median: rounded(percentile(values, 50)),
    max: rounded(Math.max(...values)),
  };
}

/** By linear interpolation between the two nearest values; NaN of none. */
export function percentile(values: readonly number[], percent: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  const at = ((sorted.length - 1) * percent) / 100;
  const below = sorted[Math.floor(at)] ?? NaN;
  const above = sorted[Math.ceil(at)] ?? NaN;
  return below + (above - below) * (at - Math.floor(at));
}

/** `name/baseline` for each other contestant: how many times the baseline's median of the first metric. */
export function ratiosTo(
  baseline: string,
  contestants: Readonly<Record<string, Readonly<Record<string, Spread>>>>,
): Record<string, number> {
  const firstOf = (name: string): number => Object.values(contestants[name] ?? {})[0]?.median ?? NaN;
  return Object.fromEntries(
    Object.keys(contestants)
      .filter((name) => name !== baseline)
      .map((name) => [`${name}/${baseline}`, rounded(firstOf(name) / firstOf(baseline))]),
  );
}

/** Three digits that mean something; a count stays whole. */
export function rounded(value: number): number {
  if (!Number.isFinite(value) || Number.isInteger(value)) return value;
  return Number(value.toPrecision(Math.max(3, Math.ceil(Math.log10(Math.abs(value) + 1)))));
}

/** For people. */
export function asText({ contestants, ratios, figures, checks }: BenchResult): string {
  const lines: string[] = [];
  for (const [name, metrics] of Object.entries(contestants)) {
    lines.push(name);
    for (const [metric, { min, median, max }] of Object.entries(metrics))
      lines.push(`  ${metric.padEnd(28)} ${String(median).padStart(10)}   (${min} to ${max})`);
  }
  const table = (title: string, entries: Readonly<Record<string, number | boolean>>): void => {
    if (Object.keys(entries).length === 0) return;
    lines.push(title, ...Object.entries(entries).map(([name, value]) => `  ${name.padEnd(44)} ${value}`));
  };
  table('ratios', ratios);
  table('figures', figures);
  table('checks', checks);
  return lines.join('\n');
}

const describe = (metrics: Metrics): string =>
  Object.entries(metrics)
    .slice(0, 4)
    .map(([name, value]) => `${name} ${rounded(value)}`)
    .join(', ');
