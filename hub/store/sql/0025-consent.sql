-- What patients agreed to and refused, codes that they show, access in emergencies with its review and the notice of it to
-- the patient; and the doctors of institutions. Persons are named as they were known then: who that is today is found when
-- it is read (decisions/0018).

-- Doctors as registered at an institution (SECURITY L3-AC1, FLOWS §10); at two institutions they are two rows.
create table practitioner (
  practitioner_id uuid primary key,
  institution text not null,
  -- number of the licence to practise (医师执业证书编码)
  licence text not null,
  name text not null,
  department text not null,
  title text not null,
  account_id text,
  state text not null check (state in ('applied', 'approved', 'suspended', 'left')),
  applied_by text not null,
  applied_at timestamptz not null,
  updated_at timestamptz not null
);
create unique index practitioner_once on practitioner (institution, licence) where state <> 'left';
create index practitioner_by_account on practitioner (account_id) where account_id is not null;
create index practitioner_by_time on practitioner (applied_at desc, practitioner_id desc);

-- What an institution applied with.
alter table institution add column licence text;
alter table institution add column uscc text;

-- Every step of the life of an institution (`institution/code`) or of a doctor (`practitioner/id`).
create table standing_step (
  id bigint generated always as identity primary key,
  subject text not null,
  step text not null,
  by_id text not null,
  at timestamptz not null,
  reason text not null
);
create index standing_step_by_subject on standing_step (subject, id);

create function is_final() returns trigger language plpgsql as $$
begin
  raise exception 'rows of % are never changed or deleted', tg_table_name;
end $$;
create trigger standing_step_is_final before update or delete on standing_step for each row execute function is_final();

create table consent (
  consent_id uuid primary key,
  person_id uuid not null,
  -- registrations of the person then: a refusal binds them also where they were parted since
  record_ids uuid[] not null,
  version int not null,
  status text not null check (status in ('active', 'inactive', 'entered-in-error')),
  -- rules of this version (hub/core/consent.ts), and whether any of them refuses
  rules jsonb not null,
  refuses boolean not null,
  given_at timestamptz not null,
  updated_at timestamptz not null
);
create index consent_by_person on consent (person_id);
create index consent_refusal_by_record on consent using gin (record_ids) where status = 'active' and refuses;
create index consent_by_time on consent (updated_at desc, consent_id desc);

-- Each version whole, with who recorded it, and how it came.
create table consent_version (
  consent_id uuid not null,
  version int not null,
  status text not null,
  content jsonb not null,
  recorded_at timestamptz not null,
  recorded_by jsonb not null,
  reason text,
  primary key (consent_id, version)
);
create trigger consent_version_is_final before update or delete on consent_version
  for each row execute function is_final();

-- Codes that a patient shows to a doctor: keyed hashes, used once, within minutes.
create table patient_present_code (
  code_id uuid primary key,
  -- keyed hash of the code; of digits, of the person and the code
  code_hash text not null unique,
  kind text not null check (kind in ('token', 'digits')),
  person_id uuid not null,
  -- what the consent will say
  terms jsonb not null,
  issued_by jsonb not null,
  created_at timestamptz not null,
  expires_at timestamptz not null,
  wrong int not null default 0,
  used_at timestamptz,
  consent_id uuid
);
create index patient_present_code_by_person on patient_present_code (person_id, expires_at);
create index patient_present_code_by_end on patient_present_code (expires_at);

-- Wrong codes of each caller: guesses over many patients are counted where they come from.
create table patient_present_guess (
  caller_id text not null,
  at timestamptz not null
);
create index patient_present_guess_by_caller on patient_present_guess (caller_id, at);
create index patient_present_guess_by_age on patient_present_guess (at);

create table break_glass (
  grant_id uuid primary key,
  person_id uuid not null,
  account_id text not null,
  account_name text not null,
  practitioner_id text,
  institution text,
  reason text not null,
  -- sealed: it may tell of the patient
  note text not null,
  at timestamptz not null,
  until timestamptz not null,
  ended_at timestamptz,
  -- false: the audit was away when the glass was broken, and has still to be told
  audited boolean not null default false,
  due_at timestamptz not null,
  outcome text check (outcome in ('justified', 'unjustified')),
  reviewed_by text,
  reviewed_at timestamptz,
  review_note text
);
create index break_glass_by_person on break_glass (person_id, account_id, until);
create index break_glass_to_review on break_glass (due_at, grant_id);
create index break_glass_open on break_glass (due_at) where outcome is null;
create index break_glass_to_audit on break_glass (at) where not audited;

create table account_flag (
  flag_id uuid primary key,
  account_id text not null,
  account_name text not null,
  grant_id uuid not null unique,
  at timestamptz not null,
  by_id text not null,
  note text not null
);
create index account_flag_by_time on account_flag (at desc, flag_id desc);
create index account_flag_by_account on account_flag (account_id);

-- What a patient is told. It is written with what it tells of; delivery follows whenever the receiver is there.
create table patient_notice (
  notice_id uuid primary key,
  person_id uuid not null,
  kind text not null check (kind in ('break-glass', 'break-glass-reviewed', 'consent-recorded', 'consent-withdrawn')),
  subject text not null,
  -- what the notice says: hub/core/patient-notice.ts
  content jsonb not null,
  at timestamptz not null,
  attempts int not null default 0,
  -- when it is tried (again); null: delivered, or nobody is configured to deliver to
  next_at timestamptz,
  delivered_at timestamptz
);
create index patient_notice_by_person on patient_notice (person_id, at desc);
create index patient_notice_waiting on patient_notice (next_at) where next_at is not null;
