import type Stripe from 'stripe';
import { holdWith, refusal, startPsp, type RunningPsp } from '../support/sandboxPsp';

const day = 24 * 60 * 60 * 1_000;

let psp: RunningPsp;
let stripe: Stripe;

beforeEach(async () => {
  psp = await startPsp();
  ({ stripe } = psp);
});
afterEach(() => psp.stop());

const usd = async () => (await psp.ledger()).currencies['USD'];
const types = async () => (await stripe.events.list()).data.map(({ type }) => type).reverse();
/** A ride that was paid with 25.00. */
const paid = (payment_method = 'pm_card_visa') =>
  holdWith(stripe, { payment_method, capture_method: 'automatic' });
const intentOf = ({ payment_intent }: Stripe.Dispute): string => payment_intent as string;
const disputed = async (payment_method = 'pm_card_createDispute'): Promise<Stripe.Dispute> => {
  const { id } = await paid(payment_method);
  const { data } = await stripe.disputes.list({ payment_intent: id });
  return data[0]!;
};

test('a disputed charge: its money and a fee are gone, and evidence is asked for', async () => {
  const dispute = await disputed('pm_card_createDisputeProductNotReceived');
  expect(dispute).toMatchObject({
    status: 'needs_response',
    reason: 'product_not_received',
    amount: 2500,
    currency: 'usd',
    is_charge_refundable: false,
    evidence_details: { has_evidence: false, past_due: false, submission_count: 0 },
    balance_transactions: [{ amount: -2500, fee: 1500, net: -4000 }],
  });
  expect((dispute.evidence_details.due_by ?? 0) * 1_000).toBe(psp.clock.now.getTime() + 9 * day);
  expect(await usd()).toMatchObject({
    capturedMinor: 2500,
    disputedMinor: 2500,
    disputeFeesMinor: 1500,
    balanceMinor: -1500,
  });
  expect(await types()).toEqual(['payment_intent.succeeded', 'charge.dispute.created']);
  expect(await refusal(stripe.refunds.create({ payment_intent: intentOf(dispute) }))).toMatchObject({
    code: 'charge_disputed',
  });
  const movements = (await psp.ledger()).movements.map(({ kind, net, rideId }) => [kind, net, rideId]);
  expect(movements).toEqual([
    ['capture', 2500, 'ride-1'],
    ['dispute', -2500, 'ride-1'],
    ['dispute_fee', -1500, 'ride-1'],
  ]);
});

test.each([
  ['winning_evidence', 'won', 1000],
  ['losing_evidence', 'lost', -1500],
] as const)('%s: %s at once, and the balance is %i', async (words, status, balanceMinor) => {
  const { id } = await disputed();
  const update = { evidence: { uncategorized_text: words } };
  expect(await stripe.disputes.update(id, { ...update, submit: false })).toMatchObject({
    status: 'needs_response',
    evidence: { uncategorized_text: words, receipt: null },
    evidence_details: { has_evidence: true, submission_count: 0 },
  });
  expect(await stripe.disputes.update(id, update)).toMatchObject({
    status,
    evidence_details: { submission_count: 1 },
  });
  expect(await usd()).toMatchObject({ balanceMinor });
  expect((await types()).at(-1)).toBe('charge.dispute.closed');
  expect(await refusal(stripe.disputes.update(id, update))).toMatchObject({ statusCode: 400 });
  expect((await psp.ledger()).consistent).toBe(true);
});

test('other evidence is looked at until the bank decides', async () => {
  const [first, second] = [await disputed(), await disputed()];
  for (const { id } of [first, second]) {
    const update = { evidence: { uncategorized_text: 'They sat in the car for an hour.' }, submit: true };
    expect((await stripe.disputes.update(id, update)).status).toBe('under_review');
    expect(await refusal(stripe.disputes.update(id, update))).toMatchObject({
      message: expect.stringContaining('already been submitted') as string,
    });
  }
  psp.pass(30 * day);
  expect((await stripe.disputes.retrieve(first.id)).status).toBe('under_review');
  expect(await psp.post(`/sandbox/disputes/${first.id}/win`)).toMatchObject({
    status: 'won',
    is_charge_refundable: true,
  });
  expect(await psp.post(`/sandbox/disputes/${second.id}/lose`)).toMatchObject({ status: 'lost' });
  await expect(psp.post(`/sandbox/disputes/${second.id}/win`)).rejects.toThrow(/400.*already closed/);
  expect(await usd()).toMatchObject({ disputesWonMinor: 2500, disputeFeesMinor: 3000, balanceMinor: -500 });
  const refund = await stripe.refunds.create({ payment_intent: intentOf(first), amount: 100 });
  expect(refund.status).toBe('succeeded');
});

