-- The sequence that a discarded record says itself, wherever its key went on from: it is not missing before the next one.
-- Of rows of before it is read from the headers, byte for byte.
alter table inbox_discarded add column own_sequence bigint;
update inbox_discarded set own_sequence = case
  when encode(decode(raw_headers -> 'ce_sequence' ->> 0, 'base64'), 'escape') ~ '^[1-9][0-9]{0,14}$'
  then encode(decode(raw_headers -> 'ce_sequence' ->> 0, 'base64'), 'escape')::bigint
end;
create index inbox_discarded_key on inbox_discarded (consumer_group, topic, key) where own_sequence is not null;
