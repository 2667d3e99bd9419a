import { v7 as uuidv7 } from 'uuid';
import type { LedgerEntry } from '../../domain/ledger';
import type { Queryable, Tx } from '../../platform/postgres';

/** A booking: its entries sum to zero in every currency, which the database checks at commit. */
export interface LedgerTransaction {
  /** The step that books; a step books once. */
  readonly stepId: string;
  readonly paymentId: string;
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
  const { stepId, paymentId, kind, recordedAt, entries } = booking;
  await tx.query({
    name: 'ledger-book',
    text: `with booked as (
             insert into ledger_transactions (transaction_id, step_id, payment_id, kind, recorded_at)
             values ($1, $2, $3, $4, $5) returning transaction_id)
           insert into ledger_entries (transaction_id, account, currency, amount_minor)
           select transaction_id, account, currency, amount_minor
           from booked, unnest($6::text[], $7::text[], $8::bigint[]) as entry (account, currency, amount_minor)`,
    values: [
      uuidv7(),
      stepId,
      paymentId,
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

/** The balances of all accounts, or what one ride's payment did to them; they sum to zero in every currency. */
export async function balances(db: Queryable, paymentId?: string): Promise<Balance[]> {
  const { rows } = await db.query<Balance>(
    `select account, currency, sum(amount_minor)::bigint as "amountMinor"
     from ledger_entries join ledger_transactions using (transaction_id)
     where $1::uuid is null or payment_id = $1
     group by account, currency order by account, currency`,
    [paymentId ?? null],
  );
  return rows;
}
