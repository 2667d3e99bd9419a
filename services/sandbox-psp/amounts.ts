import { invalidRequest } from './stripeErrors';

/**
 * What may be charged at least, in minor units of the API
 * (https://docs.stripe.com/currencies#minimum-and-maximum-charge-amounts); a currency that is not there: 1.
 */
const leastCharge: Readonly<Record<string, number>> = {
  usd: 50,
  aed: 200,
  aud: 50,
  bgn: 100,
  brl: 50,
  cad: 50,
  chf: 50,
  czk: 1_500,
  dkk: 250,
  eur: 50,
  gbp: 30,
  hkd: 400,
  huf: 17_500,
  inr: 50,
  jpy: 50,
  mxn: 1_000,
  myr: 200,
  nok: 300,
  nzd: 50,
  pln: 200,
  ron: 200,
  sek: 300,
  sgd: 50,
  thb: 1_000,
};

/** Digits that an amount may have; eight for all others. */
const digits: Readonly<Record<string, number>> = { idr: 12, cop: 10, huf: 10, jpy: 10, inr: 9 };

/**
 * The steps that an amount may have in the API: currencies without minor units that are written with two zeros for
 * old times' sake, and currencies of three decimals whose last digit is 0
 * (https://docs.stripe.com/currencies#special-cases, #three-decimal).
 */
const steps: Readonly<Record<string, number>> = {
  isk: 100,
  ugx: 100,
  bhd: 10,
  jod: 10,
  kwd: 10,
  omr: 10,
  tnd: 10,
};

/**
 * Refuses an amount that this currency cannot have. `least`: whether it is a charge, which has a minimum.
 * @throws StripeError amount_too_small, amount_too_large or parameter_invalid_integer
 */
export function checkAmount(
  amount: number,
  currency: string,
  { param = 'amount', least = true }: { param?: string; least?: boolean } = {},
): void {
  const money = `${currency.toUpperCase()} (in minor units)`;
  const minimum = leastCharge[currency] ?? 1;
  if (least && amount < minimum)
    throw invalidRequest(`Amount must be at least ${minimum} ${money}.`, { code: 'amount_too_small', param });
  const most = 10 ** (digits[currency] ?? 8) - 1;
  if (amount > most)
    throw invalidRequest(`Amount must be no more than ${most} ${money}.`, {
      code: 'amount_too_large',
      param,
    });
  const step = steps[currency] ?? 1;
  if (amount % step !== 0)
    throw invalidRequest(`Invalid integer: an amount of ${money} is a multiple of ${step}.`, {
      code: 'parameter_invalid_integer',
      param,
    });
}
