-- How far a consumer group is in its database, moved in the same transaction as its effects.
create table inbox_positions (
  consumer_group text not null,
  topic text not null,
  partition integer not null,
  next_offset bigint not null default 0,
  facts bigint not null default 0,
  moved_at timestamptz not null default now(),
  primary key (consumer_group, topic, partition)
);

-- One high-water mark a key: a fact at or below it has had its effect.
create table inbox_sequences (
  consumer_group text not null,
  topic text not null,
  key text not null,
  sequence bigint not null,
  primary key (consumer_group, topic, key)
);

-- Facts that could not be applied (`head`, also in the dead-letter topic, with the reason) and those of the same key
-- that wait behind them, in the order of their offsets. A key with rows here is parked. Headers are base64.
create table inbox_parked (
  consumer_group text not null,
  topic text not null,
  partition integer not null,
  "offset" bigint not null,
  key text not null,
  fact_id text,
  head boolean not null,
  reason text,
  attempts integer not null default 0,
  raw_key bytea,
  raw_value bytea,
  raw_headers jsonb not null,
  parked_at timestamptz not null default now(),
  primary key (consumer_group, topic, partition, "offset")
);
create index inbox_parked_key on inbox_parked (consumer_group, topic, key, "offset");
