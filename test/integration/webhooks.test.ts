import { createHmac, timingSafeEqual } from 'node:crypto';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { v7 as uuidv7 } from 'uuid';
import { runDelivery } from '../../consumers/notifications/delivery';
import { createNotify } from '../../consumers/notifications/handler';
import { takeDue } from '../../consumers/notifications/queue';
import { createWebhook } from '../../consumers/notifications/webhook';
import { eventually, quiet, running } from '../support/backbone';
import { requested, rideFacts, startConsumer, type TestConsumer } from '../support/consumers';

const secret = 'a secret that both know';

/** Somebody who receives webhooks and trusts only what is signed, as the docstring of `signature` says. */
class Receiver {
  /** What to answer; null never answers. */
  answer: number | null = 204;
  readonly ids: string[] = [];
  readonly refused: string[] = [];
  private server: Server | undefined;
  port = 0;

  async open(): Promise<void> {
    this.server = createServer((req, res) => {
      const chunks: Buffer[] = [];
      req.on('data', (chunk: Buffer) => chunks.push(chunk));
      req.on('end', () => {
        const body = Buffer.concat(chunks).toString();
        const problem = this.check(String(req.headers['hailway-signature']), body);
        if (problem !== null) this.refused.push(problem);
        else this.ids.push((JSON.parse(body) as { id: string }).id);
        if (this.answer !== null) res.writeHead(problem === null ? this.answer : 401).end('so it is');
      });
    });
    await new Promise<void>((resolve) => this.server!.listen(this.port, '127.0.0.1', resolve));
    this.port = (this.server.address() as AddressInfo).port;
  }

  async close(): Promise<void> {
    const { server } = this;
    this.server = undefined;
    if (server === undefined) return;
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }

  private check(header: string, body: string): string | null {
    const [, t, v1] = /^t=(\d+),v1=([0-9a-f]{64})$/.exec(header) ?? [];
    if (t === undefined || v1 === undefined) return `no signature: ${header}`;
    if (Math.abs(Date.now() / 1_000 - Number(t)) > 300) return 'too old';
    const expected = createHmac('sha256', secret).update(`${t}.${body}`).digest();
    return timingSafeEqual(expected, Buffer.from(v1, 'hex')) ? null : 'wrong signature';
  }
}

let notifications: TestConsumer;
let receiver: Receiver;
let deliveries: { stop(): Promise<void> }[] = [];
beforeEach(async () => {
  receiver = new Receiver();
  await receiver.open();
  notifications = await startConsumer('notifications', ['rides', 'payments'], createNotify(true));
});
afterEach(async () => {
  await Promise.all(deliveries.map((delivery) => delivery.stop()));
  deliveries = [];
  await notifications.stop();
  await receiver.close();
});

const delivering = (options: { secret?: string; maxAttempts?: number } = {}) => {
  const url = `http://127.0.0.1:${receiver.port}/hook`;
  const post = createWebhook({ url, secret: options.secret ?? secret, timeoutMs: 300, now: Date.now });
  const delivery = running((signal) =>
    runDelivery({
      ...{ pool: notifications.pool, post, signal, log: quiet, now: Date.now },
      ...{ pollMs: 20, backoff: { minMs: 20, maxMs: 100 }, maxAttempts: options.maxAttempts ?? 1_000 },
    }),
  );
  deliveries.push(delivery);
  return delivery;
};

const threeRides = () =>
  [1, 2, 3].flatMap((n) => {
    const rideId = uuidv7();
    return rideFacts(rideId, [['ride.requested', '12:00:00.000', requested(rideId, `rider-${n}`)]]);
  });

const states = async () => {
  const { rows } = await notifications.pool.query<{ id: string; state: string; attempts: number }>(
    'select id, state, attempts from notifications order by id',
  );
  return rows;
};
const settled = () =>
  eventually(states, (rows) => rows.length === 3 && rows.every(({ state }) => state !== 'pending'));

test('what is written is posted once, with a signature that its receiver can check', async () => {
  const delivery = delivering();
  await notifications.deliver(threeRides());
  const rows = await settled();
  await delivery.stop();
  expect(rows.map(({ state, attempts }) => [state, attempts])).toEqual(Array(3).fill(['delivered', 1]));
  expect([...receiver.ids].sort()).toEqual(rows.map(({ id }) => id));
  expect(receiver.refused).toEqual([]);
});

test('a receiver that refuses a wrong signature gets nothing', async () => {
  const delivery = delivering({ secret: 'a secret that is another', maxAttempts: 2 });
  await notifications.deliver(threeRides());
  const rows = await settled();
  await delivery.stop();
  expect(rows.map(({ state, attempts }) => [state, attempts])).toEqual(Array(3).fill(['given_up', 2]));
  expect(receiver.ids).toEqual([]);
  expect(new Set(receiver.refused)).toEqual(new Set(['wrong signature']));
});

test('a receiver that is away, broken or silent gets everything when it is back', async () => {
  await receiver.close();
  const delivery = delivering();
  await notifications.deliver(threeRides());
  const tried = (n: number) => eventually(states, (rows) => rows.every(({ attempts }) => attempts >= n));
  await tried(2);
  receiver.answer = 500;
  await receiver.open();
  await tried(4);
  receiver.answer = null;
  const before = Math.max(...(await states()).map(({ attempts }) => attempts));
  await tried(before + 2);
  receiver.answer = 200;
  const rows = await settled();
  await delivery.stop();
  expect(rows.every(({ state }) => state === 'delivered')).toBe(true);
  const { rows: attempts } = await notifications.pool.query<{ id: string; statuses: (number | null)[] }>(
    `select notification_id as id, array_agg(status order by attempt) as statuses from notification_attempts
     group by notification_id order by notification_id`,
  );
  expect(attempts.map(({ statuses }) => statuses.length)).toEqual(rows.map((row) => row.attempts));
  for (const { statuses } of attempts) {
    expect(statuses.slice(0, 2)).toEqual([null, null]);
    expect(statuses).toContain(500);
    expect(statuses.at(-1)).toBe(200);
  }
});

test('what was taken by a sender that died is sent by the next one when the lease is over', async () => {
  await notifications.deliver(threeRides());
  expect(await takeDue(notifications.pool, 10, 300)).toHaveLength(3);
  expect(await takeDue(notifications.pool, 10, 300)).toHaveLength(0);
  const delivery = delivering();
  const rows = await settled();
  await delivery.stop();
  expect(rows.map(({ state, attempts }) => [state, attempts])).toEqual(Array(3).fill(['delivered', 2]));
});
