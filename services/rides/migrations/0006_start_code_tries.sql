-- How often a driver has been wrong about a ride's start code. Tries take turns at the row: none is raced past.
create table start_code_tries (
  ride_id uuid not null,
  driver_id text not null,
  wrong integer not null,
  primary key (ride_id, driver_id)
);
