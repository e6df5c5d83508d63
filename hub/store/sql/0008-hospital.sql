-- Hospitals that run their own XDS domain: when their registry was last asked about each of their patients, and the
-- manifests it told of.

create table hospital_patient (
  record_id uuid primary key,
  site text not null,
  -- null: not yet
  asked_at timestamptz
);
create index hospital_patient_due on hospital_patient (site, asked_at nulls first);

-- Registrations up to here have their row above.
create table hospital_cursor (
  site text primary key,
  seen_until timestamptz not null
);
create index patient_record_by_site on patient_record (site, created_at);

-- One row a study of a manifest; `study_uid` is empty where the manifest was refused, so that it is not fetched again.
create table hospital_manifest (
  site text not null,
  document_uid text not null,
  study_uid text not null,
  record_id uuid not null,
  object text not null,
  made_at timestamptz not null,
  -- when the registry no longer told of it
  withdrawn_at timestamptz,
  primary key (site, document_uid, study_uid)
);
create index hospital_manifest_by_study on hospital_manifest (site, study_uid, made_at);
create index hospital_manifest_by_patient on hospital_manifest (record_id);
