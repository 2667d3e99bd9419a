import { hostname } from 'node:os';
import { problemPages } from '../../contracts/api/problems';
import { factGroup } from '../../contracts/consumers';
import { createRegions } from '../../domain/regions';
import { createClient } from '../../platform/client';
import type { Config } from '../../platform/config';
import { copyHolders, openKafka } from '../../platform/kafka';
import { showLag } from '../../platform/metrics/lag';
import { serveRoles } from '../../platform/serveRoles';
import { runProcess } from '../../platform/shutdown';
import { createFinder, FRESH_MS, partitionsOf } from './finder';
import { createPositionsHandler } from './handler';
import { startHolding } from './holding';
import { createOthers } from './others';
import { PositionIndex } from './positionIndex';
import { RidesUnderWay, watchRides } from './ridesUnderWay';
import { locationRoutes } from './routes';

/**
 * A driver who said nothing for so long is gone. Whoever looks for drivers asks for far younger positions; but who says to have
 * arrived is held against the last one known, however old (services/rides/whereabouts.ts).
 */
const KEEP_MS = 15 * 60_000;
const SWEEP_EVERY_MS = 2_000;
/** An answer from another process's memory takes milliseconds. */
const OTHERS_DEADLINE_MS = 400;

/** By this machine's name, unless it listens for itself alone. */
const ownUrlOf = ({ HAILWAY_HOST: host, HAILWAY_LOCATION_PORT: port }: Config): string =>
  `http://${host === '127.0.0.1' ? host : hostname()}:${port}`;

runProcess('location', async ({ config, log, metrics, signal, fail }) => {
  const rides = new RidesUnderWay((driverId, isFree) => index.setFree(driverId, isFree));
  const index: PositionIndex = new PositionIndex({ isOnRide: (driverId) => rides.isOnRide(driverId) });
  const handler = createPositionsHandler({ index, keepMs: KEEP_MS, now: Date.now });
  const kafka = openKafka('location', { config, log, signal, fail });
  const group = `${config.KAFKA_TOPIC_PREFIX}location`;
  const topic = `${config.KAFKA_TOPIC_PREFIX}driver-positions`;
  const regions = createRegions(config.POSITION_REGION_METERS);
  const ownUrl = config.LOCATION_OWN_URL || ownUrlOf(config);
  const holding = startHolding({
    ...{ kafka, group, topic, ownUrl, signal, log },
    copies: config.LOCATION_COPIES,
    ...{ freshMs: FRESH_MS, keepMs: KEEP_MS },
    take: (records) => handler.take(records),
    drop: (partition, isHeld) =>
      index.dropPartition(partition, (at) => partitionsOf(at, regions, holding.partitions).find(isHeld)),
  });
  const watching = watchRides({ kafka, topicPrefix: config.KAFKA_TOPIC_PREFIX, ownUrl, rides, signal, log });
  for (const loop of [holding.done, watching]) loop.catch(fail);
  const finder = createFinder({
    ...{ index, holding, regions, now: Date.now },
    others: createOthers({
      ...{ topic, ownUrl, now: Date.now },
      clientOf: (baseUrl) =>
        createClient({
          ...{ name: 'location', baseUrl, deadlineMs: OTHERS_DEADLINE_MS },
          token: config.HAILWAY_SERVICE_TOKEN,
        }),
      holders: () => copyHolders(kafka, group),
    }),
  });
  showLag({ metrics, kafka, group, shownAs: 'location', topics: [topic] });
  showLag({
    ...{ metrics, kafka, group: config.KAFKA_TOPIC_PREFIX + factGroup('location') },
    topics: [`${config.KAFKA_TOPIC_PREFIX}rides`],
  });
  const sweeping = setInterval(() => {
    const forgotten = handler.sweep();
    log.debug({ drivers: index.size, forgotten, ...handler.counts }, 'positions');
  }, SWEEP_EVERY_MS);

  const server = await serveRoles('location', {
    ...{ config, log, metrics },
    problems: problemPages,
    ready: {
      positions: async () => {
        if (!holding.isReady()) throw new Error('reading the log of positions');
      },
    },
    routes: (router, requireRole) => locationRoutes(router, requireRole, { finder, index, handler }),
  });
  return async () => {
    clearInterval(sweeping);
    await server.close();
    await Promise.all([holding.done, watching]);
  };
});
