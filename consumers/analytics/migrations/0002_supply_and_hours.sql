-- Supply beside demand: drivers who took a ride that begins in the cell, and drivers who became free there.
alter table demand
  add column assigned integer not null default 0,
  add column freed integer not null default 0;

-- What is remembered of a ride until it ends. Times are milliseconds since 1970. The table keeps its name: a process of
-- before writes to it until it is replaced.
alter table ride_cells
  add column dropoff_cell text,
  add column requested_ms bigint,
  add column duration_seconds integer,
  add column assigned_ms bigint,
  add column started_ms bigint,
  add column matched boolean not null default false;

-- Drivers on their shift, since when, and the region where it began.
create table shifts (
  driver_id text primary key,
  region text not null,
  online_ms bigint not null
);

-- Sums by hour and region (H3, resolution 5; '' where nobody said it): what is counted, and minor units by currency.
create table hours (
  hour timestamptz not null,
  region text not null,
  name text not null,
  value bigint not null,
  primary key (hour, region, name)
);

-- Histograms: how many rides took so many seconds, by the bucket's least value.
create table spreads (
  hour timestamptz not null,
  region text not null,
  name text not null,
  seconds integer not null,
  count bigint not null,
  primary key (hour, region, name, seconds)
);

-- The latest time that each partition's facts have said so far, and how many came too late behind it to be counted.
create table event_times (
  topic text not null,
  partition integer not null,
  latest_ms bigint not null,
  late bigint not null default 0,
  primary key (topic, partition)
);

-- What was decided last of each cell: an aggregate of this service's own, which no replay makes anew.
create table surges (
  cell text primary key,
  version integer not null,
  multiplier double precision not null,
  valid_until timestamptz not null
);

