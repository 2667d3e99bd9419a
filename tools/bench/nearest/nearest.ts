import type { Point } from '../../../domain/geo';
import type { Say } from '../../stack/say';
import {
  Checks,
  inRounds,
  ratiosTo,
  rounded,
  type BenchResult,
  type Contestants,
  type Metrics,
} from '../frame';
import type { Traffic } from '../location/traffic';
import type { BenchOptions } from '../options';
import { BruteForce } from './bruteForce';
import { startRedis, type Redis } from './redis';
import { LIMIT, RADIUS_METERS, Subject } from './subject';

const DRIVERS = 1_000_000;
/** Over all rounds: answers held against brute force. */
const COMPARED = 10_000;
const QUERIES = 20_000;
const BRUTE_QUERIES = 200;
const LEAST_TO_BRUTE = 100;
const MOST_P50_US = 10;
const MOST_BYTES = 64;
const FEWER = [10_000, 100_000];

/**
 * The 10 nearest of a million drivers on real pickup density. `hailway` is asked while drivers go on telling where they are;
 * the others stand still (`flatbush` would have to be built anew: `flatbushBuildMs`). `redis` where redis-server is on the
 * PATH. Before the rounds each has one that does not count: theirs are processes that have run for a while.
 * `p50UsOfDispatch`: by time of arrival, of those who are free and take the product. `size`: drivers.
 */
export async function benchNearest({ rounds, size = DRIVERS }: BenchOptions, say: Say): Promise<BenchResult> {
  const checks = new Checks();
  const subject = await say.during(`Telling of ${size} drivers`, () => Promise.resolve(new Subject(size)));
  const { traffic } = subject;
  const brute = new BruteForce(traffic);
  const { around, flatbush, buildMs } = await buildFlatbush(traffic);
  const redis = await startRedis();
  if (redis) await say.during('Telling Redis', () => tellRedis(redis, traffic));
  else say.line('There is no redis-server on the PATH: it is left out');

  const timed = (queries: number, ask: (at: Point) => number): Metrics => {
    const places = Array.from({ length: queries }, () => traffic.somePlace());
    const began = performance.now();
    let found = 0;
    for (const at of places) found += ask(at);
    const metrics = { queriesPerSecond: (queries * 1_000) / (performance.now() - began) };
    checks.note('someAreFound', found > (queries * LIMIT) / 2);
    return metrics;
  };
  const compare = (queries: number): void => {
    for (let n = 0; n < queries; n++) {
      const at = traffic.somePlace();
      const answer = subject.nearest(at).map(({ driverId }) => driverId);
      const wanted = brute.nearest(at, LIMIT, RADIUS_METERS);
      checks.note('answersEqualBruteForce', String(answer) === String(wanted));
    }
  };
  const once = (round: () => Metrics) => () => Promise.resolve(round());
  try {
    const each: Contestants = {
      bruteForce: once(() => timed(BRUTE_QUERIES, (at) => brute.nearest(at, LIMIT, RADIUS_METERS).length)),
      flatbush: once(() =>
        timed(QUERIES, ({ lat, lng }) => around(flatbush, lng, lat, LIMIT, RADIUS_METERS / 1_000).length),
      ),
      hailway: once(() => {
        const metrics = subject.live(QUERIES, { moved: (driver) => brute.note(driver) });
        compare(Math.ceil(COMPARED / rounds));
        return metrics;
      }),
      ...(redis && { redis: () => redisRound(redis, traffic) }),
    };
    for (const round of Object.values(each)) await round();
    const contestants = await inRounds(each, rounds, (text) => say.line(text));
    const ratios = { ...ratiosTo('bruteForce', contestants), ...ratiosTo('flatbush', contestants) };
    const p50Us = contestants['hailway']!['p50Us']!.median;
    const bytesPerDriver = subject.index.bytes / subject.index.size;
    checks.note(`atLeast${LEAST_TO_BRUTE}TimesBruteForce`, ratios['hailway/bruteForce']! >= LEAST_TO_BRUTE);
    checks.note(`p50AtMost${MOST_P50_US}Us`, p50Us <= MOST_P50_US);
    checks.note(`atMost${MOST_BYTES}BytesADriver`, bytesPerDriver <= MOST_BYTES);
    const figures: Record<string, number> = {
      ...{ p50Us, bytesPerDriver: rounded(bytesPerDriver), flatbushBuildMs: rounded(buildMs) },
    };
    const dispatch = subject.live(QUERIES, { ask: (at) => subject.firstThere(at) });
    figures['p50UsOfDispatch'] = rounded(dispatch['p50Us']!);
    for (const drivers of FEWER.filter((fewer) => fewer < size)) {
      const smaller = new Subject(drivers);
      figures[`p50UsOf${drivers}`] = rounded(smaller.live(QUERIES)['p50Us']!);
      figures[`bytesPerDriverOf${drivers}`] = rounded(smaller.index.bytes / drivers);
    }
    return { ...{ bench: 'nearest', rounds, contestants, ratios, figures }, checks: checks.all };
  } finally {
    await redis?.stop();
  }
}

async function buildFlatbush({ drivers, lat, lng }: Traffic) {
  const { default: Flatbush } = await import('flatbush');
  const { around } = await import('geoflatbush');
  const startedAt = performance.now();
  const flatbush = new Flatbush(drivers);
  for (let n = 0; n < drivers; n++) flatbush.add(lng[n]!, lat[n]!);
  flatbush.finish();
  return { around, flatbush, buildMs: performance.now() - startedAt };
}

const AT_ONCE = 1_000;

async function tellRedis(redis: Redis, traffic: Traffic): Promise<void> {
  for (let start = 0; start < traffic.drivers; start += AT_ONCE) {
    const words = ['GEOADD', 'drivers'];
    for (let n = start; n < Math.min(traffic.drivers, start + AT_ONCE); n++)
      words.push(String(traffic.lng[n]), String(traffic.lat[n]), traffic.ids[n]!);
    await redis.send([words]);
  }
}

async function redisRound(redis: Redis, traffic: Traffic): Promise<Metrics> {
  const queries = QUERIES / 10;
  const commands = Array.from({ length: queries }, () => {
    const { lat, lng } = traffic.somePlace();
    const circle = ['FROMLONLAT', String(lng), String(lat), 'BYRADIUS', String(RADIUS_METERS), 'm'];
    return ['GEOSEARCH', 'drivers', ...circle, 'ASC', 'COUNT', String(LIMIT)];
  });
  const startedAt = performance.now();
  for (let start = 0; start < queries; start += 50) await redis.send(commands.slice(start, start + 50));
  return { queriesPerSecond: (queries * 1_000) / (performance.now() - startedAt) };
}
