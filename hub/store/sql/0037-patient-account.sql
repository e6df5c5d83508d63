-- Patients sign in by the province's identity provider for citizens. An account knows its patient by the keyed hash under
-- which registrations are found by resident ID, never by the number or a name: whose records that is, the index says anew
-- with every request, so that joining and parting persons holds for who is signed in.
alter table account add column resident_id text;

alter table account_role drop constraint account_role_role_check,
  add constraint account_role_role_check check (role in ('physician', 'interface-engineer', 'operator',
    'system-administrator', 'security-administrator', 'auditor', 'regulator', 'patient'));
