import { randomUUID } from 'node:crypto';
import { paymentTimeline, paymentView, type PaymentTimeline } from '../../contracts/api/payments';
import { DomainError } from '../../domain/errors';
import { attemptOf, createAttemptLog, type AttemptLog } from '../../services/payments/provider/attempts';
import { keepEvent, markTold } from '../../services/payments/news/providerEvents';
import { getPayment } from '../../services/payments/books/paymentStore';
import { readNews } from '../../services/payments/news/readNews';
import { paymentViewRoutes } from '../../services/payments/routes/viewRoutes';
import { quiet } from '../support/backbone';
import { providerEvent } from '../support/providerEvents';
import { startRealPayments, type RealPayments } from '../support/realPayments';
import { play, standardRide } from '../support/rides';
import { serveRoutes, type RouteCall, type ServedRoutes } from '../support/routes';
import { eventually } from '../support/rideSaga';

jest.setTimeout(60_000);

let real: RealPayments;
let routes: ServedRoutes;
let attempts: AttemptLog;
let written: Promise<void>;
const stopping = new AbortController();
const rider = 'rider-1';

beforeAll(async () => {
  real = await startRealPayments({ observe: (attempt) => attempts.note(attempt) });
  attempts = createAttemptLog({ pool: real.pool, log: quiet, flushEveryMs: 20 });
  written = attempts.run(stopping.signal);
  routes = await serveRoutes(rider, (mount) =>
    paymentViewRoutes(mount, {
      payments: real.pool,
      rideOf: (caller, rideId) =>
        caller.role === 'rider' && caller.sub !== rider
          ? Promise.reject(new DomainError('ride_not_found', 'There is no such ride.'))
          : Promise.resolve({ ...play(standardRide).ride, rideId }),
    }),
  );
});
afterEach(() => real.psp.clearFaults());
afterAll(async () => {
  await routes?.close();
  stopping.abort();
  await written;
  await real?.stop();
});

const get = (path: string, caller: Pick<RouteCall, 'as' | 'role'> = {}) => routes.call('GET', path, caller);

const timeline = async (rideId: string): Promise<PaymentTimeline> => {
  const { status, body } = await get(`/v1/ops/payments/${rideId}`);
  expect(status).toBe(200);
  return paymentTimeline.parse(body);
};

const entriesOf = <K extends PaymentTimeline['entries'][number]['kind']>(
  { entries }: PaymentTimeline,
  kind: K,
) => entries.filter((entry): entry is Extract<typeof entry, { kind: K }> => entry.kind === kind);

async function capturedRide(): Promise<string> {
  const rideId = await real.saga.open({}, { tipWindowMs: 1_000, refundWindowMs: 1_000 });
  await real.untilTold(rideId);
  await real.saga.rideEnded(rideId, { amountMinor: 1_200, driverId: 'driver-1' });
  await real.untilStatus(rideId, 'captured');
  return rideId;
}

test('everything that is known of a payment, by its time', async () => {
  const rideId = await capturedRide();
  const read = readNews(
    providerEvent('payment_intent.succeeded', { object: { id: 'pi_1', metadata: { rideId } } }),
  )!;
  await keepEvent(real.pool, read, 1_772_366_400);
  await markTold(real.pool, read.news.eventId, null);
  const seen = await eventually(async () => {
    const now = await timeline(rideId);
    return entriesOf(now, 'attempt').some(({ request }) => request.endsWith('/capture')) ? now : undefined;
  });
  expect(seen.payment).toMatchObject({ rideId, status: 'captured', capturedMinor: 1_200 });

  expect(entriesOf(seen, 'fact').map(({ type, version }) => [type, version])).toEqual([
    ['payment.opened', 1],
    ['payment.authorized', 2],
    ['payment.captured', 3],
  ]);
  const [{ intentId } = { intentId: '' }] = entriesOf(seen, 'intent');
  expect(intentId).toMatch(/^pi_/);
  const requests = entriesOf(seen, 'attempt');
  expect(requests.map(({ request, outcome, httpStatus }) => [request, outcome, httpStatus])).toEqual(
    expect.arrayContaining([
      ['POST /v1/payment_intents', 'requires_confirmation', 200],
      [`POST /v1/payment_intents/${intentId}/confirm`, 'requires_capture', 200],
      [`POST /v1/payment_intents/${intentId}/capture`, 'succeeded', 200],
    ]),
  );
  expect(requests.every(({ ms, requestId }) => ms !== null && requestId?.startsWith('req_'))).toBe(true);
  expect(entriesOf(seen, 'webhook')).toMatchObject([
    { type: 'payment_intent.succeeded', createdAt: '2026-03-01T12:00:00.000Z', toldTo: null },
  ]);
  const [booking] = entriesOf(seen, 'ledger');
  expect(booking).toMatchObject({ bookedFor: 'payment.captured' });
  expect(booking?.lines.reduce((sum, { amountMinor }) => sum + amountMinor, 0)).toBe(0);

  const times = seen.entries.map(({ at }) => at);
  expect(times).toEqual([...times].sort());
  // Who looks needs no token.
  expect(JSON.stringify(seen)).not.toContain('pm_card_visa');
});

