-- Notifications of submission sets, and one person under several ids of the affinity domain (decision 0017).

alter table document_subscription drop constraint document_subscription_topic_check;
alter table document_subscription add constraint document_subscription_topic_check
  check (topic in ('full', 'minimal', 'submission-set'));

-- From a person to the ids under which an outside source announced it.
create index affinity_patient_by_record on affinity_patient (record_id) where record_id is not null;

-- SHA-256 of the certificate (DER) by which a client may call beside its token.
alter table client add column certificate_sha256 bytea check (octet_length(certificate_sha256) = 32);
create unique index client_by_certificate on client (certificate_sha256) where certificate_sha256 is not null and revoked_at is null;
