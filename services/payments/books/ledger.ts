import { v7 as uuidv7 } from 'uuid';
import type { LedgerEntry } from '../../../domain/ledger';
import type { Queryable, Tx } from '../../../platform/postgres';

/** A booking: its entries sum to zero in every currency, which the database checks at commit. */
export type LedgerTransaction = Booking &
  // A ride's payment (its disputes, too) or a payout.
  ({ readonly paymentId: string } | { readonly payoutId: string });

interface Booking {
  /** The step that books; a step books once. */
  readonly stepId: string;
  /** The fact it books: `payment.captured`. */
  readonly kind: string;
  /** ISO 8601. */
  readonly recordedAt: string;
  readonly entries: readonly LedgerEntry[];
}

/**
 * Books within the caller's transaction, so that the fact and its money are committed together.
 * Does nothing for a booking without entries.
 */
export async function book(tx: Tx, booking: LedgerTransaction): Promise<void> {
  if (booking.entries.length === 0) return;
  const { stepId, kind, recordedAt, entries } = booking;
  const [paymentId, payoutId] = 'paymentId' in booking ? [booking.paymentId, null] : [null, booking.payoutId];
  await tx.query({
    name: 'ledger-book',
    text: `with booked as (
             insert into ledger_transactions (transaction_id, step_id, payment_id, payout_id, kind, recorded_at)
             values ($1, $2, $3, $4, $5, $6) returning transaction_id)
           insert into ledger_entries (transaction_id, account, currency, amount_minor)
           select transaction_id, account, currency, amount_minor
           from booked, unnest($7::text[], $8::text[], $9::bigint[]) as entry (account, currency, amount_minor)`,
    values: [
      uuidv7(),
      stepId,
      paymentId,
      payoutId,
      kind,
      recordedAt,
      entries.map((entry) => entry.account),
      entries.map((entry) => entry.currency),
      entries.map((entry) => entry.amountMinor),
    ],
  });
}

/** What an account holds: debits less credits, in minor units. */
export interface Balance {
  readonly account: string;
  readonly currency: string;
  readonly amountMinor: number;
}

/** The balances of all accounts, or of one, as committed. They sum to zero in every currency. */
export async function balances(
  db: Queryable,
  { account }: { readonly account?: string } = {},
): Promise<Balance[]> {
  const { rows } = await db.query<Balance>(
    `select account, currency, sum(amount_minor)::bigint as "amountMinor" from ledger_balances
     ${account === undefined ? '' : 'where account = $1'}
     group by account, currency order by account, currency`,
    account === undefined ? [] : [account],
  );
  return rows;
}

/** What one ride's payment, its disputes included, did to each account. */
export async function balancesOf(db: Queryable, paymentId: string): Promise<Balance[]> {
  const { rows } = await db.query<Balance>(
    `select account, currency, sum(amount_minor)::bigint as "amountMinor"
     from ledger_entries join ledger_transactions using (transaction_id)
     where payment_id = $1 group by account, currency order by account, currency`,
    [paymentId],
  );
  return rows;
}
