-- Who a rider is at the provider, and their cards there: a card that is nobody's can be charged once only. Both are made by
-- a rider's next charge, so nothing is known of riders who have not been charged since. Cards that were charged before,
-- without a customer, are used up, at the provider as well as here.
create table provider_customers (
  rider_id    text primary key,
  customer_id text not null unique,
  created_at  timestamptz not null default now()
);
create table provider_cards (
  customer_id    text not null references provider_customers (customer_id) on delete cascade,
  -- As the rider's app has named it …
  token          text not null,
  -- … and as the customer has it: the same, unless it is a test token, which stands for a new card each time.
  payment_method text not null,
  primary key (customer_id, token)
);
