import { turnDays } from '../../consumers/tracks/paths/days';
import { recordPaths } from '../../consumers/tracks/paths/record';
import { readPath } from '../../consumers/tracks/paths/read';
import { tracks } from '../../consumers/tracks/projection';
import { watchZones } from '../../consumers/tracks/zones/watch';
import { readZones } from '../../consumers/tracks/zones/zoneFile';
import { decodePath, type PathPoint } from '../../contracts/pathChunk';
import type { DriverPosition } from '../../contracts/positionRecord';
import { createRegions } from '../../domain/regions';
import { runInbox } from '../../platform/inbox';
import {
  createFactProducer,
  createTopics,
  groupLag,
  waitForCoordinator,
  type Kafka,
} from '../../platform/kafka';
import { createKeyStore, createVault, masterKeys, type Vault } from '../../platform/personal';
import { createPool, migrationSet, type Pool } from '../../platform/postgres';
import { pack } from '../../services/gateway/positions';
import { deleteTopics, eventually, quiet, running, testKafka, unique, type Running } from './backbone';
import { ownedDatabase, recordOf, requested, type TestFact } from './consumers';

/** What tests of drivers' tracks share: topics, databases and people's keys of their own. */

const masters = masterKeys('test:a-secret-of-the-tests-long-enough-to-be-one');
const regions = createRegions(100_000);

/** Where a consumer of tracks finds everything, also one in a process of its own. */
export interface TracksPlaces {
  readonly prefix: string;
  readonly databaseUrl: string;
  readonly keysUrl: string;
}

/** A consumer of tracks, until the signal: what `main.ts` runs, without what listens. */
export function runTracks(
  kafka: Kafka,
  places: TracksPlaces,
  signal: AbortSignal,
  { chunkMs = 500, behindMs = 0 } = {},
): Promise<unknown> {
  const { prefix, databaseUrl, keysUrl } = places;
  const pool = createPool(databaseUrl, { applicationName: 'tracks', max: 6 });
  const keys = createPool(keysUrl, { applicationName: 'tracks', max: 2 });
  const shared = { kafka, pool, signal, log: quiet, topic: `${prefix}driver-positions` };
  const { handle, skip, topics } = tracks;
  return Promise.all([
    runInbox({
      ...{ kafka, pool, signal, log: quiet, handle, skip },
      ...{ group: `${prefix}tracks`, topics: topics.map((name) => prefix + name) },
    }),
    watchZones({
      ...{ ...shared, group: `${prefix}tracks-zones`, topicPrefix: prefix },
      zones: readZones('data/zones.geojson'),
    }),
    recordPaths({
      ...{ ...shared, group: `${prefix}tracks-paths`, chunkMs, behindMs, now: Date.now },
      vault: createVault({ keys: createKeyStore(keys, masters) }),
    }),
  ]).finally(() => Promise.all([pool.end(), keys.end()]));
}

export interface TracksGround {
  readonly kafka: Kafka;
  readonly places: TracksPlaces;
  readonly pool: Pool;
  readonly vault: Vault;
  start(options?: { chunkMs?: number; behindMs?: number }): Running;
  /** Sends positions as the gateway does, of each driver in their order. */
  say(positions: readonly DriverPosition[]): Promise<void>;
  tell(facts: readonly TestFact[]): Promise<void>;
  /** Until a group has been through all there is. */
  settled(...groups: readonly ('tracks' | 'tracks-zones' | 'tracks-paths')[]): Promise<void>;
  /** The facts of zones, each driver's in their order: `entered jfk by 5`. */
  told(): Promise<Map<string, string[]>>;
  /** The way of a ride as far as its rider's key opens it, each point once, by time. */
  wayOf(rideId: string): Promise<PathPoint[]>;
  stop(): Promise<void>;
}

