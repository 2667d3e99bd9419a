-- Where a driver's payouts go: an account at the provider, by the provider's id.
create table payout_accounts (
  driver_id   text primary key,
  destination text not null check (destination ~ '^acct_[A-Za-z0-9]{1,64}$'),
  updated_at  timestamptz not null default now()
);

-- What operators wrote for a bank. Facts and workflows know only its id, which is made of it: text may name people.
create table dispute_evidence (
  dispute_id  text not null references disputes,
  evidence_id text not null,
  text        text not null,
  stored_at   timestamptz not null default now(),
  primary key (dispute_id, evidence_id)
);
create index disputes_open on disputes ((state ->> 'evidenceDueAt')) where status in ('needs_response', 'under_review');
