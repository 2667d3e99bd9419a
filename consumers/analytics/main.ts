import { problemPages } from '../../contracts/api/problems';
import { createRequireRole, createVerifier } from '../../platform/auth';
import { createHttpApp, createMount, listen } from '../../platform/http';
import { deadLetterRoutes } from '../../platform/deadLetters';
import { openKafka } from '../../platform/kafka';
import { createPool, migrate } from '../../platform/postgres';
import { runProjection } from '../../platform/runProjection';
import { runProcess } from '../../platform/shutdown';
import { analytics } from './projection';
import { analyticsRoutes } from './routes';

runProcess('analytics', async ({ config, log, metrics, signal, fail }) => {
  await migrate(config.ANALYTICS_DATABASE_URL, analytics.migrations);
  const pool = createPool(config.ANALYTICS_DATABASE_URL, { applicationName: 'analytics', max: 5, log });
  metrics.watchPool('analytics', pool);
  const kafka = openKafka('analytics', { config, log, signal, fail });
  const topicPrefix = config.KAFKA_TOPIC_PREFIX;
  const inbox = runProjection(analytics, { pool, kafka, topicPrefix, metrics, signal, log });
  inbox.done.catch(fail);

  const requireRole = createRequireRole(
    createVerifier({ jwks: config.AUTH_JWKS, issuer: config.AUTH_ISSUER, audience: config.AUTH_AUDIENCE }),
  );
  const app = createHttpApp({
    log,
    metrics,
    problems: problemPages,
    ready: { postgres: () => pool.query('select 1') },
    routes: (router) => {
      analyticsRoutes(router, requireRole, pool);
      deadLetterRoutes(createMount(router, requireRole), inbox.deadLetters);
    },
  });
  const server = await listen(app, {
    port: config.HAILWAY_ANALYTICS_PORT,
    portVariable: 'HAILWAY_ANALYTICS_PORT',
    host: config.HAILWAY_HOST,
  });
  return async () => {
    await server.close();
    await inbox.done;
    await pool.end();
  };
});
