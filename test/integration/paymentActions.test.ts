import type { PaymentMethod } from '../../domain/ride';
import { startRealPayments, type RealPayments } from '../support/realPayments';

jest.setTimeout(60_000);

let real: RealPayments;
let { saga, psp, pool, untilStatus, untilTold } = {} as RealPayments;

beforeAll(async () => {
  real = await startRealPayments();
  ({ saga, psp, pool, untilStatus, untilTold } = real);
});
afterAll(() => real?.stop());

const asks: PaymentMethod = { type: 'card', token: 'pm_card_threeDSecure2Required' };
const pays: PaymentMethod = { type: 'card', token: 'pm_card_visa' };

const actionOf = async (rideId: string): Promise<{ intentId: string; url: string | null }> => {
  const { rows } = await pool.query<{ intentId: string; url: string | null }>(
    'select intent_id as "intentId", action_url as url from provider_intents where payment_id = $1',
    [rideId],
  );
  return rows[0]!;
};
const authenticates = (intentId: string, outcome: 'succeeded' | 'failed') =>
  psp.post(`/sandbox/payment_intents/${intentId}/authenticate`, { outcome });

test('the rider’s link is kept beside the intent, and in no fact; once they agree, the fare is held', async () => {
  const rideId = await saga.open({ method: asks });
  const { intentId } = await untilStatus(rideId, 'action_required');
  const action = await actionOf(rideId);
  expect(action).toEqual({ intentId, url: expect.stringMatching(/^http/) });
  const { rows } = await pool.query<{ facts: string }>(
    'select string_agg(fact::text, $2) as facts from steps where aggregate_id = $1',
    [rideId, '\n'],
  );
  expect(rows[0]!.facts).not.toContain(action.url);
  expect(await psp.openHolds(rideId)).toEqual([]);
  await authenticates(intentId!, 'succeeded');
  await saga.news(rideId);
  expect(await untilTold(rideId)).toEqual(['paymentAuthorized']);
  expect(await psp.openHolds(rideId)).toHaveLength(1);
  await saga.rideEnded(rideId, { amountMinor: 0, driverId: null });
  expect(await saga.result(rideId)).toBe('voided');
  expect(await psp.openHolds(rideId)).toEqual([]);
});

test('a rider who says no falls back to the next card', async () => {
  const rideId = await saga.open({ method: asks, fallbacks: [pays] });
  const { intentId } = await untilStatus(rideId, 'action_required');
  await authenticates(intentId!, 'failed');
  await saga.news(rideId, 'payment_intent.payment_failed');
  expect(await untilTold(rideId)).toEqual(['paymentAuthorized: card']);
  await saga.rideEnded(rideId, { amountMinor: 0, driverId: null });
  expect(await saga.result(rideId)).toBe('voided');
  expect(await psp.openHolds(rideId)).toEqual([]);
});

test('a rider who does not answer in time has nothing held, however late they say yes', async () => {
  const rideId = await saga.open({ method: asks }, { actionDeadlineMs: 500 });
  const { intentId } = await untilStatus(rideId, 'action_required');
  expect(await untilTold(rideId)).toEqual(['paymentDeclined: action_not_taken']);
  await expect(authenticates(intentId!, 'succeeded')).rejects.toThrow('status of canceled');
  expect(await psp.openHolds(rideId)).toEqual([]);
});

test('a hold that has ended at the provider is made up for by a charge', async () => {
  const rideId = await saga.open({ method: pays }, { tipWindowMs: 100, refundWindowMs: 100 });
  await untilTold(rideId);
  psp.pass(8 * 24 * 60 * 60 * 1_000);
  await saga.rideEnded(rideId, { amountMinor: 1_500, driverId: 'driver-1' });
  expect(await saga.result(rideId)).toBe('captured');
  expect(await psp.movementsOf(rideId)).toEqual([['capture', 1_500]]);
});

test('a tip that no card can be charged with is declined, and not asked for again', async () => {
  const rideId = await saga.open({ method: pays }, { tipWindowMs: 5_000, refundWindowMs: 5_000 });
  await untilTold(rideId);
  await saga.rideEnded(rideId, { amountMinor: 1_500, driverId: 'driver-1' });
  await untilStatus(rideId, 'captured');
  await expect(saga.tip(rideId, 20)).rejects.toMatchObject({
    cause: { type: 'tip_declined', details: [{ reason: 'amount_too_small' }] },
  });
  await saga.handle(rideId).terminate('the window is not waited for');
});
