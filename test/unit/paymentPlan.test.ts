import type { Payment, Taken } from '../../domain/payment';
import { adjustmentTo, costMinor, refundableMinor, refundsOver } from '../../domain/paymentPlan';

const charge = (intentId: string, amountMinor: number, refundedMinor = 0): Taken => ({
  ...{ intentId, amountMinor, refundedMinor },
});

/** What counts of a payment here: what was taken, what went back, what is owed. */
function paid(charges: readonly Taken[], owedMinor = 0): Payment {
  const sum = (of: (taken: Taken) => number): number =>
    charges.reduce((total, taken) => total + of(taken), 0);
  const capturedMinor = sum(({ amountMinor }) => amountMinor);
  const refundedMinor = sum((taken) => taken.refundedMinor);
  return { charges, owedMinor, capturedMinor, refundedMinor } as Payment;
}

const twice = paid([charge('pi_fare', 1_500, 100), charge('pi_extra', 400)]);

test('money goes back to the newest charge first, to each what is left of it', () => {
  expect(refundableMinor(twice)).toBe(1_800);
  expect(refundsOver(twice, 300)).toEqual([{ intentId: 'pi_extra', amountMinor: 300 }]);
  expect(refundsOver(twice, 1_800)).toEqual([
    { intentId: 'pi_extra', amountMinor: 400 },
    { intentId: 'pi_fare', amountMinor: 1_400 },
  ]);
  expect(() => refundsOver(twice, 1_801)).toThrow('1 more to give back than was taken');
});

test('a cost is what was taken and not given back, and what is owed', () => {
  expect(costMinor(paid([charge('pi_fare', 1_500, 100)], 250))).toBe(1_650);
});

test('a lower cost lowers the debt before anything goes back', () => {
  const short = paid([charge('pi_fare', 1_500)], 250);
  expect(adjustmentTo(short, 1_600)).toEqual({ waiveMinor: 150, refunds: [], chargeMinor: 0 });
  expect(adjustmentTo(short, 1_000)).toEqual({
    waiveMinor: 250,
    refunds: [{ intentId: 'pi_fare', amountMinor: 500 }],
    chargeMinor: 0,
  });
});

test('a higher cost is a charge of its own, and the same one nothing', () => {
  expect(adjustmentTo(twice, 2_000)).toEqual({ waiveMinor: 0, refunds: [], chargeMinor: 200 });
  expect(adjustmentTo(twice, 1_800)).toEqual({ waiveMinor: 0, refunds: [], chargeMinor: 0 });
});
