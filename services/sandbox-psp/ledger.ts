import type { Dispute } from './disputes/dispute';
import type { Movement, MovementKind } from './movements';
import type { PaymentIntent } from './paymentIntent';
import type { Refund } from './refunds';
import { reversedMinor, type Transfer } from './transfers/transfer';

/** Totals of a currency in minor units; all but the balance positive. */
type Totals = Record<
  | 'authorizedOpenMinor'
  | 'capturedMinor'
  | 'refundedMinor'
  | 'refundsFailedMinor'
  | 'transferredMinor'
  | 'transfersReversedMinor'
  | 'disputedMinor'
  | 'disputesWonMinor'
  | 'disputeFeesMinor'
  | 'toppedUpMinor'
  | 'balanceMinor',
  number
>;

export interface Ledger {
  readonly currencies: Readonly<Record<string, Readonly<Totals>>>;
  /** Whether the movements are what intents, refunds, disputes and transfers say for themselves. */
  readonly consistent: boolean;
  readonly movements: readonly Movement[];
}

const fieldOf: Readonly<Record<MovementKind, keyof Totals>> = {
  capture: 'capturedMinor',
  refund: 'refundedMinor',
  refund_failed: 'refundsFailedMinor',
  transfer: 'transferredMinor',
  transfer_reversal: 'transfersReversedMinor',
  dispute: 'disputedMinor',
  dispute_won: 'disputesWonMinor',
  dispute_fee: 'disputeFeesMinor',
  topup: 'toppedUpMinor',
};

const noTotals: Totals = {
  authorizedOpenMinor: 0,
  capturedMinor: 0,
  refundedMinor: 0,
  refundsFailedMinor: 0,
  transferredMinor: 0,
  transfersReversedMinor: 0,
  disputedMinor: 0,
  disputesWonMinor: 0,
  disputeFeesMinor: 0,
  toppedUpMinor: 0,
  balanceMinor: 0,
};

interface Objects {
  readonly movements: readonly Movement[];
  readonly intents: Iterable<PaymentIntent>;
  readonly refunds: Iterable<Refund>;
  readonly disputes: Iterable<Dispute>;
  readonly transfers: Iterable<Transfer>;
}

/** The ledger of these movements, and whether the objects agree with it. */
export function checkedLedger({ movements, intents, refunds, disputes, transfers }: Objects): Ledger {
  const currencies: Record<string, Totals> = {};
  const totals = (currency: string): Totals => (currencies[currency.toUpperCase()] ??= { ...noTotals });
  /** By what moved it: what its object says less what the movements say. */
  const open = new Map<string, number>();
  const expect = (source: string, netMinor: number): void =>
    void open.set(source, (open.get(source) ?? 0) + netMinor);

  for (const { kind, currency, amount, net, source } of movements) {
    totals(currency)[fieldOf[kind]] += amount;
    totals(currency).balanceMinor += net;
    if (kind !== 'topup') expect(source, -net);
  }
  for (const intent of intents) {
    totals(intent.currency).authorizedOpenMinor += intent.amount_capturable;
    expect(intent.id, intent.amount_received);
  }
  for (const { id, amount, status } of refunds) expect(id, status === 'failed' ? 0 : -amount);
  for (const { id, changes } of disputes) for (const { amount, fee } of changes) expect(id, amount - fee);
  for (const transfer of transfers) expect(transfer.id, reversedMinor(transfer) - transfer.amount);
  return {
    currencies,
    consistent: [...open.values()].every((rest) => rest === 0),
    movements: [...movements],
  };
}
