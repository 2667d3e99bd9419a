import { createHash } from 'node:crypto';
import { paymentUpdates } from '../../domain/names';
import { stepsOf } from '../../platform/outbox';
import { standardPolicies } from '../../domain/policies';
import { paymentOperatorRoutes } from '../../services/payments/routes/operatorRoutes';
import { createPaymentRoutes } from '../../services/payments/routes/tipAndRefundRoutes';
import { startPlayedPayments, type PlayedPayments } from '../support/playedPayments';
import { play, standardRide } from '../support/rides';
import { serveRoutes, type ServedRoutes } from '../support/routes';

jest.setTimeout(60_000);

let played: PlayedPayments;
let routes: ServedRoutes;

beforeAll(async () => {
  played = await startPlayedPayments();
  routes = await serveRoutes('ops-1', (mount) => {
    const options = {
      payments: played.pool,
      policies: standardPolicies,
      temporal: played.saga.client,
      deadlineMs: 5_000,
      rideOf: (_caller: unknown, rideId: string) => Promise.resolve({ ...play(standardRide).ride, rideId }),
    };
    createPaymentRoutes(mount, options);
    paymentOperatorRoutes(mount, options);
  });
});
beforeEach(() => played.provider.reset());
afterAll(async () => {
  await routes?.close();
  await played?.stop();
});

const refundOf = (rideId: string) => (key: string, amountMinor: number) =>
  routes.call('POST', `/v1/ops/rides/${rideId}/refunds`, { body: { amountMinor, reason: 'accident' }, key });

/** A ride that cost 15 dollars and was charged 5 more. */
async function chargedTwice(): Promise<string> {
  const rideId = await played.captured();
  const more = { adjustmentKey: 'more', toMinor: 2_000, reason: 'detour' };
  await played.saga.operator(rideId, 'adjustCharge', more);
  return rideId;
}

test('a refund that was refused half way goes on under its key, and then answers the same for ever', async () => {
  const { provider, resultAfterWindow } = played;
  const rideId = await chargedTwice();
  const refund = refundOf(rideId);
  provider.next('refund', () => Promise.resolve({ refunded: true, refundId: 're_half' }));
  provider.next('refund', () => Promise.resolve({ refunded: false, reason: 'charge_disputed' }));
  expect(await refund('key-1', 1_800)).toMatchObject({
    status: 409,
    body: { code: 'refund_not_possible', reason: 'charge_disputed', missingMinor: 1_300 },
  });
  const given = { status: 201, body: { refundId: 're_half', amountMinor: 1_800, refundedMinor: 1_800 } };
  expect(await refund('key-1', 1_800)).toMatchObject(given);
  expect(await refund('key-2', 100)).toMatchObject({ status: 201, body: { refundedMinor: 1_900 } });
  expect(await refund('key-1', 500)).toMatchObject({
    status: 422,
    body: { code: 'idempotency_key_reused' },
  });
  expect(provider.asked(rideId).filter((what) => what.startsWith('refund'))).toEqual([
    ...['refund 500', 'refund 1300', 'refund 1300', 'refund 100'],
  ]);
  await resultAfterWindow(rideId);
  expect(await refund('key-1', 1_800)).toMatchObject(given);
});

test('a refund that was refused as a whole can be asked for again under its key', async () => {
  const { provider } = played;
  const rideId = await played.captured();
  provider.next('refund', () => Promise.resolve({ refunded: false, reason: 'balance_insufficient' }));
  const refund = refundOf(rideId);
  expect(await refund('key-1', 300)).toMatchObject({ status: 409, body: { reason: 'balance_insufficient' } });
  expect(await refund('key-1', 300)).toMatchObject({ status: 201, body: { refundedMinor: 300 } });
});

