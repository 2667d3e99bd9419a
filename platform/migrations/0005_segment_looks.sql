-- As before, but for how it looks: a transaction that stayed open for long made it read all that others had written and
-- relays had sent meanwhile, while nobody else could read or write the segment.
-- And where a lane stands at a snapshot that this database has yet to reach, nobody knows what is published.
create function outbox_was_set_back() returns boolean language sql stable as
$$ select exists (
     select from relay_lanes
     where pg_snapshot_xmax(coalesce(to_snapshot, from_snapshot)) > pg_snapshot_xmax(pg_current_snapshot())) $$;

create or replace function outbox_empty_segment(emptied smallint) returns boolean
  language plpgsql security definer set search_path = public, pg_temp set lock_timeout = '100ms'
  set enable_seqscan = off set enable_bitmapscan = off as $$
declare
  segment_table text := 'outbox_' || emptied;
  is_due boolean;
  due text := format(
    'select $1 <> outbox_segment() and exists (select from %1$I) and not outbox_was_set_back() and not exists (
       select from relay_lanes l cross join lateral (
         (select from %1$I o where o.lane = l.lane and o.xid >= pg_snapshot_xmax(l.from_snapshot) limit 1)
         union all
         (select from pg_snapshot_xip(l.from_snapshot) as under_way (xid)
            cross join lateral (select from %1$I o where o.lane = l.lane and o.xid = under_way.xid limit 1) as late)
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

-- For a database that was set back: all that its outbox has is sent, in order of id, as if none of it had been.
create function outbox_begin_anew() returns void language sql as $$
  update outbox set xid = pg_current_xact_id();
  update relay_lanes set epoch = epoch + 1, from_snapshot = '1:1:', to_snapshot = null, last_id = 0, floor = null;
$$;
