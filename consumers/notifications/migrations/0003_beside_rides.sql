-- A driver is told of payouts, too, which are about no ride.
alter table notifications alter column ride_id drop not null;
alter table deliveries alter column ride_id drop not null;
