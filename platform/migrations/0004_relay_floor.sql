-- Behind transactions that write facts: those that begin meanwhile wait for it, so not for long.
set local lock_timeout = '4s';

-- A transaction has its xid before any of its facts has an id, also where it has written nothing before.
create function outbox_begun() returns trigger language plpgsql as $$
begin
  perform pg_current_xact_id();
  return null;
end
$$;
create trigger outbox_begun before insert on outbox for each statement execute function outbox_begun();

-- What a relay knows of a lane's ids when it has looked for news, so that the next look need not ask them of all that has
-- come since: `{of, xid, id}` says that what is visible in the snapshot `of` has ids up to `id`, and facts of transactions
-- from `xid` on have ids above it. `of` is to_snapshot, or from_snapshot where that is not set; otherwise a relay of before
-- has moved the position since, and nothing is known.
alter table relay_lanes add column floor json;
