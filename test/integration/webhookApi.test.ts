import { notifications as projection } from '../../consumers/notifications/projection';
import { webhookRoutes as internalRoutes } from '../../consumers/notifications/routes';
import { problemPages } from '../../contracts/api/problems';
import { createRequireRole } from '../../platform/auth';
import { createClient } from '../../platform/client';
import { createHttpApp, createMount, listen, type Listening } from '../../platform/http';
import { webhookRoutes } from '../../services/gateway/webhookRoutes';
import { issuer } from '../support/apiGround';
import { eventually, quiet, stopAll } from '../support/backbone';
import { requested, rideFacts, startConsumer, type TestConsumer } from '../support/consumers';
import { delivering, Receiver } from '../support/webhooks';

let notifications: TestConsumer;
const servers: Listening[] = [];
let keys: Awaited<ReturnType<typeof issuer>>;
let gatewayUrl: string;

/** The gateway's routes in front of those of notifications, which refuses private addresses unless told otherwise. */
async function startGateway(privateAddresses: boolean): Promise<string> {
  const requireRole = createRequireRole(keys.verify);
  const options = { log: quiet, ready: {}, problems: problemPages };
  const inner = await listen(
    createHttpApp({
      ...options,
      routes: (router) => internalRoutes(router, requireRole, { pool: notifications.pool, privateAddresses }),
    }),
    { port: 0, portVariable: '' },
  );
  const token = await keys.token('service', 'gateway');
  const client = createClient({ name: 'notifications', baseUrl: inner.url, token, deadlineMs: 3_000 });
  const outer = await listen(
    createHttpApp({
      ...options,
      routes: (router) => webhookRoutes(createMount(router, requireRole), client),
    }),
    { port: 0, portVariable: '' },
  );
  servers.push(outer, inner);
  return outer.url;
}

beforeAll(async () => {
  notifications = await startConsumer(projection);
  keys = await issuer();
  gatewayUrl = await startGateway(true);
});
afterEach(async () => {
  await stopAllButConsumer();
  await notifications.pool.query('truncate delivery_attempts, deliveries');
  await notifications.pool.query(`delete from webhook_endpoints where owner_role <> 'house'`);
});
afterAll(async () => {
  for (const server of servers) await server.close();
  await stopAll();
  await notifications.stop();
});

let deliveries: { stop(): Promise<void> }[] = [];
const stopAllButConsumer = async (): Promise<void> => {
  await Promise.all(deliveries.map((one) => one.stop()));
  deliveries = [];
};

type Json = Record<string, unknown>;
const rider = ['rider', 'rider-1'] as const;