test('an adjustment that the card declined can be asked for again under its key, and is made once', async () => {
  const { provider } = played;
  const rideId = await played.captured();
  const declined = { charged: false, reason: 'insufficient_funds' } as const;
  provider.next('chargeExtra', () => Promise.resolve(declined));
  provider.next('chargeExtra', () => Promise.resolve(declined));
  const adjust = () =>
    routes.call('POST', `/v1/ops/payments/${rideId}/adjust`, {
      body: { toMinor: 2_000, reason: 'detour' },
      key: 'key-1',
    });
  const refused = { status: 409, body: { code: 'adjust_not_possible', reason: 'insufficient_funds' } };
  expect(await adjust()).toMatchObject(refused);
  expect(await adjust()).toMatchObject(refused);
  const made = { status: 200, body: { capturedMinor: 2_000 } };
  expect(await adjust()).toMatchObject(made);
  expect(await adjust()).toMatchObject(made);
  expect(provider.asked(rideId).filter((what) => what === 'extra 500')).toHaveLength(3);
  await played.resultAfterWindow(rideId);
  expect(await adjust()).toMatchObject(made);
});

describe('a refund that was asked for before keys were hashed', () => {
  const order = { refundKey: 'ops-1:key-1', amountMinor: 1_800, reason: 'accident' };
  const askedThen = (rideId: string): Promise<unknown> =>
    played.saga.handle(rideId).executeUpdate(paymentUpdates.refund, {
      updateId: createHash('sha256').update(JSON.stringify(order)).digest('hex'),
      args: [{ ...order, by: 'ops-1' }],
    });
  const refunds = (rideId: string): string[] =>
    played.provider.asked(rideId).filter((what) => what.startsWith('refund'));

  test('is given once, and answers the same', async () => {
    const rideId = await chargedTwice();
    await askedThen(rideId);
    const refund = refundOf(rideId);
    expect(await refund('key-1', 1_800)).toMatchObject({ status: 201, body: { refundedMinor: 1_800 } });
    expect(await refund('key-2', 200)).toMatchObject({ status: 201, body: { refundedMinor: 2_000 } });
    expect(await refund('key-1', 1_800)).toMatchObject({ status: 201, body: { refundedMinor: 1_800 } });
    expect(refunds(rideId)).toEqual(['refund 500', 'refund 1300', 'refund 200']);
  });

  test('goes on where it was refused half way', async () => {
    const rideId = await chargedTwice();
    played.provider.next('refund', () => Promise.resolve({ refunded: true, refundId: 're_half' }));
    played.provider.next('refund', () => Promise.resolve({ refunded: false, reason: 'charge_disputed' }));
    await expect(askedThen(rideId)).rejects.toThrow();
    const refund = refundOf(rideId);
    const given = { status: 201, body: { refundId: 're_half', refundedMinor: 1_800 } };
    expect(await refund('key-1', 1_800)).toMatchObject(given);
    expect(await refund('key-1', 1_800)).toMatchObject(given);
    expect(refunds(rideId)).toEqual(['refund 500', 'refund 1300', 'refund 1300']);
  });
});

test('the key is in no fact and in no history as the caller has typed it', async () => {
  const rideId = await played.captured();
  const refund = refundOf(rideId);
  expect(await refund('typed-by-jane', 300)).toMatchObject({ status: 201 });
  const { events } = await played.saga.handle(rideId).fetchHistory();
  const payloads = JSON.stringify(events).matchAll(/"data":"([^"]+)"/g);
  const history = [...payloads].map(([, data]) => Buffer.from(data!, 'base64').toString()).join('\n');
  const written = history + JSON.stringify(await stepsOf(played.pool, rideId));
  expect(written).toContain('"reason":"accident"');
  expect(written).not.toContain('typed-by-jane');
});

test('asked twice at once it is given once', async () => {
  const rideId = await played.captured();
  const refund = refundOf(rideId);
  const both = await Promise.all([refund('key-1', 300), refund('key-1', 300)]);
  expect(both.map(({ status }) => status)).toEqual([201, 201]);
  expect(played.provider.asked(rideId).at(-1)).toBe('refund 300');
  expect(played.provider.asked(rideId)).toHaveLength(3);
});
