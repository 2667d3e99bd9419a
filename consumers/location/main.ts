import { randomUUID } from 'node:crypto';
import { problemPages } from '../../contracts/api/problems';
import { createRequireRole, createVerifier } from '../../platform/auth';
import { createHttpApp, listen } from '../../platform/http';
import { openKafka } from '../../platform/kafka';
import { showLag } from '../../platform/metrics/lag';
import { runProcess } from '../../platform/shutdown';
import { createPositionsHandler } from './handler';
import { PositionIndex } from './positionIndex';
import { startReader } from './reader';
import { locationRoutes } from './routes';

/** A driver who said nothing for so long is gone; queries ask for far younger positions. */
const KEEP_MS = 15 * 60_000;
const SWEEP_EVERY_MS = 2_000;

runProcess('location', async ({ config, log, metrics, signal, fail }) => {
  const index = new PositionIndex();
  const handler = createPositionsHandler({ index, keepMs: KEEP_MS, now: Date.now });
  const kafka = openKafka('location', { config, log, signal, fail });
  const group = `location-${randomUUID()}`;
  const topic = `${config.KAFKA_TOPIC_PREFIX}driver-positions`;
  const reader = startReader({
    ...{ kafka, group, topic },
    take: (records) => handler.take(records),
    signal,
    log,
  });
  showLag({ metrics, kafka, group, shownAs: 'location', topics: [topic] });
  reader.done.catch(fail);
  const sweeping = setInterval(() => {
    const forgotten = handler.sweep();
    log.debug({ drivers: index.size, forgotten, ...handler.counts }, 'positions');
  }, SWEEP_EVERY_MS);

  const requireRole = createRequireRole(
    createVerifier({ jwks: config.AUTH_JWKS, issuer: config.AUTH_ISSUER, audience: config.AUTH_AUDIENCE }),
  );
  const app = createHttpApp({
    log,
    metrics,
    problems: problemPages,
    ready: {
      positions: async () => {
        if (!reader.caughtUp()) throw new Error('reading the log of positions');
      },
    },
    routes: (router) => locationRoutes(router, requireRole, { index, handler, now: Date.now }),
  });
  const server = await listen(app, {
    port: config.HAILWAY_LOCATION_PORT,
    portVariable: 'HAILWAY_LOCATION_PORT',
    host: config.HAILWAY_HOST,
  });
  return async () => {
    clearInterval(sweeping);
    await server.close();
    await reader.done;
  };
});
