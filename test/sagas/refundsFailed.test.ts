import type { Refunded, RefundDiffers } from '../../domain/paymentCalls';
import { lateRefundsWorkflowId, paymentUpdates, providerNews, workflowTypes } from '../../domain/names';
import type { PaymentFact, PaymentFactData } from '../../domain/paymentFacts';
import { standardPolicies } from '../../domain/policies';
import type { LateRefundsStart } from '../../domain/sagas';
import { getPayment } from '../../services/payments/books/paymentStore';
import { cardOf } from '../support/card';
import { refusalOf } from '../support/paymentSaga';
import { held } from '../support/playedProvider';
import { startPlayedPayments, type PlayedPayments } from '../support/playedPayments';
import { eventually } from '../support/rideSaga';

jest.setTimeout(60_000);

let played: PlayedPayments;
let { pool, provider, saga, captured, committed, resultAfterWindow, factTypes, booked, rowAndFold } =
  {} as PlayedPayments;

beforeAll(async () => {
  played = await startPlayedPayments();
  ({ pool, provider, saga, captured, committed, resultAfterWindow, factTypes, booked, rowAndFold } = played);
});
beforeEach(() => provider.reset());
afterAll(() => played?.stop());

const failed = (intentId: string, amountMinor: number): RefundDiffers => ({
  type: 'payment.refund_failed',
  data: { refundId: 're_1', intentId, amountMinor, currency: 'USD', reason: 'unknown' },
});
const tell = (rideId: string, objectId: string) =>
  saga.handle(rideId).signal(providerNews, { eventId: 'evt_1', type: 'refund.failed', objectId });

test('of a refund over two charges the part that failed is what can be given back again', async () => {
  const rideId = await captured();
  await saga.operator(rideId, 'adjustCharge', { adjustmentKey: 'more', toMinor: 2_000, reason: 'detour' });
  await saga.refund(rideId, { refundKey: 'ops:1', amountMinor: 2_000, reason: 'accident' });
  expect(await getPayment(pool, rideId)).toMatchObject({ status: 'refunded' });
  provider.next('refundsThatDiffer', () => Promise.resolve([failed(`pi_${rideId}`, 1_500)]));
  await tell(rideId, 're_1');
  await played.untilStatus(rideId, 'partially_refunded');
  expect(await getPayment(pool, rideId)).toMatchObject({
    ...{ refundedMinor: 500, charges: [{ refundedMinor: 0 }, { refundedMinor: 500 }] },
  });
  expect(await booked(rideId)).toMatchObject({ provider_clearing: 1_500 });
  const again = { refundKey: 'ops:2', amountMinor: 1_500, reason: 'accident' };
  expect(await saga.refund(rideId, again)).toMatchObject({ refundedMinor: 2_000 });
  expect(await resultAfterWindow(rideId)).toBe('refunded');
  const [row, folded] = await rowAndFold(rideId);
  expect(row).toEqual(folded);
});

test('an operator sees it until the rider has it otherwise, and says so', async () => {
  const rideId = await captured();
  await saga.refund(rideId, { refundKey: 'ops:1', amountMinor: 600, reason: 'detour' });
  const happened = { outcome: 'happened', evidence: 'bank transfer 7', by: 'operator-1' };
  expect(await refusalOf(saga.operator(rideId, 'markResolved', happened))).toBe('resolve_not_possible');
  provider.next('refundsThatDiffer', () => Promise.resolve([failed(`pi_${rideId}`, 600)]));
  await tell(rideId, 're_1');
  await played.untilStatus(rideId, 'captured');
  expect(await cardOf(saga.handle(rideId))).toMatch(/failed to go back: USD 6\.00; reason: `unknown`/);
  const didNot = { ...happened, outcome: 'did_not_happen' };
  expect(await refusalOf(saga.operator(rideId, 'markResolved', didNot))).toBe('resolve_not_possible');
  expect(await saga.operator(rideId, 'markResolved', happened)).toMatchObject({ refundFailedMinor: 0 });
  expect((await factTypes(rideId)).at(-1)).toBe('payment.refund_settled');
  expect(await cardOf(saga.handle(rideId))).not.toContain('failed to go back');
  const [row, folded] = await rowAndFold(rideId);
  expect(row).toEqual(folded);
});

test('what is given back after it counts for what had failed', async () => {
  const rideId = await captured();
  await saga.refund(rideId, { refundKey: 'ops:1', amountMinor: 600, reason: 'detour' });
  provider.next('refundsThatDiffer', () => Promise.resolve([failed(`pi_${rideId}`, 600)]));
  await tell(rideId, 're_1');
  expect(await played.untilStatus(rideId, 'captured')).toMatchObject({ refundFailedMinor: 600 });
  await saga.refund(rideId, { refundKey: 'ops:2', amountMinor: 400, reason: 'detour' });
  expect(await getPayment(pool, rideId)).toMatchObject({ refundFailedMinor: 200 });
  await saga.refund(rideId, { refundKey: 'ops:3', amountMinor: 400, reason: 'detour' });
  expect(await getPayment(pool, rideId)).toMatchObject({ refundFailedMinor: 0, refundedMinor: 800 });
});

