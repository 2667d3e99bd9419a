import { createFinder } from '../../consumers/location/finder';
import { createPositionsHandler } from '../../consumers/location/handler';
import { createOthers } from '../../consumers/location/others';
import { PositionIndex } from '../../consumers/location/positionIndex';
import { locationRoutes } from '../../consumers/location/routes';
import { problemPages } from '../../contracts/api/problems';
import { takesOf } from '../../contracts/positionRecord';
import { PositionWriter } from '../../contracts/positionWriter';
import { createRegions } from '../../domain/regions';
import { createRequireRole } from '../../platform/auth';
import { createClient } from '../../platform/client';
import { createMount } from '../../platform/http';
import { withinRoute } from '../../services/gateway/withinRoute';
import { issuer } from '../support/apiGround';
import { quiet } from '../support/backbone';
import { httpServers } from '../support/httpServers';

const serve = httpServers(quiet);
const nowMs = 1_795_366_800_000;
/** Around the terminals of an airport. */
const ring = [
  ...[
    [-73.8, 40.63],
    [-73.77, 40.63],
  ],
  ...[
    [-73.77, 40.66],
    [-73.8, 40.66],
    [-73.8, 40.63],
  ],
];
const polygonOf = (coordinates: unknown) => ({ polygon: { type: 'Polygon', coordinates: [coordinates] } });
type Said = [
  driverId: string,
  lat: number,
  lng: number,
  sequence: number,
  ageMs?: number,
  isOnline?: boolean,
];

/** Location processes that hold a partition each, asked through a gateway. */
async function city(...held: (readonly Said[])[]) {
  const { verify, token } = await issuer();
  const requireRole = createRequireRole(verify);
  const serviceToken = await token('service', 'location');
  const clientOf = (baseUrl: string) =>
    createClient({ ...{ name: 'location', baseUrl, deadlineMs: 5_000 }, token: serviceToken });
  const urls: string[] = [];
  for (const [partition, said] of held.entries()) {
    const onRide = (driverId: string) => driverId.startsWith('busy');
    const index = new PositionIndex({ isOnRide: onRide });
    const handler = createPositionsHandler({ index, keepMs: 900_000, now: () => nowMs });
    const writer = new PositionWriter(nowMs);
    for (const [driverId, lat, lng, sequence, ageMs = 0, isOnline = true] of said)
      writer.add({
        ...{ driverId, lat, lng, sequence, atMs: nowMs - ageMs },
        takes: takesOf({ vehicle: 'standard', isOnline }),
      });
    if (said.length > 0) handler.take([{ partition, timestamp: nowMs, value: Buffer.from(writer.finish()) }]);
    const holders = () =>
      Promise.resolve(urls.map((says, n) => ({ says, assigned: { positions: said ? [n] : [] } })));
    const finder = createFinder({
      ...{ index, regions: createRegions(100_000), now: () => nowMs },
      holding: { partitions: held.length, answersFor: (one) => one === partition },
      others: createOthers({
        topic: 'positions',
        ownUrl: `own ${partition}`,
        clientOf,
        holders,
        now: Date.now,
      }),
    });
    const { url } = await serve({
      problems: problemPages,
      routes: (router) => locationRoutes(router, requireRole, { finder, index, handler }),
    });
    urls.push(url);
  }
  const gateway = await serve({
    problems: problemPages,
    routes: (router) => withinRoute(createMount(router, requireRole), clientOf(urls[0]!)),
  });
  return async (body: unknown, role: 'operator' | 'rider' | 'driver' = 'operator') => {
    const answer = await fetch(`${gateway.url}/v1/ops/drivers/within`, {
      method: 'POST',
      headers: { authorization: `Bearer ${await token(role, 'o-1')}`, 'content-type': 'application/json' },
      body: typeof body === 'string' ? body : JSON.stringify(body),
    });
    return { status: answer.status, body: (await answer.json()) as Record<string, unknown> };
  };
}

const inside = [40.645, -73.785] as const;

