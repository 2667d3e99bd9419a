-- Rides by the H3 cell (resolution 8) of their pickup and the minute of each fact's time.
create table demand (
  minute timestamptz not null,
  cell text not null,
  requested integer not null default 0,
  completed integer not null default 0,
  cancelled integer not null default 0,
  no_driver integer not null default 0,
  primary key (minute, cell)
);

-- Where rides that have not ended were requested: only the first fact of a ride says it.
create table ride_cells (
  ride_id uuid primary key,
  cell text not null
);
