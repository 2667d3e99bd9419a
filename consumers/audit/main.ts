import { problemPages } from '../../contracts/api/problems';
import { createRequireRole, createVerifier } from '../../platform/auth';
import { createHttpApp, createMount, listen } from '../../platform/http';
import { deadLetterRoutes } from '../../platform/deadLetters';
import { createInboxDeadLetters, runInbox } from '../../platform/inbox';
import { openKafka } from '../../platform/kafka';
import { observeInbox } from '../../platform/metrics/inbox';
import { createPoll } from '../../platform/poll';
import { createPool } from '../../platform/postgres';
import { runProcess } from '../../platform/shutdown';
import { audit } from './projection';
import { auditRoutes } from './routes';
import { ensureFactPartitions } from './store';

const HOUR_MS = 60 * 60_000;

runProcess('audit', async ({ config, log, metrics, signal, fail }) => {
  // Its tables belong to a role that nobody logs in as, so whoever prepares the databases has migrated this one.
  const pool = createPool(config.AUDIT_DATABASE_URL, { applicationName: 'audit', max: 5, log });
  metrics.watchPool('audit', pool);
  const prefixed = (topic: string): string => config.KAFKA_TOPIC_PREFIX + topic;
  const group = prefixed(audit.name);
  const kafka = openKafka('audit', { config, log, signal, fail });
  const from = { kafka, pool, group, topics: audit.topics.map(prefixed) };
  const inbox = runInbox({
    ...from,
    observer: observeInbox({ ...from, metrics }),
    handle: audit.handle,
    signal,
    log,
  });
  inbox.catch(fail);
  const months = createPoll().run(() => ensureFactPartitions(pool), {
    ...{ everyMs: HOUR_MS, signal, log },
    trouble: 'the partitions of the months to come are not made',
  });

  const requireRole = createRequireRole(
    createVerifier({ jwks: config.AUTH_JWKS, issuer: config.AUTH_ISSUER, audience: config.AUTH_AUDIENCE }),
  );
  const app = createHttpApp({
    log,
    metrics,
    problems: problemPages,
    ready: { postgres: () => pool.query('select 1') },
    routes: (router) => {
      auditRoutes(router, requireRole, pool);
      deadLetterRoutes(
        createMount(router, requireRole),
        createInboxDeadLetters({
          pool,
          group,
          consumer: 'audit',
          topicPrefix: config.KAFKA_TOPIC_PREFIX,
          handle: audit.handle,
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
    await Promise.all([inbox, months]);
    await pool.end();
  };
});
