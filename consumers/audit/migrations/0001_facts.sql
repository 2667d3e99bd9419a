-- Every fact there ever was, as it came. Never changed, never deleted.
create table facts (
  topic text not null,
  key text not null,
  sequence bigint not null,
  fact_id text not null,
  type text not null,
  time timestamptz not null,
  partition integer not null,
  "offset" bigint not null,
  -- CloudEvents attributes and trace, by the names of their headers.
  headers json not null,
  -- json, not jsonb: the text is kept as it was.
  data json not null,
  recorded_at timestamptz not null default now(),
  primary key (topic, key, sequence)
);
create index facts_key on facts (key, time);

create function facts_are_append_only() returns trigger language plpgsql as $$
begin
  raise exception 'facts are append-only: % is refused', tg_op using errcode = 'insufficient_privilege';
end
$$;

create trigger facts_append_only before update or delete or truncate on facts
  for each statement execute function facts_are_append_only();

-- The owner too: whoever wants to change history has to take this back first, for everybody to see.
revoke update, delete, truncate on facts from current_user;
