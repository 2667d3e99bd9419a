import { newId } from './ids';
import type { BalanceChange, Dispute } from './disputes/dispute';
import type { PaymentIntent } from './paymentIntent';
import type { Refund } from './refunds';
import type { Transfer, TransferReversal } from './transfers/transfer';

export type MovementKind =
  | 'capture'
  | 'refund'
  | 'refund_failed'
  | 'transfer'
  | 'transfer_reversal'
  | 'dispute'
  | 'dispute_won'
  | 'dispute_fee'
  | 'topup';

/** Money that moved. Amounts in minor units, ISO 4217 currency, ISO 8601 time. */
export interface Movement {
  readonly id: string;
  readonly kind: MovementKind;
  readonly paymentIntent: string | null;
  /** `metadata.rideId` of the PaymentIntent. */
  readonly rideId: string | null;
  /** The intent, refund, dispute or transfer that it belongs to. */
  readonly source: string;
  /** Always positive. */
  readonly amount: number;
  /** What it does to our balance, signed. */
  readonly net: number;
  readonly currency: string;
  readonly at: string;
}

interface Moved {
  readonly id: string;
  readonly kind: MovementKind;
  readonly source: string;
  readonly net: number;
  readonly currency: string;
}

const movement = (
  { id, kind, source, net, currency }: Moved,
  at: Date,
  intent?: PaymentIntent,
): Movement => ({
  id,
  kind,
  paymentIntent: intent?.id ?? null,
  rideId: intent?.metadata['rideId'] ?? null,
  source,
  amount: Math.abs(net),
  net,
  currency: currency.toUpperCase(),
  at: at.toISOString(),
});

export const captureMovement = (intent: PaymentIntent, capturedMinor: number, at: Date): Movement =>
  movement(
    { id: newId('txn'), kind: 'capture', source: intent.id, net: capturedMinor, currency: intent.currency },
    at,
    intent,
  );

export const refundMovement = (refund: Refund, intent: PaymentIntent, at: Date): Movement => {
  const { balance_transaction, failure_balance_transaction: failed, id: source, amount, currency } = refund;
  const moved: Moved =
    failed === undefined
      ? { id: balance_transaction, kind: 'refund', source, net: -amount, currency }
      : { id: failed, kind: 'refund_failed', source, net: amount, currency };
  return movement(moved, at, intent);
};

/** The movements of the latest change of our balance by a dispute: its fee is one of its own. */
export function disputeMovements(dispute: Dispute, intent: PaymentIntent, at: Date): Movement[] {
  const { id: source, currency } = dispute;
  const { id, kind, amount, fee } = dispute.changes.at(-1) as BalanceChange;
  const money = kind === 'dispute' ? 'dispute' : 'dispute_won';
  const moved: Moved[] = [{ id, kind: money, source, net: amount, currency }];
  if (fee > 0) moved.push({ id: newId('txn'), kind: 'dispute_fee', source, net: -fee, currency });
  return moved.map((one) => movement(one, at, intent));
}

export const transferMovement = (transfer: Transfer, at: Date): Movement => {
  const { balance_transaction: id, id: source, amount, currency } = transfer;
  return movement({ id, kind: 'transfer', source, net: -amount, currency }, at);
};

export const reversalMovement = (reversal: TransferReversal, at: Date): Movement => {
  const { balance_transaction: id, transfer: source, amount, currency } = reversal;
  return movement({ id, kind: 'transfer_reversal', source, net: amount, currency }, at);
};

/** Money that we paid in. */
export const topupMovement = (amount: number, currency: string, at: Date): Movement => {
  const id = newId('txn');
  return movement({ id, kind: 'topup', source: id, net: amount, currency }, at);
};
