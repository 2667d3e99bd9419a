import type { Queryable } from '../../../platform/postgres';
import type { Balance } from './ledger';

/** What accounts of a kind hold together: `driver_payable` is what all drivers are owed. */
export interface KindBalance extends Balance {
  /** How many accounts of the kind hold something. */
  readonly accounts: number;
}

/**
 * What the accounts of each kind hold in each currency. They sum to zero in every currency.
 * @param at by the bookings' own times, ISO 8601 in UTC; null for all that is booked. What comes after it is subtracted
 * from what is held now, so that a time long ago costs more.
 */
export async function balanceSheet(db: Queryable, at: string | null): Promise<KindBalance[]> {
  const { rows } = await db.query<KindBalance>(
    `select split_part(account, ':', 1) as account, currency, sum(amount_minor)::bigint as "amountMinor",
            count(*) filter (where amount_minor <> 0) as accounts
       from (select account, currency, sum(amount_minor) as amount_minor from (${held}) as held
              group by account, currency) as by_account
      group by 1, 2 order by 1, 2`,
    [at],
  );
  return rows;
}

export interface AccountsQuery {
  /** One account (`driver_payable:driver-1`), or all of a kind (`driver_payable`). */
  readonly account: string;
  /** Those behind this one; null for the first. */
  readonly after: string | null;
  /** How many accounts at most; one has a balance for each of its currencies. */
  readonly limit: number;
  readonly at: string | null;
}

/** The same for single accounts, in their order. */
export async function accountBalances(
  db: Queryable,
  { account, after, limit, at }: AccountsQuery,
): Promise<Balance[]> {
  const { rows } = await db.query<Balance>(
    `with page as (
       select distinct account from ledger_balances
        where (account = $2 or starts_with(account, $2 || ':')) and account > $3 order by account limit $4)
     select account, currency, sum(amount_minor)::bigint as "amountMinor"
       from (${held}) as held where account in (select account from page)
      group by account, currency order by account, currency`,
    [at, account, after ?? '', limit],
  );
  return rows;
}

const held = `
  select account, currency, amount_minor from ledger_balances
  union all
  select account, currency, -amount_minor from ledger_transactions join ledger_entries using (transaction_id)
   where recorded_at > coalesce($1::timestamptz, 'infinity')`;
