import { chargeStepMinor, decimalsOf, isChargeable, mostChargeableMinor } from '../../domain/money';
import { fromProvider, NotChargeable, toProvider } from '../../services/payments/provider/amounts';

describe('an amount at the provider', () => {
  it.each([
    // What is to be charged, in our minor units, and what Stripe's documentation has for it.
    ['USD', 1_000, 1_000],
    ['JPY', 500, 500],
    ['KWD', 5_120, 5_120],
    ['ISK', 5, 500],
    ['UGX', 5, 500],
    ['MGA', 500, 5],
    ['HUF', 1_045, 1_045],
    ['XOF', 7, 7],
  ])('of %s %i is %i, and comes back as it was', (currency, minor, amount) => {
    expect(toProvider(minor, currency)).toBe(amount);
    expect(fromProvider(amount, currency.toLowerCase())).toBe(minor);
  });

  it.each([
    ['KWD', 5_124],
    ['MGA', 501],
  ])('of %s %i cannot be had from a card', (currency, minor) => {
    expect(isChargeable(minor, currency)).toBe(false);
    expect(() => toProvider(minor, currency)).toThrow(NotChargeable);
  });

  it('is whole and comes back in every currency there is, the largest one too', () => {
    for (const currency of Intl.supportedValuesOf('currency')) {
      for (const steps of [1, 7, 999]) {
        const minor = steps * chargeStepMinor(currency);
        expect(isChargeable(minor, currency)).toBe(true);
        expect(Number.isSafeInteger(toProvider(minor, currency))).toBe(true);
        expect(fromProvider(toProvider(minor, currency), currency)).toBe(minor);
      }
      const mostMinor = mostChargeableMinor(currency);
      expect(isChargeable(mostMinor, currency)).toBe(true);
      expect(isChargeable(mostMinor + chargeStepMinor(currency), currency)).toBe(false);
      expect(String(toProvider(mostMinor, currency)).length).toBeLessThanOrEqual(8);
    }
  });

  it.each([0, -1, 0.5, NaN, Infinity, 100_000_000, 2 ** 53])('of %d is none', (minor) => {
    expect(isChargeable(minor, 'USD')).toBe(false);
  });

  it('has the decimals of ISO 4217', () => {
    expect(['JPY', 'ISK', 'UGX', 'USD', 'MGA', 'KWD', 'CLF'].map(decimalsOf)).toEqual([0, 0, 0, 2, 2, 3, 4]);
  });
});
