-- The FHIR projection: every version of every resource as it was rendered, and for the newest one what it is found by.
-- Written in the transaction that changes the index; never the truth itself, so it can be rendered again from it.

-- Append-only. Partitioned by type so that one type's history, statistics and vacuum do not weigh on another's.
create table fhir_version (
  type text not null,
  id text not null,
  version integer not null,
  -- When this version came to be; milliseconds, as an R4 instant carries them.
  at timestamptz(3) not null,
  -- null: this version is the removal.
  body text,
  -- Provenance: whose words, when they were said or done, and the journal entries that hold them.
  site text not null,
  occurred_at timestamptz(3) not null,
  journal_ids text[] not null,
  primary key (type, id, version)
) partition by list (type);

-- One row per resource: its newest version.
create table fhir_resource (
  type text not null,
  id text not null,
  version integer not null,
  last_updated timestamptz(3) not null,
  -- What produced it (`person:…`, `exam:…`, `site:…`): what is no longer produced is removed.
  owner text not null,
  deleted boolean not null,
  digest text not null,
  tokens text[] not null,
  present text[] not null,
  date1_low timestamptz(3),
  date1_high timestamptz(3),
  date2_low timestamptz(3),
  date2_high timestamptz(3),
  sort_text text collate "C",
  primary key (type, id)
) partition by list (type);

-- Names and the like, for search by prefix. Rows of an older version than the resource's are left for the sweep.
create table fhir_text (
  type text not null,
  id text not null,
  version integer not null,
  param text not null,
  norm text collate "C" not null,
  exact text collate "C" not null
) partition by list (type);

create table fhir_resource_patient partition of fhir_resource for values in ('Patient');
create table fhir_resource_organization partition of fhir_resource for values in ('Organization');
create table fhir_resource_endpoint partition of fhir_resource for values in ('Endpoint');
create table fhir_resource_service_request partition of fhir_resource for values in ('ServiceRequest');
create table fhir_resource_imaging_study partition of fhir_resource for values in ('ImagingStudy');
create table fhir_resource_diagnostic_report partition of fhir_resource for values in ('DiagnosticReport');
create table fhir_resource_document_reference partition of fhir_resource for values in ('DocumentReference');
create table fhir_resource_binary partition of fhir_resource for values in ('Binary');

create table fhir_version_patient partition of fhir_version for values in ('Patient');
create table fhir_version_organization partition of fhir_version for values in ('Organization');
create table fhir_version_endpoint partition of fhir_version for values in ('Endpoint');
create table fhir_version_service_request partition of fhir_version for values in ('ServiceRequest');
create table fhir_version_imaging_study partition of fhir_version for values in ('ImagingStudy');
create table fhir_version_diagnostic_report partition of fhir_version for values in ('DiagnosticReport');
create table fhir_version_document_reference partition of fhir_version for values in ('DocumentReference');
create table fhir_version_binary partition of fhir_version for values in ('Binary');

create table fhir_text_patient partition of fhir_text for values in ('Patient');
create table fhir_text_organization partition of fhir_text for values in ('Organization');
create table fhir_text_endpoint partition of fhir_text for values in ('Endpoint');
create table fhir_text_document_reference partition of fhir_text for values in ('DocumentReference');

-- A short pending list: entries are gathered before they are sorted in, yet no search reads through many of them.
create index fhir_resource_tokens on fhir_resource using gin (tokens)
  with (fastupdate = on, gin_pending_list_limit = 512) where not deleted;
create index fhir_resource_owner on fhir_resource (owner) where not deleted;
create index fhir_resource_updated on fhir_resource (last_updated, id) where not deleted;
create index fhir_version_at on fhir_version (at, id, version);
create index fhir_text_norm on fhir_text (param, norm, id);
create index fhir_text_id on fhir_text (id);

create index fhir_patient_birthdate on fhir_resource_patient (date1_low, id) where not deleted;
create index fhir_patient_name on fhir_resource_patient (sort_text, id) where not deleted;
create index fhir_service_request_authored on fhir_resource_service_request (date1_low, id) where not deleted;
create index fhir_service_request_occurrence on fhir_resource_service_request (date2_low, id) where not deleted;
create index fhir_imaging_study_started on fhir_resource_imaging_study (date1_low, id) where not deleted;
create index fhir_diagnostic_report_date on fhir_resource_diagnostic_report (date1_low, id) where not deleted;
create index fhir_diagnostic_report_issued on fhir_resource_diagnostic_report (date2_low, id) where not deleted;
create index fhir_document_reference_date on fhir_resource_document_reference (date1_low, id) where not deleted;

-- Results of several pages: the ids as they stood when the search ran. Derived and short-lived, so not logged: after a
-- crash a page is gone and its reader searches again.
create unlogged table fhir_page (
  handle text primary key,
  caller_id text not null,
  expires_at timestamptz not null,
  type text not null,
  ids text[] not null,
  state text not null
);
create index fhir_page_expiry on fhir_page (expires_at);
