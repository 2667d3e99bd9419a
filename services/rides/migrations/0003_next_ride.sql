-- The ride that is the driver's when the present one is over: a lease like the others.
alter table drivers add column next_ride_id uuid;
