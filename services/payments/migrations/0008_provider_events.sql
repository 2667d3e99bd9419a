-- What the provider has told us by webhook, once each. Not what it said of the object (that has names and parts of card
-- numbers in it): whoever is told looks at the provider.
create table provider_events (
  event_id    text primary key,
  type        text not null,
  object_id   text not null,
  -- Whose payment it is about; null where that is a payout's, or nobody's.
  ride_id     uuid,
  -- By the provider's clock.
  created_at  timestamptz not null,
  received_at timestamptz not null default now(),
  -- Null until it is known that whoever waits for it has it: a repeat is told then.
  told_at     timestamptz,
  -- The workflow that was told; null where nobody waited for it.
  told_to     text
);
create index provider_events_ride on provider_events (ride_id) where ride_id is not null;

-- Every request to the provider, for operators: written beside the request, never before it, so that the last moments
-- of a process that was killed may be missing. Nothing is decided by it.
create table provider_attempts (
  attempt_id      uuid primary key,
  ride_id         uuid,
  -- What it was about, where its address or its answer says so.
  object_id       text,
  request         text not null,
  idempotency_key text,
  at              timestamptz not null,
  -- Null while there is no answer.
  ms              integer,
  -- The object's status, or the error's code.
  outcome         text,
  http_status     integer,
  -- The provider's name for the request.
  request_id      text
);
create index provider_attempts_ride on provider_attempts (ride_id) where ride_id is not null;
create index provider_attempts_object on provider_attempts (object_id) where object_id is not null;

alter table provider_intents add column created_at timestamptz not null default now();

-- Payments that somebody waits for, or that need somebody.
drop index payments_status;
create index payments_status on payments (status)
  where status in ('authorizing', 'action_required', 'authorized', 'cash_due', 'unresolved', 'owed');
