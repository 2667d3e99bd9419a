import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { waitForCoordinator } from '../../../platform/kafka';
import type { Kept } from '../../stack/keep';
import { freePort, freePorts } from '../../stack/ports';
import { silent } from '../../stack/say';
import { startServer } from '../../stack/servers';
import { startKafka } from '../../stack/servers/kafka';
import { postgresUrl } from '../../stack/servers/postgres';
import { smallDisk, type SmallDisk } from './disk';
import { takeOwnParts } from './servers';
import { openSite, prepareDatabase, prepareTopics, startConsumer, startRelay, type OpenSite } from './site';

export interface HouseOptions {
  /** Everything of the servers lies below it; Postgres's own user must be able to get there. */
  readonly dataDir: string;
  /**
   * One, whose data and Postgres' lie on small disks, or three with three copies of each record, two of which must have it
   * before it counts.
   */
  readonly brokers: 1 | 3;
}

/** Megabytes: what an empty server takes, and some more. */
const SMALL_DISK = 400;

export const smallDirs = { postgres: 'small-postgres', kafka: 'small-kafka' } as const;

/** An outbox, a relay, Kafka and a consumer, on servers that may be killed. */
export interface House extends OpenSite {
  readonly postgres: Kept;
  readonly brokerServers: readonly Kept[];
  /** What their data lies on, where there is one broker. */
  readonly disks: { readonly postgres: SmallDisk; readonly kafka: SmallDisk } | null;
  stop(): Promise<void>;
}

/** Starts the servers, and a relay and a consumer between them. */
export async function startHouse(options: HouseOptions): Promise<House> {
  const { dataDir } = options;
  const [parts, ports] = [await takeOwnParts(), await freePorts()];
  const started: Kept[] = [];
  const stops: (() => Promise<unknown>)[] = [];
  let postgres: Kept | undefined;
  let brokerServers: readonly Kept[] = [];
  const small = (name: string, pid: () => number | undefined): SmallDisk =>
    smallDisk({ dir: join(dataDir, name), megabytes: SMALL_DISK, pid });
  const disks =
    options.brokers === 1
      ? {
          postgres: small(smallDirs.postgres, () => postgres?.pid()),
          kafka: small(smallDirs.kafka, () => brokerServers[0]?.pid()),
        }
      : null;
  const stop = async (): Promise<void> => {
    for (const disk of Object.values(disks ?? {})) disk.free();
    for (const end of stops.splice(0).reverse()) await end();
    await Promise.all(started.splice(0).map((server) => server.stop()));
    for (const disk of Object.values(disks ?? {})) disk.remove();
  };
  try {
    postgres = await startServer('postgres', {
      ...{ parts, ports, say: silent },
      dataDir: disks?.postgres.dir ?? dataDir,
    });
    if (!postgres || !('java' in parts.kafka)) throw new Error('impossible: these servers are ours');
    started.push(postgres);
    const dir = disks?.kafka.dir ?? dataDir;
    const { addresses, brokers } = await startBrokers(options.brokers, dir, parts.kafka, started);
    brokerServers = brokers;
    const site = openSite({
      ...{ databaseUrl: postgresUrl(ports.postgres), brokers: addresses },
      ...{ topic: 'things', group: 'counting' },
    });
    stops.push(() => site.pool.end());
    await waitForCoordinator(site.kafka);
    await Promise.all([prepareDatabase(site.databaseUrl), prepareTopics(site)]);
    stops.push(startRelay(site), startConsumer(site));
    return { ...site, postgres, brokerServers, disks, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

export const brokerDir = (node: number): string => `broker-${node}`;

async function startBrokers(
  count: number,
  dataDir: string,
  part: { readonly java: string; readonly jars: string },
  started: Kept[],
): Promise<{ addresses: string[]; brokers: Kept[] }> {
  const nodes = Array.from({ length: count }, (_, i) => i + 1);
  const ports = await Promise.all(nodes.map(() => freePort()));
  const controllerPorts: Record<number, number> = {};
  for (const node of nodes) controllerPorts[node] = await freePort();
  const id = randomBytes(16).toString('base64url').replace(/^-/, '0');
  const brokers = await Promise.all(
    nodes.map((node, i) =>
      startKafka({
        ...part,
        dataDir: join(dataDir, brokerDir(node)),
        port: ports[i]!,
        controllerPort: controllerPorts[node]!,
        cluster: { id, node, controllerPorts },
        heapMb: 256,
        say: silent,
      }),
    ),
  );
  started.push(...brokers);
  await Promise.all(brokers.map((broker) => broker.untilReady()));
  return { addresses: ports.map((port) => `127.0.0.1:${port}`), brokers };
}