test('a request without an answer is there while nobody knows, and says how it ended', async () => {
  await real.psp.fault({
    match: { method: 'POST', path: '/v1/payment_intents/*/confirm' },
    kind: 'delay',
    delayMs: 2_000,
  });
  const rideId = await real.saga.open();
  await real.untilStatus(rideId, 'authorizing');
  const confirm = (outcome: string | null) =>
    eventually(async () => {
      const requests = entriesOf(await timeline(rideId), 'attempt');
      return requests.find(({ request, outcome: seen }) => request.endsWith('/confirm') && seen === outcome);
    });
  expect(await confirm(null)).toMatchObject({ ms: null, httpStatus: null });
  expect(await confirm('ETIMEDOUT')).toMatchObject({ httpStatus: null, ms: expect.any(Number) });
  await real.untilStatus(rideId, 'authorized');
  await real.saga.rideEnded(rideId, { amountMinor: 0, driverId: null });
});

test('what was asked of its refunds and of its rider, too', async () => {
  const rideId = await capturedRide();
  const order = { refundKey: 'ops:1', amountMinor: 400, reason: 'detour' };
  const { refundId } = await real.saga.refund(rideId, order);
  const { rows } = await real.pool.query<{ customerId: string }>(
    'select customer_id as "customerId" from provider_customers where rider_id = $1',
    [(await getPayment(real.pool, rideId))!.riderId],
  );
  const asked = [`/v1/refunds/${refundId}`, `/v1/customers/${rows[0]!.customerId}/payment_methods/pm_1`];
  for (const path of asked) attempts.note(attemptOf('GET', path, null));
  const requests = await eventually(async () => {
    const seen = entriesOf(await timeline(rideId), 'attempt').map(({ request }) => request);
    return seen.some((request) => request.endsWith('/payment_methods/:id')) ? seen : undefined;
  });
  expect(requests).toContain(`GET /v1/refunds/${refundId}`);
  expect(requests).toContain('POST /v1/customers');
});

test('a declined card is the outcome of its request', async () => {
  const method = { type: 'card', token: 'pm_card_visa_chargeDeclinedInsufficientFunds' } as const;
  const rideId = await real.saga.open({ method });
  await real.untilStatus(rideId, 'failed');
  const declined = await eventually(async () =>
    entriesOf(await timeline(rideId), 'attempt').find(({ outcome }) => outcome === 'insufficient_funds'),
  );
  expect(declined).toMatchObject({ httpStatus: 402 });
});

test('a rider looks at their own payment, an operator at any', async () => {
  const rideId = await capturedRide();
  const own = await get(`/v1/rides/${rideId}/payment`);
  expect(own.status).toBe(200);
  expect(paymentView.parse(own.body)).toEqual({
    rideId,
    status: 'captured',
    method: 'card',
    currency: 'USD',
    amountMinor: 1_500,
    capturedMinor: 1_200,
    refundedMinor: 0,
    tipMinor: 0,
    owedMinor: 0,
    action: null,
    unresolvedSince: null,
    failureReason: null,
  });
  expect(await get(`/v1/rides/${rideId}/payment`, { role: 'operator', as: 'ops' })).toEqual(own);
  expect(await get(`/v1/rides/${rideId}/payment`, { as: 'rider-2' })).toMatchObject({
    status: 404,
    body: { type: '/problems/ride_not_found' },
  });
});

test('a rider whose bank wants to see them has the page for that, which is in no fact', async () => {
  const rideId = await real.saga.open();
  const { intentId } = await real.untilStatus(rideId, 'authorized');
  const url = 'https://bank.example/challenge/1';
  const deadlineAt = '2026-11-21T22:00:00.000Z';
  const page = (changes: object, pageUrl: string | null) =>
    Promise.all([
      real.pool.query('update payments set state = state || $2 where payment_id = $1', [
        rideId,
        JSON.stringify(changes),
      ]),
      real.pool.query('update provider_intents set action_url = $2 where intent_id = $1', [
        intentId,
        pageUrl,
      ]),
    ]);
  await page({ status: 'action_required', actionDeadlineAt: deadlineAt }, url);
  expect((await get(`/v1/rides/${rideId}/payment`)).body).toMatchObject({ action: { url, deadlineAt } });
  // Answered: the page is of no use any more.
  await page({ status: 'authorized', actionDeadlineAt: null }, url);
  expect((await get(`/v1/rides/${rideId}/payment`)).body).toMatchObject({ action: null });
});

test.each([
  ['of a ride that has not asked for it', `/v1/rides/${randomUUID()}/payment`],
  ['of no ride at all', `/v1/ops/payments/${randomUUID()}`],
  ['of a malformed id', '/v1/ops/payments/42'],
])('a payment %s is not there', async (_what, path) => {
  expect(await get(path)).toMatchObject({ status: 404, body: { type: '/problems/payment_not_found' } });
});
