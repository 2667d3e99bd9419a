import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createPool, type Pool } from '../../../platform/postgres';
import { databaseVariable } from '../../stack/environment';
import { ensureDatabase, migrateOwner } from '../../stack/databases';
import { audience, issuerName, type Issuer, type Secrets } from '../../stack/issuer';
import { prepareNamespace } from '../../stack/namespace';
import { endProcess, type Daemon } from '../../stack/servers/daemon';
import { startOne, type Wanted } from '../../stack/startOne';
import type { BenchServers } from '../servers';

/** What both contestants stand on. */
export interface Ground {
  readonly servers: BenchServers;
  readonly issuer: Issuer;
  readonly secrets: Secrets;
  readonly provider: { readonly url: string; readonly pid: number };
  readonly locationUrl: string;
}

/** One contestant's databases, namespace and processes. */
export interface House {
  readonly name: string;
  readonly namespace: string;
  /** Of its first process: the gateway, where there is one. */
  readonly apiUrl: string;
  readonly rides: Pool;
  readonly payments: Pool;
  readonly paymentsUrl: string;
  /** Of its processes, in their order. */
  readonly pids: readonly number[];
  stop(): Promise<void>;
}

export interface HouseSpec {
  readonly name: string;
  readonly processes: readonly Wanted[];
  /** The first port of those that its processes listen on. */
  readonly port: number;
}

/** Starts a contestant: new databases, a namespace of its own, and its processes. */
export async function startHouse(
  ground: Ground,
  { name, processes: wanted, port }: HouseSpec,
): Promise<House> {
  const { servers } = ground;
  const [ridesUrl, paymentsUrl] = [
    await newDatabase(ground, name, 'rides'),
    await newDatabase(ground, name, 'payments'),
  ];
  const namespace = `bench-${name}`;
  await prepareNamespace(servers.temporalAddress, namespace, { create: true });
  const env = {
    ...(await commonEnvironment(ground, ground.provider.url)),
    TEMPORAL_NAMESPACE: namespace,
    [databaseVariable('rides')]: ridesUrl,
    [databaseVariable('payments')]: paymentsUrl,
    [databaseVariable('keys')]: await newDatabase(ground, name, 'keys'),
  };
  const { dataDir } = servers;
  const daemons: Daemon[] = [];
  const stop = async (): Promise<void> => {
    await Promise.all(daemons.map(({ pid }) => endProcess(pid, { signal: 'SIGTERM', deadlineMs: 10_000 })));
    await Promise.all([rides.end(), payments.end()]);
  };
  const rides = createPool(ridesUrl, { applicationName: `bench ${name}`, max: 8 });
  const payments = createPool(paymentsUrl, { applicationName: `bench ${name}`, max: 4 });
  try {
    for (const [i, one] of wanted.entries())
      daemons.push(await startOne({ name: `${name}-${i}`, wanted: one, port: port + i, env, dataDir }));
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    name,
    namespace,
    apiUrl: `http://127.0.0.1:${port}`,
    rides,
    payments,
    paymentsUrl,
    pids: daemons.map(({ pid }) => pid),
    stop,
  };
}

/** The provider, as a process that both contestants ask. */
export async function startProvider(
  ground: Omit<Ground, 'provider'>,
): Promise<Ground['provider'] & { stop: () => Promise<void> }> {
  const { servers } = ground;
  const port = servers.ports['sandbox-psp'];
  const url = `http://127.0.0.1:${port}`;
  const env = await commonEnvironment(ground, url);
  const wanted = { process: 'sandbox-psp' } as const;
  const daemon = await startOne({ name: 'sandbox-psp', wanted, port, env, dataDir: servers.dataDir });
  return {
    url,
    pid: daemon.pid,
    stop: () => endProcess(daemon.pid, { signal: 'SIGTERM', deadlineMs: 10_000 }),
  };
}

/** A map on which every driver waits at a pickup of their own, see `pickupOf`. */
export async function startMap(): Promise<{ url: string; stop: () => Promise<void> }> {
  const server: Server = createServer((req, res) => {
    const { pathname, searchParams } = new URL(req.url ?? '/', 'http://map');
    const [, driverId] = /^\/internal\/drivers\/([^/]+)\/position$/.exec(pathname) ?? [];
    const answer = driverId
      ? { position: { ...pickupOf(Number(driverId.split('-').at(-1))), ageMs: 0 } }
      : { drivers: [driverNear(Number(searchParams.get('lat')))] };
    res.setHeader('content-type', 'application/json').end(JSON.stringify(answer));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

const stepDegrees = 0.001;
const firstLat = -60;

/** Where the driver with this number waits. */
export const pickupOf = (driver: number) => ({
  lat: Number((firstLat + driver * stepDegrees).toFixed(3)),
  lng: -73.9,
});

export const driverIdOf = (driver: number): string => `bench-driver-${driver}`;

const driverNear = (lat: number) => {
  const driver = Math.round((lat - firstLat) / stepDegrees);
  return { driverId: driverIdOf(driver), ...pickupOf(driver), distanceMeters: 0, ageMs: 0 };
};

/** A new database of a house's. @returns its URL for the owner's processes */
export async function newDatabase(
  ground: Pick<Ground, 'servers'>,
  house: string,
  owner: 'rides' | 'payments' | 'keys',
): Promise<string> {
  const url = await ensureDatabase(ground.servers.postgresUrl, {
    owner,
    database: `${house}_${owner}`,
    password: owner,
  });
  await migrateOwner(owner, url, ground.servers.postgresUrl);
  return url;
}

async function commonEnvironment(
  { servers, issuer, secrets, locationUrl }: Omit<Ground, 'provider'>,
  providerUrl: string,
): Promise<NodeJS.ProcessEnv> {
  return {
    PATH: process.env.PATH,
    NODE_ENV: 'production',
    LOG_LEVEL: 'warn',
    HAILWAY_DATA_DIR: servers.dataDir,
    TEMPORAL_ADDRESS: servers.temporalAddress,
    KAFKA_BROKERS: servers.kafkaBroker,
    STRIPE_API_BASE: providerUrl,
    LOCATION_URL: locationUrl,
    AUTH_JWKS: issuer.jwksPath,
    AUTH_ISSUER: issuerName,
    AUTH_AUDIENCE: audience,
    HAILWAY_SERVICE_TOKEN: await issuer.mintToken({ role: 'service', sub: 'bench' }),
    QUOTE_SECRET: secrets.of('quote'),
    RIDE_CODE_SECRET: secrets.of('ride-code'),
    PERSONAL_KEYS: `bench:${secrets.of('personal-keys')}`,
  };
}
