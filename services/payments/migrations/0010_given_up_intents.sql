-- Intents that must not come about any more, stored or not: a call that was given up may still be under way, in a
-- process that was frozen, and find its way to the provider long after.
create table given_up_intents (
  payment_id     uuid not null,
  purpose        text not null check (purpose in ('hold', 'tip', 'charge', 'extra')),
  -- 0: all of this purpose.
  intent_version integer not null check (intent_version >= 0),
  primary key (payment_id, purpose, intent_version)
);
