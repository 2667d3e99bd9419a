-- Drifts that last, as they were told: each is a fact when it is found, when it is another one, and when it has ended.
create table open_drifts (
  drift_key text primary key,
  drift     jsonb not null,
  -- When it was found first.
  since     timestamptz not null default now()
);

-- How far the log has been compared: all steps of transactions below it, and all records before these offsets.
create table logs_compared (
  topic   text primary key,
  below   xid8 not null,
  offsets jsonb not null
);

-- What is older than we keep it goes in the order in which it came.
create index provider_events_received on provider_events (received_at);