export async function tracksGround(): Promise<TracksGround> {
  const kafka = testKafka();
  await waitForCoordinator(kafka);
  const prefix = unique('tracks-');
  const names = ['rides', 'driver-positions', 'tracks.dead-letter'].map((name) => prefix + name);
  await createTopics(
    kafka,
    names.map((topic) => ({ topic, partitions: 3 })),
  );
  const database = await ownedDatabase('tracks', tracks.migrations);
  const keys = await ownedDatabase('keys', [migrationSet('keys', 'platform/migrations-keys')]);
  const places = { prefix, databaseUrl: database.url, keysUrl: keys.url };
  const pool = createPool(database.url, { applicationName: 'test', max: 4 });
  const keysPool = createPool(keys.url, { applicationName: 'test', max: 2 });
  await turnDays(pool, 90);
  const vault = createVault({ keys: createKeyStore(keysPool, masters) });
  const producer = createFactProducer(kafka, { log: quiet });
  const positionsTopic = `${prefix}driver-positions`;
  return {
    ...{ kafka, places, pool, vault },
    start: (options) => running(async (signal) => void (await runTracks(kafka, places, signal, options))),
    say: (positions) =>
      producer.send(pack(positions, { topic: positionsTopic, perRecord: 40, regions }, Date.now())),
    tell: (facts) => producer.send(facts.map((fact) => recordOf(fact, prefix + fact.topic))),
    async settled(...groups) {
      for (const group of groups) {
        const topic = group === 'tracks' ? `${prefix}rides` : positionsTopic;
        await eventually(
          async () => {
            const lags = await groupLag(kafka, prefix + group, [topic]);
            return lags.reduce((sum, { lag }) => sum + lag, 0);
          },
          (lag) => lag === 0,
          40_000,
        );
      }
    },
    async told() {
      const { rows } = await pool.query<{ driverId: string; type: string; zoneId: string; sequence: string }>(
        `select fact_type as type, fact #>> '{data,driverId}' as "driverId", fact #>> '{data,zoneId}' as "zoneId",
           fact #>> '{data,positionSequence}' as sequence from steps order by aggregate_id, version`,
      );
      const told = new Map<string, string[]>();
      for (const { driverId, type, zoneId, sequence } of rows)
        told.set(driverId, [
          ...(told.get(driverId) ?? []),
          `${type.replace('zone.', '')} ${zoneId} by ${sequence}`,
        ]);
      return told;
    },
    async wayOf(rideId) {
      const path = await readPath(pool, rideId);
      const points = new Map<number, PathPoint>();
      for (const { id, sealed } of path?.chunks ?? []) {
        const bytes = await vault.openBytes(id, path!.riderId, Buffer.from(sealed, 'base64'));
        for (const point of bytes === null ? [] : decodePath(bytes)) points.set(point.atMs, point);
      }
      return [...points.values()].sort((a, b) => a.atMs - b.atMs);
    },
    async stop() {
      await producer.disconnect();
      await Promise.all([pool.end(), keysPool.end()]);
      await Promise.all([database.drop(), keys.drop()]);
      await deleteTopics(kafka, names);
    },
  };
}

/** Facts of a ride and its driver at their times: milliseconds since 1970. */
export function drivenRide(
  rideId: string,
  driverId: string,
  { fromMs, untilMs }: { readonly fromMs: number; readonly untilMs?: number },
): TestFact[] {
  const fact = (sequence: number, type: string, ms: number, data: object = { driverId }): TestFact => ({
    ...{ topic: 'rides', key: rideId, sequence, type, time: new Date(ms).toISOString(), data },
  });
  return [
    fact(1, 'ride.requested', fromMs - 10, requested(rideId, `rider-of-${driverId}`)),
    fact(2, 'ride.matching_started', fromMs - 5, {}),
    fact(3, 'ride.driver_assigned', fromMs, { driverId, offerId: rideId }),
    fact(4, 'ride.driver_arrived', fromMs + 1),
    fact(5, 'ride.started', fromMs + 2),
    ...(untilMs === undefined
      ? []
      : [fact(6, 'ride.completed', untilMs, { driverId, chargeMinor: 1_250, currency: 'USD' })]),
  ];
}
