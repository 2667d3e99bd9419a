import { problemPages } from '../../contracts/api/problems';
import { requireSecret } from '../../platform/config';
import { deadLetterRoutes } from '../../platform/deadLetters';
import { createMount } from '../../platform/http';
import { openKafka } from '../../platform/kafka';
import { openVault } from '../../platform/personal/open';
import { createPool } from '../../platform/postgres';
import { runProjection } from '../../platform/runProjection';
import { serveRoles } from '../../platform/serveRoles';
import { runProcess } from '../../platform/shutdown';
import { pricing } from './projection';
import { createIssueQuote } from './quotes';
import { pricingRoutes } from './routes';

/** Of the city's clock: long enough to think it over, short enough for the price to be true. */
const QUOTE_TTL_MS = 5 * 60_000;

/** A fast city's riders still think in real time, so a quote lives at least this long. */
const MIN_QUOTE_TTL_MS = 30_000;

runProcess('pricing', async ({ config, log, metrics, signal, fail }) => {
  const pool = createPool(config.PRICING_DATABASE_URL, { applicationName: 'pricing', max: 6, log });
  metrics.watchPool('pricing', pool);
  const personal = openVault(config, { name: 'pricing', log, metrics });
  const topicPrefix = config.KAFKA_TOPIC_PREFIX;
  const kafka = openKafka('pricing', { config, log, signal, fail });
  const surges = runProjection(pricing, { pool, kafka, topicPrefix, metrics, signal, log });
  surges.done.catch(fail);
  const issueQuote = createIssueQuote({
    pool,
    vault: personal.vault,
    secret: requireSecret(config, 'QUOTE_SECRET'),
    quoteTtlMs: Math.max(MIN_QUOTE_TTL_MS, QUOTE_TTL_MS / config.HAILWAY_SPEED),
    topicPrefix,
    now: Date.now,
  });
  const server = await serveRoles('pricing', {
    ...{ config, log, metrics },
    problems: problemPages,
    ready: { postgres: () => pool.query('select 1') },
    routes: (router, requireRole) => {
      pricingRoutes(router, requireRole, { pool, vault: personal.vault, issueQuote });
      deadLetterRoutes(createMount(router, requireRole), surges.deadLetters);
    },
  });
  return async () => {
    await server.close();
    await surges.done;
    await Promise.all([pool.end(), personal.close()]);
  };
});
