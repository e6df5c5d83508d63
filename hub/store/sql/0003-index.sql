-- The master index: one row a patient registration, a person over them, one row an exam with its folded facts,
-- and the series and instances of its studies. Hot tables are keyed by the source's patient record (HOUSE §10).

create table patient_record (
  record_id uuid primary key,
  site text not null,
  authority text not null,
  local_id text not null,
  person_id uuid not null,
  -- registers of core/register.ts: field -> [stamp, value]
  facts jsonb not null,
  merged_into uuid,
  resident_id text,
  sex text,
  birth_date text,
  -- DICOM PN of the names: alphabetic=ideographic=phonetic
  dicom_name text not null default '',
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now()
);
create index patient_record_by_resident on patient_record (resident_id) where resident_id is not null;
create index patient_record_by_person on patient_record (person_id);
-- text_pattern_ops: equality and DICOM wildcards behind a fixed beginning, whatever the collation of the database.
create index patient_record_by_local on patient_record (local_id text_pattern_ops, site);
create index patient_record_by_birth on patient_record (replace(coalesce(birth_date, ''), '-', ''));
create index patient_record_by_merge on patient_record (merged_into) where merged_into is not null;

create table person (
  person_id uuid primary key,
  replaced_by uuid,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now()
);

create table exam (
  record_id uuid not null,
  exam_id uuid not null,
  site text not null,
  facts jsonb not null,
  accession text,
  provincial_index text,
  provincial_issuer text,
  cancelled boolean not null,
  has_order boolean not null,
  has_report boolean not null,
  has_images boolean not null,
  performed_at timestamptz,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  primary key (record_id, exam_id)
);
create index exam_by_id on exam (exam_id);
create index exam_by_index on exam (provincial_index) where provincial_index is not null;
create index exam_orphans on exam (updated_at) where not (has_order and has_images) and not cancelled;

-- Every name by which a hospital may speak of an exam: accession, placer, filler, study UID, report number.
create table exam_key (
  site text not null,
  kind text not null,
  value text not null,
  record_id uuid not null,
  exam_id uuid not null,
  primary key (site, kind, value, exam_id)
);
create index exam_key_by_exam on exam_key (exam_id);

-- Earlier provincial indexes and exam ids that still answer with the exam of today.
create table exam_alias (
  alias text primary key,
  exam_id uuid not null
);
create index exam_alias_by_exam on exam_alias (exam_id);

-- Every version of a report that ever stood or arrived, for audit; the current one is in exam.facts.
create table report_version (
  record_id uuid not null,
  exam_id uuid not null,
  report_number text not null,
  stamp text not null,
  status text not null,
  content jsonb not null,
  journal_id bigint not null,
  recorded_at timestamptz not null default now(),
  primary key (record_id, exam_id, report_number, stamp)
);

create table study (
  record_id uuid not null,
  study_uid text not null,
  study_id uuid not null,
  exam_id uuid not null,
  site text not null,
  modalities text[] not null default '{}',
  series_count int not null default 0,
  instance_count int not null default 0,
  declared_instances int,
  availability text not null,
  voided boolean not null default false,
  study_date text not null default '',
  study_time text not null default '',
  accession text not null default '',
  dicom_study_id text not null default '',
  description text not null default '',
  referring_physician text not null default '',
  last_instance_at timestamptz,
  -- digest of the instance list that the manifest was made of; null: none yet
  manifest jsonb,
  version int not null default 1,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  primary key (record_id, study_uid)
);
create index study_by_uid on study (study_uid);
create index study_by_exam on study (exam_id);
create index study_by_date on study (study_date desc, study_uid);
create index study_by_accession on study (accession text_pattern_ops);
create index study_settling on study (last_instance_at) where availability = 'partial';

create table series (
  record_id uuid not null,
  study_uid text not null,
  series_uid text not null,
  modality text not null default '',
  number int,
  description text,
  body_part text,
  laterality text,
  started_at timestamptz,
  station_name text,
  manufacturer text,
  instance_count int not null default 0,
  created_at timestamptz not null default now(),
  primary key (record_id, study_uid, series_uid)
);
create index series_by_uid on series (series_uid);

create table instance (
  record_id uuid not null,
  study_uid text not null,
  series_uid text not null,
  sop_uid text not null,
  sop_class text not null,
  transfer_syntax text not null,
  number int,
  rows int,
  columns int,
  frames int,
  bits_allocated int,
  object text not null,
  size bigint not null,
  digest text not null,
  data_set_offset int not null,
  journal_id bigint not null,
  primary key (record_id, study_uid, series_uid, sop_uid)
);
create index instance_by_uid on instance (sop_uid);

-- Every name by which a patient may be asked for: normalised, one row a name group; and each of its words, which begins
-- with a blank, for fuzzy matching.
create table patient_name (
  record_id uuid not null,
  key text not null,
  primary key (record_id, key)
);
create index patient_name_by_key on patient_name (key text_pattern_ops);

-- What a person must decide: a message that could not be applied, or a doubt about identity. Hub ids only, no names.
create table review (
  id uuid primary key,
  kind text not null check (kind in ('message', 'identity')),
  state text not null default 'open' check (state in ('open', 'retried', 'dismissed', 'resolved')),
  site text,
  problem jsonb not null,
  findings jsonb not null default '[]',
  journal_id bigint,
  record_ids uuid[] not null default '{}',
  opened_at timestamptz not null default now(),
  closed_at timestamptz,
  closed_by text,
  reason text
);
create index review_open on review (opened_at, id) where state = 'open';
create index review_by_journal on review (journal_id) where journal_id is not null;

-- The news of what was decided, in the same transaction; jobs are made from it and it from nothing.
create table outbox (
  id bigint generated always as identity primary key,
  topic text not null,
  key text not null,
  payload jsonb not null default '{}',
  due_at timestamptz not null default now(),
  attempts int not null default 0,
  done_at timestamptz,
  created_at timestamptz not null default now()
);
create index outbox_open on outbox (due_at) where done_at is null;
create unique index outbox_once on outbox (topic, key) where done_at is null;
