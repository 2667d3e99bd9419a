import { problemPages } from '../../contracts/api/problems';
import { createMount } from '../../platform/http';
import { deadLetterRoutes } from '../../platform/deadLetters';
import { openKafka } from '../../platform/kafka';
import { createPoll } from '../../platform/poll';
import { createPool } from '../../platform/postgres';
import { runProjection } from '../../platform/runProjection';
import { serveRoles } from '../../platform/serveRoles';
import { runProcess } from '../../platform/shutdown';
import { audit } from './projection';
import { auditRoutes } from './routes';
import { ensureFactPartitions } from './store';

const HOUR_MS = 60 * 60_000;

runProcess('audit', async ({ config, log, metrics, signal, fail }) => {
  // Its tables belong to a role that nobody logs in as, so whoever prepares the databases has migrated this one.
  const pool = createPool(config.AUDIT_DATABASE_URL, { applicationName: 'audit', max: 5, log });
  metrics.watchPool('audit', pool);
  const kafka = openKafka('audit', { config, log, signal, fail });
  const topicPrefix = config.KAFKA_TOPIC_PREFIX;
  const inbox = runProjection(audit, { pool, kafka, topicPrefix, metrics, signal, log });
  inbox.done.catch(fail);
  const months = createPoll().run(() => ensureFactPartitions(pool), {
    ...{ everyMs: HOUR_MS, signal, log },
    trouble: 'the partitions of the months to come are not made',
  });

  const server = await serveRoles('audit', {
    ...{ config, log, metrics },
    problems: problemPages,
    ready: { postgres: () => pool.query('select 1') },
    routes: (router, requireRole) => {
      auditRoutes(router, requireRole, pool);
      deadLetterRoutes(createMount(router, requireRole), inbox.deadLetters);
    },
  });
  return async () => {
    await server.close();
    await Promise.all([inbox.done, months]);
    await pool.end();
  };
});
