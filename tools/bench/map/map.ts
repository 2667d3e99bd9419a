import { join } from 'node:path';
import type { Browser } from 'playwright-core';
import { checkPickups } from '../../city/input/pickups';
import { isOnMap } from '../../../services/console/map/area';
import { startBrowser } from '../../browser';
import { takeTestParts } from '../../stack/parts';
import { projectRoot } from '../../stack/places';
import type { Say } from '../../stack/say';
import { Checks, inRounds, ratiosTo, type BenchResult, type Metrics } from '../frame';
import type { BenchOptions } from '../options';
import { startMap } from './ground';

const DRIVERS = 10_000;
const SECONDS = 60;
/** The page's main thread may not be held up for longer by one task. */
const MOST_TASK_MS = 50;

interface Seen {
  readonly taskMs: readonly number[];
  readonly events: number;
  readonly renders: number;
}

/**
 * The live map in a real Chromium: what its main thread does for 10,000 drivers who all move five times a second, for a
 * minute once it is drawn, beside the same page with a GeoJSON feature for each driver. `--size`: seconds a round.
 */
export async function benchMap({ rounds, size = SECONDS }: BenchOptions, say: Say): Promise<BenchResult> {
  const root = projectRoot();
  const all = await checkPickups(join(root, 'data', 'nyc-pickups-2014-04-02.csv'));
  const pickups = all.filter(({ lat, lng }) =>
    [-1, 1].every((d) => isOnMap({ lat: lat + d / 20, lng: lng + d / 20 })),
  );
  const { chromium } = await takeTestParts({ env: process.env, say });
  const browser = await startBrowser(chromium);
  const map = await startMap(DRIVERS, pickups);
  const checks = new Checks();
  try {
    const usual = join(root, 'tools', 'bench', 'map', 'geojsonDrivers.mjs');
    const contestants = await inRounds(
      {
        geojson: () => look(browser, map.url, size, usual),
        hailway: async () => {
          const metrics = await look(browser, map.url, size);
          checks.note('noTaskOver50Ms', metrics['longestTaskMs']! <= MOST_TASK_MS);
          checks.note('fiveEventsASecond', metrics['eventsPerSecond']! >= 4.5);
          checks.note('allDriversOnTheMap', metrics['drivers'] === DRIVERS);
          return metrics;
        },
      },
      rounds,
      (text) => say.line(text),
    );
    return {
      ...{ bench: 'map', rounds, contestants, ratios: ratiosTo('geojson', contestants) },
      ...{ figures: { drivers: DRIVERS, seconds: size }, checks: checks.all },
    };
  } finally {
    await map.close();
    await browser.close();
  }
}

/** Opens the map, waits until it stands, and watches its main thread. @param drivers a module in place of the page's own */
async function look(browser: Browser, url: string, seconds: number, drivers?: string): Promise<Metrics> {
  const page = await browser.newPage({ viewport: { width: 1_400, height: 1_000 } });
  try {
    if (drivers !== undefined)
      await page.route('**/map/drivers.mjs', (route) => route.fulfill({ path: drivers }));
    await page.goto(url);
    await page.evaluate(standing);
    const devtools = await page.context().newCDPSession(page);
    await devtools.send('Performance.enable');
    const busy = async (): Promise<number> => {
      const { metrics } = await devtools.send('Performance.getMetrics');
      return metrics.find(({ name }) => name === 'TaskDuration')!.value * 1_000;
    };
    const before = await busy();
    const { taskMs, events, renders } = await page.evaluate<Seen>(watching(seconds * 1_000));
    const after = await busy();
    return {
      mainThreadMsPerSecond: (after - before) / seconds,
      longestTaskMs: Math.max(0, ...taskMs),
      longTasks: taskMs.length,
      eventsPerSecond: events / seconds,
      framesPerSecond: renders / seconds,
      drivers: await page.evaluate<number>(`(async () => (${app}).drivers.count)()`),
    };
  } finally {
    await page.close();
  }
}

/* What runs in the page, as text: its types are not those of Node. */
const app = `await import('/map/app.mjs')`;

/** All drivers are there, and what the start took is over. */
const standing = `(async () => {
  const { map, drivers } = ${app};
  map.fitBounds(map.getMaxBounds(), { animate: false });
  while (drivers.count < ${DRIVERS}) await new Promise((next) => setTimeout(next, 200));
  await new Promise((next) => setTimeout(next, 5_000));
})()`;

const watching = (ms: number): string => `(async () => {
  const { map, drivers } = ${app};
  const seen = { taskMs: [], events: 0, renders: 0 };
  const observer = new PerformanceObserver((list) =>
    seen.taskMs.push(...list.getEntries().map(({ duration }) => duration)));
  observer.observe({ type: 'longtask' });
  const take = drivers.take.bind(drivers);
  drivers.take = (moved) => { seen.events += 1; take(moved); };
  map.on('render', () => { seen.renders += 1; });
  await new Promise((done) => setTimeout(done, ${ms}));
  observer.disconnect();
  return seen;
})()`;
