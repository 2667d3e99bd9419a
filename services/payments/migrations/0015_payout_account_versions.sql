-- A change of where a driver's money goes is a fact: the version counts them. Those of before have none.
alter table payout_accounts add column version integer not null default 0;
