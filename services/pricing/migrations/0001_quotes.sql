-- A quote never changes: what it became is the business of rides.
create table quotes (
  quote_id uuid primary key,
  rider_id text not null,
  quote jsonb not null,
  expires_at timestamptz not null
);
