import { problemPages } from '../../contracts/api/problems';
import { ConfigError, type Config } from '../../platform/config';
import { createMount } from '../../platform/http';
import { deadLetterRoutes } from '../../platform/deadLetters';
import { openKafka } from '../../platform/kafka';
import { openVault } from '../../platform/personal/open';
import { createPool, migrate } from '../../platform/postgres';
import { runProjection } from '../../platform/runProjection';
import { serveRoles } from '../../platform/serveRoles';
import { runProcess } from '../../platform/shutdown';
import { runDelivery } from './delivery';
import { setHouseEndpoint } from './endpoints';
import { postOpened } from './opened';
import { notifications } from './projection';
import { webhookRoutes } from './routes';
import { createWebhook } from './webhook';

/** Well below the time that stopping may take. */
const POST_TIMEOUT_MS = 5_000;

/** Where notifications go; null when nobody is to get them. */
function houseReceiver(config: Config): { url: string; secret: string } | null {
  const { NOTIFICATIONS_WEBHOOK_URL: url, NOTIFICATIONS_WEBHOOK_SECRET: secret } = config;
  if (url === '') return null;
  if (secret === '') {
    throw new ConfigError('NOTIFICATIONS_WEBHOOK_SECRET takes the secret that webhooks are signed with');
  }
  return { url, secret };
}

runProcess('notifications', async ({ config, log, metrics, signal, fail }) => {
  const receiver = houseReceiver(config);
  const privateAddresses = config.WEBHOOK_PRIVATE_ADDRESSES;
  await migrate(config.NOTIFICATIONS_DATABASE_URL, notifications.migrations);
  const pool = createPool(config.NOTIFICATIONS_DATABASE_URL, {
    applicationName: 'notifications',
    max: 6,
    log,
  });
  metrics.watchPool('notifications', pool);
  const personal = openVault(config, { name: 'notifications', log, metrics });
  await setHouseEndpoint(pool, receiver);
  if (receiver === null)
    log.info('NOTIFICATIONS_WEBHOOK_URL is not set: notifications are written, not sent');
  const kafka = openKafka('notifications', { config, log, signal, fail });
  const topicPrefix = config.KAFKA_TOPIC_PREFIX;
  const inbox = runProjection(notifications, { pool, kafka, topicPrefix, metrics, signal, log });
  inbox.done.catch(fail);
  const delivery = runDelivery({
    ...{ pool, signal, log, now: Date.now },
    post: postOpened(
      personal.vault,
      createWebhook({ timeoutMs: POST_TIMEOUT_MS, privateAddresses, now: Date.now }),
    ),
  });
  delivery.catch(fail);

  const server = await serveRoles('notifications', {
    ...{ config, log, metrics },
    problems: problemPages,
    ready: { postgres: () => pool.query('select 1') },
    routes: (router, requireRole) => {
      webhookRoutes(router, requireRole, { pool, privateAddresses });
      deadLetterRoutes(createMount(router, requireRole), inbox.deadLetters);
    },
  });
  return async () => {
    await server.close();
    await Promise.all([inbox.done, delivery]);
    await Promise.all([pool.end(), personal.close()]);
  };
});
