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

/** `USD 12.34`, `JPY 1234`, `KWD 1.234`: an amount in minor units, as people read it. */
export function money(amountMinor: number, currency: string): string {
  const digits = decimals.get(currency) ?? 2;
  return `${currency} ${(amountMinor / 10 ** digits).toFixed(digits)}`;
}
