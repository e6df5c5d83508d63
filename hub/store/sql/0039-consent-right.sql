-- Which systems of hospitals may record consents and draw codes: by whose leave, and since when. None does without.
alter table client add column consents_granted_by text, add column consents_granted_at timestamptz,
  add constraint client_consents_by_whom check ((consents_granted_by is null) = (consents_granted_at is null));
