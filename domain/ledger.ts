import type { PaymentFact } from './payment';

/** Accounts of the double entry. A driver's account carries the driver's id. */
export type Account = 'provider_clearing' | 'platform_revenue' | `driver_payable:${string}`;

/** One line of a transaction: debits are positive, credits negative, in minor units of `currency`. */
export interface LedgerEntry {
  readonly account: Account;
  readonly amountMinor: number;
  readonly currency: string;
}

/**
 * The ledger's transaction for a fact of a payment, or none where no money moves (a hold is no money).
 * The entries of each sum to zero.
 */
export function ledgerEntries(fact: PaymentFact): LedgerEntry[] {
  switch (fact.type) {
    case 'payment.captured':
      return split(fact.data, 'provider_clearing', fact.data.amountMinor);
    case 'payment.cash_settled':
      // The driver holds the cash: what reaches the books is the commission that the driver owes.
      return fact.data.driverId === null
        ? []
        : entries(fact.data.currency, [
            [`driver_payable:${fact.data.driverId}`, fact.data.commissionMinor],
            ['platform_revenue', -fact.data.commissionMinor],
          ]);
    case 'payment.tip_charged':
      return entries(fact.data.currency, [
        ['provider_clearing', fact.data.tipMinor],
        [driverOrPlatform(fact.data.driverId), -fact.data.tipMinor],
      ]);
    case 'payment.refunded':
      return entries(fact.data.currency, [
        ['provider_clearing', -fact.data.amountMinor],
        ['platform_revenue', fact.data.amountMinor],
      ]);
    case 'payment.opened':
    case 'payment.authorized':
    case 'payment.declined':
    case 'payment.hold_raised':
    case 'payment.voided':
      return [];
  }
}

function split(
  charge: { driverId: string | null; commissionMinor: number; currency: string },
  source: Account,
  amountMinor: number,
): LedgerEntry[] {
  return entries(charge.currency, [
    [source, amountMinor],
    [driverOrPlatform(charge.driverId), -(amountMinor - charge.commissionMinor)],
    ['platform_revenue', -charge.commissionMinor],
  ]);
}

const driverOrPlatform = (driverId: string | null): Account =>
  driverId === null ? 'platform_revenue' : `driver_payable:${driverId}`;

const entries = (currency: string, lines: readonly (readonly [Account, number])[]): LedgerEntry[] =>
  lines
    .filter(([, amountMinor]) => amountMinor !== 0)
    .map(([account, amountMinor]) => ({ account, amountMinor, currency }));
