-- Rides that have a rider and no end, or had a driver at their end. What facts alone make: a replay makes it anew.
create table ride_paths (
  ride_id uuid primary key,
  rider_id text not null,
  -- Of who drives it, or drove it: the sequence of the fact by which they got it, their id, and milliseconds since 1970.
  leg integer,
  driver_id text,
  from_ms bigint,
  started_ms bigint,
  until_ms bigint
);
create index ride_paths_until on ride_paths (until_ms) where driver_id is not null;

-- Where drivers were on their rides, as contracts/pathChunk.ts has it, sealed with the rider's key. By the day on which
-- the driver got the ride (UTC), so that a ride is on one day and a day goes as a whole.
create table path_chunks (
  day date not null,
  ride_id uuid not null,
  leg integer not null,
  -- The records of driver-positions that it comes from.
  partition integer not null,
  first_offset bigint not null,
  last_offset bigint not null,
  points integer not null,
  sealed bytea not null,
  primary key (day, ride_id, leg, partition, last_offset)
) partition by range (day);
-- Days that nobody has made a partition for.
create table path_chunks_other partition of path_chunks default;

-- Where the reading of driver-positions goes on.
create table path_positions (
  partition integer primary key,
  next_offset bigint not null
);

-- What was sent by then lies before the offset: where a ride that is heard of late has to be looked for.
create table path_marks (
  partition integer not null,
  "offset" bigint not null,
  sent_ms bigint not null,
  primary key (partition, "offset")
);

-- The partition of a day, unless its chunks have come already.
create function ensure_path_day(wanted date) returns void language plpgsql as $$
declare
  name text := 'path_chunks_' || to_char(wanted, 'YYYY_MM_DD');
begin
  perform pg_advisory_xact_lock(hashtext('ensure_path_day'));
  if to_regclass(name) is not null then return; end if;
  if exists (select from path_chunks_other where day = wanted) then return; end if;
  execute format('create table %I partition of path_chunks for values from (%L) to (%L)', name, wanted, wanted + 1);
end $$;
