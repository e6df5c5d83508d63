-- A continuation of HL7 v3 names its query and no page, and a cancelled query forgets its pages: both find them by their owner.
create index fhir_page_by_caller on fhir_page (caller_id, expires_at);
