-- Launches of the viewer: a code that opens it once, and the narrow session that it may be exchanged for.

create table viewer_launch (
  launch_id uuid primary key default gen_random_uuid(),
  -- SHA-256 of the code; the code itself is told once and kept nowhere
  code_hash bytea not null unique check (octet_length(code_hash) = 32),
  -- in whose rights: as the faces know a caller
  caller jsonb not null,
  -- the account whose browser alone may open it; null: whoever has the code
  account_id text,
  person_id uuid not null,
  study_uids text[] not null check (cardinality(study_uids) > 0),
  created_at timestamptz not null,
  expires_at timestamptz not null,
  used_at timestamptz,
  -- SHA-256 of the session's token, and its end; null: not opened, or opened in the account's own session
  session_hash bytea unique check (octet_length(session_hash) = 32),
  session_ends_at timestamptz,
  check ((session_hash is null) = (session_ends_at is null))
);
create index viewer_launch_by_time on viewer_launch (created_at);
