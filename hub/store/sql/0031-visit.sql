-- Visits of registered patients (ITI-22): one row each, its folded facts, and what it is found by. Whose it is stands in the
-- registration, so merges and splits of persons touch no row here.
create table visit (
  record_id uuid not null,
  visit_id uuid not null,
  site text not null,
  -- VN: a visit number, AN: the number of an account (HL7 table 0203), of this authority
  type text not null check (type in ('VN', 'AN')),
  authority text not null,
  number text not null,
  -- registers of core/register.ts: field -> [stamp, value]
  facts jsonb not null,
  account text,
  account_authority text,
  -- `3.1|ICU`: field and component of PV1 with what stands there (core/visit.ts)
  keys text[] not null,
  departments text[] not null,
  cancelled boolean not null,
  ended boolean not null,
  admitted_at timestamptz,
  created_at timestamptz not null,
  updated_at timestamptz not null,
  primary key (record_id, visit_id)
);
create index visit_by_id on visit (visit_id);
create index visit_by_number on visit (number) where type = 'VN' and not cancelled;
create index visit_by_account on visit (account) where account is not null and not cancelled;
-- Who is in a ward, or with a doctor, now.
create index visit_open_by_key on visit using gin (keys) where not cancelled and not ended;