test('operators are told who is in a polygon, whoever of the processes has them, and of two positions the newer', async () => {
  const ask = await city(
    [
      ['here', ...inside, 1, 2_000],
      ['busy-1', ...inside, 1, 0],
      ['moved', ...inside, 1, 0],
      ['outside', 40.7, -73.785, 1],
      ['silent', ...inside, 1, 61_000],
    ],
    [
      ['moved', 40.65, -73.79, 2, 500],
      ['off', ...inside, 1, 0, false],
    ],
  );
  const place = { lat: 40.645, lng: -73.785 };
  expect(await ask(polygonOf(ring))).toEqual({
    status: 200,
    body: {
      drivers: [
        { driverId: 'busy-1', ...place, ageMs: 0, isOnShift: true, isFree: false },
        { driverId: 'here', ...place, ageMs: 2_000, isOnShift: true, isFree: true },
        { driverId: 'moved', lat: 40.65, lng: -73.79, ageMs: 500, isOnShift: true, isFree: true },
        { driverId: 'off', ...place, ageMs: 0, isOnShift: false, isFree: true },
      ],
      more: false,
    },
  });
  const some = await ask({ ...polygonOf(ring), limit: 3 });
  expect([(some.body['drivers'] as unknown[]).length, some.body['more']]).toEqual([3, true]);
  const older = await ask({ ...polygonOf(ring), maxAgeSeconds: 90 });
  expect(older.body['drivers']).toHaveLength(5);
  for (const role of ['rider', 'driver'] as const)
    expect((await ask(polygonOf(ring), role)).status).toBe(403);
});

test('while nobody answers for a partition it is 503, not half of the drivers', async () => {
  const ask = await city([['here', ...inside, 1]], []);
  expect((await ask(polygonOf(ring))).status).toBe(200);
  const { verify, token } = await issuer();
  const index = new PositionIndex();
  const handler = createPositionsHandler({ index, keepMs: 900_000, now: () => nowMs });
  const finder = createFinder({
    ...{ index, regions: createRegions(100_000), now: () => nowMs },
    holding: { partitions: 2, answersFor: (one) => one === 0 },
    others: { ask: () => Promise.resolve([]) },
  });
  const { url } = await serve({
    problems: problemPages,
    routes: (router) => locationRoutes(router, createRequireRole(verify), { finder, index, handler }),
  });
  const answer = await fetch(`${url}/internal/within`, {
    method: 'POST',
    headers: {
      authorization: `Bearer ${await token('service', 'gateway')}`,
      'content-type': 'application/json',
    },
    body: JSON.stringify(polygonOf(ring)),
  });
  expect([answer.status, answer.headers.has('retry-after')]).toEqual([503, true]);
});

describe('a polygon is refused', () => {
  const [first, ...rest] = ring;
  const circle = Array.from({ length: 100 }, (_, n) => [
    -73.8 + Math.cos(n / 16) / 100,
    40.64 + Math.sin(n / 16) / 100,
  ]);
  test.each([
    ['that does not close', polygonOf(rest)],
    ['of two sides', polygonOf([first, rest[0], first])],
    ['of more than 100 corners', polygonOf([...circle, circle[0]])],
    ['as large as a country', polygonOf([first, [-70, 40.63], [-70, 42], first])],
    ['off the earth', polygonOf([first, [-73.77, 91], [-73.77, 40.66], first])],
    ['whose latitude and longitude are swapped', polygonOf(ring.map(([lng, lat]) => [lat, lng]))],
    ['with a hole', { polygon: { type: 'Polygon', coordinates: [ring, ring] } }],
    ['with heights', polygonOf(ring.map((place) => [...place, 3]))],
    ['that is a line', { polygon: { type: 'LineString', coordinates: ring } }],
    [
      'with NaN',
      `{"polygon":{"type":"Polygon","coordinates":[[[NaN,40.63],[-73.77,40.63],[-73.77,40.66]]]}}`,
    ],
    ['with texts', polygonOf(ring.map((place) => place.map(String)))],
    ['with a limit of 0', { ...polygonOf(ring), limit: 0 }],
    ['with a limit of more than 1,000', { ...polygonOf(ring), limit: 1_001 }],
    ['with more than it may have', { ...polygonOf(ring), radius: 5 }],
    ['that is none', {}],
  ])('%s', async (_what, body) => {
    const ask = await city([['here', ...inside, 1]]);
    const answer = await ask(body);
    expect([answer.status, answer.body['code']]).toEqual([
      400,
      typeof body === 'string' ? 'malformed_json' : 'validation_failed',
    ]);
  });
});
