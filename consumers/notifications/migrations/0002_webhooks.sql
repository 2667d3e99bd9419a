-- Who is told of what happens by HTTP. One row, `house`, is the receiver of notifications that the configuration names;
-- the others were registered through the API. Deleted ones stay for their deliveries.
create table webhook_endpoints (
  endpoint_id uuid primary key,
  owner_role text not null check (owner_role in ('house', 'rider', 'operator')),
  owner_id text not null,
  url text not null,
  description text not null default '',
  -- Needed in clear for every signature.
  secret text not null,
  -- After a rotation both sign for a while.
  previous_secret text,
  previous_until timestamptz,
  created_at timestamptz not null default now(),
  deleted_at timestamptz,
  -- Attempts in a row that failed: while there are any, one delivery at a time is tried.
  failures integer not null default 0
);
create unique index webhook_endpoints_owner on webhook_endpoints (owner_role, owner_id, url) where deleted_at is null;

-- What is to be posted to whom, byte by byte, so that a repeat is the same.
create table deliveries (
  delivery_id uuid primary key,
  place bigint generated always as identity,
  endpoint_id uuid not null references webhook_endpoints,
  fact_id text not null,
  ride_id uuid not null,
  body text not null,
  state text not null default 'pending' check (state in ('pending', 'delivered', 'given_up')),
  attempts integer not null default 0,
  next_attempt_at timestamptz not null default now(),
  created_at timestamptz not null default now(),
  ended_at timestamptz
);
create index deliveries_due on deliveries (endpoint_id, next_attempt_at) where state = 'pending';
create index deliveries_place on deliveries (endpoint_id, place);
create index deliveries_ended on deliveries (ended_at);

-- Every post of a delivery and what came back.
create table delivery_attempts (
  delivery_id uuid not null references deliveries on delete cascade,
  attempt integer not null,
  at timestamptz not null,
  duration_ms integer not null,
  -- null when there was no answer
  status integer,
  error text,
  primary key (delivery_id, attempt)
);

insert into webhook_endpoints (endpoint_id, owner_role, owner_id, url, secret, deleted_at)
values ('00000000-0000-0000-0000-000000000000', 'house', 'house', '', '', now());

-- Notifications were their own deliveries until now.
insert into deliveries
  (delivery_id, endpoint_id, fact_id, ride_id, body, state, attempts, next_attempt_at, created_at, ended_at)
select id, '00000000-0000-0000-0000-000000000000', fact_id, ride_id,
  jsonb_build_object('id', id, 'factId', fact_id, 'rideId', ride_id,
    'recipient', jsonb_build_object('role', role, 'id', recipient_id), 'channel', channel, 'template', template,
    'text', text, 'occurredAt', occurred_at)::text,
  state, attempts, next_attempt_at, created_at, case when state <> 'pending' then coalesce(delivered_at, now()) end
from notifications where state <> 'written' order by created_at;
insert into delivery_attempts select * from notification_attempts;
drop table notification_attempts;
alter table notifications drop column state, drop column attempts, drop column next_attempt_at, drop column delivered_at;
