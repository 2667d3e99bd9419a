/** `USD 12.34`, as operators read an amount in minor units. */
export const money = (amountMinor: number, currency: string): string =>
  `${currency} ${(amountMinor / 100).toFixed(2)}`;
