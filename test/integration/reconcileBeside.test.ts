import { randomUUID } from 'node:crypto';
import { createPaymentActivities } from '../../activities/payments';
import type { Payment } from '../../domain/payment';
import type { Drift } from '../../domain/reconciliation';
import { balancesOf } from '../../services/payments/books/ledger';
import { storeIntentId } from '../../services/payments/books/paymentStore';
import { reconcileWith } from '../../tools/cli/reconcile';
import { providerAccess } from '../support/payments';
import { startReconcileGround, type ReconcileGround } from '../support/reconcileGround';
import { vaultInMemory } from '../../tools/vaultInMemory';

/** What operators do at the provider itself, because a drift's line says so or because nothing else is left. */

jest.setTimeout(60_000);

let ground: ReconcileGround;
beforeAll(async () => {
  ground = await startReconcileGround();
});
afterAll(() => ground?.stop());

const drifts = (rideId: string): Promise<Drift[]> => ground.drifts('provider', rideId);
const giveBack = (payment_intent: string, amount: number) =>
  ground.psp.stripe.refunds.create({ payment_intent, amount });

/** 7 dollars taken by hand for a ride of which there is no such charge. */
async function taken(rideId: string): Promise<string> {
  const { id } = await ground.psp.stripe.paymentIntents.create({
    ...{ amount: 700, currency: 'usd', confirm: true, off_session: true, metadata: { rideId } },
    ...{ payment_method: 'pm_card_visa', allowed_payment_method_types: ['card'] },
  });
  return id;
}

test.each(['not stored', 'stored', 'of no payment'])(
  'taken too much by an intent that is %s, and given back: nothing differs any more',
  async (which) => {
    const rideId = which === 'of no payment' ? randomUUID() : await ground.voided();
    const intentId = await taken(rideId);
    if (which === 'stored')
      await storeIntentId(ground.pool, { paymentId: rideId, purpose: 'hold', intentVersion: 2 }, intentId);
    const kind = which === 'of no payment' ? 'intent_unknown' : 'capture_differs';
    expect(await drifts(rideId)).toMatchObject([{ kind, byMinor: 700 }]);
    await giveBack(intentId, 200);
    expect(await drifts(rideId)).toMatchObject([{ kind, byMinor: 500 }]);
    await giveBack(intentId, 500);
    expect(await drifts(rideId)).toEqual([]);
  },
);

/** A run with repairs, and what it has booked by then. */
async function repaired(rideId: string): Promise<Payment> {
  const report = await reconcileWith(ground.reconciler, ground.order({ repairs: true }));
  const ours = report.findings.filter(({ drift }) => drift.ids['rideId'] === rideId);
  expect(ours).toMatchObject([{ repaired: true, drift: { kind: 'refund_differs', byMinor: 400 } }]);
  const payment = await ground.untilStatus(rideId, 'partially_refunded');
  const balances = await balancesOf(ground.pool, rideId);
  expect(balances.find(({ account }) => account === 'provider_clearing')?.amountMinor).toBe(1_100);
  expect(await ground.psp.netOf(rideId)).toBe(1_100);
  return payment;
}

test('a refund on the provider’s own page is booked, and no adjustment gives it back once more', async () => {
  const rideId = await ground.captured();
  const { intentId } = await ground.untilStatus(rideId, 'captured');
  const { id: refundId } = await giveBack(intentId!, 400);
  expect(await drifts(rideId)).toMatchObject([{ repair: { does: 'tell_refunds', rideId, refundId } }]);
  expect(await repaired(rideId)).toMatchObject({ refundedMinor: 400, charges: [{ refundedMinor: 400 }] });
  const adjustment = { adjustmentKey: 'ops:1', toMinor: 1_100, reason: 'detour' };
  await ground.saga.operator(rideId, 'adjustCharge', adjustment);
  expect(await ground.psp.netOf(rideId)).toBe(1_100);
});

test('so is one that is made when the payment is over', async () => {
  const rideId = await ground.captured();
  const { intentId } = await ground.untilStatus(rideId, 'captured');
  await ground.saga.handle(rideId).terminate('as if the window were over');
  await giveBack(intentId!, 400);
  expect(await repaired(rideId)).toMatchObject({ refundedMinor: 400 });
  expect(await drifts(rideId)).toEqual([]);
});

test('a payment of an older version, which books as failed whatever it is answered, is not told of it', async () => {
  const rideId = await ground.captured();
  await ground.saga.refund(rideId, { refundKey: 'ops:1', amountMinor: 300, reason: 'detour' });
  const { intentId } = await ground.untilStatus(rideId, 'partially_refunded');
  const { id: refundId } = await giveBack(intentId!, 400);
  const { client } = providerAccess(ground.pool, ground.psp.url);
  const { provider } = createPaymentActivities({
    pool: ground.pool,
    vault: vaultInMemory(),
    provider: client,
  });
  expect(await provider.failedRefunds(rideId)).toEqual([]);
  expect(await provider.refundsThatDiffer(rideId)).toMatchObject([
    { type: 'payment.refunded', data: { refundId, intentId, amountMinor: 400 } },
  ]);
});

test('a transfer to a payout that we do not know is no drift any more when it was reversed', async () => {
  const payoutId = randomUUID();
  await ground.psp.post('/sandbox/funds', { amount: 100_000, currency: 'usd' });
  const order = { amount: 5_000, currency: 'usd', destination: 'acct_1', transfer_group: payoutId };
  const { id } = await ground.psp.stripe.transfers.create({ ...order, metadata: { payoutId } });
  expect(await drifts(payoutId)).toMatchObject([{ byMinor: 5_000 }]);
  await ground.psp.stripe.transfers.createReversal(id);
  expect(await drifts(payoutId)).toEqual([]);
});
