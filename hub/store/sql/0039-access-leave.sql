-- Which systems of hospitals may record consents and draw codes: by whose leave, and since when. None does without.
alter table client add column consents_granted_by text, add column consents_granted_at timestamptz,
  add constraint client_consents_by_whom check ((consents_granted_by is null) = (consents_granted_at is null));

-- Why an account that is under a flag reads this person: given before it reads, for some hours, kept for the auditors.
create table access_reason (
  reason_id uuid primary key default gen_random_uuid(),
  account_id text not null,
  account_name text not null,
  person_id uuid not null,
  purpose text not null,
  -- sealed: it may tell of the patient
  note text not null,
  at timestamptz not null,
  until timestamptz not null
);
create index access_reason_standing on access_reason (account_id, person_id, until);
create index access_reason_newest on access_reason (at desc, reason_id desc);
