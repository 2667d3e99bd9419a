-- Who is erased is looked for by the rider.
create index quotes_rider on quotes (rider_id, quote_id);
