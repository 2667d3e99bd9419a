-- The fleet that a driver drives for: it may send the driver's positions. Null for those who drive for themselves.
alter table drivers add column fleet_id text;
