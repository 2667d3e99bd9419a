/**
 * What the payments database lets its processes do with the ledger: add to it, in these columns, and read. They are not
 * the tables' owner, so nothing that they could be made to run changes or removes what is booked. With all other tables
 * they do as they need.
 */
export const ledgerRights = {
  insertOnly: {
    // Not `xid`: which transaction an entry may still be added to is not the process's to say.
    ledger_transactions: ['transaction_id', 'step_id', 'payment_id', 'payout_id', 'kind', 'recorded_at'],
    ledger_entries: ['transaction_id', 'account', 'currency', 'amount_minor'],
  },
  readOnly: ['ledger_balances'],
} as const;
