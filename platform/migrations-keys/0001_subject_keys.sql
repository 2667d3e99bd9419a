-- A key for each person whose fields leave in facts. Without its key what is sealed is unreadable in every copy.
create table subject_keys (
  subject text primary key,
  -- Which of the master keys wraps it, and the wrapped key (nonce, ciphertext, tag); null once it is erased.
  master text,
  wrapped bytea,
  created_at timestamptz not null default now(),
  erased_at timestamptz,
  check ((wrapped is null) = (erased_at is not null) and (master is null) = (wrapped is null))
);
