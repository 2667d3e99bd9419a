-- The event store: facts by the month in which they happened, each with its place and hash in the chain of its topic's
-- partition. A fact's time is part of it and never differs, so (topic, key, sequence) is in one partition only, whoever
-- delivers it again.
alter table facts rename to facts_before;
alter index facts_pkey rename to facts_before_pkey;
alter index facts_key rename to facts_before_key;
drop trigger facts_append_only on facts_before;

create table facts (
  topic text not null,
  partition integer not null,
  -- In the chain of its partition: 1, 2, 3, … as the log has them.
  place bigint not null,
  "offset" bigint not null,
  key text not null,
  sequence bigint not null,
  fact_id text not null,
  type text not null,
  time timestamptz not null,
  sent_at timestamptz not null,
  recorded_at timestamptz not null,
  correlation_id text not null,
  causation_id text not null,
  -- Who gave the command: `role:subject`.
  caller text,
  -- json, not jsonb: the texts are kept as they came.
  headers json not null,
  data json not null,
  hash bytea not null,
  primary key (topic, key, sequence, time)
) partition by range (time);
create index facts_place on facts (topic, partition, place);
create index facts_offset on facts (topic, partition, "offset");
create index facts_correlation on facts (correlation_id);

-- Where each chain ends.
create table fact_chains (
  topic text not null,
  partition integer not null,
  place bigint not null,
  hash bytea not null,
  primary key (topic, partition)
);

-- A row's hash: SHA-256 of the hash before it (nothing for the first) and each field behind its length in bytes.
create function fact_hash(previous bytea, variadic fields text[]) returns bytea language sql immutable as $$
  select sha256(previous || convert_to(string_agg(octet_length(field) || ':' || field, '' order by place), 'UTF8'))
  from unnest(fields) with ordinality as given (field, place)
$$;

-- A chain goes on where it ends, whoever inserts: with the rights of the tables' owner, as nobody else changes its end.
create function facts_extend_chain() returns trigger language plpgsql
  security definer set search_path = public, pg_temp as $$
begin
  if exists (
    select 1 from (
      select topic, partition, min(place) as first, max(place) as last, count(*) as facts
      from added group by topic, partition
    ) as batch left join fact_chains using (topic, partition)
    where first <> coalesce(fact_chains.place, 0) + 1 or last - first + 1 <> facts
  ) then
    raise exception 'the chain of facts has gone on meanwhile' using errcode = 'serialization_failure';
  end if;
  insert into fact_chains (topic, partition, place, hash)
    select distinct on (topic, partition) topic, partition, place, hash from added
    order by topic, partition, place desc
  on conflict (topic, partition) do update set place = excluded.place, hash = excluded.hash;
  return null;
end $$;
revoke execute on function facts_extend_chain() from public;
create trigger facts_append_only before update or delete on facts
  for each row execute function facts_are_append_only();
create trigger facts_no_truncate before truncate on facts
  for each statement execute function facts_are_append_only();
revoke update, delete, truncate on facts from current_user;

-- Whatever no month was made for: times that are wrong, or far away.
create table facts_other partition of facts default;
create trigger facts_no_truncate before truncate on facts_other
  for each statement execute function facts_are_append_only();
revoke update, delete, truncate on facts_other from current_user;

-- The partition of a month, if it can be: one whose facts have come already, when nobody thought of it, keeps them in
-- `facts_other`.
create function ensure_fact_partition(month timestamptz) returns void language plpgsql
  security definer set search_path = public, pg_temp as $$
declare
  name text := 'facts_' || to_char(month at time zone 'UTC', 'YYYY_MM');
  first timestamptz := date_trunc('month', month at time zone 'UTC') at time zone 'UTC';
  next timestamptz := (date_trunc('month', month at time zone 'UTC') + interval '1 month') at time zone 'UTC';
begin
  perform pg_advisory_xact_lock(hashtext('ensure_fact_partition'));
  if to_regclass(name) is not null then return; end if;
  if exists (select from facts_other where time >= first and time < next) then return; end if;
  execute format('create table %I partition of facts for values from (%L) to (%L)', name, first, next);
  execute format('create trigger facts_no_truncate before truncate on %I for each statement
    execute function facts_are_append_only()', name);
  execute format('revoke update, delete, truncate on %I from current_user', name);
end $$;

-- From last month to `ahead` months from now. Run at every start and every hour.
create function ensure_fact_partitions(ahead integer) returns void language sql
  security definer set search_path = public, pg_temp as $$
  select ensure_fact_partition(now() + make_interval(months => i)) from generate_series(-1, ahead) as i
$$;

select ensure_fact_partition(month)
  from (select distinct date_trunc('month', time at time zone 'UTC') at time zone 'UTC' as month from facts_before) as of_facts;
select ensure_fact_partitions(3);

-- What is there begins the chains. When it was sent nobody kept: not before it happened.
do $$
declare
  fact record;
  chain text := '';
  last bytea;
  next bigint;
begin
  for fact in
    select *, (extract(epoch from time) * 1000)::bigint as ms, (extract(epoch from recorded_at) * 1000)::bigint as recorded_ms,
      coalesce(headers ->> 'ce_correlationid', '') as correlation, coalesce(headers ->> 'ce_causationid', '') as causation
    from facts_before order by topic, partition, facts_before.recorded_at, "offset"
  loop
    if chain <> fact.topic || '/' || fact.partition then
      chain := fact.topic || '/' || fact.partition;
      last := '';
      next := 0;
    end if;
    next := next + 1;
    last := fact_hash(last, fact.topic, fact.partition::text, next::text, fact."offset"::text, fact.key,
      fact.sequence::text, fact.fact_id, fact.type, fact.ms::text, fact.ms::text, fact.recorded_ms::text,
      fact.correlation, fact.causation, '', fact.headers::text, fact.data::text);
    insert into facts values (fact.topic, fact.partition, next, fact."offset", fact.key, fact.sequence, fact.fact_id,
      fact.type, to_timestamp(fact.ms / 1000.0), to_timestamp(fact.ms / 1000.0), to_timestamp(fact.recorded_ms / 1000.0),
      fact.correlation, fact.causation, null, fact.headers, fact.data, last);
  end loop;
end $$;
insert into fact_chains (topic, partition, place, hash)
  select distinct on (topic, partition) topic, partition, place, hash from facts order by topic, partition, place desc;
drop table facts_before;

create trigger facts_extend_chain after insert on facts
  referencing new table as added for each statement execute function facts_extend_chain();
