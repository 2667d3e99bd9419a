-- A run of the reconciliation is its state as its facts tell it.
create table reconciliations (
  run_id      uuid primary key,
  version     integer not null check (version > 0),
  state       jsonb not null,
  finished_at text generated always as (state ->> 'finishedAt') stored,
  check ((state ->> 'version')::integer = version),
  check (state ->> 'runId' = run_id::text)
);
create index reconciliations_finished on reconciliations (finished_at) where finished_at is not null;
