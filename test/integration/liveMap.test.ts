import { join } from 'node:path';
import { latLngToCell } from 'h3-js';
import type { Page } from 'playwright-core';
import { v7 as uuidv7 } from 'uuid';
import { trackView } from '../../contracts/api/tracks';
import { CELL_RESOLUTION, type Point } from '../../domain/geo';
import { rideWorkflowId } from '../../domain/names';
import { surgePolicy } from '../../domain/surge';
import { checkPickups } from '../../tools/city/input/pickups';
import { projectRoot } from '../../tools/stack/places';
import type { Stack } from '../../tools/stack/stack';
import { browserForFile } from '../support/browser';
import { mapPage } from '../support/mapPage';
import { eventually } from '../support/rideSaga';
import { disputeOnStack, rideOnStack } from '../support/stackRide';
import { stackStory, type StackStory } from '../support/stackStory';
import { startWholeStack } from '../support/wholeStack';

jest.setTimeout(120_000);

const browser = browserForFile();
/** What the map shows at first. */
const isInSight = ({ lat, lng }: Point): boolean => lat > 40.7 && lat < 40.8 && lng > -74.0 && lng < -73.93;

const midtown = { lat: 40.758, lng: -73.9855 };
const boroughs = {
  Manhattan: midtown,
  Brooklyn: { lat: 40.7, lng: -73.95 },
  Queens: { lat: 40.75, lng: -73.93 },
  'The Bronx': { lat: 40.81, lng: -73.905 },
};
const jerseyCity = { lat: 40.74, lng: -74.04 };
const waters = {
  hudson: { lat: 40.77, lng: -74.005 },
  eastRiver: { lat: 40.735, lng: -73.968 },
  upperBay: { lat: 40.66, lng: -74.04 },
};
const dropoff = { lat: 40.72, lng: -73.95 };
const operator = ['operator', 'op-1'] as const;

let stack: Stack;
let story: StackStory;
let page: Page;
let pickups: Point[];
const rideIds: string[] = [];
const failures: string[] = [];
const askedOrigins = new Set<string>();

const { inPage, drawnIn, lookAtManhattan, barriers } = mapPage(() => page);

const positions = async (driverId: string, { lat, lng }: Point, sequence: number): Promise<void> => {
  const position = { lat, lng, sequence, at: new Date().toISOString() };
  await story.insist('POST', '/v1/drivers/me/positions', ['driver', driverId], { positions: [position] });
};

/** Real pickups of the city in sight, each in a cell of its own. */
async function realPickups(count: number): Promise<Point[]> {
  const all = await checkPickups(join(projectRoot(), 'data', 'nyc-pickups-2014-04-02.csv'));
  const byCell = new Map(
    all.filter(isInSight).map((at) => [latLngToCell(at.lat, at.lng, CELL_RESOLUTION), at]),
  );
  return [...byCell.values()].slice(0, count);
}

beforeAll(async () => {
  stack = await startWholeStack({ env: { TRACK_CHUNK_SECONDS: '1' } });
  story = stackStory(stack);
  pickups = await realPickups(4);
  await story.driver('driver-1');
  for (const [n, { lat, lng }] of pickups.entries()) {
    const rider = ['rider', `rider-${n}`] as const;
    const trip = { pickup: { lat, lng }, dropoff };
    const quote = await story.insist('POST', '/v1/quotes', rider, trip);
    const body = { quoteToken: quote.body.token, paymentMethod: { type: 'cash' } };
    rideIds.push((await story.insist('POST', '/v1/rides', rider, body, uuidv7())).body.rideId);
  }
  page = await browser.page();
  page.on('pageerror', (error) => failures.push(error.message));
  page.on('requestfailed', (request) => failures.push(request.url()));
  // A 404 has not failed, as the browser has it.
  page.on('response', (response) => {
    if (response.status() >= 400) failures.push(`${response.status()} ${response.url()}`);
  });
  page.on('request', (request) => askedOrigins.add(new URL(request.url()).origin));
  await page.goto(`${stack.consoleUrl}/map`);
}, 180_000);
afterAll(() => stack?.stop(), 60_000);

test('hexagons appear where the city’s real pickups are', async () => {
  const wanted = pickups.map(({ lat, lng }) => latLngToCell(lat, lng, CELL_RESOLUTION)).sort();
  const drawn = `[...new Set(map.queryRenderedFeatures({ layers: ['cells'] }).map((f) => f.properties.cell))].sort()`;
  const cells = await eventually(async () => {
    const seen = await inPage<string[]>(drawn);
    return seen.length >= wanted.length ? seen : undefined;
  }, 60_000);
  expect(cells).toEqual(wanted);
  expect(await page.locator('#connection').innerText()).toBe('live');
});

