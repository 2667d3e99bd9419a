import { v7 as uuidv7 } from 'uuid';
import { tracksRoutes } from '../../consumers/tracks/routes';
import { problemPages } from '../../contracts/api/problems';
import type { TrackView } from '../../contracts/api/tracks';
import { createRequireRole } from '../../platform/auth';
import { createClient } from '../../platform/client';
import { createHttpApp, createMount, listen, type Listening } from '../../platform/http';
import type { Pool } from '../../platform/postgres';
import { trackRoutes } from '../../services/gateway/trackRoutes';
import { visibleRide } from '../../services/rides/access';
import { database, issuer, type Stops } from '../support/apiGround';
import { quiet, stopAll } from '../support/backbone';
import { play, rideRequest, standardRide } from '../support/rides';
import { drivenRide, tracksGround, type TracksGround } from '../support/tracksGround';

/** What people get of the way of a ride, from what its driver's phone said. */

jest.setTimeout(60_000);

let ground: TracksGround;
let rides: Pool;
let keys: Awaited<ReturnType<typeof issuer>>;
let gatewayUrl: string;
const servers: Listening[] = [];
const stops: Stops = [];
const [rideId, driverId] = [uuidv7(), 'driver-1'];

beforeAll(async () => {
  ground = await tracksGround();
  rides = await database('rides', stops);
  keys = await issuer();
  const requireRole = createRequireRole(keys.verify);
  const options = { log: quiet, ready: {}, problems: problemPages };
  const where = { port: 0, portVariable: '' };
  const inner = await listen(
    createHttpApp({ ...options, routes: (router) => tracksRoutes(router, requireRole, ground.pool) }),
    where,
  );
  const token = await keys.token('service', 'gateway');
  const tracks = createClient({ name: 'tracks', baseUrl: inner.url, token, deadlineMs: 3_000 });
  const outer = await listen(
    createHttpApp({
      ...options,
      routes: (router) =>
        trackRoutes(createMount(router, requireRole), {
          ...{ tracks, vault: ground.vault },
          rideOf: (caller, id) => visibleRide(rides, id, caller),
        }),
    }),
    where,
  );
  servers.push(outer, inner);
  gatewayUrl = outer.url;
});
afterAll(async () => {
  await stopAll();
  for (const server of servers) await server.close();
  for (const stop of stops) await stop();
  await ground?.stop();
});

/** The standard ride as far as so many of its commands bring it; the last of all is at `endMs`. */
async function write(id: string, steps: number, driver = driverId, endMs = Date.now()): Promise<void> {
  const laterMs = endMs - Date.parse(standardRide.at(-1)!.at);
  const commands = standardRide.slice(0, steps).map((command) => ({
    ...command,
    ...('request' in command && { request: rideRequest({ rideId: id }) }),
    ...('driverId' in command && { driverId: driver }),
    at: new Date(Date.parse(command.at) + laterMs).toISOString(),
  }));
  const { ride } = play(commands);
  await rides.query('insert into rides (ride_id, version, state) values ($1, $2, $3)', [
    ...[id, ride.version, JSON.stringify(ride)],
  ]);
}

/** Has a driver get a ride, whose end is never heard of, and say three times where they are, a second apart. */
async function drive(id: string, driver: string, fromMs: number): Promise<void> {
  const tracks = ground.start();
  await ground.tell(drivenRide(id, driver, { fromMs }));
  await ground.settled('tracks');
  await ground.say(
    [0, 1, 2].map((n) => ({
      ...{ driverId: driver, sequence: n + 1, atMs: fromMs + n * 1_000 },
      ...{ lat: 40.75, lng: -73.98 },
    })),
  );
  await ground.settled('tracks-paths');
  await tracks.stop();
  expect(await ground.wayOf(id)).toHaveLength(3);
}

async function track(role: string, sub: string, id = rideId): Promise<{ status: number; body: TrackView }> {
  const response = await fetch(`${gatewayUrl}/v1/rides/${id}/track`, {
    headers: { authorization: `Bearer ${await keys.token(role, sub)}` },
  });
  return { status: response.status, body: (await response.json()) as TrackView };
}

