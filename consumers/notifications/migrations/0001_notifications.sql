-- Who takes a ride: only the first facts of a ride and of its payment say it.
create table ride_riders (
  ride_id uuid primary key,
  rider_id text not null
);

-- What is said to whom. The id comes from the fact and the recipient: the same fact writes the same row.
create table notifications (
  id uuid primary key,
  fact_id text not null,
  ride_id uuid not null,
  role text not null check (role in ('rider', 'driver')),
  recipient_id text not null,
  channel text not null check (channel in ('push', 'email')),
  template text not null,
  text text not null,
  occurred_at timestamptz not null,
  created_at timestamptz not null default now(),
  -- written: nobody to send it to was configured; given_up: refused for as long as we try
  state text not null check (state in ('written', 'pending', 'delivered', 'given_up')),
  attempts integer not null default 0,
  next_attempt_at timestamptz not null default now(),
  delivered_at timestamptz
);
create index notifications_due on notifications (next_attempt_at) where state = 'pending';
create index notifications_ride on notifications (ride_id);

-- Every post of a notification and what came back.
create table notification_attempts (
  notification_id uuid not null references notifications (id),
  attempt integer not null,
  at timestamptz not null,
  duration_ms integer not null,
  -- null when there was no answer
  status integer,
  error text,
  primary key (notification_id, attempt)
);