test('the shore, the boroughs and the ways of rides in flight are drawn where they are', async () => {
  await lookAtManhattan();
  for (const [name, place] of Object.entries(boroughs))
    await eventually(async () => {
      const [land] = await drawnIn('land', place);
      return land?.['name'] === name && land?.['borough'] === true ? true : undefined;
    });
  expect(await drawnIn('land', jerseyCity)).toMatchObject([{ borough: false }]);
  for (const place of Object.values(waters)) expect(await drawnIn('land', place)).toEqual([]);
  expect((await drawnIn('shores')).length).toBeGreaterThan(0);
  const names = ['Brooklyn', 'Manhattan', 'Queens', 'Staten Island', 'The Bronx'];
  expect((await page.locator('.borough').allTextContents()).sort()).toEqual(names);

  const waysAt = async (place: Point) => (await drawnIn('ways', place)).map(({ rideId }) => rideId);
  await eventually(async () => (await waysAt(dropoff)).length >= rideIds.length || undefined);
  expect((await waysAt(dropoff)).sort()).toEqual([...rideIds].sort());
  for (const [n, pickup] of pickups.entries()) expect(await waysAt(pickup)).toContain(rideIds[n]);
});

test('the keyboard’s first stop leads past the map to the rides', async () => {
  await page.locator('#rides button').first().waitFor();
  await page.keyboard.press('Tab');
  const stop = page.getByRole('link', { name: 'Skip the map' });
  expect(await stop.evaluate((node) => node === node.ownerDocument.activeElement)).toBe(true);
  expect((await stop.boundingBox())!.width).toBeGreaterThan(50);
  await stop.press('Enter');
  const list = page.locator('#rides');
  expect(await list.evaluate((node) => node === node.ownerDocument.activeElement)).toBe(true);
  await page.keyboard.press('Tab');
  const ride = page.locator('#rides button').first();
  expect(await ride.evaluate((node) => node === node.ownerDocument.activeElement)).toBe(true);
});

test('a driver is on the map, and moves', async () => {
  await positions('driver-1', { lat: 40.75, lng: -73.98 }, 100);
  const placeOf = `[...Array(drivers.count).keys()].map((slot) => drivers.placeOf(slot))`;
  const before = await eventually(async () => (await inPage<number[][]>(placeOf))[0]);
  await positions('driver-1', { lat: 40.76, lng: -73.98 }, 101);
  await eventually(async () => (await inPage<number[][]>(placeOf))[0]![1]! > before[1]! || undefined);
});

test('a click on a ride shows its timeline and the link to its workflow in Temporal’s UI', async () => {
  const [{ lat, lng }, rideId] = [pickups[0]!, rideIds[0]!];
  const isDrawn = `map.queryRenderedFeatures({ layers: ['pickups'] }).some((f) => f.properties.rideId === '${rideId}')`;
  await eventually(async () => (await inPage<boolean>(isDrawn)) || undefined);
  const { x, y } = await inPage<{ x: number; y: number }>(`map.project([${lng}, ${lat}])`);
  await page.locator('#map canvas').click({ position: { x, y } });
  await page.getByRole('heading', { name: `Ride ${rideId}` }).waitFor();
  await page.locator('#ride-steps').getByText('ride.requested').waitFor();
  expect(await page.locator('#ride-steps li').first().innerText()).toContain('by rider');
  const opened = page.context().waitForEvent('page');
  await page.getByRole('link', { name: 'Its workflow in Temporal' }).click();
  const temporal = await opened;
  const metadata = { name: 'User Metadata' };
  await temporal.getByRole('link', metadata).or(temporal.getByRole('tab', metadata)).first().waitFor();
  expect(temporal.url()).toContain(
    `${stack.temporalUiUrl}/namespaces/default/workflows/${rideWorkflowId(rideId)}`,
  );
  await temporal.close();
});

test('the keyboard moves the map and reaches the rides, and comes back from one', async () => {
  await page.locator('#map canvas').focus();
  const west = await inPage<number>('map.getCenter().lng');
  await page.keyboard.press('ArrowRight');
  await eventually(async () => (await inPage<number>('map.getCenter().lng')) > west || undefined);
  const near = await inPage<number>('map.getZoom()');
  await page.keyboard.press('Minus');
  await eventually(async () => (await inPage<number>('map.getZoom()')) < near || undefined);
  const ride = page.getByRole('button', { name: `ride ${rideIds[1]!.slice(-6)}` });
  await ride.focus();
  await page.keyboard.press('Enter');
  const heading = page.getByRole('heading', { name: `Ride ${rideIds[1]}` });
  await heading.waitFor();
  expect(await heading.evaluate((node) => node === node.ownerDocument.activeElement)).toBe(true);
  expect(await barriers()).toEqual([]);
  await page.getByRole('button', { name: 'Close' }).press('Enter');
  expect(await ride.evaluate((node) => node === node.ownerDocument.activeElement)).toBe(true);
});

