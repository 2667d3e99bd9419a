import { captureHold } from '../../services/payments/provider/holds';
import { chargeCard } from '../../services/payments/provider/intents';
import { raiseHold } from '../../services/payments/provider/raiseHold';
import { refundCapture } from '../../services/payments/provider/refunds';
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

test.each([
  // What our thousand is at the provider.
  ['USD', 1],
  ['JPY', 1],
  ['KWD', 1],
  ['ISK', 100],
  ['UGX', 100],
  ['MGA', 0.01],
])(
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
