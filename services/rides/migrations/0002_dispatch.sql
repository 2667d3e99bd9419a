-- What the driver was told of the way to the pickup: on the road, when the offer was made. Null in older offers.
alter table offers add column pickup_distance_meters integer, add column eta_seconds integer;

-- A driver's latest offers: how they were answered decides who is asked first.
create index offers_of_driver on offers (driver_id, created_at desc);
