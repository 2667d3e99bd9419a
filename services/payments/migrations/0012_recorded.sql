-- Bookings come in the order of their times, near enough: what came since a time is found without an entry for each.
create index ledger_transactions_recorded on ledger_transactions using brin (recorded_at) with (autosummarize = on);
