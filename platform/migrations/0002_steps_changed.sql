-- Who follows aggregates (event streams) asks what was committed since a snapshot, not each aggregate by its name.
-- Steps of before have none: nobody asks so far back.
alter table steps add column xid xid8;
alter table steps alter column xid set default pg_current_xact_id();
create index steps_xid on steps (xid);
