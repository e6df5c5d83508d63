-- People: accounts, what they know and hold to sign on, their sessions; and how systems sign on by a key of their own.

create table account (
  id uuid primary key default gen_random_uuid(),
  -- NFKC, lower case; a name is given once and never again, so that the audit names one person by it (GB/T 22239 8.1.4.1 a)
  login_name text not null unique check (login_name = lower(login_name) and length(login_name) between 1 and 128),
  display_name text not null,
  institution text,
  department text,
  practitioner_id text,
  language text not null default 'zh' check (language in ('zh', 'en')),
  source text not null default 'local' check (source in ('local', 'saml')),
  -- of a SAML account: which identity provider, and whom it means there (SHA-256)
  idp text,
  subject bytea,
  -- invited: has not chosen a password yet; pending: waits for approval; ended: for good
  state text not null check (state in ('invited', 'pending', 'active', 'suspended', 'ended')),
  state_reason text,
  created_at timestamptz not null default now(),
  created_by text not null,
  last_sign_in_at timestamptz,
  -- scrypt with its parameters and salt, as hub/security/password.ts writes it
  password text,
  password_changed_at timestamptz,
  must_change_password boolean not null default false,
  -- SHA-256 of the one-time code by which the person chooses the first, or after a loss the next, password
  activation_hash bytea,
  activation_until timestamptz,
  failures int not null default 0,
  locked_until timestamptz,
  -- sealed with the hub's key; confirmed once a code of it was seen
  totp_secret text,
  totp_confirmed boolean not null default false,
  -- the last time step whose code was taken: neither it nor an earlier one is taken again (RFC 6238 §5.2)
  totp_step bigint not null default 0,
  check ((source = 'saml') = (idp is not null and subject is not null))
);
create unique index account_by_subject on account (idp, subject) where idp is not null;
create index account_by_time on account (created_at desc, id desc);

create table account_role (
  account_id uuid not null references account (id),
  role text not null check (role in ('physician', 'interface-engineer', 'operator', 'system-administrator',
    'security-administrator', 'auditor', 'regulator')),
  site text,
  primary key (account_id, role),
  check (role <> 'interface-engineer' or site is not null)
);
-- GB/T 22239 8.1.4.2 d: whoever administers the system, the rights or the audit does one of the three only.
create unique index account_role_apart on account_role (account_id)
  where role in ('system-administrator', 'security-administrator', 'auditor');
create index account_role_by_role on account_role (role);

create table account_password (
  account_id uuid not null references account (id),
  at timestamptz not null,
  password text not null,
  primary key (account_id, at)
);

create table account_recovery (
  account_id uuid not null references account (id),
  code_hash bytea not null,
  used_at timestamptz,
  primary key (account_id, code_hash)
);

-- Failures by address, in windows: guessing is slowed whatever account it tries, in whatever process.
create table sign_on_failure (
  peer text primary key,
  failures int not null,
  since timestamptz not null
);

create table session (
  -- SHA-256 of the cookie: who reads the table cannot sign on with it
  id_hash bytea primary key check (octet_length(id_hash) = 32),
  account_id uuid not null references account (id),
  -- what is still to be shown before it is open
  stage text not null check (stage in ('password', 'enrolment', 'totp', 'role', 'open')),
  role text,
  purpose text,
  factors text[] not null,
  peer text not null,
  created_at timestamptz not null,
  seen_at timestamptz not null,
  idle_seconds int not null,
  ends_at timestamptz not null,
  idp text,
  -- SHA-256 of the NameID, and its SessionIndex: the provider ends the session by them
  saml_subject bytea,
  saml_index text,
  -- sealed: what a LogoutRequest has to name
  saml_name text,
  check (stage <> 'open' or role is not null)
);
create index session_by_account on session (account_id);
create index session_by_subject on session (idp, saml_subject) where idp is not null;
create index session_by_end on session (ends_at);

-- A request to an identity provider, and for a moment what it answered: shared, so that any process may get the answer.
create table saml_request (
  id text primary key,
  idp text not null,
  -- SHA-256 of the cookie of the browser that began
  browser_hash bytea not null,
  return_path text not null,
  created_at timestamptz not null,
  ends_at timestamptz not null,
  -- once answered: SHA-256 of the code by which the browser comes for it, and the sealed answer
  code_hash bytea unique,
  answer text
);
create index saml_request_by_end on saml_request (ends_at);

-- SMART Backend Services: public keys of a client, and the short tokens it got by them.
alter table client add column jwks jsonb;
create table access_token (
  token_hash bytea primary key check (octet_length(token_hash) = 32),
  client_id uuid not null references client (id),
  scope text not null,
  ends_at timestamptz not null
);
create index access_token_by_end on access_token (ends_at);
