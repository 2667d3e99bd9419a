-- Sequences in the headers of older rows were read more narrowly than the code reads them (`sequenceOf`: as JavaScript's
-- Number() does, where the header has one value), and the first of several was taken. Here they are read alike.
create function inbox_said_sequence(headers jsonb) returns bigint language sql immutable as $$
  select case when said between 1 and 9007199254740991 and said = trunc(said) then said::bigint end
  from (
    select case
      when word ~ '^[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?$' and pg_input_is_valid(word, 'float8')
        then word::float8
      when word ~* '^0(x[0-9a-f]+|o[0-7]+|b[01]+)$' and pg_input_is_valid(word, 'bigint') then word::bigint::float8
    end as said
    from (
      -- 'escape' writes bytes above 127 as \ooo, so JavaScript's wider spaces are two or three of these.
      select regexp_replace(
        regexp_replace(encode(decode(headers #>> '{ce_sequence,0}', 'base64'), 'escape'), '^' || space || '+', ''),
        space || '+$', '') as word
      from (values ('([\t\n\v\f\r ]|\\302\\240|\\341\\232\\200|\\342\\200\\2(0[0-7]|1[0-2]|5[017])|\\342\\201\\237|'
        || '\\343\\200\\200|\\357\\273\\277)')) as spaces (space)
      where headers #>> '{ce_sequence,1}' is null
    ) as header
  ) as number
$$;

update inbox_parked set sequence = inbox_said_sequence(raw_headers)
where sequence is distinct from inbox_said_sequence(raw_headers);

-- A discarded record stands for the fact of its key that it says it is, where its id says the same (`ownSequenceOf`): what
-- somebody else wrote under a wrong sequence stands for none, and none is passed over for it.
with said as (
  select *, inbox_said_sequence(raw_headers) as said,
    case when raw_headers #>> '{ce_id,1}' is null then decode(raw_headers #>> '{ce_id,0}', 'base64') end as id
  from inbox_discarded
), own as (
  select consumer_group, topic, partition, "offset",
    case when key <> '' and substr(id, length(id) - length(ending) + 1) = ending then said end as sequence
  from said cross join lateral convert_to('/' || key || '/' || said, 'UTF8') as ending
)
update inbox_discarded d set own_sequence = own.sequence from own
where (d.consumer_group, d.topic, d.partition, d."offset") = (own.consumer_group, own.topic, own.partition, own."offset")
  and d.own_sequence is distinct from own.sequence;

drop function inbox_said_sequence(jsonb);
