import { chargeStepMinor, decimalsOf } from '../../domain/money';

/**
 * Where Stripe's amounts have other decimals than ISO 4217's (https://docs.stripe.com/currencies, minor units and
 * special cases): króna and Uganda's shilling have kept two for compatibility, which are always 00; the ariary has none.
 */
const decimalsAtProvider: Readonly<Record<string, number>> = { ISK: 2, UGX: 2, MGA: 0 };

const factorOf = (currency: string): number =>
  10 ** ((decimalsAtProvider[currency] ?? decimalsOf(currency)) - decimalsOf(currency));

/**
 * Our minor units as the provider counts them.
 * @throws RangeError for an amount that no card can be charged (`isChargeable` in the domain says so before)
 */
export function toProvider(amountMinor: number, currency: string): number {
  if (amountMinor % chargeStepMinor(currency) !== 0)
    throw new RangeError(`${amountMinor} of ${currency} is no multiple of ${chargeStepMinor(currency)}`);
  return Math.round(amountMinor * factorOf(currency));
}

/** The provider's amount in our minor units. `currency` in either case. */
export const fromProvider = (amount: number, currency: string): number =>
  Math.round(amount / factorOf(currency.toUpperCase()));
