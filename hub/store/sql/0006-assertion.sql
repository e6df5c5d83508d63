-- Assertions about users: what was used and may not be used again, and in whose name a caller acted.

create table assertion_use (
  -- SHA-256 over issuer and id of a one-time assertion, or over a holder-of-key proof
  key bytea primary key check (octet_length(key) = 32),
  -- after this time its own dates refuse it
  until timestamptz not null
);
create index assertion_use_by_until on assertion_use (until);

-- issuer, user, organization, roles, purposes of use; null where the caller acted for nobody else
alter table audit add column on_behalf_of jsonb;
