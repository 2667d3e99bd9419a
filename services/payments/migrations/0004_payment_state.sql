-- What a payment's facts tell of it beside what they did: rows of before get what folding their facts gives by now.
update payments set state = jsonb_build_object(
    'fallbacks', '[]'::jsonb,
    'actionDeadlineAt', null,
    'unresolved', null,
    'chargedFor', case when state ->> 'status' in ('captured', 'partially_refunded', 'refunded', 'cash_settled')
                       then to_jsonb('fare'::text) else 'null'::jsonb end,
    'owedMinor', 0,
    'charges', case when (state ->> 'capturedMinor')::bigint = 0 then '[]'::jsonb
                    else jsonb_build_array(jsonb_build_object(
                      'intentId', state -> 'intentId',
                      'amountMinor', state -> 'capturedMinor',
                      'refundedMinor', state -> 'refundedMinor')) end
  ) || state;

create table disputes (
  dispute_id text primary key,
  ride_id    uuid not null,
  version    integer not null check (version > 0),
  state      jsonb not null,
  status     text not null generated always as (state ->> 'status') stored,
  check ((state ->> 'version')::integer = version),
  check (state ->> 'disputeId' = dispute_id)
);
create index disputes_ride on disputes (ride_id);

create table payouts (
  payout_id uuid primary key,
  driver_id text not null,
  currency  text not null,
  period    text not null,
  version   integer not null check (version > 0),
  state     jsonb not null,
  status    text not null generated always as (state ->> 'status') stored,
  unique (driver_id, currency, period),
  check ((state ->> 'version')::integer = version),
  check (state ->> 'payoutId' = payout_id::text)
);

-- A booking is of a ride's payment (its disputes, too) or of a payout.
alter table ledger_transactions add column payout_id uuid;
alter table ledger_transactions alter column payment_id drop not null;
alter table ledger_transactions add check (num_nonnulls(payment_id, payout_id) = 1);
create index ledger_transactions_payout on ledger_transactions (payout_id) where payout_id is not null;
