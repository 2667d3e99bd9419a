import { partitionsOf } from '../../consumers/location/finder';
import { PositionIndex } from '../../consumers/location/positionIndex';
import { readPositionRecord, type DriverPosition } from '../../contracts/positionRecord';
import { createRegions } from '../../domain/regions';
import {
  copyHolders,
  createFactProducer,
  createTopics,
  type FactProducer,
  type OutgoingRecord,
} from '../../platform/kafka';
import { wait } from '../../platform/wait';
import { pack } from '../../services/gateway/positions';
import { openIssuer } from '../../tools/stack/issuer';
import { freePort } from '../../tools/stack/ports';
import { endProcess, type Daemon } from '../../tools/stack/servers/daemon';
import { startOne } from '../../tools/stack/startOne';
import { deleteTopics, eventually, quiet, running, stopAll, testKafka, unique } from '../support/backbone';
import { fromSetup } from '../support/fromSetup';
import { cities, driversEach, positionsOf } from '../support/locationCities';
import { newDataDir, prepareProcesses } from '../support/wholeStack';

/** Three location processes share the partitions; one is killed (SIGKILL) under load and comes back. */

const kafka = testKafka();
const prefix = `${unique('group')}.`;
const topic = `${prefix}driver-positions`;
const group = `${prefix}location`;
const regions = createRegions(100_000);
const partitions = 6;

interface Instance {
  readonly url: string;
  readonly port: number;
  daemon: Daemon;
}

let env: NodeJS.ProcessEnv;
let dataDir: string;
let token: string;
let producer: FactProducer;
let instances: Instance[] = [];
/** What an index must be that has heard everything. */
const model = new PositionIndex();

beforeAll(async () => {
  await prepareProcesses();
  dataDir = newDataDir();
  const issuer = await openIssuer(dataDir);
  token = await issuer.mintToken({ role: 'service', sub: 'test' });
  env = {
    ...{ PATH: process.env['PATH'], NODE_ENV: 'production', HAILWAY_DATA_DIR: dataDir },
    ...{ KAFKA_BROKERS: fromSetup('KAFKA_BROKERS'), KAFKA_TOPIC_PREFIX: prefix },
    ...{ AUTH_JWKS: issuer.jwksPath, HAILWAY_SERVICE_TOKEN: token },
  };
  await createTopics(kafka, [{ topic, partitions }]);
  producer = createFactProducer(kafka, { log: quiet });
  const ports = [await freePort(), await freePort(), await freePort()];
  instances = await Promise.all(
    ports.map(async (port) => ({ port, url: `http://127.0.0.1:${port}`, daemon: await start(port) })),
  );
  await shared(3);
}, 120_000);
afterAll(async () => {
  await stopAll();
  await Promise.all(
    instances.map(({ daemon }) => endProcess(daemon.pid, { signal: 'SIGTERM', deadlineMs: 10_000 })),
  );
  await producer.disconnect();
  await deleteTopics(kafka, [topic]);
});

const start = (port: number): Promise<Daemon> =>
  startOne({ name: `location-${port}`, wanted: { process: 'location' }, port, env, dataDir });

/** Until so many have shared the partitions. */
const shared = (count: number) =>
  eventually(
    () => copyHolders(kafka, group),
    (holders) => holders?.length === count,
    40_000,
  );

