-- What rider and driver think of each other after a ride: once each, never changed. The id is made of ride and side.
create table ratings (
  rating_id uuid primary key,
  ride_id uuid not null,
  given_by text not null check (given_by in ('rider', 'driver')),
  rater_id text not null,
  rated_id text not null,
  stars smallint not null check (stars between 1 and 5),
  -- Free text may name people: it stays here and is in no fact.
  comment text,
  given_at timestamptz not null,
  unique (ride_id, given_by)
);

-- The sums that averages are made of, moved with each rating.
create table rating_totals (
  role text not null check (role in ('rider', 'driver')),
  person_id text not null,
  stars bigint not null,
  ratings integer not null,
  primary key (role, person_id)
);

-- Links to a ride carry the round that they were made in; taking them back begins the next round.
create table share_rounds (
  ride_id uuid primary key,
  round integer not null
);
