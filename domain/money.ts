/**
 * The currencies whose minor unit is not a hundredth, by its decimals (ISO 4217:2015, list one). `Intl` does not know
 * them: it has the digits of everyday use, none for the kip and for the dinar of Iraq.
 */
const decimals: ReadonlyMap<string, number> = new Map([
  ...each('BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF', 0),
  ...each('BHD IQD JOD KWD LYD OMR TND', 3),
  ...each('CLF UYW', 4),
]);

function each(currencies: string, digits: number): [currency: string, digits: number][] {
  return currencies.split(' ').map((currency) => [currency, digits]);
}

/** How many decimals an amount in minor units has. */
export const decimalsOf = (currency: string): number => decimals.get(currency) ?? 2;

/** `USD 12.34`, `JPY 1234`, `KWD 1.234`: an amount in minor units, as people read it. */
export function money(amountMinor: number, currency: string): string {
  const digits = decimalsOf(currency);
  return `${currency} ${(amountMinor / 10 ** digits).toFixed(digits)}`;
}

/** No single amount is larger than this, in minor units: what a fact and the API can say. */
export const MOST_MINOR = 100_000_000;

/** Cards are charged in whole ariary, although its minor unit is another. */
const wholeOnly: ReadonlySet<string> = new Set(['MGA']);

/** What every amount that a card is charged is a multiple of, in minor units: of a thousandth, ten. */
export function chargeStepMinor(currency: string): number {
  if (wholeOnly.has(currency)) return 10 ** decimalsOf(currency);
  return decimalsOf(currency) === 3 ? 10 : 1;
}

/** Eight digits (https://docs.stripe.com/currencies), as it counts: the króna and Uganda's shilling in hundredths. */
const MOST_AT_PROVIDER = 99_999_999;
const inHundredths: ReadonlySet<string> = new Set(['ISK', 'UGX']);

/** The most that one charge, refund or transfer can be of, in minor units. */
export function mostChargeableMinor(currency: string): number {
  const mostMinor = inHundredths.has(currency) ? MOST_AT_PROVIDER / 100 : MOST_AT_PROVIDER;
  const stepMinor = chargeStepMinor(currency);
  return Math.floor(mostMinor / stepMinor) * stepMinor;
}

/** Whether a card can be charged this, or be given it back. */
export const isChargeable = (amountMinor: number, currency: string): boolean =>
  Number.isSafeInteger(amountMinor) &&
  amountMinor > 0 &&
  amountMinor <= mostChargeableMinor(currency) &&
  amountMinor % chargeStepMinor(currency) === 0;
