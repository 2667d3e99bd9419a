create table ledger_transactions (
  transaction_id uuid primary key,
  -- The step that wrote it: a step books once, whoever repeats it.
  step_id        text not null unique,
  payment_id     uuid not null,
  kind           text not null,
  recorded_at    timestamptz not null,
  xid            xid8 not null default pg_current_xact_id()
);
create index ledger_transactions_payment on ledger_transactions (payment_id);

create table ledger_entries (
  entry_id       bigint generated always as identity primary key,
  transaction_id uuid not null references ledger_transactions,
  account        text not null check (account <> ''),
  currency       text not null check (currency ~ '^[A-Z]{3}$'),
  -- Debits are positive, credits negative, in minor units.
  amount_minor   bigint not null check (amount_minor <> 0)
);
create index ledger_entries_transaction on ledger_entries (transaction_id);
create index ledger_entries_account on ledger_entries (account, currency);

-- Judged at commit, when all of a transaction's entries are there. Entries can only come with the
-- transaction they belong to: a balanced pair slipped under an old one would rewrite history.
create function ledger_balance() returns trigger language plpgsql as $$
declare
  unbalanced text;
begin
  select string_agg(format('%s %s', total, currency), ', ') into unbalanced
    from (select currency, sum(amount_minor) as total
            from ledger_entries where transaction_id = new.transaction_id
           group by currency having sum(amount_minor) <> 0) as sums;
  if unbalanced is not null then
    raise exception 'ledger transaction % does not balance: %', new.transaction_id, unbalanced
      using errcode = 'check_violation', constraint = 'ledger_balance';
  end if;
  if not exists (select from ledger_transactions
                  where transaction_id = new.transaction_id and xid = pg_current_xact_id()) then
    raise exception 'ledger transaction % is closed', new.transaction_id
      using errcode = 'check_violation', constraint = 'ledger_closed';
  end if;
  return null;
end $$;

create constraint trigger ledger_balance after insert on ledger_entries
  deferrable initially deferred for each row execute function ledger_balance();

create function ledger_append_only() returns trigger language plpgsql as $$
begin
  raise exception 'the ledger is append-only: % on % refused', TG_OP, TG_TABLE_NAME
    using errcode = 'insufficient_privilege';
end $$;

create trigger ledger_append_only before update or delete or truncate on ledger_transactions
  for each statement execute function ledger_append_only();
create trigger ledger_append_only before update or delete or truncate on ledger_entries
  for each statement execute function ledger_append_only();
