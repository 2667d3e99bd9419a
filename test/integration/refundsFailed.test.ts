import { readFile } from 'node:fs/promises';
import { lateRefundsWorkflowId, paymentWorkflowId } from '../../domain/names';
import { standardPolicies } from '../../domain/policies';
import { stepsOf } from '../../platform/outbox';
import { getPayment } from '../../services/payments/books/paymentStore';
import { balancesOf } from '../../services/payments/books/ledger';
import { createTellNews, type TellNews } from '../../services/payments/news/tellNews';
import { reconcileWith } from '../../tools/cli/reconcile';
import { startReconcileGround, type ReconcileGround } from '../support/reconcileGround';
import { eventually } from '../support/rideSaga';

jest.setTimeout(60_000);

let ground: ReconcileGround;
let tell: TellNews;

beforeAll(async () => {
  ground = await startReconcileGround();
  const { pool, saga } = ground;
  tell = createTellNews({ pool, temporal: saga.client, policies: standardPolicies, deadlineMs: 5_000 });
});
afterAll(() => ground?.stop());

/** A ride of 15 dollars of which 4 went back, to a card whose bank sends them back to us. */
async function refundedInVain(): Promise<{ rideId: string; refundId: string }> {
  const { saga, psp, untilTold, untilStatus } = ground;
  const rideId = await saga.open({ method: { type: 'card', token: 'pm_card_refundFail' } });
  await untilTold(rideId);
  await saga.rideEnded(rideId, { amountMinor: 1_500, driverId: 'driver-1' });
  await untilStatus(rideId, 'captured');
  const order = { refundKey: 'ops:1', amountMinor: 400, reason: 'detour' };
  const { refundId } = await saga.refund(rideId, order);
  psp.pass(6 * 60_000);
  return { rideId, refundId };
}

const news = (rideId: string, refundId: string, type = 'refund.failed') =>
  tell(
    {
      news: { eventId: 'evt_1', type, objectId: refundId },
      about: { about: 'payment', intentId: 'pi_1', rideId },
    },
    { rideId, toldAt: null },
  );

const failures = async (rideId: string): Promise<object[]> =>
  (await stepsOf(ground.pool, rideId)).flatMap(({ factType, fact }) =>
    factType === 'payment.refund_failed' ? [fact['data'] as object] : [],
  );

/** What the provider has of this ride, by its books and by ours. */
async function ofProvider(rideId: string): Promise<{ theirs: number; ours: number | undefined }> {
  const balances = await balancesOf(ground.pool, rideId);
  return {
    theirs: await ground.psp.netOf(rideId),
    ours: balances.find(({ account }) => account === 'provider_clearing')?.amountMinor,
  };
}

test('a refund that fails is booked back once, however often that is told, and can be given anew', async () => {
  const { rideId, refundId } = await refundedInVain();
  expect(await news(rideId, refundId)).toBe(paymentWorkflowId(rideId));
  const payment = await ground.untilStatus(rideId, 'captured');
  expect(payment).toMatchObject({ refundedMinor: 0, charges: [{ amountMinor: 1_500, refundedMinor: 0 }] });
  expect(await failures(rideId)).toEqual([
    {
      ...{ refundId, intentId: payment.intentId, amountMinor: 400, currency: 'USD' },
      reason: 'expired_or_canceled_card',
    },
  ]);
  expect(await ofProvider(rideId)).toEqual({ theirs: 1_500, ours: 1_500 });
  const again = { refundKey: 'ops:2', amountMinor: 1_500, reason: 'detour' };
  expect(await ground.saga.refund(rideId, again)).toMatchObject({ refundedMinor: 1_500 });
  await news(rideId, refundId);
  await news(rideId, refundId);
  // One after another: when this is answered, the news was looked at.
  await ground.saga.operator(rideId, 'adjustCharge', { adjustmentKey: 'same', toMinor: 0, reason: 'none' });
  await ground.saga.handle(rideId).terminate('the window is not waited for');
  expect(await failures(rideId)).toHaveLength(1);
  expect(await ofProvider(rideId)).toEqual({ theirs: 0, ours: 0 });
});

test('one that fails when its payment is over, and of which nobody has told us, is found and booked back', async () => {
  const { rideId, refundId } = await refundedInVain();
  await ground.saga.handle(rideId).terminate('as if the window were over');
  expect(await ground.drifts('provider', rideId)).toMatchObject([
    { kind: 'refund_differs', byMinor: -400, repair: { does: 'tell_refunds', rideId, refundId } },
  ]);
  const report = await reconcileWith(ground.reconciler, ground.order({ repairs: true }));
  const ours = report.findings.filter(({ drift }) => drift.ids['rideId'] === rideId);
  expect(ours).toMatchObject([{ repaired: true, tried: 'its workflow was told to look' }]);
  expect(await failures(rideId)).toMatchObject([{ refundId, amountMinor: 400 }]);
  expect(await ground.saga.client.workflow.getHandle(lateRefundsWorkflowId(rideId)).result()).toBe(
    'captured',
  );
  expect(await ofProvider(rideId)).toEqual({ theirs: 1_500, ours: 1_500 });
});

test('one that failed before such refunds were counted is counted by the migration, as its facts have it', async () => {
  const { rideId, refundId } = await refundedInVain();
  await news(rideId, refundId);
  const payment = await ground.untilStatus(rideId, 'captured');
  expect(payment).toMatchObject({ refundFailedMinor: 400, failureReason: 'expired_or_canceled_card' });
  await ground.byHand.query(
    `update payments set state = state || '{"refundFailedMinor": 0, "failureReason": null}' where payment_id = $1`,
    [rideId],
  );
  const migration = 'services/payments/migrations/0017_refunds_failed_before.sql';
  await ground.byHand.query(await readFile(migration, 'utf8'));
  expect(await getPayment(ground.pool, rideId)).toEqual(payment);
  await ground.saga.handle(rideId).terminate('the window is not waited for');
});

test('news of it begins a workflow when the payment’s own is over; no other news does', async () => {
  const { rideId, refundId } = await refundedInVain();
  await ground.saga.handle(rideId).terminate('as if the window were over');
  expect(await news(rideId, 'pi_1', 'refund.failed')).toBeNull();
  expect(await news(rideId, refundId)).toBe(lateRefundsWorkflowId(rideId));
  const begun = ground.saga.client.workflow.getHandle(lateRefundsWorkflowId(rideId));
  await eventually(async () => ((await begun.describe()).status.name === 'RUNNING' ? true : undefined));
  await begun.terminate('nobody carries it here');
});
