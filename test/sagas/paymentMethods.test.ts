import type { Charged } from '../../domain/paymentCalls';
import type { PaymentMethod } from '../../domain/ride';
import { getPayment } from '../../services/payments/books/paymentStore';
import { cardOf } from '../support/card';
import { startPlayedPayments, type PlayedPayments } from '../support/playedPayments';
import { eventually } from '../support/rideSaga';

jest.setTimeout(60_000);

let played: PlayedPayments;
let { pool, provider, saga, sleep, untilStatus, untilHeard, untilAsked, factTypes, rowAndFold } =
  {} as PlayedPayments;

beforeAll(async () => {
  played = await startPlayedPayments();
  ({ pool, provider, saga, sleep, untilStatus, untilHeard, untilAsked, factTypes, rowAndFold } = played);
});
beforeEach(() => provider.reset());
afterAll(() => played?.stop());

const asksRider: Charged = { charged: false, reason: 'action_required', actionIntentId: 'pi_action' };
const declined: Charged = { charged: false, reason: 'insufficient_funds' };
const answers = (...these: Charged[]): void =>
  these.forEach((answer) => provider.next('authorize', () => Promise.resolve(answer)));

const other: PaymentMethod = { type: 'card', token: 'pm_card_mastercard' };
const cash: PaymentMethod = { type: 'cash' };

const at = new Date().toISOString();

const isWhole = async (rideId: string): Promise<void> => {
  const [row, folded] = await rowAndFold(rideId);
  expect(row).toEqual(folded);
};

describe('a card whose bank wants to see the rider', () => {
  /** The rider has until the deadline; nobody knows yet. */
  async function asked(...fallbacks: PaymentMethod[]): Promise<string> {
    answers(asksRider);
    const rideId = await saga.open({ fallbacks });
    await untilStatus(rideId, 'action_required');
    return rideId;
  }

  test('waits for the rider, with a deadline that everybody sees', async () => {
    const rideId = await asked();
    const { actionDeadlineAt, intentId } = (await getPayment(pool, rideId))!;
    expect(intentId).toBe('pi_action');
    const card = await eventually(async () => {
      const text = await cardOf(saga.handle(rideId));
      return text.includes('answer their bank') ? text : undefined;
    });
    expect(card).toContain(`waits for: the rider to answer their bank, until ${actionDeadlineAt}`);
    expect(await saga.heard(rideId)).toEqual([]);
  });

  test('is looked at when the provider has news, and held once the rider has agreed', async () => {
    const rideId = await asked();
    await saga.news(rideId);
    expect(await untilHeard(rideId)).toEqual(['paymentAuthorized']);
    expect(provider.asked(rideId)).toEqual(['authorize 1500', 'authorize 1500']);
    expect(await factTypes(rideId)).toEqual([
      'payment.opened',
      'payment.action_required',
      'payment.authorized',
    ]);
    expect(await getPayment(pool, rideId)).toMatchObject({ status: 'authorized', actionDeadlineAt: null });
    await isWhole(rideId);
  });

  test('is looked at though the news are lost', async () => {
    const rideId = await asked();
    await sleep('2 minutes');
    expect(await untilHeard(rideId)).toEqual(['paymentAuthorized']);
  });

  test('goes on waiting where the news say nothing of it', async () => {
    const rideId = await asked();
    answers(asksRider, asksRider);
    await saga.news(rideId, 'payment_intent.created');
    await saga.news(rideId, 'payment_intent.requires_action');
    await eventually(() => Promise.resolve(provider.asked(rideId).length >= 2 || undefined));
    expect(await saga.heard(rideId)).toEqual([]);
    expect(await getPayment(pool, rideId)).toMatchObject({ status: 'action_required' });
  });

  test('that the rider refuses is declined', async () => {
    const rideId = await asked();
    answers({ charged: false, reason: 'payment_intent_authentication_failure' });
    await saga.news(rideId, 'payment_intent.payment_failed');
    expect(await saga.result(rideId)).toBe('failed');
    expect(await saga.heard(rideId)).toEqual(['paymentDeclined: payment_intent_authentication_failure']);
    await isWhole(rideId);
  });

  test('that is not answered in time is taken back, and the next method is tried', async () => {
    // Sooner than the next look.
    const actionDeadlineMs = 30_000;
    answers(asksRider, asksRider);
    const rideId = await saga.open({ fallbacks: [other] }, { actionDeadlineMs });
    await untilStatus(rideId, 'action_required');
    await sleep(actionDeadlineMs - 5_000);
    expect(provider.asked(rideId)).toEqual(['authorize 1500']);
    await sleep(10_000);
    await untilAsked(rideId, 'authorize 1500 as 2');
    expect(await untilHeard(rideId)).toEqual(['paymentAuthorized: card']);
    const asks = ['authorize 1500', 'authorize 1500', 'void hold 1', 'authorize 1500 as 2'];
    expect(provider.asked(rideId)).toEqual(asks);
    expect(await factTypes(rideId)).toEqual([
      'payment.opened',
      'payment.action_required',
      'payment.method_changed',
      'payment.authorized',
    ]);
    expect(await getPayment(pool, rideId)).toMatchObject({ method: other, fallbacks: [] });
    await isWhole(rideId);
  });

  test('of a ride that is cancelled meanwhile holds nothing in the end, and tries no other', async () => {
    const rideId = await asked(other);
    await saga.rideEnded(rideId, { amountMinor: 0, driverId: null });
    expect(await saga.result(rideId)).toBe('voided');
    expect(provider.asked(rideId)).toEqual(['authorize 1500', 'void hold 1', 'void']);
    expect(await saga.heard(rideId)).toEqual([]);
    await isWhole(rideId);
  });

  test('of a payment whose workflow is cancelled holds nothing in the end', async () => {
    const rideId = await asked();
    await saga.handle(rideId).cancel();
    await expect(saga.result(rideId)).rejects.toThrow();
    expect(await saga.heard(rideId)).toEqual(['paymentDeclined: payment_cancelled']);
    expect(await getPayment(pool, rideId)).toMatchObject({ status: 'voided', actionDeadlineAt: null });
    await isWhole(rideId);
  });

  test('is looked at at once when an operator wants it', async () => {
    const rideId = await asked();
    await saga.operator(rideId, 'retryNow');
    expect(await untilHeard(rideId)).toEqual(['paymentAuthorized']);
  });
});

