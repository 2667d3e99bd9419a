-- Where and when riders asked for a ride last: surge counts each once, however often they ask. No id of a rider is kept: a
-- place is some bits of its hash, so there are never more than 4,194,304 rows.
create table askers (
  place integer primary key,
  cell text not null,
  asked_at timestamptz not null
);
create index askers_lately on askers (asked_at);