test('news of it waits until the refund under way is booked', async () => {
  const rideId = await captured();
  const answer = held<Refunded>();
  provider.next('refund', () => answer.promise);
  const refund = saga.refund(rideId, { refundKey: 'ops:1', amountMinor: 600, reason: 'detour' });
  await answer.asked;
  provider.next('refundsThatDiffer', () => Promise.resolve([failed(`pi_${rideId}`, 600)]));
  await tell(rideId, 're_1');
  answer.release({ refunded: true, refundId: 're_1' });
  expect(await refund).toMatchObject({ refundedMinor: 600 });
  await eventually(async () => (await factTypes(rideId)).includes('payment.refund_failed') || undefined);
  expect((await factTypes(rideId)).slice(-2)).toEqual(['payment.refunded', 'payment.refund_failed']);
  expect(await getPayment(pool, rideId)).toMatchObject({ status: 'captured', refundedMinor: 0 });
});

test('one that was made beside the house is booked, and counts for what is given back after it', async () => {
  const rideId = await captured();
  const made = { ...failed(`pi_${rideId}`, 600), type: 'payment.refunded' } as const;
  provider.next('refundsThatDiffer', () => Promise.resolve([made]));
  await tell(rideId, 're_1');
  expect(await played.untilStatus(rideId, 'partially_refunded')).toMatchObject({ refundedMinor: 600 });
  await saga.operator(rideId, 'adjustCharge', { adjustmentKey: 'ops:1', toMinor: 900, reason: 'detour' });
  expect(provider.asked(rideId)).not.toContain('refund 600');
});

test('other news looks at no refund', async () => {
  const rideId = await captured();
  await saga.refund(rideId, { refundKey: 'ops:1', amountMinor: 600, reason: 'detour' });
  await tell(rideId, 'pi_1');
  expect(await resultAfterWindow(rideId)).toBe('partially_refunded');
  expect(provider.asked(rideId)).not.toContain('refunds that differ');
});

describe('when its payment is over', () => {
  const taken = { intentId: 'pi_1', currency: 'USD', amountMinor: 1_500 };
  const refund = { ...taken, refundId: 're_1', amountMinor: 400 };
  const happened = { outcome: 'happened', evidence: 'bank transfer 7', by: 'operator-1' };

  /** A payment of 15 dollars that was carried by a workflow that is over, and of which 4 were given back. */
  async function over(then: Partial<PaymentFactData>): Promise<string> {
    const data: Partial<PaymentFactData> = {
      'payment.authorized': taken,
      'payment.captured': { ...taken, driverId: 'driver-1', commissionMinor: 300 },
      'payment.refunded': { ...refund, reason: 'detour' },
      ...then,
    };
    const at = new Date().toISOString();
    const facts = Object.entries(data).map(([type, of]) => ({ type, at, data: of }) as PaymentFact);
    return (await committed({}, ...facts)).rideId;
  }

  /** News of a refund, as the gateway tells it. */
  const hear = (rideId: string) =>
    saga.client.workflow.signalWithStart(workflowTypes.lateRefunds, {
      ...{ workflowId: lateRefundsWorkflowId(rideId), taskQueue: saga.taskQueue },
      args: [{ rideId, policies: standardPolicies }] as [LateRefundsStart],
      ...{
        signal: providerNews,
        signalArgs: [{ eventId: 'evt_1', type: 'refund.failed', objectId: 're_1' }],
      },
    });

  test.each(['payment.refund_failed', 'payment.refunded'] as const)(
    'nothing hangs of a payment in doubt, on which no %s is booked',
    async (type) => {
      const rideId = await over({ 'payment.unresolved': { call: 'chargeTip', reason: 'nobody knows' } });
      provider.next('refundsThatDiffer', () => Promise.resolve([{ type, data: failed('pi_1', 400).data }]));
      expect(await (await hear(rideId)).result()).toBe('unresolved');
      expect((await factTypes(rideId)).at(-1)).toBe('payment.unresolved');
    },
  );

  test('an operator’s word waits for a look under way: what that finds given back is settled no more', async () => {
    const rideId = await over({ 'payment.refund_failed': { ...refund, reason: 'unknown' } });
    const answer = held<RefundDiffers[]>();
    provider.next('refundsThatDiffer', () => answer.promise);
    const late = await hear(rideId);
    await answer.asked;
    const word = await late.startUpdate(paymentUpdates.markResolved, {
      ...{ args: [happened], waitForStage: 'ACCEPTED' },
    });
    answer.release([{ type: 'payment.refunded', data: { ...refund, refundId: 're_2', reason: 'by hand' } }]);
    expect(await refusalOf(word.result())).toBe('resolve_not_possible');
    expect(await late.result()).toBe('partially_refunded');
    expect(await getPayment(pool, rideId)).toMatchObject({ refundedMinor: 400, refundFailedMinor: 0 });
    expect((await factTypes(rideId)).slice(-2)).toEqual(['payment.refund_failed', 'payment.refunded']);
  });
});
