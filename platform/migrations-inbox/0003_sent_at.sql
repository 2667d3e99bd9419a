-- When the record was sent, by the record itself: it is brought back with the timestamp that it came with. Null in rows of
-- before, and where it says none that can be kept.
alter table inbox_parked add column sent_at timestamptz;