async function call(
  method: string,
  path: string,
  {
    as = rider,
    body,
    url = gatewayUrl,
  }: { as?: readonly [string, string]; body?: unknown; url?: string } = {},
) {
  const response = await fetch(url + path, {
    method,
    headers: {
      authorization: `Bearer ${await keys.token(...as)}`,
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  return { status: response.status, body: (text === '' ? {} : JSON.parse(text)) as Json };
}
const problemOf = async (...request: Parameters<typeof call>) => {
  const { status, body } = await call(...request);
  return `${status} ${String(body['type'])}`;
};
const create = async (url: string, as: readonly [string, string] = rider) =>
  (await call('POST', '/v1/webhooks', { as, body: { url } })).body;
const unknown = '01890a5d-ac96-774b-bcce-b302099a8057';

test('a webhook is registered, posted to, looked at, given another secret and deleted', async () => {
  const receiver = await new Receiver('').open();
  const body = { url: receiver.url, description: 'our desk' };
  const created = await call('POST', '/v1/webhooks', { body });
  expect(created).toMatchObject({
    status: 201,
    body: { ...body, secret: expect.stringMatching(/^whsec_.{43}$/) },
  });
  const { secret, ...shown } = created.body;
  receiver.secret = String(secret);
  expect((await call('GET', '/v1/webhooks')).body).toEqual({ webhooks: [shown] });

  deliveries.push(delivering(notifications.pool));
  const path = `/v1/webhooks/${String(shown['webhookId'])}`;
  for (let n = 0; n < 3; n += 1) {
    const rideId = unknown.slice(0, -1) + String(n);
    await notifications.deliver(
      rideFacts(rideId, [['ride.requested', '12:00:00.000', requested(rideId, 'rider-1')]]),
    );
    await eventually(
      () => receiver.received.length,
      (count) => count === n + 1,
    );
  }
  const page = async (query: string) =>
    (await call('GET', `${path}/deliveries${query}`)).body as { deliveries: Json[]; next: number | null };
  const all = await eventually(
    () => page('?state=delivered'),
    (seen) => seen.deliveries.length === 3,
  );
  expect(all).toMatchObject({ next: null });
  expect(all.deliveries.map(({ deliveryId }) => deliveryId)).toEqual([...receiver.ids].reverse());
  expect(all.deliveries[0]).toMatchObject({
    state: 'delivered',
    attempts: [{ attempt: 1, status: 204, error: null }],
  });
  const first = await page('?limit=2');
  const rest = await page(`?limit=2&before=${first.next}`);
  expect([...first.deliveries, ...rest.deliveries]).toEqual(all.deliveries);

  const rotated = await call('POST', `${path}/secret`);
  expect(rotated.body).toEqual({
    secret: expect.stringMatching(/^whsec_/),
    previousUntil: expect.any(String),
  });
  expect(rotated.body['secret']).not.toBe(secret);

  expect(await call('DELETE', path)).toEqual({ status: 204, body: {} });
  expect((await call('GET', '/v1/webhooks')).body).toEqual({ webhooks: [] });
  expect(await problemOf('DELETE', path)).toBe('404 /problems/webhook_not_found');
  expect(await problemOf('GET', `${path}/deliveries`)).toBe('404 /problems/webhook_not_found');
  await receiver.close();
});

test("somebody else's webhook is the same 404 as an unknown or malformed one", async () => {
  const { webhookId } = await create('http://127.0.0.1:9/');
  for (const as of [
    ['rider', 'rider-2'],
    ['operator', 'rider-1'],
  ] as const) {
    expect((await call('GET', '/v1/webhooks', { as })).body).toEqual({ webhooks: [] });
    for (const id of [String(webhookId), unknown, '42', '%2e%2e%2fwebhooks']) {
      for (const [method, path] of [
        ['DELETE', ''],
        ['POST', '/secret'],
        ['GET', '/deliveries'],
      ] as const) {
        expect(await problemOf(method, `/v1/webhooks/${id}${path}`, { as })).toBe(
          '404 /problems/webhook_not_found',
        );
      }
    }
  }
});

describe('bad input', () => {
  test.each([
    ['no URL', {}],
    ['no URL but a word', { url: 'desk' }],
    ['another protocol', { url: 'ftp://example.org/' }],
    ['a script', { url: 'javascript:alert(1)' }],
    ['a password', { url: 'https://me:secret@example.org/' }],
    ['a fragment', { url: 'https://example.org/#here' }],
    ['a URL without end', { url: `https://example.org/${'x'.repeat(2_048)}` }],
    ['a number', { url: 1 }],
    ['an unknown field', { url: 'https://example.org/', secret: 'mine' }],
    ['a novel for a description', { url: 'https://example.org/', description: 'x'.repeat(201) }],
  ])('%s', async (_what, body) => {
    expect(await problemOf('POST', '/v1/webhooks', { body })).toBe('400 /problems/validation_failed');
    expect((await call('GET', '/v1/webhooks')).body).toEqual({ webhooks: [] });
  });

  test.each(['?limit=0', '?limit=101', '?limit=x', '?before=-1', '?state=lost', '?page=2'])(
    'deliveries%s',
    async (query) => {
      const { webhookId } = await create('http://127.0.0.1:9/');
      expect(await problemOf('GET', `/v1/webhooks/${String(webhookId)}/deliveries${query}`)).toBe(
        '400 /problems/validation_failed',
      );
    },
  );

  test('an address that is not public, where that is not allowed', async () => {
    const url = await startGateway(false);
    for (const target of [
      'http://127.0.0.1/',
      'http://[::1]:8080/',
      'http://2130706433/',
      'http://169.254.169.254/',
    ]) {
      expect(await problemOf('POST', '/v1/webhooks', { url, body: { url: target } })).toBe(
        '400 /problems/webhook_address_refused',
      );
    }
    const named = await call('POST', '/v1/webhooks', { url, body: { url: 'https://example.org/hook' } });
    expect(named.status).toBe(201);
  });

  test('a URL twice, and an eleventh webhook', async () => {
    const { webhookId } = await create('http://127.0.0.1:9/0');
    const again = await call('POST', '/v1/webhooks', { body: { url: 'http://127.0.0.1:9/0' } });
    expect(again).toMatchObject({ status: 409, body: { type: '/problems/webhook_exists', webhookId } });
    const made = await Promise.all(
      Array.from({ length: 15 }, (_, n) => create(`http://127.0.0.1:9/${n + 1}`)),
    );
    expect(made.filter(({ secret }) => secret !== undefined)).toHaveLength(9);
    expect(made.find(({ secret }) => secret === undefined)).toMatchObject({
      type: '/problems/too_many_webhooks',
    });
  });

  test('another role', async () => {
    for (const as of [
      ['driver', 'd'],
      ['fleet', 'f'],
      ['service', 's'],
    ] as const) {
      expect(await problemOf('GET', '/v1/webhooks', { as })).toBe('403 /problems/forbidden');
    }
  });
});