test('who says nothing, or gives in, has lost', async () => {
  const [silent, given] = [await disputed(), await disputed()];
  expect((await stripe.disputes.close(given.id)).status).toBe('lost');
  expect(await refusal(stripe.disputes.close(given.id))).toMatchObject({ statusCode: 400 });
  psp.pass(9 * day);
  expect(await stripe.disputes.retrieve(silent.id)).toMatchObject({
    status: 'lost',
    evidence_details: { past_due: true },
  });
  expect((await types()).filter((type) => type === 'charge.dispute.closed')).toHaveLength(2);
});

describe('an inquiry', () => {
  const inquiry = () => disputed('pm_card_createDisputeInquiry');
  const evidence = { uncategorized_text: 'They sat in the car for an hour.' };

  test('takes nothing, hears evidence, and may be over with it', async () => {
    const asked = await inquiry();
    expect(asked).toMatchObject({
      status: 'warning_needs_response',
      balance_transactions: [],
      is_charge_refundable: true,
    });
    expect((await stripe.disputes.update(asked.id, { evidence })).status).toBe('warning_under_review');
    expect(await psp.post(`/sandbox/disputes/${asked.id}/win`)).toMatchObject({ status: 'warning_closed' });
    await expect(psp.post(`/sandbox/disputes/${asked.id}/escalate`)).rejects.toThrow(/400.*no open inquiry/);
    expect(await usd()).toMatchObject({ balanceMinor: 2500 });
    const all = await types();
    expect(all.slice(1)).toEqual([
      'charge.dispute.created',
      'charge.dispute.updated',
      'charge.dispute.closed',
    ]);
  });

  test('becomes a dispute: the money goes, and evidence is heard anew', async () => {
    const { id } = await inquiry();
    await stripe.disputes.update(id, { evidence });
    expect(await psp.post(`/sandbox/disputes/${id}/escalate`)).toMatchObject({
      status: 'needs_response',
      balance_transactions: [{ net: -4000 }],
      evidence_details: { submission_count: 1 },
    });
    expect(await usd()).toMatchObject({ balanceMinor: -1500 });
    const winning = { uncategorized_text: 'winning_evidence' };
    expect((await stripe.disputes.update(id, { evidence: winning })).status).toBe('won');
    expect(await usd()).toMatchObject({ balanceMinor: 1000 });
    expect((await psp.ledger()).consistent).toBe(true);
  });
});

test('any captured payment may be disputed by the door, in part, up to what is left of it', async () => {
  const { id } = await paid();
  await stripe.refunds.create({ payment_intent: id, amount: 1000 });
  expect(await psp.post('/sandbox/disputes', { paymentIntent: id, amount: 700 })).toMatchObject({
    amount: 700,
    reason: 'fraudulent',
  });
  await expect(psp.post('/sandbox/disputes', { paymentIntent: id, amount: 801 })).rejects.toThrow(/400/);
  expect(await psp.post('/sandbox/disputes', { paymentIntent: id })).toMatchObject({ amount: 800 });
  const { id: held } = await holdWith(stripe);
  await expect(psp.post('/sandbox/disputes', { paymentIntent: held })).rejects.toThrow(/400/);
  expect((await psp.ledger()).consistent).toBe(true);
});

describe('refunds that their bank answers later', () => {
  const later = 5 * 60 * 1_000;

  test('one that fails comes back to us, and can be given again', async () => {
    const { id } = await paid('pm_card_refundFail');
    const refund = await stripe.refunds.create({ payment_intent: id });
    expect(refund.status).toBe('succeeded');
    expect(await usd()).toMatchObject({ balanceMinor: 0 });
    psp.pass(later);
    expect(await stripe.refunds.retrieve(refund.id)).toMatchObject({
      status: 'failed',
      failure_reason: 'expired_or_canceled_card',
    });
    expect(await usd()).toMatchObject({ refundedMinor: 2500, refundsFailedMinor: 2500, balanceMinor: 2500 });
    expect(await types()).toEqual(['payment_intent.succeeded', 'charge.refunded', 'refund.failed']);
    psp = await psp.restart();
    ({ stripe } = psp);
    expect((await stripe.refunds.create({ payment_intent: id })).amount).toBe(2500);
    expect((await psp.ledger()).consistent).toBe(true);
  });

  test('one that is pending arrives', async () => {
    const { id } = await paid('pm_card_pendingRefund');
    const { id: refundId, status } = await stripe.refunds.create({ payment_intent: id });
    expect(status).toBe('pending');
    psp.pass(later);
    expect((await stripe.refunds.retrieve(refundId)).status).toBe('succeeded');
    expect((await types()).at(-1)).toBe('refund.updated');
  });
});
