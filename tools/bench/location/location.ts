import type { ChildProcess } from 'node:child_process';
import { rounded, Checks, inRounds, ratiosTo, type BenchResult, type Metrics } from '../frame';
import type { BenchOptions } from '../options';
import { updatesOverHttp } from '../http/http';
import { startBenchServers } from '../servers';
import type { Say } from '../../stack/say';
import { EndToEnd, howFar, minuteAtPeak, MOST_AGE_MS, PEAK, type Rebuilt } from './endToEnd';
import { ask, begin, end, locationEnv } from './children';
import type { OneCoreMessage, OneCoreOrder, OneCoreReport } from './oneCore';
import { benchSkew, SPLIT_METERS, type BeginOn } from './skew';

const DRIVERS = 1_000_000;
/** A driver tells where they are every four seconds: so many drivers are 200,000 updates a second. */
const DRIVERS_AT_PEAK = 800_000;
/** Of 500 positions each. */
const HTTP_REQUESTS = 1_000;
const MOST_READY_SECONDS = 30;

/** What is to be reached. */
const LEAST_TO_USUAL = 20;
const LEAST_A_SECOND = 3_000_000;
const LEAST_OVER_HTTP = 50_000;
/** An update takes about as long of few drivers, and in a crowd, as of a million. */
const MOST_MOVE_COSTS = 2;

/**
 * Positions of drivers on real pickup density, at the published peak. `usual`: JSON, an object for each update, a Map and
 * H3. `h3`: Hailway's records and drivers with H3's cells in place of its grid. `hailway`: binary records decoded and indexed
 * on one core. `endToEnd`: packed as the gateway does, sent with acks=all through a real broker, read and indexed as a
 * location process does, all on this machine, for a minute. `oneRegion`, `splitRegions`: two such processes, where one region
 * has everybody, and where regions are smaller. `httpUpdatesPerSecond`: as in `bench http`. `size`: drivers (a million) of
 * the first three.
 */
export async function benchLocation(
  { rounds, size = DRIVERS }: BenchOptions,
  say: Say,
): Promise<BenchResult> {
  const checks = new Checks();
  const servers = await say.during('Starting kafka', () => startBenchServers(['kafka'], say));
  const started: EndToEnd[] = [];
  let oneCore: ChildProcess | undefined;
  const beginOn: BeginOn = async (topic, log) => {
    const options = { broker: servers.kafkaBroker, drivers: DRIVERS_AT_PEAK, topic, ...log };
    const begun = await say.during(`Starting ${topic}`, () => EndToEnd.start(options, checks));
    started.push(begun);
    return begun;
  };
  try {
    oneCore = begin('oneCore', { drivers: size } satisfies OneCoreOrder, locationEnv);
    const askCore = askOf(oneCore, checks);
    const split = await beginOn('bench.split', { regionMeters: SPLIT_METERS, indexers: 1 });
    const contestants = await inRounds(
      {
        usual: () => askCore('usualRound'),
        h3: () => askCore('h3Round'),
        hailway: () => askCore('hailwayRound'),
        endToEnd: () => split.shift(minuteAtPeak),
      },
      rounds,
      (text) => say.line(text),
    );
    const rebuilt = await say.during('Rebuilding the index from the log', () => split.rebuild());
    const most = await howFar(split, say);
    await split.stop();
    const skew = await benchSkew(beginOn, rounds, checks, say);
    const httpUpdatesPerSecond = await updatesOverHttp(servers, {
      requests: HTTP_REQUESTS,
      round: 1,
      checks,
    });
    const ratios = { ...ratiosTo('usual', contestants), ...ratiosTo('h3', contestants) };
    const { hailway, endToEnd } = contestants as Record<
      string,
      Record<string, { min: number; median: number; max: number }>
    >;
    checks.note(`atLeast${LEAST_TO_USUAL}TimesUsual`, ratios['hailway/usual']! >= LEAST_TO_USUAL);
    checks.note('atLeast3MillionASecondACore', hailway!['updatesPerSecond']!.median >= LEAST_A_SECOND);
    checks.note('heldForAMinute', endToEnd!['updatesPerSecond']!.min >= PEAK);
    checks.note('ageP99BelowASecond', endToEnd!['ageP99Ms']!.max < MOST_AGE_MS);
    checks.note(`isReadyIn${MOST_READY_SECONDS}Seconds`, rebuilt.ready.seconds <= MOST_READY_SECONDS);
    checks.note(`atLeast${LEAST_OVER_HTTP}OverHttp`, httpUpdatesPerSecond >= LEAST_OVER_HTTP);
    const costs = await askCore('costs');
    const mostNs = Math.max(costs['nsPerUpdateOf10000']!, costs['nsPerUpdateInACrowdOf100000']!);
    const nsOfAll = 1e9 / hailway!['updatesPerSecond']!.median;
    checks.note('aMoveCostsTheSame', mostNs <= MOST_MOVE_COSTS * nsOfAll);
    return {
      ...{ bench: 'location', rounds, ratios },
      contestants: { ...contestants, ...skew.contestants },
      figures: {
        ageP99Ms: endToEnd!['ageP99Ms']!.max,
        httpUpdatesPerSecond: rounded(httpUpdatesPerSecond),
        mostUpdatesPerSecond: rounded(most),
        ...skew.figures,
        readySeconds: rounded(rebuilt.ready.seconds),
        readyPositions: rebuilt.ready.positions,
        rebuildSeconds: rounded(rebuilt.whole.seconds),
        ...older(rebuilt),
        rebuildWaitP99Ms: rounded(rebuilt.waitP99Ms),
        ...Object.fromEntries(Object.entries(costs).map(([name, cost]) => [name, rounded(cost)])),
      },
      checks: checks.all,
    };
  } finally {
    if (oneCore) await end(oneCore);
    for (const begun of started) await begun.stop();
    await servers.stop();
  }
}

/** What was read of older positions, and how many a second, beside those that were told meanwhile. */
function older({ ready, whole }: Rebuilt): Record<string, number> {
  const olderPositions = whole.positions - whole.live - (ready.positions - ready.live);
  const olderPositionsPerSecond = rounded(olderPositions / (whole.seconds - ready.seconds));
  return { olderPositions, olderPositionsPerSecond };
}

/** Asks a process of one core, and notes what it checked. */
const askOf =
  (oneCore: ChildProcess, checks: Checks) =>
  async (of: OneCoreMessage['of']): Promise<Metrics> => {
    const report = await ask<OneCoreReport>(oneCore, { of } satisfies OneCoreMessage);
    for (const [name, holds] of Object.entries(report.checks)) checks.note(name, holds);
    return report.metrics;
  };
