import { problemPages } from '../../contracts/api/problems';
import { ConfigError, type Config } from '../../platform/config';
import { createHttpApp, listen } from '../../platform/http';
import { runInbox } from '../../platform/inbox';
import { createKafka } from '../../platform/kafka';
import { createPool, inboxMigrations, migrate, migrationSet } from '../../platform/postgres';
import { runProcess } from '../../platform/shutdown';
import { runDelivery } from './delivery';
import { createNotify } from './handler';
import { createWebhook, type Post } from './webhook';

/** Well below the time that stopping may take. */
const POST_TIMEOUT_MS = 5_000;

/** Where notifications go; null when nobody is to get them. */
function webhookOf(config: Config): Post | null {
  const { NOTIFICATIONS_WEBHOOK_URL: url, NOTIFICATIONS_WEBHOOK_SECRET: secret } = config;
  if (url === '') return null;
  if (secret === '') {
    throw new ConfigError('NOTIFICATIONS_WEBHOOK_SECRET takes the secret that webhooks are signed with');
  }
  return createWebhook({ url, secret, timeoutMs: POST_TIMEOUT_MS, now: Date.now });
}

runProcess('notifications', async ({ config, log, signal, fail }) => {
  const post = webhookOf(config);
  await migrate(config.NOTIFICATIONS_DATABASE_URL, [
    inboxMigrations,
    migrationSet('notifications', 'consumers/notifications/migrations'),
  ]);
  const pool = createPool(config.NOTIFICATIONS_DATABASE_URL, {
    applicationName: 'notifications',
    max: 3,
    log,
  });
  const prefixed = (topic: string): string => config.KAFKA_TOPIC_PREFIX + topic;
  const inbox = runInbox({
    group: prefixed('notifications'),
    topics: ['rides', 'payments'].map(prefixed),
    pool,
    kafka: createKafka({ brokers: config.KAFKA_BROKERS, clientId: 'notifications', log }),
    handle: createNotify(post !== null),
    signal,
    log,
  });
  inbox.catch(fail);
  if (post === null) log.info('NOTIFICATIONS_WEBHOOK_URL is not set: notifications are written, not sent');
  const delivery = post && runDelivery({ pool, post, signal, log, now: Date.now });
  delivery?.catch(fail);

  const app = createHttpApp({
    log,
    problems: problemPages,
    ready: { postgres: () => pool.query('select 1') },
  });
  const server = await listen(app, {
    port: config.HAILWAY_NOTIFICATIONS_PORT,
    portVariable: 'HAILWAY_NOTIFICATIONS_PORT',
    host: config.HAILWAY_HOST,
  });
  return async () => {
    await server.close();
    await Promise.all([inbox, delivery]);
    await pool.end();
  };
});
