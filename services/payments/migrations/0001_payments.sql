-- A payment's row is its state as its facts tell it; the columns beside it are derived, never written.
create table payments (
  payment_id uuid primary key,
  version    integer not null check (version > 0),
  state      jsonb not null,
  status     text not null generated always as (state ->> 'status') stored,
  check ((state ->> 'version')::integer = version),
  check (state ->> 'rideId' = payment_id::text)
);
create index payments_status on payments (status)
  where status in ('authorizing', 'authorized', 'cash_due');
