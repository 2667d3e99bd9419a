import { problemPages } from '../../contracts/api/problems';
import { topicsRead } from '../../contracts/catalogue';
import { createRequireRole, createVerifier } from '../../platform/auth';
import { createHttpApp, listen } from '../../platform/http';
import { runInbox } from '../../platform/inbox';
import { createKafka } from '../../platform/kafka';
import { createPool, inboxMigrations, migrate, migrationSet } from '../../platform/postgres';
import { runProcess } from '../../platform/shutdown';
import { countDemand } from './handler';
import { analyticsRoutes } from './routes';

runProcess('analytics', async ({ config, log, metrics, signal, fail }) => {
  await migrate(config.ANALYTICS_DATABASE_URL, [
    inboxMigrations,
    migrationSet('analytics', 'consumers/analytics/migrations'),
  ]);
  const pool = createPool(config.ANALYTICS_DATABASE_URL, { applicationName: 'analytics', max: 3, log });
  metrics.watchPool('analytics', pool);
  const prefixed = (topic: string): string => config.KAFKA_TOPIC_PREFIX + topic;
  const inbox = runInbox({
    group: prefixed('analytics'),
    topics: topicsRead('analytics').map(prefixed),
    pool,
    kafka: createKafka({ brokers: config.KAFKA_BROKERS, clientId: 'analytics', log }),
    handle: countDemand,
    signal,
    log,
  });
  inbox.catch(fail);

  const requireRole = createRequireRole(
    createVerifier({ jwks: config.AUTH_JWKS, issuer: config.AUTH_ISSUER, audience: config.AUTH_AUDIENCE }),
  );
  const app = createHttpApp({
    log,
    metrics,
    problems: problemPages,
    ready: { postgres: () => pool.query('select 1') },
    routes: (router) => analyticsRoutes(router, requireRole, pool),
  });
  const server = await listen(app, {
    port: config.HAILWAY_ANALYTICS_PORT,
    portVariable: 'HAILWAY_ANALYTICS_PORT',
    host: config.HAILWAY_HOST,
  });
  return async () => {
    await server.close();
    await inbox;
    await pool.end();
  };
});
