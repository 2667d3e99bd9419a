-- Committed facts on their way to Kafka. Insert only: the relay remembers where it is, rows are never updated.
-- xid: the relay reads by what became visible between two snapshots. Ids are given before the commit, so an id
-- is no sign of commit order; inside one batch it is the order of a key, because whoever writes a key's next fact
-- has waited for its row's lock first (so a sequence cache of 1 is needed, the default).
create table outbox (
  id bigint generated always as identity primary key,
  xid xid8 not null default pg_current_xact_id(),
  topic text not null,
  key text not null,
  headers jsonb not null,
  value text not null,
  recorded_at timestamptz not null default now()
);
create index outbox_xid_id on outbox (xid, id);

-- Where the relay is. Everything visible in from_snapshot is in Kafka (or parked). While to_snapshot is set, the
-- rows between the two are being sent in order of id, and those up to last_id have been.
create table relay_position (
  name text primary key,
  from_snapshot pg_snapshot not null,
  to_snapshot pg_snapshot,
  last_id bigint not null default 0,
  facts bigint not null default 0,
  moved_at timestamptz not null default now()
);

-- A key whose fact Kafka refuses by itself, and the facts that wait behind it, in order of `place`.
create table parked_keys (
  topic text not null,
  key text not null,
  outbox_id bigint not null,
  reason text not null,
  parked_at timestamptz not null default now(),
  primary key (topic, key)
);
create table parked_facts (
  place bigint generated always as identity primary key,
  outbox_id bigint not null unique,
  topic text not null,
  key text not null
);
create index parked_facts_key on parked_facts (topic, key, place);

-- Every step that changed an aggregate, with what it answered: a step that is tried again finds its answer here.
-- Never rotated; folding an aggregate's facts in order of version gives its row.
create table steps (
  step_id text primary key,
  aggregate_id text not null,
  version integer not null,
  fact_type text not null,
  fact jsonb not null,
  result jsonb,
  recorded_at timestamptz not null default now(),
  constraint steps_aggregate_version unique (aggregate_id, version)
);
