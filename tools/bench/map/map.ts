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
import { lagGroups } from './busyCity';
import { startMap } from './ground';

const DRIVERS = 10_000;
const SECONDS = 60;
/** The page's main thread may not be held up for longer by one task. */
const MOST_TASK_MS = 50;
/** What the page is made to do once the minute is over, to show that it would have been seen. */
const DELIBERATE_TASK_MS = 80;
/** Cells with a surge that the map shows at least; there are some more. */
const LEAST_SURGES = 40;

interface Seen {
  readonly taskMs: readonly number[];
  readonly events: number;
  readonly renders: number;
}

/** What is on the page when the minute is over. */
interface Shown {
  readonly drivers: number;
  readonly surges: number;
  readonly lagRows: number;
}

interface Page {
  readonly browser: Browser;
  readonly url: string;
  readonly seconds: number;
  readonly checks: Checks;
}

/**
 * The live map in a real Chromium: what its main thread does for 10,000 drivers who all move five times a second, for a
 * minute once it is drawn, beside the same page with a GeoJSON feature for each driver. Demand, surge, rides, lag and
 * rates change meanwhile as often as they do for real. `--size`: seconds a round.
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
  const page = { browser, url: map.url, seconds: size, checks };
  try {
    const usual = join(root, 'tools', 'bench', 'map', 'geojsonDrivers.mjs');
    const contestants = await inRounds(
      {
        geojson: () => look(page, usual),
        hailway: async () => {
          const metrics = await look(page);
          checks.note('noTaskOver50Ms', metrics['longestTaskMs']! <= MOST_TASK_MS);
          checks.note('fiveEventsASecond', metrics['eventsPerSecond']! >= 4.5);
          checks.note('allDriversOnTheMap', metrics['drivers'] === DRIVERS);
          checks.note('surgesOnTheMap', metrics['surges']! >= LEAST_SURGES);
          checks.note('lagOfAllConsumers', metrics['lagRows'] === lagGroups.length);
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
async function look({ browser, url, seconds, checks }: Page, drivers?: string): Promise<Metrics> {
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
    const shown = await page.evaluate<Shown>(showing);
    checks.note('seesALongTask', await page.evaluate<boolean>(seeingALongTask));
    return {
      mainThreadMsPerSecond: (after - before) / seconds,
      longestTaskMs: Math.max(0, ...taskMs),
      longTasks: taskMs.length,
      eventsPerSecond: events / seconds,
      framesPerSecond: renders / seconds,
      ...shown,
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
  globalThis.longTasks = [];
  const observer = new PerformanceObserver((list) => longTasks.push(...list.getEntries()));
  observer.observe({ type: 'longtask' });
  const seen = { events: 0, renders: 0 };
  const take = drivers.take.bind(drivers);
  drivers.take = (moved) => { seen.events += 1; take(moved); };
  map.on('render', () => { seen.renders += 1; });
  await new Promise((done) => setTimeout(done, ${ms}));
  return { ...seen, taskMs: longTasks.map(({ duration }) => duration) };
})()`;

const showing = `(async () => {
  const { map, drivers } = ${app};
  const surging = map.queryRenderedFeatures({ layers: ['surge'] }).map(({ properties }) => properties.cell);
  return {
    drivers: drivers.count,
    surges: new Set(surging).size,
    lagRows: document.getElementById('lag').rows.length,
  };
})()`;

/** After the minute, by its own observer: whether a task that is too long on purpose is seen as one. */
const seeingALongTask = `(async () => {
  let from = NaN;
  setTimeout(() => {
    from = performance.now();
    while (performance.now() < from + ${DELIBERATE_TASK_MS});
  });
  const isIt = ({ startTime, duration }) => {
    const middle = from + ${DELIBERATE_TASK_MS / 2};
    return duration > ${MOST_TASK_MS} && startTime < middle && middle < startTime + duration;
  };
  for (let looks = 0; looks < 100; looks += 1) {
    if (longTasks.some(isIt)) return true;
    await new Promise((next) => setTimeout(next, 50));
  }
  return false;
})()`;
