-- Payments that still need somebody: also those that were taken in part, and of which the rest is owed.
drop index payments_status;
create index payments_open on payments (payment_id)
  where status in ('authorizing', 'action_required', 'authorized', 'cash_due', 'unresolved', 'owed')
     or (state ->> 'owedMinor')::bigint > 0;
