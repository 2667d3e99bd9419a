import { randomUUID } from 'node:crypto';
import { readDispute } from '../../services/payments/provider/disputes';
import { captureHold } from '../../services/payments/provider/holds';
import { chargeCard } from '../../services/payments/provider/intents';
import { raiseHold } from '../../services/payments/provider/raiseHold';
import { refundCapture } from '../../services/payments/provider/refunds';
import { returnedOf, transfer } from '../../services/payments/provider/transfers';
import { openPayment, paymentOrder } from '../support/payments';
import { startProviderGround, type ProviderGround } from '../support/providerGround';
import { changeId } from '../support/rides';

let { pool, psp, access, stop } = {} as ProviderGround;

beforeAll(async () => void ({ pool, psp, access, stop } = await startProviderGround()));

afterAll(() => stop?.());

const hold = async (amountMinor: number, currency: string) => {
  const { rideId } = await openPayment(pool, paymentOrder({ amountMinor, currency }));
  const ref = { paymentId: rideId, purpose: 'hold', intentVersion: 1 } as const;
  const charge = { ref, amountMinor, currency, paymentMethod: 'pm_card_visa' };
  return { rideId, charged: await chargeCard(access, charge) };
};

/** What our minor unit is at the provider. */
const factors: [currency: string, factor: number][] = [
  ['USD', 1],
  ['JPY', 1],
  ['KWD', 1],
  ['ISK', 100],
  ['UGX', 100],
  ['MGA', 0.01],
];

test.each(factors)(
  'a thousand of the minor unit of %s is held, raised, captured and given back as such',
  async (currency, factor) => {
    const { rideId, charged } = await hold(1_000, currency);
    if (!charged.charged) throw new Error(charged.reason);
    const { intentId } = charged;
    const raise = { rideId, intentId, changeId, toMinor: 1_500 };
    expect(await raiseHold(access, raise)).toEqual({ raised: true });
    await captureHold(access, { rideId, intentId, amountMinor: 1_200 });
    // A repeat finds that this very amount was captured.
    await captureHold(access, { rideId, intentId, amountMinor: 1_200 });
    const refund = { rideId, intentId, refundKey: 'ops:1', part: 1, amountMinor: 300, currency };
    expect(await refundCapture(access, refund)).toMatchObject({ refunded: true });
    expect(await psp.movementsOf(rideId)).toEqual([
      ['capture', 1_200 * factor],
      ['refund', 300 * factor],
    ]);
  },
);

test('what no card can be charged is refused, and never asked for', async () => {
  const refused = { charged: false, reason: 'amount_not_chargeable' };
  expect((await hold(1_234, 'KWD')).charged).toEqual(refused);
  expect((await hold(1_050, 'MGA')).charged).toEqual(refused);

  const { rideId, charged } = await hold(1_000, 'KWD');
  if (!charged.charged) throw new Error(charged.reason);
  const { intentId } = charged;
  const raise = { rideId, intentId, changeId, toMinor: 1_001 };
  expect(await raiseHold(access, raise)).toEqual({ raised: false, reason: 'amount_not_chargeable' });
  await expect(captureHold(access, { rideId, intentId, amountMinor: 999 })).rejects.toMatchObject({
    code: 'capture_refused',
  });
  await captureHold(access, { rideId, intentId, amountMinor: 990 });
  const refund = { rideId, intentId, refundKey: 'ops:1', part: 1, amountMinor: 7, currency: 'KWD' };
  expect(await refundCapture(access, refund)).toMatchObject({ refunded: false });
  expect(await psp.movementsOf(rideId)).toEqual([['capture', 990]]);
});

test.each(factors)('a payout in %s is sent, found again and sent back as such', async (currency, factor) => {
  await psp.post('/sandbox/funds', { amount: 1_200 * factor, currency: currency.toLowerCase() });
  const payout = {
    ...{ payoutId: randomUUID(), driverId: 'driver-1', period: '2026-W09', destination: 'acct_12345678' },
    ...{ amountMinor: 1_200, currency },
  };
  const sent = await transfer(access, payout);
  if (!sent.transferred) throw new Error(sent.reason);
  expect(await transfer(access, payout)).toEqual(sent);
  const { transferId } = sent;
  expect((await psp.stripe.transfers.retrieve(transferId)).amount).toBe(1_200 * factor);
  await psp.stripe.transfers.createReversal(transferId, { amount: 300 * factor });
  expect(await returnedOf(access, { transferId, currency })).toBe(300);
});

test('what the provider cannot send is refused, and the driver’s again', async () => {
  const payout = { payoutId: randomUUID(), driverId: 'driver-1', period: '2026-W09' };
  const order = { ...payout, destination: 'acct_12345678', amountMinor: 1_234, currency: 'KWD' };
  expect(await transfer(access, order)).toEqual({ transferred: false, reason: 'amount_not_chargeable' });
});

test.each(factors)('a dispute in %s is over what it is over with us', async (currency, factor) => {
  const { rideId, charged } = await hold(1_000, currency);
  if (!charged.charged) throw new Error(charged.reason);
  await captureHold(access, { rideId, intentId: charged.intentId, amountMinor: 1_000 });
  const order = { paymentIntent: charged.intentId, amount: 700 * factor };
  const { id } = await psp.post<{ id: string }>('/sandbox/disputes', order);
  // What the sandbox takes for it is 1,500 of what the provider counts.
  expect(await readDispute(access, id)).toMatchObject({
    ...{ rideId, amountMinor: 700, currency },
    ...{ feeMinor: 1_500 / factor, feeCurrency: currency },
  });
});
