-- Data keys, wrapped by a master key that is not here (hub/security/keyring.ts), and whether rows in clear may still be.
create table data_key (
  id int primary key check (id > 0),
  algorithm text not null check (algorithm in ('aes-256-gcm', 'sm4-ctr-hmac-sm3')),
  wrapped bytea not null,
  wrapped_by text not null,
  created_at timestamptz not null default now(),
  current_from timestamptz not null
);

create table sealing (
  one boolean primary key default true check (one),
  state bytea not null
);
