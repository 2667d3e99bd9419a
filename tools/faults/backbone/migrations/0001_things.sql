-- What the consumer makes of facts: each effect once and in order, and by key what they add up to, which any other order
-- would make something else.
create table effects (
  key text not null,
  sequence integer not null,
  place bigint generated always as identity
);
create index effects_key on effects (key, sequence);
create table sums (
  key text primary key,
  facts integer not null,
  chain text not null
);
-- A key's chain is the hash of the one before and the fact.
create function chained(before text, sequences integer[]) returns text language plpgsql as $$
declare
  sequence integer;
begin
  foreach sequence in array sequences loop
    before := md5(before || '/' || sequence);
  end loop;
  return before;
end $$;
