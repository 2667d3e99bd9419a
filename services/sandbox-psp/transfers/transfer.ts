import { checkAmount } from '../amounts';
import { newId } from '../ids';
import { unixSeconds, type Metadata } from '../paymentIntent';
import { invalidRequest, noSuch } from '../stripeErrors';

/** Money of a transfer that came back. */
export interface TransferReversal {
  readonly id: string;
  readonly object: 'transfer_reversal';
  readonly amount: number;
  readonly balance_transaction: string;
  readonly created: number;
  readonly currency: string;
  readonly destination_payment_refund: string;
  readonly metadata: Metadata;
  readonly transfer: string;
}

/** A Transfer as the sandbox keeps it (https://docs.stripe.com/api/transfers/object; `shape.ts` adds the rest). */
export interface Transfer {
  readonly id: string;
  readonly object: 'transfer';
  readonly amount: number;
  readonly balance_transaction: string;
  readonly created: number;
  readonly currency: string;
  readonly description: string | null;
  readonly destination: string;
  readonly destination_payment: string;
  readonly metadata: Metadata;
  readonly reversals: readonly TransferReversal[];
  readonly transfer_group: string | null;
}

/**
 * POST /v1/transfers: from our balance to a connected account.
 * @param balanceMinor what we have in this currency
 * @throws StripeError for an account that is not there or may not be paid, or more than we have
 */
export function createTransfer(
  params: {
    amount: number;
    currency: string;
    destination: string;
    description?: string;
    metadata?: Metadata;
    transfer_group?: string;
  },
  balanceMinor: number,
  at: Date,
): Transfer {
  const { amount, currency, destination } = params;
  checkAmount(amount, currency, { least: false });
  mustBePayable(destination);
  if (amount > balanceMinor) {
    throw invalidRequest(
      'You have insufficient available funds in your Stripe account. Try adding funds directly to your available ' +
        'balance by creating Charges using the 4000000000000077 test card.',
      { code: 'balance_insufficient' },
    );
  }
  return {
    id: newId('tr'),
    object: 'transfer',
    amount,
    balance_transaction: newId('txn'),
    created: unixSeconds(at),
    currency,
    description: params.description ?? null,
    destination,
    destination_payment: newId('py'),
    metadata: params.metadata ?? {},
    reversals: [],
    transfer_group: params.transfer_group ?? null,
  };
}

/** Connected accounts are opaque: each exists, but `acct_none…`; `acct_restricted…` may not be paid. */
function mustBePayable(account: string): void {
  if (!/^acct_\w+$/.test(account) || account.startsWith('acct_none'))
    throw noSuch('destination', account, 'destination', 400);
  if (account.startsWith('acct_restricted')) {
    throw invalidRequest(
      'Your destination account needs to have at least one of the following capabilities enabled: transfers, ' +
        'crypto_transfers, legacy_payments',
      { code: 'insufficient_capabilities_for_transfer' },
    );
  }
}

export const reversedMinor = ({ reversals }: Transfer): number =>
  reversals.reduce((sum, { amount }) => sum + amount, 0);

/**
 * POST …/reversals: takes `amount` of a transfer back, or all that is left of it.
 * @throws StripeError when less is left
 */
export function reverseTransfer(
  transfer: Transfer,
  params: { amount?: number; metadata?: Metadata },
  at: Date,
): { transfer: Transfer; reversal: TransferReversal } {
  const left = transfer.amount - reversedMinor(transfer);
  const amount = params.amount ?? left;
  if (left === 0 || amount > left) {
    const money = transfer.currency.toUpperCase();
    throw invalidRequest(
      left === 0
        ? 'This transfer has already been fully reversed.'
        : `Reversal amount (${amount} ${money}) is greater than unreversed amount on transfer (${left} ${money})`,
      { param: 'amount' },
    );
  }
  const reversal: TransferReversal = {
    id: newId('trr'),
    object: 'transfer_reversal',
    amount,
    balance_transaction: newId('txn'),
    created: unixSeconds(at),
    currency: transfer.currency,
    destination_payment_refund: newId('pyr'),
    metadata: params.metadata ?? {},
    transfer: transfer.id,
  };
  return { transfer: { ...transfer, reversals: [reversal, ...transfer.reversals] }, reversal };
}