describe('several methods', () => {
  test('are tried in their order, each with a hold of its own', async () => {
    answers(declined, declined);
    const rideId = await saga.open({ fallbacks: [other, { type: 'card', token: 'pm_card_amex' }] });
    expect(await untilHeard(rideId)).toEqual(['paymentAuthorized: card']);
    expect(provider.asked(rideId)).toEqual(['authorize 1500', 'authorize 1500 as 2', 'authorize 1500 as 3']);
    expect(await getPayment(pool, rideId)).toMatchObject({
      method: { token: 'pm_card_amex' },
      intentId: `pi_${rideId}_3`,
    });
    await isWhole(rideId);
  });

  test('with cash last: the driver takes it, and no provider is asked at the end', async () => {
    answers(declined);
    const rideId = await saga.open({ fallbacks: [cash] });
    expect(await untilHeard(rideId)).toEqual(['paymentAuthorized: cash']);
    await saga.rideEnded(rideId, { amountMinor: 1_500, driverId: 'driver-1' });
    expect(await saga.result(rideId)).toBe('cash_settled');
    expect(provider.asked(rideId)).toEqual(['authorize 1500']);
    expect(await played.booked(rideId)).toEqual({ 'driver_payable:driver-1': 300, platform_revenue: -300 });
    await isWhole(rideId);
  });

  test('all declined: the ride hears the last reason', async () => {
    answers(declined, { charged: false, reason: 'expired_card' });
    const rideId = await saga.open({ fallbacks: [other] });
    expect(await saga.result(rideId)).toBe('failed');
    expect(await saga.heard(rideId)).toEqual(['paymentDeclined: expired_card']);
    await isWhole(rideId);
  });

  test('of which an attempt that was lost had tried one: it is the same one, and the same next', async () => {
    const changed = { type: 'payment.method_changed', data: { method: other, reason: 'no_funds' } } as const;
    answers(declined);
    const rideId = await saga.open(await played.committed({ fallbacks: [other] }, { ...changed, at }));
    expect(await untilHeard(rideId)).toEqual(['paymentAuthorized: card']);
    expect(provider.asked(rideId)).toEqual(['authorize 1500', 'authorize 1500 as 2']);
    expect(await factTypes(rideId)).toEqual([
      'payment.opened',
      'payment.method_changed',
      'payment.authorized',
    ]);
    await isWhole(rideId);
  });
});
