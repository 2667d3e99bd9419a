import { problemPages } from '../../contracts/api/problems';
import { createMount } from '../../platform/http';
import { deadLetterRoutes } from '../../platform/deadLetters';
import { openKafka } from '../../platform/kafka';
import { createPoll } from '../../platform/poll';
import { createPool, migrate, outboxMigrations } from '../../platform/postgres';
import { runProjection } from '../../platform/runProjection';
import { serveRoles } from '../../platform/serveRoles';
import { runProcess } from '../../platform/shutdown';
import { analytics } from './projection';
import { analyticsRoutes } from './routes';
import { decideSurge } from './surge';

/** A quote is looked at for longer than that. */
const DECIDE_SURGE_EVERY_MS = 10_000;

runProcess('analytics', async ({ config, log, metrics, signal, fail }) => {
  await migrate(config.ANALYTICS_DATABASE_URL, [outboxMigrations, ...analytics.migrations]);
  const pool = createPool(config.ANALYTICS_DATABASE_URL, { applicationName: 'analytics', max: 5, log });
  metrics.watchPool('analytics', pool);
  const kafka = openKafka('analytics', { config, log, signal, fail });
  const topicPrefix = config.KAFKA_TOPIC_PREFIX;
  const inbox = runProjection(analytics, { pool, kafka, topicPrefix, metrics, signal, log });
  inbox.done.catch(fail);
  const decide = async (): Promise<void> => void (await decideSurge(pool, { atMs: Date.now(), topicPrefix }));
  const surge = createPoll().run(decide, {
    ...{ everyMs: DECIDE_SURGE_EVERY_MS, signal, log },
    trouble: 'surge stays as it was',
  });

  const server = await serveRoles('analytics', {
    ...{ config, log, metrics },
    problems: problemPages,
    ready: { postgres: () => pool.query('select 1') },
    routes: (router, requireRole) => {
      analyticsRoutes(router, requireRole, pool);
      deadLetterRoutes(createMount(router, requireRole), inbox.deadLetters);
    },
  });
  return async () => {
    await server.close();
    await Promise.all([inbox.done, surge]);
    await pool.end();
  };
});