test('is a line with times, for the rider, the driver and operators alone, until the rider is erased', async () => {
  await write(rideId, standardRide.length);
  const fromMs = Date.now() - 10_000;
  const tracks = ground.start();
  await ground.tell(drivenRide(rideId, driverId, { fromMs, untilMs: fromMs + 3_000 }));
  await ground.settled('tracks');
  const said = [0, 1, 2, 3, 4].map((n) => ({
    ...{ driverId, sequence: n + 1, atMs: fromMs + n * 1_000 },
    ...{ lat: 40.75 + n / 1_000, lng: -73.98 },
  }));
  await ground.say(said);
  // As a phone does that got no answer.
  await ground.say(said.slice(1));
  await ground.settled('tracks-paths');
  await tracks.stop();

  const time = (ms: number) => new Date(fromMs + ms).toISOString();
  const seen = {
    status: 200,
    body: {
      type: 'Feature',
      properties: {
        ...{ rideId, driverId, assignedAt: time(0), startedAt: time(2), endedAt: time(3_000) },
        times: [time(0), time(1_000), time(2_000), time(3_000)],
      },
      geometry: {
        type: 'LineString',
        coordinates: [
          ...[
            [-73.98, 40.75],
            [-73.98, 40.751],
          ],
          ...[
            [-73.98, 40.752],
            [-73.98, 40.753],
          ],
        ],
      },
    },
  };
  expect(await track('rider', 'rider-1')).toEqual(seen);
  expect(await track('driver', driverId)).toEqual(seen);
  expect(await track('operator', 'op-1')).toEqual(seen);
  for (const [role, sub, id] of [
    ['rider', 'rider-2', rideId],
    ['driver', 'driver-2', rideId],
    ['operator', 'op-1', uuidv7()],
    ['operator', 'op-1', 'no-id'],
  ] as const)
    expect(await track(role, sub, id)).toMatchObject({ status: 404, body: { code: 'ride_not_found' } });
  expect((await track('fleet', 'fleet-1')).status).toBe(403);

  await ground.vault.erase(`rider-of-${driverId}`);
  expect(await track('operator', 'op-1')).toMatchObject({
    status: 200,
    body: { properties: { times: [] }, geometry: null },
  });
});

test('is not told of a driver who had the ride before the one who has it now', async () => {
  const id = uuidv7();
  await write(id, standardRide.length);
  await drive(id, 'driver-before', Date.now() - 3_000);
  expect(await track('rider', 'rider-1', id)).toMatchObject({
    status: 200,
    body: { properties: { driverId: null, times: [] }, geometry: null },
  });
});

test('ends with the ride, also where tracks has not heard of its end', async () => {
  const [id, driver, fromMs] = [uuidv7(), 'driver-after', Date.now() - 3_000];
  await write(id, standardRide.length, driver, fromMs + 1_000);
  await drive(id, driver, fromMs);
  const time = (ms: number) => new Date(fromMs + ms).toISOString();
  expect(await track('rider', 'rider-1', id)).toMatchObject({
    status: 200,
    body: { properties: { driverId: driver, endedAt: time(1_000), times: [time(0), time(1_000)] } },
  });
});

test('is no line any more when its driver is erased', async () => {
  const [id, driver] = [uuidv7(), 'driver-erased'];
  await write(id, standardRide.length, driver);
  await drive(id, driver, Date.now() - 3_000);
  const times = async () => (await track('operator', 'op-1', id)).body.properties.times;
  expect(await times()).toHaveLength(3);
  await ground.vault.erase(driver);
  expect(await times()).toEqual([]);
});

test('is no line for a ride that nobody drives yet', async () => {
  const id = uuidv7();
  await write(id, 1);
  expect(await track('rider', 'rider-1', id)).toMatchObject({
    status: 200,
    body: { properties: { driverId: null, assignedAt: null, times: [] }, geometry: null },
  });
});
