-- The provider's ids, stored before anything that moves money is asked of them: what became of a confirm
-- whose answer was lost is found by retrieving the intent.
create table provider_intents (
  payment_id     uuid not null,
  purpose        text not null check (purpose in ('hold', 'tip')),
  intent_version integer not null check (intent_version > 0),
  intent_id      text not null unique,
  primary key (payment_id, purpose, intent_version)
);

-- The idempotency keys whose stored answer is a server error, which the provider would repeat for a day:
-- how often a step has moved to a new key. Steps that are not here use their first.
create table provider_keys (
  step        text primary key,
  key_version integer not null check (key_version > 1)
);
