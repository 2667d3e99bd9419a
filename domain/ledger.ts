import type { DisputeFact } from './dispute';
import type { PaymentFact, PaymentFactType } from './paymentFacts';
import type { PayoutFact } from './payout';

/** Accounts of the double entry. A driver's account carries the driver's id. */
export type Account =
  | 'rider_receivable'
  | 'provider_clearing'
  | 'provider_fees'
  | 'disputes'
  | 'payouts_in_transit'
  | 'tax_payable'
  | 'platform_revenue'
  | `driver_payable:${string}`;

/** What the house owes a driver; a debit where the driver owes the house. */
export const driverAccount = (driverId: string): Account => `driver_payable:${driverId}`;

/** One line of a transaction: debits are positive, credits negative, in minor units of `currency`. */
export interface LedgerEntry {
  readonly account: Account;
  readonly amountMinor: number;
  readonly currency: string;
}

type Line = readonly [Account, number];

/** A fact of a payment, whenever it was. */
type WhatHappened = {
  [T in PaymentFactType]: Pick<Extract<PaymentFact, { type: T }>, 'type' | 'data'>;
}[PaymentFactType];

/**
 * The ledger's transaction for a fact of a payment, or none where no money moves and nothing is owed (a hold is no
 * money). The entries of each sum to zero.
 */
export function ledgerEntries(fact: WhatHappened): LedgerEntry[] {
  switch (fact.type) {
    case 'payment.captured': {
      const { amountMinor, owedMinor = amountMinor } = fact.data;
      // What was taken too much is the platform's until it goes back: its commission has it.
      const sharedMinor = Math.max(owedMinor, amountMinor);
      return entries(fact.data.currency, [
        ['provider_clearing', amountMinor],
        ['rider_receivable', sharedMinor - amountMinor],
        ...shares(fact.data, sharedMinor),
      ]);
    }
    case 'payment.charge_failed': {
      const { owedMinor, currency } = fact.data;
      return entries(currency, [['rider_receivable', owedMinor], ...shares(fact.data, owedMinor)]);
    }
    case 'payment.collected': {
      const { amountMinor, currency } = fact.data;
      return entries(currency, [
        ['provider_clearing', amountMinor],
        ['rider_receivable', -amountMinor],
      ]);
    }
    case 'payment.waived': {
      const { amountMinor, currency } = fact.data;
      return entries(currency, [
        ['platform_revenue', amountMinor],
        ['rider_receivable', -amountMinor],
      ]);
    }
    case 'payment.extra_charged': {
      const { amountMinor, currency } = fact.data;
      return entries(currency, [['provider_clearing', amountMinor], ...shares(fact.data, amountMinor)]);
    }
    case 'payment.cash_settled': {
      // The driver holds the cash: what reaches the books is what the driver owes of it.
      const { driverId, currency, commissionMinor, taxMinor = 0 } = fact.data;
      if (driverId === null) return [];
      return entries(currency, [
        [`driver_payable:${driverId}`, commissionMinor + taxMinor],
        ['platform_revenue', -commissionMinor],
        ['tax_payable', -taxMinor],
      ]);
    }
    case 'payment.tip_charged': {
      const { tipMinor, currency, driverId } = fact.data;
      return entries(currency, [
        ['provider_clearing', tipMinor],
        [driverOrPlatform(driverId), -tipMinor],
      ]);
    }
    case 'payment.refunded':
    case 'payment.refund_failed': {
      const { amountMinor, currency } = fact.data;
      const backMinor = fact.type === 'payment.refunded' ? amountMinor : -amountMinor;
      // Whatever is given back is the platform's: driver and state keep their shares.
      return entries(currency, [
        ['provider_clearing', -backMinor],
        ['platform_revenue', backMinor],
      ]);
    }
    default:
      return [];
  }
}

/** The same for a dispute: the provider takes the amount and its fee back at once, and returns the amount if we win. */
export function disputeEntries(fact: DisputeFact): LedgerEntry[] {
  switch (fact.type) {
    case 'dispute.opened': {
      const { amountMinor, currency, feeMinor, feeCurrency = currency } = fact.data;
      return [
        ...entries(currency, [
          ['disputes', amountMinor],
          ['provider_clearing', -amountMinor],
        ]),
        ...feeEntries(feeMinor, feeCurrency),
      ];
    }
    case 'dispute.won':
    case 'dispute.lost': {
      const { amountMinor, currency, feeChangeMinor, feeCurrency = currency } = fact.data;
      return [
        ...entries(currency, [
          [fact.type === 'dispute.won' ? 'provider_clearing' : 'platform_revenue', amountMinor],
          ['disputes', -amountMinor],
        ]),
        ...feeEntries(feeChangeMinor, feeCurrency),
      ];
    }
    case 'dispute.inquiry_opened':
    case 'dispute.inquiry_closed':
    case 'dispute.evidence_submitted':
      return [];
  }
}

/** A fee, which the provider takes of our balance, or gives back. */
const feeEntries = (feeMinor: number, currency: string): LedgerEntry[] =>
  entries(currency, [
    ['provider_fees', feeMinor],
    ['provider_clearing', -feeMinor],
  ]);

/** The same for a payout: on its way from its start on, and the driver's again where it fails or comes back. */
export function payoutEntries({ type, data }: PayoutFact): LedgerEntry[] {
  const { amountMinor, currency, driverId } = data;
  const driver = driverAccount(driverId);
  const lines: Record<PayoutFact['type'], readonly Line[]> = {
    'payout.started': [
      [driver, amountMinor],
      ['payouts_in_transit', -amountMinor],
    ],
    'payout.paid': [
      ['payouts_in_transit', amountMinor],
      ['provider_clearing', -amountMinor],
    ],
    'payout.failed': [
      ['payouts_in_transit', amountMinor],
      [driver, -amountMinor],
    ],
    'payout.returned': [
      ['provider_clearing', amountMinor],
      [driver, -amountMinor],
    ],
  };
  return entries(currency, lines[type]);
}

/** Who gets what of an amount that a rider owes. */
function shares(
  split: { driverId: string | null; commissionMinor: number; taxMinor?: number },
  amountMinor: number,
): Line[] {
  const { driverId, commissionMinor, taxMinor = 0 } = split;
  return [
    [driverOrPlatform(driverId), -(amountMinor - commissionMinor - taxMinor)],
    ['platform_revenue', -commissionMinor],
    ['tax_payable', -taxMinor],
  ];
}

const driverOrPlatform = (driverId: string | null): Account =>
  driverId === null ? 'platform_revenue' : `driver_payable:${driverId}`;

const entries = (currency: string, lines: readonly Line[]): LedgerEntry[] =>
  lines
    .filter(([, amountMinor]) => amountMinor !== 0)
    .map(([account, amountMinor]) => ({ account, amountMinor, currency }));
