-- What an intent is for: beside the hold on the fare and the tip, a charge of what the hold did not give, and an
-- operator's extra. Where the rider's bank wants to see the rider: the page for that. It is in no fact.
alter table provider_intents drop constraint provider_intents_purpose_check;
alter table provider_intents add constraint provider_intents_purpose_check
  check (purpose in ('hold', 'tip', 'charge', 'extra'));
alter table provider_intents add column action_url text;
