import { randomUUID } from 'node:crypto';
import type { Point } from '../../../domain/geo';
import type { CallOptions, Client } from '../../../platform/client';
import { createHttpApp, listen, type Listening } from '../../../platform/http';
import { createLogger } from '../../../platform/log';
import { MapFeed } from '../../../services/console/map/feed';
import { mapProblems, mapRoutes } from '../../../services/console/map/routes';
import { projectRoot } from '../../stack/places';
import { BusyCity } from './busyCity';
import { MovingFleet } from './fleet';

const RIDES = 500;
const quiet = createLogger('bench', 'warn', process.stderr);

/** The console's map as it is, on a city that is always in motion: before each frame all drivers have moved. */
export async function startMap(
  drivers: number,
  pickups: readonly Point[],
): Promise<{ readonly url: string; close(): Promise<void> }> {
  const fleet = new MovingFleet(drivers, pickups);
  const city = new BusyCity(pickups);
  const answers: Readonly<Record<string, (query: CallOptions<unknown>['query']) => unknown>> = {
    '/internal/fleet': (query) => {
      const nowMs = Date.now();
      fleet.move(nowMs);
      const box = query as unknown as Parameters<MovingFleet['index']['recordOf']>[0];
      const record = fleet.index.recordOf({ ...box, nowMs })!;
      return { records: [Buffer.from(record).toString('base64')] };
    },
    '/internal/positions': () => ({ applied: fleet.applied }),
    '/v1/ops/rides': () => ({ rides }),
    '/v1/ops/demand': () => ({ cells: city.demand(Date.now()), late: 0 }),
    '/v1/ops/surges': () => ({ surges: city.surges(Date.now()) }),
    '/v1/ops/overview': () => ({
      ridesByStatus: { in_progress: RIDES },
      drivers: { online: drivers - RIDES, onRide: RIDES, offline: 0 },
    }),
  };
  const rides = pickups.slice(0, RIDES).map((pickup, n) => ({
    ...{ rideId: randomUUID(), workflowId: 'ride', status: 'assigned', stops: [] },
    ...{ driverId: fleet.idOf(n), pickup, dropoff: pickups.at(-1 - n)! },
    requestedAt: new Date().toISOString(),
  }));
  const client: Client = {
    call: async (_method, path, { query, response }) => response.parse(answers[path]!(query)),
  };
  const lag = { look: async () => city.lag() };
  const feed = new MapFeed({ gateway: client, location: client, lag, log: quiet });
  const app = createHttpApp({
    log: quiet,
    ready: {},
    problems: mapProblems,
    routes: (router) =>
      mapRoutes(router, {
        ...{ gateway: client, feed, root: projectRoot() },
        ...{ temporalUiUrl: 'http://127.0.0.1', namespace: 'default' },
      }),
  });
  const server: Listening = await listen(app, { port: 0, portVariable: 'HAILWAY_CONSOLE_PORT' });
  return { url: `${server.url}/map`, close: () => server.close() };
}
