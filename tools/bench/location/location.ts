import type { ChildProcess } from 'node:child_process';
import { rounded, Checks, inRounds, ratiosTo, type BenchResult, type Metrics } from '../frame';
import type { BenchOptions } from '../options';
import { startBenchServers } from '../servers';
import type { Say } from '../../stack/say';
import { EndToEnd } from './endToEnd';
import { ask, begin, end, locationEnv } from './children';
import type { OneCoreMessage, OneCoreOrder, OneCoreReport } from './oneCore';

const DRIVERS = 1_000_000;
/** A driver tells where they are every four seconds: so many drivers are 200,000 updates a second. */
const DRIVERS_AT_PEAK = 800_000;
const PEAK = 200_000;
const HELD_SECONDS = 60;
const STEP_SECONDS = 10;
const STEPS = [300_000, 400_000, 500_000, 600_000, 800_000];
const SKEW_SECONDS = 10;

/** New York in a few regions, so that the partitions share it … */
const SPLIT_METERS = 5_000;
/** … and in one, as it is unless told: one partition has everything. */
const WHOLE_METERS = 100_000;

/** What is to be reached. */
const LEAST_TO_USUAL = 20;
const LEAST_A_SECOND = 3_000_000;
const MOST_AGE_MS = 1_000;

/**
 * Positions of drivers on real pickup density, at the published peak. `usual`: JSON, an object for each update, a Map and
 * H3. `hailway`: binary records decoded and indexed on one core. `endToEnd`: packed as the gateway does, sent with
 * acks=all through a real broker, read and indexed as a location process does, all on this machine, for a minute.
 * `size`: drivers (a million) of the first two.
 */
export async function benchLocation(
  { rounds, size = DRIVERS }: BenchOptions,
  say: Say,
): Promise<BenchResult> {
  const checks = new Checks();
  const servers = await say.during('Starting kafka', () => startBenchServers(['kafka'], say));
  const started: EndToEnd[] = [];
  let oneCore: ChildProcess | undefined;
  const beginOn = async (topic: string, regionMeters: number): Promise<EndToEnd> => {
    const options = { broker: servers.kafkaBroker, drivers: DRIVERS_AT_PEAK, topic, regionMeters };
    const both = await say.during(`Starting ${topic}`, () => EndToEnd.start(options, checks));
    started.push(both);
    return both;
  };
  try {
    oneCore = begin('oneCore', { drivers: size } satisfies OneCoreOrder, locationEnv);
    const askCore = askOf(oneCore, checks);
    const split = await beginOn('bench.split', SPLIT_METERS);
    const contestants = await inRounds(
      {
        usual: () => askCore('usualRound'),
        hailway: () => askCore('hailwayRound'),
        endToEnd: () => split.shift({ updatesPerSecond: PEAK, seconds: HELD_SECONDS }),
      },
      rounds,
      (text) => say.line(text),
    );
    const most = await howFar(split, say);
    const rebuilt = await say.during('Rebuilding the index from the log', () => split.rebuild());
    const whole = await beginOn('bench.whole', WHOLE_METERS);
    const skewed = await whole.shift({ updatesPerSecond: PEAK, seconds: SKEW_SECONDS });
    const mostOfOne = await howFar(whole, say);
    const ratios = ratiosTo('usual', contestants);
    const { hailway, endToEnd } = contestants as Record<
      string,
      Record<string, { min: number; median: number; max: number }>
    >;
    checks.note(`atLeast${LEAST_TO_USUAL}TimesUsual`, ratios['hailway/usual']! >= LEAST_TO_USUAL);
    checks.note('atLeast3MillionASecondACore', hailway!['updatesPerSecond']!.median >= LEAST_A_SECOND);
    checks.note('heldForAMinute', endToEnd!['updatesPerSecond']!.min >= PEAK * 0.99);
    checks.note('ageP99BelowASecond', endToEnd!['ageP99Ms']!.max < MOST_AGE_MS);
    const cellCosts = await askCore('cellCosts');
    return {
      ...{ bench: 'location', rounds, contestants, ratios },
      figures: {
        ageP99Ms: endToEnd!['ageP99Ms']!.max,
        mostUpdatesPerSecond: rounded(most),
        oneRegionUpdatesPerSecond: rounded(skewed['updatesPerSecond']!),
        oneRegionAgeP99Ms: skewed['ageP99Ms']!,
        oneRegionMostUpdatesPerSecond: rounded(mostOfOne),
        rebuildSeconds: rounded(rebuilt.seconds),
        rebuildPositionsPerSecond: rounded(rebuilt.positions / rebuilt.seconds),
        gridNsPerCell: rounded(cellCosts['gridNsPerCell']!),
        h3NsPerCell: rounded(cellCosts['h3NsPerCell']!),
      },
      checks: checks.all,
    };
  } finally {
    if (oneCore) await end(oneCore);
    for (const both of started) await both.stop();
    await servers.stop();
  }
}

/** Asks a process of one core, and notes what it checked. */
const askOf =
  (oneCore: ChildProcess, checks: Checks) =>
  async (of: OneCoreMessage['of']): Promise<Metrics> => {
    const report = await ask<OneCoreReport>(oneCore, { of } satisfies OneCoreMessage);
    for (const [name, holds] of Object.entries(report.checks)) checks.note(name, holds);
    return report.metrics;
  };

/** The greatest of some rates that is held for a while with the age in its bound. */
async function howFar(both: EndToEnd, say: Say): Promise<number> {
  let most = PEAK;
  for (const updatesPerSecond of STEPS) {
    const seen = await both.shift({ updatesPerSecond, seconds: STEP_SECONDS });
    say.line(
      `${updatesPerSecond} a second: p99 of the age ${seen['ageP99Ms']} ms, ${rounded(seen['updatesPerSecond']!)} told`,
    );
    if (seen['ageP99Ms']! >= MOST_AGE_MS || seen['updatesPerSecond']! < updatesPerSecond * 0.99) return most;
    most = updatesPerSecond;
  }
  return most;
}