async function get<T>(url: string, path: string): Promise<T> {
  const response = await fetch(new URL(path, url), { headers: { authorization: `Bearer ${token}` } });
  if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`);
  return (await response.json()) as T;
}

async function send(positions: readonly DriverPosition[]): Promise<OutgoingRecord[]> {
  const records = pack(positions, { topic, perRecord: 500, regions }, Date.now());
  await producer.send(records);
  return records;
}

/** Sends positions that the model hears, too. */
async function say(positions: readonly DriverPosition[]): Promise<void> {
  const records = await send(positions);
  const counts = { applied: 0, outdated: 0, silent: 0, refused: 0 };
  for (const { value } of records)
    model.apply(
      readPositionRecord(value as Buffer),
      { partition: 0, sentMs: Date.now(), oldestMs: 0 },
      counts,
    );
}

/** All drivers of the cities speak all the time: who is not found within this was not read, though others are. */
const FRESH_MS = 20_000;

interface Drivers {
  readonly drivers: readonly { readonly driverId: string }[];
}

/** How many drivers are found near each city by asking one process, of whom something was heard lately. */
const foundBy = ({ url }: Instance): Promise<number[]> =>
  Promise.all(
    cities.map(async ({ lat, lng }) => {
      const asked = `lat=${lat}&lng=${lng}&radiusMeters=20000&limit=100&maxAgeMs=${FRESH_MS}`;
      const { drivers } = await get<Drivers>(url, `/internal/nearest?${asked}`);
      return drivers.filter(({ driverId }) => driverId.startsWith('city-')).length;
    }),
  );

const all = cities.map(() => driversEach.city);
/** Until a process finds everybody. */
const findsAll = (instance: Instance) =>
  eventually(
    () => foundBy(instance).catch(String),
    (found) => String(found) === String(all),
  );

/** How many of those who spoke once a process knows itself, in each city for which it answers, however long ago that was. */
async function silentKnownTo({ url }: Instance): Promise<number[]> {
  const known: number[] = [];
  for (const city of cities) {
    const asked = `lat=${city.lat}&lng=${city.lng}&radiusMeters=20000&limit=100&maxAgeMs=3600000`;
    const here = await get<Drivers & { partitions: number[] }>(url, `/internal/here/nearest?${asked}`);
    const isAnswered = partitionsOf(city, regions, partitions).some((its) => here.partitions.includes(its));
    if (isAnswered) known.push(here.drivers.filter(({ driverId }) => driverId.startsWith('silent-')).length);
  }
  return known;
}

/** As consumers/location/main.ts has it. */
const KEEP_MS = 15 * 60_000;

test('who has said nothing for a quarter of an hour is forgotten', async () => {
  const whereIs = (driverId: string) =>
    get<{ position: object | null }>(instances[0]!.url, `/internal/drivers/${driverId}/position`).then(
      ({ position }) => position,
      // Nobody can say.
      () => undefined,
    );
  let sequence = 0;
  await eventually(
    async () => {
      const atMs = Date.now() - KEEP_MS + 2_000;
      await send([{ driverId: 'gone', ...cities[0]!, sequence: ++sequence, atMs }]);
      return whereIs('gone');
    },
    (position) => typeof position === 'object' && position !== null,
  );
  await eventually(
    () => whereIs('gone'),
    (position) => position === null,
  );
}, 60_000);

test('one of three is killed under load: queries go on, and what comes back is what was there', async () => {
  let sequence = 1;
  await say(positionsOf('city', sequence));
  // Nothing will be heard of them after the kill: they are known to what comes back only if it has read what was before.
  await say(positionsOf('silent', sequence));
  for (const instance of instances) await findsAll(instance);
  // Two thousand positions a second; as many as it can take would leave others no processor to answer with in time.
  const load = running(async (signal) => {
    for (; !signal.aborted; await wait(100, signal)) await say(positionsOf('city', ++sequence));
  });

  const [killed, ...left] = instances as [Instance, Instance, Instance];
  process.kill(killed.daemon.pid, 'SIGKILL');
  await killed.daemon.exited;
  // Each question to each of the others, from the kill until what was killed is back and has its share.
  const answers: number[][] = [];
  const asking = running(async (signal) => {
    while (!signal.aborted) for (const instance of left) answers.push(await foundBy(instance));
  });
  await shared(2);
  killed.daemon = await start(killed.port);
  await shared(3);
  await findsAll(killed);
  await eventually(
    () => silentKnownTo(killed),
    (known) => known.length > 0 && known.every((count) => count === driversEach.silent),
  );
  await asking.stop();
  expect(answers.length).toBeGreaterThan(10);
  expect([...new Set(answers.map(String))]).toEqual([String(all)]);
  await load.stop();

  instances = [killed];
  // Alone, it holds everything: what it had, and what comes to it from the log.
  await Promise.all(
    left.map(({ daemon }) => endProcess(daemon.pid, { signal: 'SIGTERM', deadlineMs: 10_000 })),
  );
  await shared(1);
  const { digest, drivers } = await eventually(
    () => get<{ digest: number; drivers: number }>(killed.url, '/internal/positions'),
    (held) => held.digest === model.digest(),
  );
  expect({ digest, drivers }).toEqual({
    digest: model.digest(),
    drivers: cities.length * (driversEach.city + driversEach.silent),
  });
  const last = { lat: 40.75 + sequence / 1e5, lng: -73.98 + sequence / 1e5 };
  // It may know all drivers before it knows that it has read its last partitions to their ends, and says so until then.
  const { position } = await eventually(
    () =>
      get<{ position?: object }>(killed.url, '/internal/drivers/city-0-0/position').catch(() => ({
        position: undefined,
      })),
    (found) => found.position !== undefined,
  );
  expect(position).toMatchObject({
    sequence,
    lat: expect.closeTo(last.lat, 6) as number,
    lng: expect.closeTo(last.lng, 6) as number,
  });
}, 120_000);
