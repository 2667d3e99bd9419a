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
