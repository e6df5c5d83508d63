-- The document registry and repository of the affinity domain (decision 0013). Every table is keyed by the affinity patient
-- id under which a row was registered: that never changes, a merge is an overlay in affinity_patient (HOUSE §10).

-- Affinity patient ids that were announced by ITI-8 or ITI-44, and those of hub persons that were merged away; a hub
-- person's own id needs no row. Small beside the documents: on several machines a reference table.
create table affinity_patient (
  -- CX: id^^^&oid&ISO
  patient_id text primary key,
  -- the registration behind it, where ITI-8 announced it
  record_id uuid,
  -- direct: as it was said
  merged_into text,
  -- where the chain of merges ends; null: the id stands
  survivor text,
  announced_at timestamptz not null default now()
);
create index affinity_patient_by_survivor on affinity_patient (survivor) where survivor is not null;
create index affinity_patient_by_merge on affinity_patient (merged_into) where merged_into is not null;

-- Document entries, submission sets and folders; what is asked for by columns, the whole in body.
create table registry_object (
  patient_id text not null,
  id uuid not null,
  kind text not null check (kind in ('document', 'submission-set', 'folder')),
  lid uuid not null,
  version int not null,
  status text not null check (status in ('approved', 'deprecated')),
  unique_id text not null,
  -- attributes of core/document.ts that no other column holds whole
  body jsonb not null,
  -- documents: stable or on-demand
  entry_type text,
  -- creation, submission or last update: DTM filled up to 14 digits, as all times here
  main_time text collate "C",
  service_start text collate "C",
  service_stop text collate "C",
  -- code^^scheme; content_type is that of submission sets
  class_code text,
  type_code text,
  format_code text,
  facility_type text,
  practice_setting text,
  content_type text,
  confidentiality text[] not null default '{}',
  -- eventCodeList of documents, codeList of folders
  event_codes text[] not null default '{}',
  reference_ids text[] not null default '{}',
  -- authorPerson
  authors text[] not null default '{}',
  source_id text,
  -- who submitted it: site or client
  sender text not null default '',
  registered_at timestamptz not null default now(),
  primary key (patient_id, id)
);
create index registry_object_by_patient on registry_object (patient_id, kind, status, main_time);
-- No unique rules: ids and unique ids do not hold the key. Registration locks them by name instead.
create index registry_object_by_id on registry_object (id);
create index registry_object_by_lid on registry_object (lid);
create index registry_object_by_unique_id on registry_object (unique_id, kind);
create index registry_object_by_reference on registry_object using gin (reference_ids);
create index registry_object_by_event on registry_object using gin (event_codes);
-- For queries over many patients (ITI-51).
create index registry_object_by_class on registry_object (class_code) where class_code is not null;
create index registry_object_by_facility on registry_object (facility_type) where facility_type is not null;

-- patient_id: of the submission set with which it came.
create table document_association (
  patient_id text not null,
  id uuid not null,
  type text not null,
  source uuid not null,
  target uuid not null,
  status text not null check (status in ('approved', 'deprecated')),
  -- submissionSetStatus, documentation, extra
  body jsonb not null default '{}',
  registered_at timestamptz not null default now(),
  primary key (patient_id, id)
);
create index document_association_by_id on document_association (id);
create index document_association_by_source on document_association (source, type);
create index document_association_by_target on document_association (target, type);

-- Bytes of documents in the hub's own repository, filed with their entries.
create table repository_document (
  patient_id text not null,
  unique_id text not null,
  mime_type text not null,
  object text not null,
  size bigint not null,
  -- SHA-1, hexadecimal
  hash text not null,
  stored_at timestamptz not null default now(),
  primary key (patient_id, unique_id)
);
create index repository_document_by_unique_id on repository_document (unique_id);
