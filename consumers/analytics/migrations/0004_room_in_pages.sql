-- Each batch writes new versions of these rows: with room left in each page they stay in it, and no index is written.
alter table ride_cells set (fillfactor = 70);
alter table demand set (fillfactor = 80);
alter table hours set (fillfactor = 50);
alter table spreads set (fillfactor = 80);
