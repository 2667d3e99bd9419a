-- What each account holds, kept by the database as entries come, so that a balance costs the same however many there
-- are. In parts, one for each of sixteen connections: bookings touch the same few accounts, and would wait for each
-- other to commit.
create table ledger_balances (
  account      text not null,
  currency     text not null,
  part         smallint not null,
  amount_minor bigint not null,
  primary key (account, currency, part)
) with (fillfactor = 50);

insert into ledger_balances (account, currency, part, amount_minor)
  select account, currency, 0, sum(amount_minor) from ledger_entries group by account, currency;

-- With the rights of the tables' owner: whoever books can only read balances. Accounts in order, so that two bookings
-- never wait for each other.
create function ledger_keep_balances() returns trigger language plpgsql
  security definer set search_path = public, pg_temp as $$
begin
  insert into ledger_balances as kept (account, currency, part, amount_minor)
    select account, currency, pg_backend_pid() % 16, sum(amount_minor) from added
     group by account, currency order by account, currency
  on conflict (account, currency, part) do update set amount_minor = kept.amount_minor + excluded.amount_minor;
  return null;
end $$;
revoke execute on function ledger_keep_balances() from public;

create trigger ledger_keep_balances after insert on ledger_entries
  referencing new table as added for each statement execute function ledger_keep_balances();
