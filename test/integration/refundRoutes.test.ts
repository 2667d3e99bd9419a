import type { RequestHandler } from 'express';
import { problemPages } from '../../contracts/api/problems';
import type { RequireRole } from '../../platform/auth';
import { createMount, type Listening } from '../../platform/http';
import { stepsOf } from '../../platform/outbox';
import { createPaymentRoutes } from '../../services/payments/routes/tipAndRefundRoutes';
import { quiet } from '../support/backbone';
import { httpServers } from '../support/httpServers';
import { startPlayedPayments, type PlayedPayments } from '../support/playedPayments';
import { play, standardRide } from '../support/rides';

jest.setTimeout(60_000);

const start = httpServers(quiet);
let played: PlayedPayments;

beforeAll(async () => void (played = await startPlayedPayments()));
beforeEach(() => played.provider.reset());
afterAll(() => played?.stop());

/** The caller is who the test says: tokens are tested elsewhere. */
const anOperator: RequireRole =
  (...roles): RequestHandler =>
  (req, _res, next) => {
    req.caller = { role: roles[0], sub: 'ops-1' };
    next();
  };

const gateway = (): Promise<Listening> =>
  start({
    problems: problemPages,
    routes: (router) =>
      createPaymentRoutes(createMount(router, anOperator), {
        payments: played.pool,
        temporal: played.saga.client,
        deadlineMs: 5_000,
        rideOf: (_caller, rideId) => Promise.resolve({ ...play(standardRide).ride, rideId }),
      }),
  });

const asking =
  ({ url }: Listening, rideId: string) =>
  async (key: string, amountMinor: number) => {
    const response = await fetch(`${url}/v1/ops/rides/${rideId}/refunds`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'idempotency-key': key },
      body: JSON.stringify({ amountMinor, reason: 'accident' }),
    });
    return { status: response.status, body: (await response.json()) as Record<string, unknown> };
  };

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
  const refund = asking(await gateway(), rideId);
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

test('the key is in no fact and in no history as the caller has typed it', async () => {
  const rideId = await played.captured();
  const refund = asking(await gateway(), rideId);
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
  const refund = asking(await gateway(), rideId);
  const both = await Promise.all([refund('key-1', 300), refund('key-1', 300)]);
  expect(both.map(({ status }) => status)).toEqual([201, 201]);
  expect(played.provider.asked(rideId).at(-1)).toBe('refund 300');
  expect(played.provider.asked(rideId)).toHaveLength(3);
});
