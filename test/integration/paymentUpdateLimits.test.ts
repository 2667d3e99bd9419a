import type { Charged } from '../../domain/paymentCalls';
import { paymentWorkflowId } from '../../domain/names';
import { freshKey, type Answer } from '../support/api';
import { apiStory, is, operator, problem, rider } from '../support/apiStory';
import { eventually } from '../support/rideSaga';

jest.setTimeout(60_000);

// Temporal takes 2,000 Updates in a workflow's life and ten at once; no rider may use up those of a payment.
const story = apiStory();
const card = { type: 'card', token: 'pm_card_visa' };

/** A ride that was driven, and charged to a card. */
async function paidRide(driverId: string): Promise<string> {
  const driver = await story.onlineDriver(driverId);
  const rideId = await story.drivenRide(driver, card);
  expect((await story.act(rideId, 'complete', driver)).status).toBe(200);
  await eventually(async () => {
    const { body } = await story.api.call('GET', `/v1/rides/${rideId}/payment`, { as: operator });
    return body['status'] === 'captured' || undefined;
  });
  return rideId;
}

const tip = (rideId: string, amountMinor: number): Promise<Answer> =>
  story.act(rideId, 'tip', rider, { amountMinor });

const refund = (rideId: string, amountMinor: number): Promise<Answer> =>
  story.api.call('POST', `/v1/ops/rides/${rideId}/refunds`, {
    as: operator,
    body: { amountMinor, reason: 'detour' },
    headers: { 'idempotency-key': freshKey() },
  });

/** How many Updates the payment's history has. */
async function updatesOf(rideId: string): Promise<number> {
  const payment = story.api.temporal.workflow.getHandle(paymentWorkflowId(rideId));
  const { events } = await payment.fetchHistory();
  return (events ?? []).filter((event) => event.workflowExecutionUpdateAcceptedEventAttributes).length;
}

test('while a tip waits for the provider it is charged once, others are told to come back, and operators are heard', async () => {
  const rideId = await paidRide('busy-1');
  const late = story.api.provider.late<'chargeTip', Charged>('chargeTip');
  const first = tip(rideId, 300);
  let refunds: Promise<Answer>[] = [];
  try {
    await late.asked;
    const others = await Promise.all(Array.from({ length: 12 }, () => tip(rideId, 300)));
    for (const other of others) expect(problem(other)).toEqual(is(429, 'payment_busy'));
    expect(others[0]!.headers.get('retry-after')).toBe('1');
    refunds = Array.from({ length: 8 }, (_, i) => refund(rideId, 10 + i));
    await eventually(async () => (await updatesOf(rideId)) === 6 || undefined);
    const path = `/v1/ops/payments/${rideId}/retry`;
    expect((await story.api.call('POST', path, { as: operator })).status).toBe(200);
  } finally {
    late.release({ charged: true, intentId: 'pi_tip' });
  }
  expect([200, 503]).toContain((await first).status);
  const busy = (await Promise.all(refunds)).filter(({ status }) => status === 429);
  expect(busy.map(problem)).toEqual(Array(3).fill(is(429, 'payment_busy')));
  expect(await eventually(async () => ((await tip(rideId, 300)).status === 200 ? 200 : undefined))).toBe(200);
  const tips = story.api.provider.asked(rideId).filter((what) => what.startsWith('tip'));
  expect(tips).toEqual(['tip 300']);
});

test('a card that declines is asked for a tip five times, however often the rider tries', async () => {
  const rideId = await paidRide('busy-2');
  const declined = (): Promise<Charged> => Promise.resolve({ charged: false, reason: 'generic_decline' });
  for (let i = 0; i < 20; i += 1) story.api.provider.next('chargeTip', declined);
  const codes: unknown[] = [];
  for (let i = 0; i < 20; i += 1) codes.push(problem(await tip(rideId, 300 + i)));
  story.api.provider.reset();
  expect(codes).toEqual([
    ...Array<unknown>(5).fill(is(402, 'tip_declined')),
    ...Array<unknown>(15).fill(is(409, 'tip_not_possible')),
  ]);
  expect(await updatesOf(rideId)).toBe(5);
});

test('a tip that was given is answered from what is committed, however often it is repeated', async () => {
  const rideId = await paidRide('busy-3');
  const given = await tip(rideId, 300);
  expect(given).toMatchObject({ status: 200, body: { rideId, tipMinor: 300, currency: 'USD' } });
  for (let i = 0; i < 20; i += 1) {
    expect((await tip(rideId, 300)).body).toEqual(given.body);
    expect(problem(await tip(rideId, 301))).toEqual(is(409, 'tip_already_given'));
  }
  expect(await updatesOf(rideId)).toBe(1);
});
