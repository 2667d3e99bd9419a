-- What rides from a cell (H3, resolution 8) are multiplied by, as analytics said last; until valid_until.
create table surges (
  cell text primary key,
  multiplier double precision not null,
  valid_until timestamptz not null
);