test('the page has its landmarks, says how things stand, and shows lag', async () => {
  for (const role of ['banner', 'main', 'complementary'] as const)
    expect(await page.getByRole(role).count()).toBe(1);
  await page.getByRole('status').filter({ hasText: '4 rides in flight' }).waitFor({ state: 'attached' });
  await page.locator('#lag').getByRole('rowheader', { name: 'analytics' }).waitFor();
  await eventually(async () => (await page.locator('#away').innerText()) === '' || undefined, 30_000);
});

describe('the way of a ride that is over', () => {
  const driven = [-73.989, -73.988, -73.987].map((lng) => ({ lat: 40.73, lng }));
  let rideId: string;
  beforeAll(async () => {
    rideId = await rideOnStack(stack, story, { riderId: 'rider-of-2', driverId: 'driver-2', driven });
  });

  test('is drawn as it was driven, though the ride is in no list', async () => {
    await page.getByLabel('by its id').fill(` ${rideId.toUpperCase()} `);
    const drawn = await eventually(async () => {
      await page.getByRole('button', { name: 'Show' }).click();
      await page.getByText(/^Its way as it was driven|^No way/).waitFor();
      return (await drawnIn('track')).length || undefined;
    }, 60_000);
    expect(drawn).toBeGreaterThan(0);
    expect(await page.locator('#ride-track').innerText()).toMatch(/\d positions\.$/);
    await page.locator('#ride-steps').getByText('ride.completed').waitFor();
    await page.getByRole('button', { name: 'Close' }).click();
    expect(await page.locator('#ride-track').innerText()).toBe('');
  });

  test('is read back as GeoJSON by an operator where the ride’s payment is disputed', async () => {
    const dispute = await disputeOnStack(stack, story, rideId);
    expect(dispute).toMatchObject({ rideId, status: 'needs_response' });
    const track = await eventually(async () => {
      const { status, body } = await story.call('GET', `/v1/rides/${dispute.rideId}/track`, operator);
      const found = trackView.safeParse(status === 200 ? body : undefined).data;
      return found?.geometry?.coordinates.some(([lng]) => lng === driven.at(-1)!.lng) ? found : undefined;
    }, 60_000);
    expect(track).toMatchObject({ type: 'Feature', properties: { rideId, driverId: 'driver-2' } });
    const { geometry, properties } = track;
    expect(geometry!.type).toBe('LineString');
    expect(geometry!.coordinates).toEqual(expect.arrayContaining(driven.map(({ lat, lng }) => [lng, lat])));
    expect(properties.times).toHaveLength(geometry!.coordinates.length);
  });
});

test('where riders ask and nobody is there, surge is drawn', async () => {
  const crowd = { lat: 40.79, lng: -73.95 };
  const asked = Array.from({ length: 8 }, async (_, n) => {
    const rider = ['rider', `rider-of-crowd-${n}`] as const;
    const quote = await story.insist('POST', '/v1/quotes', rider, { pickup: crowd, dropoff: midtown });
    const body = { quoteToken: quote.body.token, paymentMethod: { type: 'cash' } };
    await story.insist('POST', '/v1/rides', rider, body, uuidv7());
  });
  await Promise.all(asked);
  await lookAtManhattan();
  const cell = latLngToCell(crowd.lat, crowd.lng, CELL_RESOLUTION);
  const surge = await eventually(async () => {
    const drawn = await drawnIn('surge');
    return drawn.find((properties) => properties['cell'] === cell)?.['surge'];
  }, 60_000);
  expect(surge).toBe(surgePolicy.most);
});

test('beside the map is how many positions and facts come a second', async () => {
  const shown = async (name: string) =>
    Number(await page.locator(`#now dt:text-is("${name}") + dd`).innerText());
  let sequence = Date.now();
  await story.driver('driver-of-rates');
  for (const name of ['positions a second', 'facts a second'])
    await eventually(async () => {
      for (let n = 0; n < 5; n++) await positions('driver-of-rates', midtown, (sequence += 1));
      await story.quote('rider-of-rates');
      return (await shown(name)) > 0 || undefined;
    }, 30_000);
});

test('by night it is dark, map and page', async () => {
  const water = `map.getPaintProperty('water', 'background-color')`;
  const byDay = await inPage<string>(water);
  await page.emulateMedia({ colorScheme: 'dark' });
  await eventually(async () => (await inPage<string>(water)) !== byDay || undefined);
  expect(await inPage<string>('getComputedStyle(document.body).backgroundColor')).toBe('rgb(19, 26, 32)');
  expect(await barriers()).toEqual([]);
});

test('nothing of the page failed, and nobody outside was asked', () => {
  expect(failures).toEqual([]);
  expect([...askedOrigins]).toEqual([new URL(stack.consoleUrl).origin]);
});
