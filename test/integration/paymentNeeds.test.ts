import { randomUUID } from 'node:crypto';
import { ApplicationFailure } from '@temporalio/common';
import { createPaymentActivities, type PaymentTransitions } from '../../activities/payments';
import { paymentNeedsView, type PaymentNeedsView } from '../../contracts/api/needs';
import { lateRefundsWorkflowId, paymentWorkflowId } from '../../domain/names';
import type { PaymentFact, PaymentFactData } from '../../domain/paymentFacts';
import { getPayment } from '../../services/payments/books/paymentStore';
import { needyLines } from '../../tools/cli/payments';
import { apiStory, operator, rider } from '../support/apiStory';
import { phaseOf } from '../support/card';
import { commitFacts, paymentOrder, providerAccess } from '../support/payments';
import { eventually } from '../support/rideSaga';
import { vaultInMemory } from '../../tools/vaultInMemory';

jest.setTimeout(60_000);

const story = apiStory();
const MINUTE = 60_000;
const [intentId, currency] = ['pi_1', 'USD'];
const time = (fromNowMs: number): string => new Date(Date.now() + fromNowMs).toISOString();

let transitions: PaymentTransitions;
beforeAll(() => {
  const { payments: pool } = story.api;
  transitions = createPaymentActivities({
    pool,
    vault: vaultInMemory(),
    provider: providerAccess(pool, '').client,
  }).transitions;
});
afterEach(() => story.api.payments.query('delete from payments'));

type Happened = {
  [T in keyof PaymentFactData]: readonly [T, PaymentFactData[T]];
}[keyof PaymentFactData];

/** A payment to which this has happened; no workflow carries it. */
async function paymentWith(...facts: Happened[]): Promise<string> {
  const order = paymentOrder();
  await happenedTo(order.rideId, 0, ['payment.opened', order], ...facts);
  return order.rideId;
}

const happenedTo = (rideId: string, atVersion: number, ...facts: Happened[]): Promise<void> =>
  commitFacts(
    transitions,
    rideId,
    atVersion,
    facts.map(([type, data]) => ({ type, at: time(0), data }) as PaymentFact),
  );

const authorized: Happened = ['payment.authorized', { intentId, amountMinor: 1_500, currency }];
const split = { currency, driverId: 'driver-1', commissionMinor: 300 };
const inDoubt: Happened = ['payment.unresolved', { call: 'capture', reason: 'timed_out' }];
const inDebt: Happened = ['payment.charge_failed', { ...split, owedMinor: 900, reason: 'card_declined' }];
const shortBy = (missing: number): Happened => [
  'payment.captured',
  { ...split, intentId, amountMinor: 1_500, owedMinor: 1_500 + missing },
];
const asked = (deadlineAt: string): Happened => ['payment.action_required', { intentId, deadlineAt }];

async function needs(query = ''): Promise<PaymentNeedsView> {
  const { status, body } = await story.api.call('GET', `/v1/ops/payments${query}`, { as: operator });
  expect({ status, body }).toMatchObject({ status: 200 });
  return paymentNeedsView.parse(body);
}

test('lists what is in doubt, in debt or not answered in time, and nothing else', async () => {
  const doubted = await paymentWith(authorized, inDoubt);
  const owed = await paymentWith(authorized, inDebt);
  const short = await paymentWith(authorized, shortBy(250));
  const late = await paymentWith(asked(time(-3 * MINUTE)));
  await paymentWith(asked(time(-MINUTE)));
  await paymentWith(asked(time(5 * MINUTE)));
  await paymentWith();
  await paymentWith(authorized);
  await paymentWith(authorized, shortBy(0));
  const { payments, next, incomplete } = await needs();
  expect({ next, incomplete }).toEqual({ next: null, incomplete: false });
  const byRide = new Map(payments.map((payment) => [payment.rideId, payment]));
  expect([...byRide.keys()].sort()).toEqual([doubted, owed, short, late].sort());
  const plain = { isStuck: false, currency };
  expect(byRide.get(doubted)).toMatchObject({
    ...plain,
    ...{ need: 'unresolved', status: 'unresolved', owedMinor: 0, reason: 'capture: timed_out' },
    workflowId: paymentWorkflowId(doubted),
  });
  expect(byRide.get(owed)).toMatchObject({
    ...plain,
    ...{ need: 'owed', status: 'owed', owedMinor: 900, reason: 'card_declined' },
  });
  expect(byRide.get(short)).toMatchObject({
    ...plain,
    ...{ need: 'owed', status: 'captured', owedMinor: 250, reason: null },
  });
  expect(byRide.get(late)).toMatchObject({ ...plain, need: 'action_overdue', status: 'action_required' });
});

const refunded: Happened = [
  'payment.refunded',
  { refundId: 're_1', amountMinor: 400, currency, reason: 'detour', intentId },
];
const refundFailed: Happened = [
  'payment.refund_failed',
  { refundId: 're_1', amountMinor: 400, currency, reason: 'expired_card', intentId },
];

