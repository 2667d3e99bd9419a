-- The hour in which facts were sent is exported: they are stored in about that order, so a few pages of an index will do.
create index facts_sent on facts using brin (sent_at);
