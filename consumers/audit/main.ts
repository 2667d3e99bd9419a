import { topicsRead } from '../../contracts/catalogue';
import { problemPages } from '../../contracts/api/problems';
import { createRequireRole, createVerifier } from '../../platform/auth';
import { createHttpApp, createMount, listen } from '../../platform/http';
import { deadLetterRoutes } from '../../platform/deadLetters';
import { createInboxDeadLetters, runInbox } from '../../platform/inbox';
import { createKafka } from '../../platform/kafka';
import { createPool, inboxMigrations, migrate, migrationSet } from '../../platform/postgres';
import { runProcess } from '../../platform/shutdown';
import { storeFacts } from './handler';
import { auditRoutes } from './routes';

runProcess('audit', async ({ config, log, metrics, signal, fail }) => {
  await migrate(config.AUDIT_DATABASE_URL, [
    inboxMigrations,
    migrationSet('audit', 'consumers/audit/migrations'),
  ]);
  const pool = createPool(config.AUDIT_DATABASE_URL, { applicationName: 'audit', max: 5, log });
  metrics.watchPool('audit', pool);
  const prefixed = (topic: string): string => config.KAFKA_TOPIC_PREFIX + topic;
  const group = prefixed('audit');
  const inbox = runInbox({
    group,
    topics: topicsRead('audit').map(prefixed),
    pool,
    kafka: createKafka({ brokers: config.KAFKA_BROKERS, clientId: 'audit', log }),
    handle: storeFacts,
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
    routes: (router) => {
      auditRoutes(router, requireRole, { pool, timelineTopics: ['rides', 'payments'].map(prefixed) });
      deadLetterRoutes(
        createMount(router, requireRole),
        createInboxDeadLetters({
          pool,
          group,
          consumer: 'audit',
          topicPrefix: config.KAFKA_TOPIC_PREFIX,
          handle: storeFacts,
          log,
        }),
      );
    },
  });
  const server = await listen(app, {
    port: config.HAILWAY_AUDIT_PORT,
    portVariable: 'HAILWAY_AUDIT_PORT',
    host: config.HAILWAY_HOST,
  });
  return async () => {
    await server.close();
    await inbox;
    await pool.end();
  };
});
