-- What an operator sees of a fact that was put aside, and in which order those of a key are brought back. Of rows of
-- before it is read from the headers, byte for byte: they may be anything.
alter table inbox_parked add column stack text;
alter table inbox_parked add column fact_type text;
alter table inbox_parked add column sequence bigint;
update inbox_parked set
  fact_type = encode(decode(raw_headers -> 'ce_type' ->> 0, 'base64'), 'escape'),
  sequence = case
    when encode(decode(raw_headers -> 'ce_sequence' ->> 0, 'base64'), 'escape') ~ '^[1-9][0-9]{0,14}$'
    then encode(decode(raw_headers -> 'ce_sequence' ->> 0, 'base64'), 'escape')::bigint
  end;
create index inbox_parked_heads on inbox_parked (parked_at, topic, partition, "offset") where head;

-- Records that an operator has given up, for ever: who reads the log again passes them over, too. `sequence` is where
-- their key goes on from; null where it does not move.
create table inbox_discarded (
  consumer_group text not null,
  topic text not null,
  partition integer not null,
  "offset" bigint not null,
  key text not null,
  fact_id text,
  sequence bigint,
  reason text,
  raw_key bytea,
  raw_value bytea,
  raw_headers jsonb not null,
  discarded_by text not null,
  discarded_because text not null,
  discarded_at timestamptz not null default now(),
  primary key (consumer_group, topic, partition, "offset")
);

-- Written with every batch, so room is left in each page for the new versions of its rows; the key first, compared byte
-- by byte: what comes before it is the same in all rows.
alter table inbox_positions set (fillfactor = 50);
alter table inbox_sequences set (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.05);
alter table inbox_sequences drop constraint inbox_sequences_pkey;
alter table inbox_sequences alter column key type text collate "C";
alter table inbox_sequences add primary key (key, topic, consumer_group);
