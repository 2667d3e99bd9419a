-- In which zones drivers are, of those who have ever been in one.
create table zone_stays (
  driver_id text primary key,
  -- Sorted; none for one who has left.
  zones text[] not null default '{}',
  -- Of the position that changed them last: an older one changes nothing.
  sequence bigint not null default -1,
  -- Facts told of the driver so far.
  version integer not null default 0
);
create index zone_stays_inside on zone_stays (driver_id) where zones <> '{}';
