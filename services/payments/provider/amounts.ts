import { chargeStepMinor, decimalsOf } from '../../../domain/money';

/**
 * Where Stripe's amounts have other decimals than ISO 4217's (https://docs.stripe.com/currencies, minor units and
 * special cases): króna and Uganda's shilling have kept two for compatibility, which are always 00; the ariary has none.
 */
const decimalsAtProvider: Readonly<Record<string, number>> = { ISK: 2, UGX: 2, MGA: 0 };

const factorOf = (currency: string): number =>
  10 ** ((decimalsAtProvider[currency] ?? decimalsOf(currency)) - decimalsOf(currency));

/** No card can be charged this, however often it is asked. `isChargeable` in the domain says so before. */
export class NotChargeable extends Error {
  override readonly name = 'NotChargeable';
  readonly code = 'amount_not_chargeable';
}

/**
 * Our minor units as the provider counts them. `currency` in either case.
 * @throws NotChargeable
 */
export function toProvider(amountMinor: number, currency: string): number {
  const iso = currency.toUpperCase();
  const stepMinor = chargeStepMinor(iso);
  if (amountMinor % stepMinor !== 0)
    throw new NotChargeable(`${amountMinor} of ${iso} is no multiple of ${stepMinor}`);
  return Math.round(amountMinor * factorOf(iso));
}

/** The provider's amount in our minor units. `currency` in either case. */
export const fromProvider = (amount: number, currency: string): number =>
  Math.round(amount / factorOf(currency.toUpperCase()));