test('a refund that failed is listed until the rider has it otherwise, also when the payment is over', async () => {
  const rideId = await story.newRide({ type: 'card', token: 'pm_card_visa' });
  const { temporal } = story.api;
  await eventually(async () => (await needs()).payments.length === 0 || undefined);
  const own = temporal.workflow.getHandle(paymentWorkflowId(rideId));
  await eventually(async () =>
    (await getPayment(story.api.payments, rideId))?.version === 2 ? true : undefined,
  );
  await own.terminate('as if its time were over');
  await happenedTo(rideId, 2, shortBy(0), refunded, refundFailed);
  const given = await paymentWith(authorized, shortBy(0), refunded, refundFailed, refunded);
  expect((await needs('?need=refund_failed')).payments).toMatchObject([
    { rideId, status: 'captured', refundFailedMinor: 400, reason: 'expired_card', isStuck: false },
  ]);
  expect(given).not.toBe(rideId);
  const resolve = (outcome: string) =>
    story.api.call('POST', `/v1/ops/payments/${rideId}/resolve`, {
      as: operator,
      body: { outcome, evidence: 'bank transfer 7' },
    });
  expect(await resolve('did_not_happen')).toMatchObject({
    ...{ status: 409, body: { code: 'resolve_not_possible' } },
  });
  expect(await resolve('happened')).toMatchObject({ status: 200, body: { refundedMinor: 0 } });
  expect((await needs()).payments).toEqual([]);
  expect(await resolve('happened')).toMatchObject({ status: 409 });
  const late = temporal.workflow.getHandle(lateRefundsWorkflowId(rideId));
  expect(await late.result()).toBe('captured');
});

test('page by page, each once, and only those of a need', async () => {
  const owed = [];
  for (let i = 0; i < 5; i += 1) owed.push(await paymentWith(authorized, inDebt));
  const doubted = await paymentWith(authorized, inDoubt);
  const seen: string[] = [];
  let query = '?limit=2&need=owed';
  for (let next: string | null = ''; next !== null; query = `?limit=2&need=owed&after=${next}`) {
    const page = await needs(query);
    expect(page.payments.length).toBeLessThanOrEqual(2);
    seen.push(...page.payments.map(({ rideId }) => rideId));
    next = page.next;
  }
  expect(seen).toEqual([...owed].sort());
  expect((await needs('?need=unresolved')).payments).toMatchObject([{ rideId: doubted }]);
  expect((await needs('?need=stuck')).payments).toEqual([]);
});

test('a payment that is parked is listed with its card, and no longer when an operator had it tried again', async () => {
  const { provider, temporal, token, url: apiUrl } = story.api;
  const rideId = await story.newRide({ type: 'card', token: 'pm_card_visa' });
  await eventually(async () => {
    const { body } = await story.api.call('GET', `/v1/rides/${rideId}`, { as: rider });
    return body.status === 'matching' || undefined;
  });
  const workflow = temporal.workflow.getHandle(paymentWorkflowId(rideId));
  expect(await phaseOf(workflow)).toBe('in_order');
  provider.next('voidHold', () => Promise.reject(ApplicationFailure.nonRetryable('No such intent.', 'gone')));
  await story.act(rideId, 'cancel', operator, { reason: 'stuck' });
  const listed = () => needs('?need=stuck').then(({ payments }) => payments);
  const [payment] = await eventually(async () => {
    const payments = await listed();
    return payments.length > 0 ? payments : undefined;
  });
  expect(payment).toMatchObject({ rideId, need: 'stuck', status: 'authorized', isStuck: true });

  const sources = { apiUrl, temporal, token: await token(...operator), temporalUiUrl: 'http://ui.example' };
  const printed: string[] = [];
  for await (const line of needyLines(sources)) printed.push(line);
  expect(printed).toHaveLength(1);
  expect(printed[0]).toMatch(
    new RegExp(
      `^${rideId} is authorized since 20\\S+: it is parked, or what it does has failed for minutes\n`,
    ),
  );
  expect(printed[0]).toContain('\n  Parked: could not release the hold (version 2), since 20');
  expect(printed[0]).toContain('release the hold: `No such intent.`\n');
  expect(printed[0]).toContain(`/workflows/${paymentWorkflowId(rideId)}`);

  const retried = await story.api.call('POST', `/v1/ops/payments/${rideId}/retry`, { as: operator });
  expect(retried.status).toBe(200);
  expect(await workflow.result()).toBe('voided');
  await eventually(async () => (await listed()).length === 0 || undefined);
});

test('is for operators, and says so when Temporal is away', async () => {
  const url = await story.api.withoutTemporal();
  const answer = await story.api.call('GET', '/v1/ops/payments', { as: operator, url });
  expect(answer).toMatchObject({ status: 503, body: { type: '/problems/dependency_unavailable' } });
  expect(answer.headers.get('retry-after')).not.toBeNull();
  expect(await story.api.call('GET', '/v1/ops/payments', { as: rider })).toMatchObject({ status: 403 });
  expect(await story.api.call('GET', '/v1/ops/ledger/balances', { as: rider })).toMatchObject({
    status: 403,
  });
});

test.each(['?need=help', '?limit=0', '?limit=201', '?after=42', `?rideId=${randomUUID()}`])(
  '%s is refused',
  async (query) => {
    const answer = await story.api.call('GET', `/v1/ops/payments${query}`, { as: operator });
    expect(answer).toMatchObject({ status: 400 });
  },
);
