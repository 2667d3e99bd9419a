import { runDelivery } from '../../consumers/notifications/delivery';
import { createWebhook } from '../../consumers/notifications/webhook';
import { createPool } from '../../platform/postgres';

/**
 * A sender of webhooks in a process of its own that kills itself (SIGKILL) when the first answer is there and before it
 * is recorded.
 */
const post = createWebhook({ timeoutMs: 5_000, privateAddresses: true, now: Date.now });
process.on('disconnect', () => process.exit(1));
void runDelivery({
  pool: createPool(process.env['NOTIFICATIONS_DATABASE_URL']!, { applicationName: 'mortal', max: 2 }),
  post: async (letter) => {
    await post(letter);
    process.kill(process.pid, 'SIGKILL');
    return new Promise(() => {});
  },
  leaseMs: 200,
  signal: new AbortController().signal,
  log: { info: () => {}, warn: console.error },
  now: Date.now,
});
