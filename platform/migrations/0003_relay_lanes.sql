-- The outbox in lanes, each relayed by one owner at a time, and in segments, which are emptied in turn.

-- A key's facts are all in one lane. The number of lanes stays: with another one a key would change its lane, and its
-- facts could overtake each other.
create function outbox_lane(key text) returns smallint
  language sql immutable strict parallel safe return (hashtextextended(key, 0) & 7)::smallint;

-- The segment that a transaction of now writes to.
create function outbox_segment() returns smallint
  language sql stable parallel safe return (extract(epoch from now())::bigint / 900 % 4)::smallint;

alter table outbox rename to outbox_before;
alter index outbox_xid_id rename to outbox_before_xid_id;

create table outbox (
  id bigint generated always as identity,
  xid xid8 not null default pg_current_xact_id(),
  segment smallint not null default outbox_segment(),
  lane smallint not null generated always as (outbox_lane(key)) stored,
  topic text not null,
  key text not null,
  headers json not null,
  value text not null,
  recorded_at timestamptz not null default now()
) partition by list (segment);
create table outbox_0 partition of outbox for values in (0);
create table outbox_1 partition of outbox for values in (1);
create table outbox_2 partition of outbox for values in (2);
create table outbox_3 partition of outbox for values in (3);
-- Which facts of a lane are new, and the facts of a backlog in pages.
create index outbox_lane_xid on outbox (lane, xid);
create index outbox_lane_id on outbox (lane, id);

-- Who relays, and when they were last seen: lanes are shared among those.
create table relay_members (
  member text primary key,
  seen_at timestamptz not null
);

-- Where each lane's relay is, and whose the lane is until when. A position moves only under the epoch of its owner.
-- Everything visible in from_snapshot is in Kafka (or parked). While to_snapshot is set, of what lies between the two
-- the facts up to last_id are.
create table relay_lanes (
  lane smallint primary key,
  owner text,
  epoch bigint not null default 0,
  leased_until timestamptz not null default '-infinity',
  from_snapshot pg_snapshot not null,
  to_snapshot pg_snapshot,
  last_id bigint not null default 0,
  facts bigint not null default 0,
  moved_at timestamptz not null default now()
) with (fillfactor = 50);
-- Nothing is visible in the snapshot 1:1:, so the first window is everything there is.
insert into relay_lanes (lane, from_snapshot) select lane, '1:1:' from generate_series(0, 7) as lane;

-- A member says that it is there, keeps its lanes for `lease` more, and takes free ones up to its share, which is the
-- lanes divided by the members seen within a lease. What it has above its share it has to give up itself.
create function relay_beat(me text, lease interval)
  returns table (held_lane smallint, held_epoch bigint, my_share integer) language plpgsql as $$
declare
  now_is timestamptz := clock_timestamp();
  held integer;
begin
  insert into relay_members (member, seen_at) values (me, now_is)
    on conflict (member) do update set seen_at = excluded.seen_at;
  delete from relay_members where seen_at < now_is - interval '1 minute';
  select ceil((select count(*) from relay_lanes)::numeric / count(*)) into my_share
    from relay_members where seen_at > now_is - lease;
  update relay_lanes set leased_until = now_is + lease where owner = me and leased_until > now_is;
  get diagnostics held = row_count;
  update relay_lanes set owner = me, epoch = epoch + 1, leased_until = now_is + lease
    where lane in (
      select lane from relay_lanes where leased_until <= now_is order by lane limit greatest(0, my_share - held)
      for update skip locked
    );
  return query select lane, epoch, my_share from relay_lanes where owner = me and leased_until > now_is order by lane;
end
$$;

-- Gives back the storage of a segment that nobody writes to and whose facts are all in Kafka or parked; whether it has. A
-- transaction that began while the segment was in use may still add a fact to it: so it is locked first, and what it holds
-- is judged in a statement after that, which sees all that was committed before the lock. Nobody waits for that lock for
-- longer than 100 ms. With its owner's rights: relays may add and read only.
create function outbox_empty_segment(emptied smallint) returns boolean
  language plpgsql security definer set search_path = public, pg_temp set lock_timeout = '100ms' as $$
declare
  segment_table text := 'outbox_' || emptied;
  is_due boolean;
  due text := format(
    'select $1 <> outbox_segment() and exists (select from %1$I) and not exists (
       select from relay_lanes l cross join lateral (
         select from %1$I o where o.lane = l.lane and o.xid >= pg_snapshot_xmin(l.from_snapshot)
           and not pg_visible_in_snapshot(o.xid, l.from_snapshot) limit 1
       ) as unpublished)', segment_table);
begin
  execute due into is_due using emptied;
  if not is_due then return false; end if;
  begin
    execute format('lock table only %I in access exclusive mode', segment_table);
  exception when lock_not_available then
    return false;
  end;
  execute due into is_due using emptied;
  if is_due then execute format('truncate only %I', segment_table); end if;
  return is_due;
end
$$;

-- An operator's wish to have a key's facts sent after all; its lane's owner does it, as nobody else knows what of the
-- key is under way.
alter table parked_keys add column release_asked_at timestamptz;

-- A parked key's facts are kept here: their segment is emptied.
alter table parked_facts
  add column headers json,
  add column value text;
update parked_facts p set headers = o.headers, value = o.value from outbox_before o where o.id = p.outbox_id;
alter table parked_facts
  alter column headers set not null,
  alter column value set not null;

-- Ids go on: those of parked facts are kept.
select setval(pg_get_serial_sequence('outbox', 'id'), coalesce((select max(id) from outbox_before), 0) + 1, false);

-- What the relay of before had not sent yet. Whatever had been begun is sent again.
insert into outbox (topic, key, headers, value, recorded_at)
select o.topic, o.key, o.headers, o.value, o.recorded_at
from outbox_before o left join relay_position p on true
where (p.from_snapshot is null or not pg_visible_in_snapshot(o.xid, p.from_snapshot))
  and not exists (select 1 from parked_facts f where f.outbox_id = o.id)
order by o.id;
update relay_lanes set facts = coalesce((select facts from relay_position), 0) where lane = 0;
drop table relay_position;
drop table outbox_before;
