-- A ride's row is its folded state; what is asked for by column is generated from it, so that the two cannot differ.
create table rides (
  ride_id uuid primary key,
  version integer not null,
  state jsonb not null,
  status text not null generated always as (state ->> 'status') stored,
  rider_id text not null generated always as (state ->> 'riderId') stored,
  driver_id text generated always as (state ->> 'driverId') stored,
  updated_at timestamptz not null default now()
) partition by range (ride_id);
create index rides_status on rides (status);

-- The lowest UUIDv7 of a moment: its first 48 bits are the milliseconds since 1970 (RFC 9562).
create function uuid_v7_floor(moment timestamptz) returns uuid language sql immutable as $$
  select (lpad(to_hex((extract(epoch from moment) * 1000)::bigint), 12, '0') || repeat('0', 20))::uuid
$$;

-- One partition a month, from last month to `months_ahead` from now. Run at every start and once a day.
create function ensure_ride_partitions(months_ahead integer) returns void language plpgsql as $$
declare
  month timestamptz;
  name text;
begin
  perform pg_advisory_xact_lock(hashtext('ensure_ride_partitions'));
  for i in -1 .. months_ahead loop
    month := (date_trunc('month', now() at time zone 'UTC') + make_interval(months => i)) at time zone 'UTC';
    name := 'rides_' || to_char(month at time zone 'UTC', 'YYYY_MM');
    if to_regclass(name) is null then
      execute format('create table %I partition of rides for values from (%L) to (%L)', name,
        uuid_v7_floor(month),
        uuid_v7_floor(((month at time zone 'UTC') + interval '1 month') at time zone 'UTC'));
    end if;
  end loop;
end
$$;
select ensure_ride_partitions(3);

-- Who asked with which key: outlives every workflow, and keeps the answer.
create table claims (
  caller text not null,
  idempotency_key text not null,
  body_hash text not null,
  ride_id uuid not null,
  quote_id uuid not null constraint claims_quote unique,
  answer jsonb,
  created_at timestamptz not null,
  primary key (caller, idempotency_key)
);

-- The lease: a driver holds at most one live offer and one live ride, both taken by compare-and-set on this row.
create table drivers (
  driver_id text primary key,
  version integer not null,
  name text not null,
  plate text not null,
  product text not null,
  online boolean not null,
  offer_id uuid,
  ride_id uuid
);

create table offers (
  offer_id uuid primary key,
  ride_id uuid not null,
  driver_id text not null references drivers,
  round integer not null,
  state text not null check (state in ('offered', 'accepted', 'declined', 'expired', 'withdrawn')),
  expires_at timestamptz not null,
  created_at timestamptz not null default now(),
  answered_at timestamptz
);
create unique index offers_one_winner on offers (ride_id, round) where state = 'accepted';
create index offers_live on offers (driver_id) where state = 'offered';
create index offers_of_ride on offers (ride_id, round);
