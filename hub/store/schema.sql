-- The schema that all migrations together make. Generated: change a migration, then `npm run generate`.
-- Read this to know the tables; hub/store/sql tells how they came to be.

-- sequences
audit_id_seq
audit_verification_id_seq
code_mapping_id_seq
document_notification_id_seq
identity_decision_id_seq
journal_id_seq
journal_work_id_seq
migration_id_seq
outbox_id_seq
rematch_id_seq
standing_step_id_seq

-- tables
access_reason
  reason_id uuid not null default gen_random_uuid()
  account_id text not null
  account_name text not null
  person_id uuid not null
  purpose text not null
  note text not null
  at timestamp with time zone not null
  until timestamp with time zone not null
access_token
  token_hash bytea not null
  client_id uuid not null
  scope text not null
  ends_at timestamp with time zone not null
access_version
  one boolean not null default true
  version bigint not null default 1
account
  id uuid not null default gen_random_uuid()
  login_name text not null
  display_name text not null
  institution text
  department text
  practitioner_id text
  language text not null default 'zh'::text
  source text not null default 'local'::text
  idp text
  subject bytea
  state text not null
  state_reason text
  created_at timestamp with time zone not null default now()
  created_by text not null
  last_sign_in_at timestamp with time zone
  password text
  password_changed_at timestamp with time zone
  must_change_password boolean not null default false
  activation_hash bytea
  activation_until timestamp with time zone
  failures integer not null default 0
  locked_until timestamp with time zone
  totp_secret text
  totp_confirmed boolean not null default false
  totp_step bigint not null default 0
  resident_id text
account_flag
  flag_id uuid not null
  account_id text not null
  account_name text not null
  grant_id uuid
  at timestamp with time zone not null
  by_id text not null
  note text not null
  audit_flag_id uuid
  rule text not null default 'break-glass'::text
  severity text not null default 'high'::text
  reaction text not null default 'notify'::text
  explanation text
  explained_at timestamp with time zone
  closed_at timestamp with time zone
  closed_by text
  closing text
account_password
  account_id uuid not null
  at timestamp with time zone not null
  password text not null
account_recovery
  account_id uuid not null
  code_hash bytea not null
  used_at timestamp with time zone
account_role
  account_id uuid not null
  role text not null
  site text
affinity_patient
  patient_id text not null
  record_id uuid
  merged_into text
  survivor text
  announced_at timestamp with time zone not null default now()
approval
  id uuid not null default gen_random_uuid()
  kind text not null
  client_id uuid
  account_id uuid
  asked jsonb not null
  half_hash bytea
  asked_by text not null
  asked_by_name text not null
  asked_at timestamp with time zone not null
  lapses_at timestamp with time zone not null
  state text not null default 'open'::text
  decided_by text
  decided_by_name text
  decided_at timestamp with time zone
  reason text
  activated_at timestamp with time zone
assertion_use
  key bytea not null
  until timestamp with time zone not null
audit
  id bigint not null default nextval('audit_id_seq'::regclass)
  at timestamp with time zone not null
  action text not null
  outcome text not null
  face text not null
  operation text not null
  caller_id text not null
  caller_name text not null
  caller_role text not null
  peer text not null
  persons text[] not null
  objects text[] not null
  reason text
  on_behalf_of jsonb
  detail jsonb
  purpose text
  basis text
  institution text
  session text
  agent text
  lane integer
  seq bigint
  hash bytea
  partition by RANGE (at)
audit_actor
  actor text not null
  name text not null
  institution text
  seen_on date not null
audit_actor_day
  actor text not null
  day date not null
  persons integer not null
  reads integer not null
  refusals integer not null
audit_actor_person
  actor text not null
  day date not null
  hour smallint not null
  person text not null
audit_anchor
  number bigint not null
  at timestamp with time zone not null
  statement text not null
  signature text not null
  dropped date[] not null default '{}'::date[]
audit_anchor_sent
  destination text not null
  number bigint not null
audit_delivery
  at timestamp with time zone not null
  id bigint not null
audit_flag
  flag_id uuid not null default gen_random_uuid()
  rule text not null
  actor text not null
  actor_name text not null
  institution text
  day date not null
  first_at timestamp with time zone not null
  last_at timestamp with time zone not null
  events integer not null
  persons text[] not null
  records text[] not null
  explanation text not null
  opened_at timestamp with time zone not null default now()
  closed_at timestamp with time zone
  closed_by text
  verdict text
  reason text
  taken_at timestamp with time zone
  taken_by text
audit_lane
  lane integer not null
  month date not null
  process text not null
  from_at timestamp with time zone not null
  algorithm text not null
  key_id text
  follows text
  genesis bytea not null
  seq bigint not null default 0
  hash bytea not null
  at timestamp with time zone not null
audit_verification
  id bigint not null identity
  began_at timestamp with time zone not null
  ended_at timestamp with time zone
  kind text not null
  intact boolean
  records bigint not null default 0
  finding_count bigint not null default 0
  findings jsonb not null default '[]'::jsonb
  from_anchor bigint
  up_to_anchor bigint
  month date
audit_watch
  lane integer not null
  seq bigint not null
  at timestamp with time zone not null
break_glass
  grant_id uuid not null
  person_id uuid not null
  account_id text not null
  account_name text not null
  practitioner_id text
  institution text
  reason text not null
  note text not null
  at timestamp with time zone not null
  until timestamp with time zone not null
  ended_at timestamp with time zone
  audited boolean not null default false
  due_at timestamp with time zone not null
  outcome text
  reviewed_by text
  reviewed_at timestamp with time zone
  review_note text
client
  id uuid not null default gen_random_uuid()
  name text not null
  role text not null
  site text
  token_hash bytea not null
  bootstrap boolean not null default false
  created_at timestamp with time zone not null default now()
  created_by text not null
  last_used_at timestamp with time zone
  revoked_at timestamp with time zone
  certificate_sha256 bytea
  jwks jsonb
  pending boolean not null default false
  consents_granted_by text
  consents_granted_at timestamp with time zone
code_mapping
  id bigint not null identity
  site text not null
  code_table text not null
  key text not null
  source text not null
  source_display text not null default ''::text
  code text not null
  display text not null default ''::text
  reason text not null
  made_at timestamp with time zone not null
  made_by text not null
  made_by_id text not null
  undone_at timestamp with time zone
  undone_by text
  undo_reason text
code_mapping_version
  single boolean not null default true
  version bigint not null
consent
  consent_id uuid not null
  person_id uuid not null
  record_ids uuid[] not null
  version integer not null
  status text not null
  rules jsonb not null
  refuses boolean not null
  given_at timestamp with time zone not null
  updated_at timestamp with time zone not null
consent_version
  consent_id uuid not null
  version integer not null
  status text not null
  content jsonb not null
  recorded_at timestamp with time zone not null
  recorded_by jsonb not null
  reason text
consortium
  id uuid not null default gen_random_uuid()
  name_zh text not null
  name_en text
  valid_from timestamp with time zone
  valid_until timestamp with time zone
  created_at timestamp with time zone not null default now()
consortium_member
  consortium uuid not null
  institution text not null
  since timestamp with time zone not null default now()
data_key
  id integer not null
  algorithm text not null
  wrapped bytea not null
  wrapped_by text not null
  created_at timestamp with time zone not null default now()
  current_from timestamp with time zone not null
document_association
  patient_id text not null
  id uuid not null
  type text not null
  source uuid not null
  target uuid not null
  status text not null
  body jsonb not null default '{}'::jsonb
  registered_at timestamp with time zone not null default now()
document_notification
  subscription_id uuid not null
  id bigint not null identity
  entry_ids uuid[] not null
  attempts integer not null default 0
  registered_at timestamp with time zone not null
document_subscription
  id uuid not null
  topic text not null
  patient_id text
  criteria jsonb not null
  consumer text not null
  subscriber_id text not null
  subscriber jsonb not null
  origin text not null
  created_at timestamp with time zone not null
  ends_at timestamp with time zone not null
  next_at timestamp with time zone not null
exam
  record_id uuid not null
  exam_id uuid not null
  site text not null
  facts jsonb not null
  accession text
  provincial_index text
  provincial_issuer text
  cancelled boolean not null
  has_order boolean not null
  has_report boolean not null
  has_images boolean not null
  performed_at timestamp with time zone
  created_at timestamp with time zone not null default now()
  updated_at timestamp with time zone not null default now()
  modality text not null default ''::text
exam_alias
  alias text not null
  exam_id uuid not null
exam_key
  site text not null
  kind text not null
  value text not null
  record_id uuid not null
  exam_id uuid not null
exam_label
  exam_id uuid not null
  label text not null
  source text not null
  set_at timestamp with time zone not null default now()
  set_by text not null default ''::text
  reason text not null default ''::text
fhir_page
  handle text not null
  caller_id text not null
  expires_at timestamp with time zone not null
  type text not null
  ids text[] not null
  state text not null
fhir_resource
  type text not null
  id text not null
  version integer not null
  last_updated timestamp(3) with time zone not null
  owner text not null
  deleted boolean not null
  digest text not null
  tokens text[] not null
  present text[] not null
  date1_low timestamp(3) with time zone
  date1_high timestamp(3) with time zone
  date2_low timestamp(3) with time zone
  date2_high timestamp(3) with time zone
  sort_text text
  partition by LIST (type)
fhir_text
  type text not null
  id text not null
  version integer not null
  param text not null
  norm text not null
  exact text not null
  partition by LIST (type)
fhir_version
  type text not null
  id text not null
  version integer not null
  at timestamp(3) with time zone not null
  body text
  site text not null
  occurred_at timestamp(3) with time zone not null
  journal_ids text[] not null
  partition by LIST (type)
hospital_cursor
  site text not null
  seen_until timestamp with time zone not null
hospital_manifest
  site text not null
  document_uid text not null
  study_uid text not null
  record_id uuid not null
  object text not null
  made_at timestamp with time zone not null
  withdrawn_at timestamp with time zone
hospital_patient
  record_id uuid not null
  site text not null
  asked_at timestamp with time zone
hub_key
  name text not null
  value bytea not null
identity_decision
  id bigint not null identity
  kind text not null
  at timestamp with time zone not null
  by_id text not null
  by_name text not null
  reason text not null
  request_id text
  undoes bigint
  review_id uuid
  persons uuid[] not null
  records uuid[] not null
instance
  record_id uuid not null
  study_uid text not null
  series_uid text not null
  sop_uid text not null
  sop_class text not null
  transfer_syntax text not null
  number integer
  rows integer
  columns integer
  frames integer
  bits_allocated integer
  object text not null
  size bigint not null
  digest text not null
  data_set_offset integer not null
  journal_id bigint not null
institution
  code text not null
  name_zh text not null
  name_en text
  parent text
  kind text not null default 'hospital'::text
  region text
  state text not null default 'applied'::text
  created_at timestamp with time zone not null default now()
  updated_at timestamp with time zone not null default now()
  licence text
  uscc text
institution_site
  site text not null
  institution text not null
  since timestamp with time zone not null default now()
intake_tally
  hour timestamp with time zone not null
  site text not null
  channel text not null
  state text not null
  cause text not null default ''::text
  bucket smallint not null
  entries bigint not null
  last_at timestamp with time zone not null
  folded boolean not null default false
journal
  id bigint not null
  received_at timestamp with time zone not null
  site text
  channel text not null
  sender text not null
  peer text not null
  control_id text not null
  message_type text not null
  content_type text not null
  patient_key text not null
  digest bytea not null
  bytes bytea not null
  object text
  answer bytea not null
  size integer
  partition by RANGE (received_at)
journal_key
  key bytea not null
  digest bytea not null
  journal_id bigint not null
  received_at timestamp with time zone not null
journal_work
  id bigint not null identity
  kind text not null
  scope jsonb not null
  site text
  state text not null default 'running'::text
  reason text not null
  started_at timestamp with time zone not null
  started_by text not null
  started_by_id text not null
  ended_at timestamp with time zone
  total integer not null default 0
journal_work_entry
  work_id bigint not null
  journal_id bigint not null
  received_at timestamp with time zone not null
  put_at timestamp with time zone
  skipped boolean not null default false
known_person
  account_id text not null
  person_id uuid not null
  at timestamp with time zone not null
link_told
  subscriber text not null
  person_id uuid not null
  numbers text[] not null default '{}'::text[]
  notices integer not null default 0
  told_at timestamp with time zone
listener
  process text not null
  channel text not null
  address text not null
  listening boolean not null
  connections integer not null
  received bigint not null
  refused bigint not null
  seen_at timestamp with time zone not null
match_cut
  key bigint not null
  candidates integer not null
  times integer not null default 1
  first_at timestamp with time zone not null
  last_at timestamp with time zone not null
match_key
  record_id uuid not null
  key bigint not null
match_pair
  record_id uuid not null
  rules text not null
  other_id uuid not null
  outcome text not null
  weight real not null
  veto text
  contributions jsonb not null
  compared_at timestamp with time zone not null
match_record
  record_id uuid not null
  features jsonb not null
match_rules
  version text not null
  rules jsonb not null
  state text not null
  created_at timestamp with time zone not null default now()
  created_by text not null
  activated_at timestamp with time zone
  activated_by text
migration
  id integer not null default nextval('migration_id_seq'::regclass)
  name character varying(255) not null
  run_on timestamp without time zone not null
outbox
  id bigint not null identity
  topic text not null
  key text not null
  payload jsonb not null default '{}'::jsonb
  due_at timestamp with time zone not null default now()
  attempts integer not null default 0
  done_at timestamp with time zone
  created_at timestamp with time zone not null default now()
patient_name
  record_id uuid not null
  key text not null
patient_notice
  notice_id uuid not null
  person_id uuid not null
  kind text not null
  subject text not null
  content jsonb not null
  at timestamp with time zone not null
  attempts integer not null default 0
  next_at timestamp with time zone
  delivered_at timestamp with time zone
patient_present_code
  code_id uuid not null
  code_hash text not null
  kind text not null
  person_id uuid not null
  terms jsonb not null
  issued_by jsonb not null
  created_at timestamp with time zone not null
  expires_at timestamp with time zone not null
  wrong integer not null default 0
  used_at timestamp with time zone
  consent_id uuid
patient_present_guess
  caller_id text not null
  at timestamp with time zone not null
patient_record
  record_id uuid not null
  site text not null
  authority text not null
  local_id text not null
  person_id uuid not null
  facts jsonb not null
  merged_into uuid
  resident_id text
  sex text
  birth_date text
  dicom_name text not null default ''::text
  created_at timestamp with time zone not null default now()
  updated_at timestamp with time zone not null default now()
  resident_born smallint
pending
  journal_id bigint not null
  received_at timestamp with time zone not null
  work_key text not null
  attempts integer not null default 0
  next_try_at timestamp with time zone not null default '-infinity'::timestamp with time zone
  forced boolean not null default false
  again text
person
  person_id uuid not null
  replaced_by uuid
  created_at timestamp with time zone not null default now()
  updated_at timestamp with time zone not null default now()
practitioner
  practitioner_id uuid not null
  institution text not null
  licence text not null
  name text not null
  department text not null
  title text not null
  account_id text
  state text not null
  applied_by text not null
  applied_at timestamp with time zone not null
  updated_at timestamp with time zone not null
record_tie
  record_id uuid not null
  other_id uuid not null
  said text not null
registry_object
  patient_id text not null
  id uuid not null
  kind text not null
  lid uuid not null
  version integer not null
  status text not null
  unique_id text not null
  body jsonb not null
  entry_type text
  main_time text
  service_start text
  service_stop text
  class_code text
  type_code text
  format_code text
  facility_type text
  practice_setting text
  content_type text
  confidentiality text[] not null default '{}'::text[]
  event_codes text[] not null default '{}'::text[]
  reference_ids text[] not null default '{}'::text[]
  authors text[] not null default '{}'::text[]
  source_id text
  sender text not null default ''::text
  registered_at timestamp with time zone not null default now()
rematch
  id bigint not null identity
  rules text not null
  state text not null
  cursor_id uuid
  passed bigint not null default 0
  total bigint not null
  report jsonb not null default '{}'::jsonb
  started_at timestamp with time zone not null
  started_by text not null
  updated_at timestamp with time zone not null
  ended_at timestamp with time zone
report_version
  record_id uuid not null
  exam_id uuid not null
  report_number text not null
  stamp text not null
  status text not null
  content jsonb not null
  journal_id bigint not null
  recorded_at timestamp with time zone not null default now()
repository_document
  patient_id text not null
  unique_id text not null
  mime_type text not null
  object text not null
  size bigint not null
  hash text not null
  stored_at timestamp with time zone not null default now()
reseal
  part text not null
  cursor text not null default ''::text
  passed bigint not null default 0
  target integer not null
  done_at timestamp with time zone
review
  id uuid not null
  kind text not null
  state text not null default 'open'::text
  site text
  problem jsonb not null
  findings jsonb not null default '[]'::jsonb
  journal_id bigint
  record_ids uuid[] not null default '{}'::uuid[]
  opened_at timestamp with time zone not null default now()
  closed_at timestamp with time zone
  closed_by text
  reason text
  weight real
  veto text
  proposal jsonb
ruling
  record_id uuid not null
  other_id uuid not null
  decision_id bigint not null
  decision text not null
  numbers text[]
saml_request
  id text not null
  idp text not null
  browser_hash bytea not null
  return_path text not null
  created_at timestamp with time zone not null
  ends_at timestamp with time zone not null
  code_hash bytea
  answer text
sealing
  one boolean not null default true
  state bytea not null
sensitivity_rule
  field text not null
  code text not null
  label text not null
  created_at timestamp with time zone not null default now()
  created_by text not null
  rule_id uuid not null default gen_random_uuid()
  site text
  reason text not null default ''::text
sensitivity_sweep
  one boolean not null default true
  after_record uuid
  after_exam uuid
  exams bigint not null default 0
  began_at timestamp with time zone not null default now()
  ended_at timestamp with time zone default now()
series
  record_id uuid not null
  study_uid text not null
  series_uid text not null
  modality text not null default ''::text
  number integer
  description text
  body_part text
  laterality text
  started_at timestamp with time zone
  station_name text
  manufacturer text
  instance_count integer not null default 0
  created_at timestamp with time zone not null default now()
session
  id_hash bytea not null
  account_id uuid not null
  stage text not null
  role text
  purpose text
  factors text[] not null
  peer text not null
  created_at timestamp with time zone not null
  seen_at timestamp with time zone not null
  idle_seconds integer not null
  ends_at timestamp with time zone not null
  idp text
  saml_subject bytea
  saml_index text
  saml_name text
settlement
  received_at timestamp with time zone not null
  journal_id bigint not null
  site text
  channel text not null
  state text not null
  attempts integer not null
  problem jsonb
  findings jsonb not null default '[]'::jsonb
  settled_at timestamp with time zone not null
  mappings bigint[]
  partition by RANGE (received_at)
sign_on_failure
  peer text not null
  failures integer not null
  since timestamp with time zone not null
standing_step
  id bigint not null identity
  subject text not null
  step text not null
  by_id text not null
  at timestamp with time zone not null
  reason text not null
study
  record_id uuid not null
  study_uid text not null
  study_id uuid not null
  exam_id uuid not null
  site text not null
  modalities text[] not null default '{}'::text[]
  series_count integer not null default 0
  instance_count integer not null default 0
  declared_instances integer
  availability text not null
  voided boolean not null default false
  study_date text not null default ''::text
  study_time text not null default ''::text
  accession text not null default ''::text
  dicom_study_id text not null default ''::text
  description text not null default ''::text
  referring_physician text not null default ''::text
  last_instance_at timestamp with time zone
  manifest jsonb
  version integer not null default 1
  created_at timestamp with time zone not null default now()
  updated_at timestamp with time zone not null default now()
unmapped_code
  site text not null
  code_table text not null
  key text not null
  code text not null
  display text not null default ''::text
  field text not null
  channel text not null
  seen bigint not null
  first_seen_at timestamp with time zone not null
  last_seen_at timestamp with time zone not null
  last_journal_id bigint not null
viewer_launch
  launch_id uuid not null default gen_random_uuid()
  code_hash bytea not null
  caller jsonb not null
  account_id text
  person_id uuid not null
  study_uids text[] not null
  created_at timestamp with time zone not null
  expires_at timestamp with time zone not null
  used_at timestamp with time zone
  session_hash bytea
  session_ends_at timestamp with time zone
visit
  record_id uuid not null
  visit_id uuid not null
  site text not null
  type text not null
  authority text not null
  number text not null
  facts jsonb not null
  account text
  account_authority text
  keys text[] not null
  departments text[] not null
  cancelled boolean not null
  ended boolean not null
  admitted_at timestamp with time zone
  created_at timestamp with time zone not null
  updated_at timestamp with time zone not null

-- constraints
access_reason.access_reason_pkey PRIMARY KEY (reason_id)
access_token.access_token_client_id_fkey FOREIGN KEY (client_id) REFERENCES client(id)
access_token.access_token_pkey PRIMARY KEY (token_hash)
access_token.access_token_token_hash_check CHECK ((octet_length(token_hash) = 32))
access_version.access_version_one_check CHECK (one)
access_version.access_version_pkey PRIMARY KEY (one)
account.account_check CHECK (((source = 'saml'::text) = ((idp IS NOT NULL) AND (subject IS NOT NULL))))
account.account_language_check CHECK ((language = ANY (ARRAY['zh'::text, 'en'::text])))
account.account_login_name_check CHECK (((login_name = lower(login_name)) AND ((length(login_name) >= 1) AND (length(login_name) <= 128))))
account.account_login_name_key UNIQUE (login_name)
account.account_pkey PRIMARY KEY (id)
account.account_source_check CHECK ((source = ANY (ARRAY['local'::text, 'saml'::text])))
account.account_state_check CHECK ((state = ANY (ARRAY['invited'::text, 'pending'::text, 'active'::text, 'suspended'::text, 'ended'::text])))
account_flag.account_flag_audit_flag_id_key UNIQUE (audit_flag_id)
account_flag.account_flag_grant_id_key UNIQUE (grant_id)
account_flag.account_flag_of_one CHECK (((grant_id IS NULL) <> (audit_flag_id IS NULL)))
account_flag.account_flag_pkey PRIMARY KEY (flag_id)
account_flag.account_flag_reaction_check CHECK ((reaction = ANY (ARRAY['notify'::text, 'explain'::text, 'suspend'::text])))
account_flag.account_flag_severity_check CHECK ((severity = ANY (ARRAY['low'::text, 'medium'::text, 'high'::text])))
account_password.account_password_account_id_fkey FOREIGN KEY (account_id) REFERENCES account(id)
account_password.account_password_pkey PRIMARY KEY (account_id, at)
account_recovery.account_recovery_account_id_fkey FOREIGN KEY (account_id) REFERENCES account(id)
account_recovery.account_recovery_pkey PRIMARY KEY (account_id, code_hash)
account_role.account_role_account_id_fkey FOREIGN KEY (account_id) REFERENCES account(id)
account_role.account_role_check CHECK (((role <> 'interface-engineer'::text) OR (site IS NOT NULL)))
account_role.account_role_pkey PRIMARY KEY (account_id, role)
account_role.account_role_role_check CHECK ((role = ANY (ARRAY['physician'::text, 'interface-engineer'::text, 'operator'::text, 'system-administrator'::text, 'security-administrator'::text, 'auditor'::text, 'regulator'::text, 'patient'::text])))
affinity_patient.affinity_patient_pkey PRIMARY KEY (patient_id)
approval.approval_account_id_fkey FOREIGN KEY (account_id) REFERENCES account(id)
approval.approval_check CHECK ((((kind = 'client'::text) = (client_id IS NOT NULL)) AND ((kind = 'client'::text) = (account_id IS NULL))))
approval.approval_check1 CHECK (((state = 'open'::text) = (decided_at IS NULL)))
approval.approval_check2 CHECK (((state <> 'approved'::text) OR ((decided_by IS NOT NULL) AND (decided_by <> asked_by) AND (decided_by IS DISTINCT FROM (account_id)::text))))
approval.approval_client_id_fkey FOREIGN KEY (client_id) REFERENCES client(id)
approval.approval_half_hash_check CHECK ((octet_length(half_hash) = 32))
approval.approval_kind_check CHECK ((kind = ANY (ARRAY['client'::text, 'account'::text, 'reset'::text, 'rights'::text])))
approval.approval_pkey PRIMARY KEY (id)
approval.approval_state_check CHECK ((state = ANY (ARRAY['open'::text, 'approved'::text, 'refused'::text, 'lapsed'::text])))
assertion_use.assertion_use_key_check CHECK ((octet_length(key) = 32))
assertion_use.assertion_use_pkey PRIMARY KEY (key)
audit.audit_pkey PRIMARY KEY (at, id)
audit_actor.audit_actor_pkey PRIMARY KEY (actor)
audit_actor_day.audit_actor_day_pkey PRIMARY KEY (actor, day)
audit_actor_person.audit_actor_person_pkey PRIMARY KEY (actor, day, person)
audit_anchor.audit_anchor_pkey PRIMARY KEY (number)
audit_anchor_sent.audit_anchor_sent_pkey PRIMARY KEY (destination)
audit_delivery.audit_delivery_pkey PRIMARY KEY (at, id)
audit_flag.audit_flag_pkey PRIMARY KEY (flag_id)
audit_flag.audit_flag_rule_actor_day_key UNIQUE (rule, actor, day)
audit_flag.audit_flag_verdict_check CHECK ((verdict = ANY (ARRAY['proper'::text, 'improper'::text, 'unclear'::text])))
audit_lane.audit_lane_pkey PRIMARY KEY (lane)
audit_verification.audit_verification_kind_check CHECK ((kind = ANY (ARRAY['nightly'::text, 'command'::text])))
audit_verification.audit_verification_pkey PRIMARY KEY (id)
audit_watch.audit_watch_pkey PRIMARY KEY (lane)
break_glass.break_glass_outcome_check CHECK ((outcome = ANY (ARRAY['justified'::text, 'unjustified'::text])))
break_glass.break_glass_pkey PRIMARY KEY (grant_id)
client.client_certificate_sha256_check CHECK ((octet_length(certificate_sha256) = 32))
client.client_check CHECK (((role <> 'hospital-feed'::text) OR (site IS NOT NULL)))
client.client_consents_by_whom CHECK (((consents_granted_by IS NULL) = (consents_granted_at IS NULL)))
client.client_pkey PRIMARY KEY (id)
client.client_role_check CHECK ((role = ANY (ARRAY['administrator'::text, 'operator'::text, 'query-platform'::text, 'hospital-feed'::text])))
client.client_token_hash_check CHECK ((octet_length(token_hash) = 32))
client.client_token_hash_key UNIQUE (token_hash)
code_mapping.code_mapping_pkey PRIMARY KEY (id)
code_mapping_version.code_mapping_version_pkey PRIMARY KEY (single)
code_mapping_version.code_mapping_version_single_check CHECK (single)
consent.consent_pkey PRIMARY KEY (consent_id)
consent.consent_status_check CHECK ((status = ANY (ARRAY['active'::text, 'inactive'::text, 'entered-in-error'::text])))
consent_version.consent_version_pkey PRIMARY KEY (consent_id, version)
consortium.consortium_pkey PRIMARY KEY (id)
consortium_member.consortium_member_consortium_fkey FOREIGN KEY (consortium) REFERENCES consortium(id) ON DELETE CASCADE
consortium_member.consortium_member_institution_fkey FOREIGN KEY (institution) REFERENCES institution(code)
consortium_member.consortium_member_pkey PRIMARY KEY (consortium, institution)
data_key.data_key_algorithm_check CHECK ((algorithm = ANY (ARRAY['aes-256-gcm'::text, 'sm4-ctr-hmac-sm3'::text])))
data_key.data_key_id_check CHECK ((id > 0))
data_key.data_key_pkey PRIMARY KEY (id)
document_association.document_association_pkey PRIMARY KEY (patient_id, id)
document_association.document_association_status_check CHECK ((status = ANY (ARRAY['approved'::text, 'deprecated'::text])))
document_notification.document_notification_pkey PRIMARY KEY (subscription_id, id)
document_subscription.document_subscription_pkey PRIMARY KEY (id)
document_subscription.document_subscription_topic_check CHECK ((topic = ANY (ARRAY['full'::text, 'minimal'::text, 'submission-set'::text])))
exam.exam_pkey PRIMARY KEY (record_id, exam_id)
exam_alias.exam_alias_pkey PRIMARY KEY (alias)
exam_key.exam_key_pkey PRIMARY KEY (site, kind, value, exam_id)
exam_label.exam_label_label_check CHECK ((label ~ '^[a-z][a-z-]{0,30}$'::text))
exam_label.exam_label_pkey PRIMARY KEY (exam_id, label, source)
exam_label.exam_label_source_check CHECK ((source = ANY (ARRAY['rule'::text, 'hand'::text])))
fhir_page.fhir_page_pkey PRIMARY KEY (handle)
fhir_resource.fhir_resource_pkey PRIMARY KEY (type, id)
fhir_version.fhir_version_pkey PRIMARY KEY (type, id, version)
hospital_cursor.hospital_cursor_pkey PRIMARY KEY (site)
hospital_manifest.hospital_manifest_pkey PRIMARY KEY (site, document_uid, study_uid)
hospital_patient.hospital_patient_pkey PRIMARY KEY (record_id)
hub_key.hub_key_pkey PRIMARY KEY (name)
identity_decision.identity_decision_kind_check CHECK ((kind = ANY (ARRAY['merge'::text, 'split'::text, 'same'::text, 'not-same'::text, 'undo'::text])))
identity_decision.identity_decision_pkey PRIMARY KEY (id)
identity_decision.identity_decision_undoes_fkey FOREIGN KEY (undoes) REFERENCES identity_decision(id)
identity_decision.identity_decision_undoes_key UNIQUE (undoes)
instance.instance_pkey PRIMARY KEY (record_id, study_uid, series_uid, sop_uid)
institution.institution_check CHECK ((parent <> code))
institution.institution_code_check CHECK ((code ~ '^[0-9A-Za-z.-]{1,40}$'::text))
institution.institution_kind_check CHECK ((kind = ANY (ARRAY['hospital'::text, 'branch'::text, 'primary-care'::text, 'imaging-centre'::text, 'public-health'::text, 'authority'::text, 'other'::text])))
institution.institution_parent_fkey FOREIGN KEY (parent) REFERENCES institution(code)
institution.institution_pkey PRIMARY KEY (code)
institution.institution_region_check CHECK ((region ~ '^[0-9]{6}$'::text))
institution.institution_state_check CHECK ((state = ANY (ARRAY['applied'::text, 'approved'::text, 'suspended'::text, 'left'::text])))
institution_site.institution_site_institution_fkey FOREIGN KEY (institution) REFERENCES institution(code)
institution_site.institution_site_pkey PRIMARY KEY (site)
journal.journal_pkey PRIMARY KEY (received_at, id)
journal_key.journal_key_pkey PRIMARY KEY (key)
journal_work.journal_work_kind_check CHECK ((kind = ANY (ARRAY['retry'::text, 'replay'::text])))
journal_work.journal_work_pkey PRIMARY KEY (id)
journal_work.journal_work_state_check CHECK ((state = ANY (ARRAY['running'::text, 'done'::text, 'cancelled'::text])))
journal_work_entry.journal_work_entry_pkey PRIMARY KEY (work_id, journal_id)
journal_work_entry.journal_work_entry_work_id_fkey FOREIGN KEY (work_id) REFERENCES journal_work(id) ON DELETE CASCADE
known_person.known_person_pkey PRIMARY KEY (account_id, person_id)
link_told.link_told_pkey PRIMARY KEY (subscriber, person_id)
listener.listener_pkey PRIMARY KEY (process, channel)
match_cut.match_cut_pkey PRIMARY KEY (key)
match_key.match_key_pkey PRIMARY KEY (record_id, key)
match_pair.match_pair_outcome_check CHECK ((outcome = ANY (ARRAY['link'::text, 'review'::text, 'none'::text])))
match_pair.match_pair_pkey PRIMARY KEY (record_id, rules, other_id)
match_record.match_record_pkey PRIMARY KEY (record_id)
match_rules.match_rules_pkey PRIMARY KEY (version)
match_rules.match_rules_state_check CHECK ((state = ANY (ARRAY['draft'::text, 'active'::text, 'retired'::text])))
migration.migration_pkey PRIMARY KEY (id)
outbox.outbox_pkey PRIMARY KEY (id)
patient_name.patient_name_pkey PRIMARY KEY (record_id, key)
patient_notice.patient_notice_kind_check CHECK ((kind = ANY (ARRAY['break-glass'::text, 'break-glass-reviewed'::text, 'consent-recorded'::text, 'consent-withdrawn'::text])))
patient_notice.patient_notice_pkey PRIMARY KEY (notice_id)
patient_present_code.patient_present_code_code_hash_key UNIQUE (code_hash)
patient_present_code.patient_present_code_kind_check CHECK ((kind = ANY (ARRAY['token'::text, 'digits'::text])))
patient_present_code.patient_present_code_pkey PRIMARY KEY (code_id)
patient_record.patient_record_pkey PRIMARY KEY (record_id)
pending.pending_again_check CHECK ((again = ANY (ARRAY['retry'::text, 'replay'::text])))
pending.pending_pkey PRIMARY KEY (journal_id)
person.person_pkey PRIMARY KEY (person_id)
practitioner.practitioner_pkey PRIMARY KEY (practitioner_id)
practitioner.practitioner_state_check CHECK ((state = ANY (ARRAY['applied'::text, 'approved'::text, 'suspended'::text, 'left'::text])))
record_tie.record_tie_pkey PRIMARY KEY (record_id, other_id)
record_tie.record_tie_said_check CHECK ((said = ANY (ARRAY['same'::text, 'apart'::text])))
registry_object.registry_object_kind_check CHECK ((kind = ANY (ARRAY['document'::text, 'submission-set'::text, 'folder'::text])))
registry_object.registry_object_pkey PRIMARY KEY (patient_id, id)
registry_object.registry_object_status_check CHECK ((status = ANY (ARRAY['approved'::text, 'deprecated'::text])))
rematch.rematch_pkey PRIMARY KEY (id)
rematch.rematch_state_check CHECK ((state = ANY (ARRAY['comparing'::text, 'judging'::text, 'compared'::text, 'applying'::text, 'done'::text, 'cancelled'::text])))
report_version.report_version_pkey PRIMARY KEY (record_id, exam_id, report_number, stamp)
repository_document.repository_document_pkey PRIMARY KEY (patient_id, unique_id)
reseal.reseal_pkey PRIMARY KEY (part)
review.review_kind_check CHECK ((kind = ANY (ARRAY['message'::text, 'identity'::text])))
review.review_pkey PRIMARY KEY (id)
review.review_state_check CHECK ((state = ANY (ARRAY['open'::text, 'retried'::text, 'dismissed'::text, 'resolved'::text])))
ruling.ruling_decision_check CHECK ((decision = ANY (ARRAY['same'::text, 'not-same'::text])))
ruling.ruling_pkey PRIMARY KEY (record_id, other_id, decision_id)
saml_request.saml_request_code_hash_key UNIQUE (code_hash)
saml_request.saml_request_pkey PRIMARY KEY (id)
sealing.sealing_one_check CHECK (one)
sealing.sealing_pkey PRIMARY KEY (one)
sensitivity_rule.sensitivity_rule_field_check CHECK ((field = ANY (ARRAY['requestingDepartment'::text, 'procedure'::text, 'diagnosis'::text, 'modality'::text, 'bodyPart'::text, 'site'::text])))
sensitivity_rule.sensitivity_rule_label_check CHECK ((label ~ '^[a-z][a-z-]{0,30}$'::text))
sensitivity_rule.sensitivity_rule_pkey PRIMARY KEY (rule_id)
sensitivity_sweep.sensitivity_sweep_one_check CHECK (one)
sensitivity_sweep.sensitivity_sweep_pkey PRIMARY KEY (one)
series.series_pkey PRIMARY KEY (record_id, study_uid, series_uid)
session.session_account_id_fkey FOREIGN KEY (account_id) REFERENCES account(id)
session.session_check CHECK (((stage <> 'open'::text) OR (role IS NOT NULL)))
session.session_id_hash_check CHECK ((octet_length(id_hash) = 32))
session.session_pkey PRIMARY KEY (id_hash)
session.session_stage_check CHECK ((stage = ANY (ARRAY['password'::text, 'enrolment'::text, 'totp'::text, 'role'::text, 'open'::text])))
settlement.settlement_pkey PRIMARY KEY (received_at, journal_id)
settlement.settlement_state_check CHECK ((state = ANY (ARRAY['applied'::text, 'refused'::text, 'review'::text])))
sign_on_failure.sign_on_failure_pkey PRIMARY KEY (peer)
standing_step.standing_step_pkey PRIMARY KEY (id)
study.study_pkey PRIMARY KEY (record_id, study_uid)
unmapped_code.unmapped_code_pkey PRIMARY KEY (site, code_table, key)
viewer_launch.viewer_launch_check CHECK (((session_hash IS NULL) = (session_ends_at IS NULL)))
viewer_launch.viewer_launch_code_hash_check CHECK ((octet_length(code_hash) = 32))
viewer_launch.viewer_launch_code_hash_key UNIQUE (code_hash)
viewer_launch.viewer_launch_pkey PRIMARY KEY (launch_id)
viewer_launch.viewer_launch_session_hash_check CHECK ((octet_length(session_hash) = 32))
viewer_launch.viewer_launch_session_hash_key UNIQUE (session_hash)
viewer_launch.viewer_launch_study_uids_check CHECK ((cardinality(study_uids) > 0))
visit.visit_pkey PRIMARY KEY (record_id, visit_id)
visit.visit_type_check CHECK ((type = ANY (ARRAY['VN'::text, 'AN'::text])))

-- indexes
access_reason_newest CREATE INDEX access_reason_newest ON public.access_reason USING btree (at DESC, reason_id DESC)
access_reason_pkey CREATE UNIQUE INDEX access_reason_pkey ON public.access_reason USING btree (reason_id)
access_reason_standing CREATE INDEX access_reason_standing ON public.access_reason USING btree (account_id, person_id, until)
access_token_by_end CREATE INDEX access_token_by_end ON public.access_token USING btree (ends_at)
access_token_pkey CREATE UNIQUE INDEX access_token_pkey ON public.access_token USING btree (token_hash)
access_version_pkey CREATE UNIQUE INDEX access_version_pkey ON public.access_version USING btree (one)
account_by_subject CREATE UNIQUE INDEX account_by_subject ON public.account USING btree (idp, subject) WHERE (idp IS NOT NULL)
account_by_time CREATE INDEX account_by_time ON public.account USING btree (created_at DESC, id DESC)
account_flag_audit_flag_id_key CREATE UNIQUE INDEX account_flag_audit_flag_id_key ON public.account_flag USING btree (audit_flag_id)
account_flag_by_account CREATE INDEX account_flag_by_account ON public.account_flag USING btree (account_id)
account_flag_by_time CREATE INDEX account_flag_by_time ON public.account_flag USING btree (at DESC, flag_id DESC)
account_flag_grant_id_key CREATE UNIQUE INDEX account_flag_grant_id_key ON public.account_flag USING btree (grant_id)
account_flag_open CREATE INDEX account_flag_open ON public.account_flag USING btree (account_id) WHERE (closed_at IS NULL)
account_flag_pkey CREATE UNIQUE INDEX account_flag_pkey ON public.account_flag USING btree (flag_id)
account_login_name_key CREATE UNIQUE INDEX account_login_name_key ON public.account USING btree (login_name)
account_password_pkey CREATE UNIQUE INDEX account_password_pkey ON public.account_password USING btree (account_id, at)
account_pending CREATE INDEX account_pending ON public.account USING btree (created_at) WHERE (state = 'pending'::text)
account_pkey CREATE UNIQUE INDEX account_pkey ON public.account USING btree (id)
account_recovery_pkey CREATE UNIQUE INDEX account_recovery_pkey ON public.account_recovery USING btree (account_id, code_hash)
account_role_apart CREATE UNIQUE INDEX account_role_apart ON public.account_role USING btree (account_id) WHERE (role = ANY (ARRAY['system-administrator'::text, 'security-administrator'::text, 'auditor'::text]))
account_role_by_role CREATE INDEX account_role_by_role ON public.account_role USING btree (role)
account_role_pkey CREATE UNIQUE INDEX account_role_pkey ON public.account_role USING btree (account_id, role)
affinity_patient_by_merge CREATE INDEX affinity_patient_by_merge ON public.affinity_patient USING btree (merged_into) WHERE (merged_into IS NOT NULL)
affinity_patient_by_record CREATE INDEX affinity_patient_by_record ON public.affinity_patient USING btree (record_id) WHERE (record_id IS NOT NULL)
affinity_patient_by_survivor CREATE INDEX affinity_patient_by_survivor ON public.affinity_patient USING btree (survivor) WHERE (survivor IS NOT NULL)
affinity_patient_pkey CREATE UNIQUE INDEX affinity_patient_pkey ON public.affinity_patient USING btree (patient_id)
approval_by_account CREATE INDEX approval_by_account ON public.approval USING btree (account_id) WHERE (account_id IS NOT NULL)
approval_by_client CREATE INDEX approval_by_client ON public.approval USING btree (client_id) WHERE (client_id IS NOT NULL)
approval_by_time CREATE INDEX approval_by_time ON public.approval USING btree (asked_at DESC, id DESC)
approval_one_open CREATE UNIQUE INDEX approval_one_open ON public.approval USING btree (account_id) WHERE ((state = 'open'::text) AND (account_id IS NOT NULL))
approval_pkey CREATE UNIQUE INDEX approval_pkey ON public.approval USING btree (id)
assertion_use_by_until CREATE INDEX assertion_use_by_until ON public.assertion_use USING btree (until)
assertion_use_pkey CREATE UNIQUE INDEX assertion_use_pkey ON public.assertion_use USING btree (key)
audit_actor_by_institution CREATE INDEX audit_actor_by_institution ON public.audit_actor USING btree (institution)
audit_actor_day_pkey CREATE UNIQUE INDEX audit_actor_day_pkey ON public.audit_actor_day USING btree (actor, day)
audit_actor_person_pkey CREATE UNIQUE INDEX audit_actor_person_pkey ON public.audit_actor_person USING btree (actor, day, person)
audit_actor_pkey CREATE UNIQUE INDEX audit_actor_pkey ON public.audit_actor USING btree (actor)
audit_anchor_dropping CREATE INDEX audit_anchor_dropping ON public.audit_anchor USING gin (dropped) WHERE (dropped <> '{}'::date[])
audit_anchor_pkey CREATE UNIQUE INDEX audit_anchor_pkey ON public.audit_anchor USING btree (number)
audit_anchor_sent_pkey CREATE UNIQUE INDEX audit_anchor_sent_pkey ON public.audit_anchor_sent USING btree (destination)
audit_by_caller CREATE INDEX audit_by_caller ON ONLY public.audit USING btree (caller_id, at DESC)
audit_by_person CREATE INDEX audit_by_person ON ONLY public.audit USING gin (persons)
audit_delivery_pkey CREATE UNIQUE INDEX audit_delivery_pkey ON public.audit_delivery USING btree (at, id)
audit_flag_open CREATE INDEX audit_flag_open ON public.audit_flag USING btree (last_at DESC, flag_id) WHERE (closed_at IS NULL)
audit_flag_pkey CREATE UNIQUE INDEX audit_flag_pkey ON public.audit_flag USING btree (flag_id)
audit_flag_rule_actor_day_key CREATE UNIQUE INDEX audit_flag_rule_actor_day_key ON public.audit_flag USING btree (rule, actor, day)
audit_lane_pkey CREATE UNIQUE INDEX audit_lane_pkey ON public.audit_lane USING btree (lane)
audit_pkey CREATE UNIQUE INDEX audit_pkey ON ONLY public.audit USING btree (at, id)
audit_verification_pkey CREATE UNIQUE INDEX audit_verification_pkey ON public.audit_verification USING btree (id)
audit_watch_pkey CREATE UNIQUE INDEX audit_watch_pkey ON public.audit_watch USING btree (lane)
break_glass_by_person CREATE INDEX break_glass_by_person ON public.break_glass USING btree (person_id, account_id, until)
break_glass_one_open CREATE UNIQUE INDEX break_glass_one_open ON public.break_glass USING btree (account_id, person_id) WHERE (ended_at IS NULL)
break_glass_open CREATE INDEX break_glass_open ON public.break_glass USING btree (due_at) WHERE (outcome IS NULL)
break_glass_pkey CREATE UNIQUE INDEX break_glass_pkey ON public.break_glass USING btree (grant_id)
break_glass_to_audit CREATE INDEX break_glass_to_audit ON public.break_glass USING btree (at) WHERE (NOT audited)
break_glass_to_review CREATE INDEX break_glass_to_review ON public.break_glass USING btree (due_at, grant_id)
client_bootstrap CREATE UNIQUE INDEX client_bootstrap ON public.client USING btree (bootstrap) WHERE bootstrap
client_by_certificate CREATE UNIQUE INDEX client_by_certificate ON public.client USING btree (certificate_sha256) WHERE ((certificate_sha256 IS NOT NULL) AND (revoked_at IS NULL))
client_by_time CREATE INDEX client_by_time ON public.client USING btree (created_at DESC, id DESC)
client_pkey CREATE UNIQUE INDEX client_pkey ON public.client USING btree (id)
client_token_hash_key CREATE UNIQUE INDEX client_token_hash_key ON public.client USING btree (token_hash)
code_mapping_by_time CREATE INDEX code_mapping_by_time ON public.code_mapping USING btree (id DESC)
code_mapping_pkey CREATE UNIQUE INDEX code_mapping_pkey ON public.code_mapping USING btree (id)
code_mapping_standing CREATE UNIQUE INDEX code_mapping_standing ON public.code_mapping USING btree (site, code_table, key) WHERE (undone_at IS NULL)
code_mapping_version_pkey CREATE UNIQUE INDEX code_mapping_version_pkey ON public.code_mapping_version USING btree (single)
consent_by_person CREATE INDEX consent_by_person ON public.consent USING btree (person_id)
consent_by_time CREATE INDEX consent_by_time ON public.consent USING btree (updated_at DESC, consent_id DESC)
consent_pkey CREATE UNIQUE INDEX consent_pkey ON public.consent USING btree (consent_id)
consent_refusal_by_record CREATE INDEX consent_refusal_by_record ON public.consent USING gin (record_ids) WHERE ((status = 'active'::text) AND refuses)
consent_version_pkey CREATE UNIQUE INDEX consent_version_pkey ON public.consent_version USING btree (consent_id, version)
consortium_member_by_institution CREATE INDEX consortium_member_by_institution ON public.consortium_member USING btree (institution)
consortium_member_pkey CREATE UNIQUE INDEX consortium_member_pkey ON public.consortium_member USING btree (consortium, institution)
consortium_pkey CREATE UNIQUE INDEX consortium_pkey ON public.consortium USING btree (id)
data_key_pkey CREATE UNIQUE INDEX data_key_pkey ON public.data_key USING btree (id)
document_association_by_id CREATE INDEX document_association_by_id ON public.document_association USING btree (id)
document_association_by_source CREATE INDEX document_association_by_source ON public.document_association USING btree (source, type)
document_association_by_target CREATE INDEX document_association_by_target ON public.document_association USING btree (target, type)
document_association_pkey CREATE UNIQUE INDEX document_association_pkey ON public.document_association USING btree (patient_id, id)
document_notification_by_age CREATE INDEX document_notification_by_age ON public.document_notification USING btree (registered_at)
document_notification_pkey CREATE UNIQUE INDEX document_notification_pkey ON public.document_notification USING btree (subscription_id, id)
document_subscription_by_end CREATE INDEX document_subscription_by_end ON public.document_subscription USING btree (ends_at)
document_subscription_by_patient CREATE INDEX document_subscription_by_patient ON public.document_subscription USING btree (patient_id)
document_subscription_by_subscriber CREATE INDEX document_subscription_by_subscriber ON public.document_subscription USING btree (subscriber_id)
document_subscription_pkey CREATE UNIQUE INDEX document_subscription_pkey ON public.document_subscription USING btree (id)
exam_alias_by_exam CREATE INDEX exam_alias_by_exam ON public.exam_alias USING btree (exam_id)
exam_alias_pkey CREATE UNIQUE INDEX exam_alias_pkey ON public.exam_alias USING btree (alias)
exam_by_id CREATE INDEX exam_by_id ON public.exam USING btree (exam_id)
exam_by_index CREATE INDEX exam_by_index ON public.exam USING btree (provincial_index) WHERE (provincial_index IS NOT NULL)
exam_completeness CREATE INDEX exam_completeness ON public.exam USING btree (created_at) INCLUDE (site, modality, has_order, has_report, has_images, cancelled)
exam_key_by_exam CREATE INDEX exam_key_by_exam ON public.exam_key USING btree (exam_id)
exam_key_pkey CREATE UNIQUE INDEX exam_key_pkey ON public.exam_key USING btree (site, kind, value, exam_id)
exam_label_pkey CREATE UNIQUE INDEX exam_label_pkey ON public.exam_label USING btree (exam_id, label, source)
exam_orphans CREATE INDEX exam_orphans ON public.exam USING btree (updated_at) WHERE ((NOT (has_order AND has_images)) AND (NOT cancelled))
exam_pkey CREATE UNIQUE INDEX exam_pkey ON public.exam USING btree (record_id, exam_id)
fhir_diagnostic_report_date CREATE INDEX fhir_diagnostic_report_date ON public.fhir_resource_diagnostic_report USING btree (date1_low, id) WHERE (NOT deleted)
fhir_diagnostic_report_issued CREATE INDEX fhir_diagnostic_report_issued ON public.fhir_resource_diagnostic_report USING btree (date2_low, id) WHERE (NOT deleted)
fhir_document_reference_date CREATE INDEX fhir_document_reference_date ON public.fhir_resource_document_reference USING btree (date1_low, id) WHERE (NOT deleted)
fhir_imaging_study_started CREATE INDEX fhir_imaging_study_started ON public.fhir_resource_imaging_study USING btree (date1_low, id) WHERE (NOT deleted)
fhir_page_by_caller CREATE INDEX fhir_page_by_caller ON public.fhir_page USING btree (caller_id, expires_at)
fhir_page_expiry CREATE INDEX fhir_page_expiry ON public.fhir_page USING btree (expires_at)
fhir_page_pkey CREATE UNIQUE INDEX fhir_page_pkey ON public.fhir_page USING btree (handle)
fhir_patient_birthdate CREATE INDEX fhir_patient_birthdate ON public.fhir_resource_patient USING btree (date1_low, id) WHERE (NOT deleted)
fhir_patient_name CREATE INDEX fhir_patient_name ON public.fhir_resource_patient USING btree (sort_text, id) WHERE (NOT deleted)
fhir_resource_owner CREATE INDEX fhir_resource_owner ON ONLY public.fhir_resource USING btree (owner) WHERE (NOT deleted)
fhir_resource_pkey CREATE UNIQUE INDEX fhir_resource_pkey ON ONLY public.fhir_resource USING btree (type, id)
fhir_resource_tokens CREATE INDEX fhir_resource_tokens ON ONLY public.fhir_resource USING gin (tokens) WITH (fastupdate='on', gin_pending_list_limit='512') WHERE (NOT deleted)
fhir_resource_updated CREATE INDEX fhir_resource_updated ON ONLY public.fhir_resource USING btree (last_updated, id) WHERE (NOT deleted)
fhir_service_request_authored CREATE INDEX fhir_service_request_authored ON public.fhir_resource_service_request USING btree (date1_low, id) WHERE (NOT deleted)
fhir_service_request_occurrence CREATE INDEX fhir_service_request_occurrence ON public.fhir_resource_service_request USING btree (date2_low, id) WHERE (NOT deleted)
fhir_text_id CREATE INDEX fhir_text_id ON ONLY public.fhir_text USING btree (id)
fhir_text_norm CREATE INDEX fhir_text_norm ON ONLY public.fhir_text USING btree (param, norm, id)
fhir_version_at CREATE INDEX fhir_version_at ON ONLY public.fhir_version USING btree (at, id, version)
fhir_version_pkey CREATE UNIQUE INDEX fhir_version_pkey ON ONLY public.fhir_version USING btree (type, id, version)
hospital_cursor_pkey CREATE UNIQUE INDEX hospital_cursor_pkey ON public.hospital_cursor USING btree (site)
hospital_manifest_by_patient CREATE INDEX hospital_manifest_by_patient ON public.hospital_manifest USING btree (record_id)
hospital_manifest_by_study CREATE INDEX hospital_manifest_by_study ON public.hospital_manifest USING btree (site, study_uid, made_at)
hospital_manifest_pkey CREATE UNIQUE INDEX hospital_manifest_pkey ON public.hospital_manifest USING btree (site, document_uid, study_uid)
hospital_patient_due CREATE INDEX hospital_patient_due ON public.hospital_patient USING btree (site, asked_at NULLS FIRST)
hospital_patient_pkey CREATE UNIQUE INDEX hospital_patient_pkey ON public.hospital_patient USING btree (record_id)
hub_key_pkey CREATE UNIQUE INDEX hub_key_pkey ON public.hub_key USING btree (name)
identity_decision_by_record CREATE INDEX identity_decision_by_record ON public.identity_decision USING gin (records)
identity_decision_once CREATE UNIQUE INDEX identity_decision_once ON public.identity_decision USING btree (by_id, request_id) WHERE (request_id IS NOT NULL)
identity_decision_pkey CREATE UNIQUE INDEX identity_decision_pkey ON public.identity_decision USING btree (id)
identity_decision_undoes_key CREATE UNIQUE INDEX identity_decision_undoes_key ON public.identity_decision USING btree (undoes)
instance_by_uid CREATE INDEX instance_by_uid ON public.instance USING btree (sop_uid)
instance_pkey CREATE UNIQUE INDEX instance_pkey ON public.instance USING btree (record_id, study_uid, series_uid, sop_uid)
institution_by_parent CREATE INDEX institution_by_parent ON public.institution USING btree (parent) WHERE (parent IS NOT NULL)
institution_pkey CREATE UNIQUE INDEX institution_pkey ON public.institution USING btree (code)
institution_site_by_institution CREATE INDEX institution_site_by_institution ON public.institution_site USING btree (institution)
institution_site_pkey CREATE UNIQUE INDEX institution_site_pkey ON public.institution_site USING btree (site)
intake_tally_by_hour CREATE INDEX intake_tally_by_hour ON public.intake_tally USING btree (hour)
intake_tally_by_site CREATE INDEX intake_tally_by_site ON public.intake_tally USING btree (site, channel, hour DESC)
intake_tally_loose CREATE INDEX intake_tally_loose ON public.intake_tally USING btree (hour) WHERE (NOT folded)
journal_by_control CREATE INDEX journal_by_control ON ONLY public.journal USING btree (control_id)
journal_by_id CREATE INDEX journal_by_id ON ONLY public.journal USING btree (id)
journal_by_site CREATE INDEX journal_by_site ON ONLY public.journal USING btree (site, received_at DESC)
journal_key_by_time CREATE INDEX journal_key_by_time ON public.journal_key USING brin (received_at)
journal_key_pkey CREATE UNIQUE INDEX journal_key_pkey ON public.journal_key USING btree (key)
journal_pkey CREATE UNIQUE INDEX journal_pkey ON ONLY public.journal USING btree (received_at, id)
journal_work_entry_left CREATE INDEX journal_work_entry_left ON public.journal_work_entry USING btree (work_id, journal_id) WHERE ((put_at IS NULL) AND (NOT skipped))
journal_work_entry_pkey CREATE UNIQUE INDEX journal_work_entry_pkey ON public.journal_work_entry USING btree (work_id, journal_id)
journal_work_pkey CREATE UNIQUE INDEX journal_work_pkey ON public.journal_work USING btree (id)
journal_work_running CREATE INDEX journal_work_running ON public.journal_work USING btree (id) WHERE (state = 'running'::text)
known_person_by_time CREATE INDEX known_person_by_time ON public.known_person USING btree (at)
known_person_pkey CREATE UNIQUE INDEX known_person_pkey ON public.known_person USING btree (account_id, person_id)
link_told_pkey CREATE UNIQUE INDEX link_told_pkey ON public.link_told USING btree (subscriber, person_id)
listener_pkey CREATE UNIQUE INDEX listener_pkey ON public.listener USING btree (process, channel)
match_cut_pkey CREATE UNIQUE INDEX match_cut_pkey ON public.match_cut USING btree (key)
match_key_by_key CREATE INDEX match_key_by_key ON public.match_key USING btree (key, record_id)
match_key_pkey CREATE UNIQUE INDEX match_key_pkey ON public.match_key USING btree (record_id, key)
match_pair_by_weight CREATE INDEX match_pair_by_weight ON public.match_pair USING btree (rules, weight) WHERE ((record_id < other_id) AND (outcome <> 'link'::text))
match_pair_pkey CREATE UNIQUE INDEX match_pair_pkey ON public.match_pair USING btree (record_id, rules, other_id)
match_record_pkey CREATE UNIQUE INDEX match_record_pkey ON public.match_record USING btree (record_id)
match_rules_active CREATE UNIQUE INDEX match_rules_active ON public.match_rules USING btree (state) WHERE (state = 'active'::text)
match_rules_pkey CREATE UNIQUE INDEX match_rules_pkey ON public.match_rules USING btree (version)
migration_pkey CREATE UNIQUE INDEX migration_pkey ON public.migration USING btree (id)
outbox_once CREATE UNIQUE INDEX outbox_once ON public.outbox USING btree (topic, key) WHERE (done_at IS NULL)
outbox_open CREATE INDEX outbox_open ON public.outbox USING btree (due_at) WHERE (done_at IS NULL)
outbox_pkey CREATE UNIQUE INDEX outbox_pkey ON public.outbox USING btree (id)
patient_name_by_key CREATE INDEX patient_name_by_key ON public.patient_name USING btree (key text_pattern_ops)
patient_name_pkey CREATE UNIQUE INDEX patient_name_pkey ON public.patient_name USING btree (record_id, key)
patient_notice_by_person CREATE INDEX patient_notice_by_person ON public.patient_notice USING btree (person_id, at DESC)
patient_notice_pkey CREATE UNIQUE INDEX patient_notice_pkey ON public.patient_notice USING btree (notice_id)
patient_notice_waiting CREATE INDEX patient_notice_waiting ON public.patient_notice USING btree (next_at) WHERE (next_at IS NOT NULL)
patient_present_code_by_end CREATE INDEX patient_present_code_by_end ON public.patient_present_code USING btree (expires_at)
patient_present_code_by_person CREATE INDEX patient_present_code_by_person ON public.patient_present_code USING btree (person_id, expires_at)
patient_present_code_code_hash_key CREATE UNIQUE INDEX patient_present_code_code_hash_key ON public.patient_present_code USING btree (code_hash)
patient_present_code_pkey CREATE UNIQUE INDEX patient_present_code_pkey ON public.patient_present_code USING btree (code_id)
patient_present_guess_by_age CREATE INDEX patient_present_guess_by_age ON public.patient_present_guess USING btree (at)
patient_present_guess_by_caller CREATE INDEX patient_present_guess_by_caller ON public.patient_present_guess USING btree (caller_id, at)
patient_record_by_birth CREATE INDEX patient_record_by_birth ON public.patient_record USING btree (replace(COALESCE(birth_date, ''::text), '-'::text, ''::text))
patient_record_by_local CREATE INDEX patient_record_by_local ON public.patient_record USING btree (local_id text_pattern_ops, site)
patient_record_by_merge CREATE INDEX patient_record_by_merge ON public.patient_record USING btree (merged_into) WHERE (merged_into IS NOT NULL)
patient_record_by_person CREATE INDEX patient_record_by_person ON public.patient_record USING btree (person_id)
patient_record_by_resident CREATE INDEX patient_record_by_resident ON public.patient_record USING btree (resident_id) WHERE (resident_id IS NOT NULL)
patient_record_by_site CREATE INDEX patient_record_by_site ON public.patient_record USING btree (site, created_at)
patient_record_pkey CREATE UNIQUE INDEX patient_record_pkey ON public.patient_record USING btree (record_id)
pending_by_key CREATE INDEX pending_by_key ON public.pending USING btree (work_key, journal_id)
pending_pkey CREATE UNIQUE INDEX pending_pkey ON public.pending USING btree (journal_id)
person_by_survivor CREATE INDEX person_by_survivor ON public.person USING btree (replaced_by) WHERE (replaced_by IS NOT NULL)
person_pkey CREATE UNIQUE INDEX person_pkey ON public.person USING btree (person_id)
practitioner_applied CREATE INDEX practitioner_applied ON public.practitioner USING btree (applied_at) WHERE (state = 'applied'::text)
practitioner_by_account CREATE INDEX practitioner_by_account ON public.practitioner USING btree (account_id) WHERE (account_id IS NOT NULL)
practitioner_by_time CREATE INDEX practitioner_by_time ON public.practitioner USING btree (applied_at DESC, practitioner_id DESC)
practitioner_once CREATE UNIQUE INDEX practitioner_once ON public.practitioner USING btree (institution, licence) WHERE (state <> 'left'::text)
practitioner_pkey CREATE UNIQUE INDEX practitioner_pkey ON public.practitioner USING btree (practitioner_id)
record_tie_pkey CREATE UNIQUE INDEX record_tie_pkey ON public.record_tie USING btree (record_id, other_id)
registry_object_by_class CREATE INDEX registry_object_by_class ON public.registry_object USING btree (class_code) WHERE (class_code IS NOT NULL)
registry_object_by_event CREATE INDEX registry_object_by_event ON public.registry_object USING gin (event_codes)
registry_object_by_facility CREATE INDEX registry_object_by_facility ON public.registry_object USING btree (facility_type) WHERE (facility_type IS NOT NULL)
registry_object_by_id CREATE INDEX registry_object_by_id ON public.registry_object USING btree (id)
registry_object_by_lid CREATE INDEX registry_object_by_lid ON public.registry_object USING btree (lid)
registry_object_by_patient CREATE INDEX registry_object_by_patient ON public.registry_object USING btree (patient_id, kind, status, main_time)
registry_object_by_reference CREATE INDEX registry_object_by_reference ON public.registry_object USING gin (reference_ids)
registry_object_by_unique_id CREATE INDEX registry_object_by_unique_id ON public.registry_object USING btree (unique_id, kind)
registry_object_pkey CREATE UNIQUE INDEX registry_object_pkey ON public.registry_object USING btree (patient_id, id)
rematch_one CREATE UNIQUE INDEX rematch_one ON public.rematch USING btree ((true)) WHERE (state = ANY (ARRAY['comparing'::text, 'judging'::text, 'compared'::text, 'applying'::text]))
rematch_pkey CREATE UNIQUE INDEX rematch_pkey ON public.rematch USING btree (id)
report_version_pkey CREATE UNIQUE INDEX report_version_pkey ON public.report_version USING btree (record_id, exam_id, report_number, stamp)
repository_document_by_object CREATE INDEX repository_document_by_object ON public.repository_document USING btree (object) WHERE (object ~~ 'repository/%'::text)
repository_document_by_unique_id CREATE INDEX repository_document_by_unique_id ON public.repository_document USING btree (unique_id)
repository_document_pkey CREATE UNIQUE INDEX repository_document_pkey ON public.repository_document USING btree (patient_id, unique_id)
reseal_pkey CREATE UNIQUE INDEX reseal_pkey ON public.reseal USING btree (part)
review_by_journal CREATE INDEX review_by_journal ON public.review USING btree (journal_id) WHERE (journal_id IS NOT NULL)
review_by_record CREATE INDEX review_by_record ON public.review USING gin (record_ids) WHERE (state = 'open'::text)
review_open CREATE INDEX review_open ON public.review USING btree (opened_at, id) WHERE (state = 'open'::text)
review_pkey CREATE UNIQUE INDEX review_pkey ON public.review USING btree (id)
ruling_pkey CREATE UNIQUE INDEX ruling_pkey ON public.ruling USING btree (record_id, other_id, decision_id)
saml_request_by_end CREATE INDEX saml_request_by_end ON public.saml_request USING btree (ends_at)
saml_request_code_hash_key CREATE UNIQUE INDEX saml_request_code_hash_key ON public.saml_request USING btree (code_hash)
saml_request_pkey CREATE UNIQUE INDEX saml_request_pkey ON public.saml_request USING btree (id)
sealing_pkey CREATE UNIQUE INDEX sealing_pkey ON public.sealing USING btree (one)
sensitivity_rule_pkey CREATE UNIQUE INDEX sensitivity_rule_pkey ON public.sensitivity_rule USING btree (rule_id)
sensitivity_rule_said_once CREATE UNIQUE INDEX sensitivity_rule_said_once ON public.sensitivity_rule USING btree (field, code, label, COALESCE(site, ''::text))
sensitivity_sweep_pkey CREATE UNIQUE INDEX sensitivity_sweep_pkey ON public.sensitivity_sweep USING btree (one)
series_by_uid CREATE INDEX series_by_uid ON public.series USING btree (series_uid)
series_pkey CREATE UNIQUE INDEX series_pkey ON public.series USING btree (record_id, study_uid, series_uid)
session_by_account CREATE INDEX session_by_account ON public.session USING btree (account_id)
session_by_end CREATE INDEX session_by_end ON public.session USING btree (ends_at)
session_by_subject CREATE INDEX session_by_subject ON public.session USING btree (idp, saml_subject) WHERE (idp IS NOT NULL)
session_pkey CREATE UNIQUE INDEX session_pkey ON public.session USING btree (id_hash)
settlement_by_mapping CREATE INDEX settlement_by_mapping ON ONLY public.settlement USING gin (mappings) WHERE (mappings IS NOT NULL)
settlement_by_state CREATE INDEX settlement_by_state ON ONLY public.settlement USING btree (state, received_at DESC) WHERE (state <> 'applied'::text)
settlement_pkey CREATE UNIQUE INDEX settlement_pkey ON ONLY public.settlement USING btree (received_at, journal_id)
settlement_suspect CREATE INDEX settlement_suspect ON ONLY public.settlement USING btree (received_at DESC) WHERE (findings @> '[{"code": "identifier-suspect"}]'::jsonb)
settlement_unmapped CREATE INDEX settlement_unmapped ON ONLY public.settlement USING gin (findings jsonb_path_ops) WHERE (findings @> '[{"code": "unmapped-code"}]'::jsonb)
sign_on_failure_pkey CREATE UNIQUE INDEX sign_on_failure_pkey ON public.sign_on_failure USING btree (peer)
standing_step_by_subject CREATE INDEX standing_step_by_subject ON public.standing_step USING btree (subject, id)
standing_step_pkey CREATE UNIQUE INDEX standing_step_pkey ON public.standing_step USING btree (id)
study_by_accession CREATE INDEX study_by_accession ON public.study USING btree (accession text_pattern_ops)
study_by_date CREATE INDEX study_by_date ON public.study USING btree (study_date DESC, study_uid)
study_by_exam CREATE INDEX study_by_exam ON public.study USING btree (exam_id)
study_by_uid CREATE INDEX study_by_uid ON public.study USING btree (study_uid)
study_holding CREATE INDEX study_holding ON public.study USING btree (created_at) INCLUDE (site, availability, instance_count, voided)
study_pkey CREATE UNIQUE INDEX study_pkey ON public.study USING btree (record_id, study_uid)
study_settling CREATE INDEX study_settling ON public.study USING btree (last_instance_at) WHERE (availability = 'partial'::text)
unmapped_code_by_time CREATE INDEX unmapped_code_by_time ON public.unmapped_code USING btree (last_seen_at DESC, site, code_table, key)
unmapped_code_pkey CREATE UNIQUE INDEX unmapped_code_pkey ON public.unmapped_code USING btree (site, code_table, key)
viewer_launch_by_time CREATE INDEX viewer_launch_by_time ON public.viewer_launch USING btree (created_at)
viewer_launch_code_hash_key CREATE UNIQUE INDEX viewer_launch_code_hash_key ON public.viewer_launch USING btree (code_hash)
viewer_launch_pkey CREATE UNIQUE INDEX viewer_launch_pkey ON public.viewer_launch USING btree (launch_id)
viewer_launch_session_hash_key CREATE UNIQUE INDEX viewer_launch_session_hash_key ON public.viewer_launch USING btree (session_hash)
visit_by_account CREATE INDEX visit_by_account ON public.visit USING btree (account) WHERE ((account IS NOT NULL) AND (NOT cancelled))
visit_by_id CREATE INDEX visit_by_id ON public.visit USING btree (visit_id)
visit_by_number CREATE INDEX visit_by_number ON public.visit USING btree (number) WHERE ((type = 'VN'::text) AND (NOT cancelled))
visit_open_by_key CREATE INDEX visit_open_by_key ON public.visit USING gin (keys) WHERE ((NOT cancelled) AND (NOT ended))
visit_pkey CREATE UNIQUE INDEX visit_pkey ON public.visit USING btree (record_id, visit_id)

-- views
ruling_in_force
 SELECT DISTINCT ON (r.record_id, r.other_id) r.record_id,
    r.other_id,
    r.decision_id,
    r.decision,
    r.numbers
   FROM ruling r
     LEFT JOIN identity_decision u ON u.undoes = r.decision_id
  WHERE u.id IS NULL
  ORDER BY r.record_id, r.other_id, r.decision_id DESC;

-- functions
access_changed()
CREATE OR REPLACE FUNCTION public.access_changed()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
begin
  update access_version set version = version + 1;
  return null;
end $function$

approval_is_fixed()
CREATE OR REPLACE FUNCTION public.approval_is_fixed()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
begin
  if (new.kind, new.client_id, new.account_id, new.asked, new.half_hash, new.asked_by, new.asked_at, new.lapses_at)
    is distinct from
    (old.kind, old.client_id, old.account_id, old.asked, old.half_hash, old.asked_by, old.asked_at, old.lapses_at)
    or (old.state <> 'open' and (new.state, new.decided_by, new.decided_at, new.reason)
      is distinct from (old.state, old.decided_by, old.decided_at, old.reason)) then
    raise exception 'a request for approval is never changed';
  end if;
  return new;
end $function$

audit_close(part regclass)
CREATE OR REPLACE FUNCTION public.audit_close(part regclass)
 RETURNS void
 LANGUAGE plpgsql
 SET search_path TO 'public', 'pg_temp'
AS $function$
begin
  execute format('alter table %s enable always trigger audit_is_final', part);
  if not exists (select from pg_trigger where tgrelid = part and tgname = 'audit_is_kept') then
    execute format('create trigger audit_is_kept before truncate on %s for each statement execute function audit_is_final()', part);
  end if;
  execute format('alter table %s enable always trigger audit_is_kept', part);
  execute format('revoke update, delete, truncate on %s from %I', part, current_user);
end $function$

audit_drop(month date)
CREATE OR REPLACE FUNCTION public.audit_drop(month date)
 RETURNS boolean
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
AS $function$
declare
  partition_name text := 'audit_' || to_char(month, 'YYYYMM');
begin
  if month <> date_trunc('month', month) or month + interval '1 month' > (now() at time zone 'UTC')::date - 180 then
    raise exception 'audit is kept for at least 180 days';
  end if;
  if not exists (select from audit_anchor where dropped <> '{}' and dropped @> array[month]) then
    raise exception 'no anchor says that this month of the audit goes';
  end if;
  perform pg_advisory_xact_lock(hashtext('audit_partition'));
  if not exists (select from pg_class where relname = partition_name) then
    return false;
  end if;
  execute format('drop table %I', partition_name);
  return true;
end $function$

audit_due(keep_from date)
CREATE OR REPLACE FUNCTION public.audit_due(keep_from date)
 RETURNS SETOF date
 LANGUAGE plpgsql
 STABLE
AS $function$
begin
  if keep_from > (now() at time zone 'UTC')::date - 180 then
    raise exception 'audit is kept for at least 180 days';
  end if;
  return query
    select to_date(substr(c.relname, 7), 'YYYYMM')
    from pg_inherits i join pg_class c on c.oid = i.inhrelid
    where i.inhparent = 'audit'::regclass and c.relname ~ '^audit_[0-9]{6}$'
      and to_date(substr(c.relname, 7), 'YYYYMM') + interval '1 month' <= keep_from
    order by 1;
end $function$

audit_is_final()
CREATE OR REPLACE FUNCTION public.audit_is_final()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
begin
  raise exception 'audit records are never changed or deleted';
end $function$

audit_lane_advances()
CREATE OR REPLACE FUNCTION public.audit_lane_advances()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
begin
  if tg_op = 'UPDATE' and new.seq > old.seq and new.at >= old.at
     and (new.lane, new.month, new.process, new.from_at, new.algorithm, new.genesis)
       is not distinct from (old.lane, old.month, old.process, old.from_at, old.algorithm, old.genesis)
     and (new.key_id, new.follows) is not distinct from (old.key_id, old.follows) then
    return new;
  end if;
  raise exception 'audit records are never changed or deleted';
end $function$

audit_partition(month date)
CREATE OR REPLACE FUNCTION public.audit_partition(month date)
 RETURNS void
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'public', 'pg_temp'
AS $function$
declare
  first_day date := date_trunc('month', month)::date;
  partition_name text := 'audit_' || to_char(first_day, 'YYYYMM');
begin
  if exists (select from pg_class where relname = partition_name) then
    return;
  end if;
  -- Read the catalog itself after the lock: to_regclass may answer from a stale cache.
  perform pg_advisory_xact_lock(hashtext('audit_partition'));
  if exists (select from pg_class where relname = partition_name) then
    return;
  end if;
  execute format('create table %I partition of audit for values from (%L) to (%L)', partition_name,
    first_day::timestamp at time zone 'UTC', (first_day + interval '1 month')::timestamp at time zone 'UTC');
  perform audit_close(partition_name::regclass);
end $function$

exam_codes(facts jsonb, field text)
CREATE OR REPLACE FUNCTION public.exam_codes(facts jsonb, field text)
 RETURNS SETOF text
 LANGUAGE sql
 IMMUTABLE
AS $function$
  select c.code from jsonb_array_elements(facts -> 'orders') o
    cross join lateral (select o -> 'facts' -> field -> 1 as coded) v
    cross join lateral (values (v.coded ->> 'code'), (v.coded -> 'source' ->> 'code'),
      (case when jsonb_typeof(v.coded) = 'string' then v.coded #>> '{}' end)) c (code)
  where c.code <> ''
$function$

exam_labels_follow()
CREATE OR REPLACE FUNCTION public.exam_labels_follow()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
begin
  if not exists (select from sensitivity_rule) then
    return null;
  end if;
  with wanted as materialized (
    select label from exam_labels_wanted(new.site, new.facts) label
  ), gone as (
    delete from exam_label l where l.exam_id = new.exam_id and l.source = 'rule' and l.label not in (select label from wanted)
  )
  insert into exam_label (exam_id, label, source) select new.exam_id, label, 'rule' from wanted on conflict do nothing;
  return null;
end $function$

exam_labels_move()
CREATE OR REPLACE FUNCTION public.exam_labels_move()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
begin
  insert into exam_label (exam_id, label, source, set_at, set_by, reason)
  select new.exam_id, label, source, set_at, set_by, reason from exam_label
  where exam_id::text = new.alias and source = 'hand' on conflict do nothing;
  return null;
end $function$

exam_labels_wanted(of_site text, facts jsonb)
CREATE OR REPLACE FUNCTION public.exam_labels_wanted(of_site text, facts jsonb)
 RETURNS SETOF text
 LANGUAGE sql
 STABLE
AS $function$
  select distinct r.label from sensitivity_rule r
  where (r.site is null or r.site = of_site)
    and case when r.field = 'site' then r.code = of_site else r.code in (select exam_codes(facts, r.field)) end
$function$

intake_tally_fold(before timestamp with time zone, keep_from timestamp with time zone)
CREATE OR REPLACE FUNCTION public.intake_tally_fold(before timestamp with time zone, keep_from timestamp with time zone)
 RETURNS void
 LANGUAGE plpgsql
AS $function$
begin
  perform pg_advisory_xact_lock(hashtext('intake_tally_fold'));
  delete from intake_tally where hour < keep_from;
  with loose as (delete from intake_tally where hour < before and not folded returning *)
  insert into intake_tally (hour, site, channel, state, cause, bucket, entries, last_at, folded)
  select hour, site, channel, state, cause, bucket, sum(entries), max(last_at), true from loose group by 1, 2, 3, 4, 5, 6;
end $function$

is_final()
CREATE OR REPLACE FUNCTION public.is_final()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
begin
  raise exception 'rows of % are never changed or deleted', tg_table_name;
end $function$

journal_partition(day date)
CREATE OR REPLACE FUNCTION public.journal_partition(day date)
 RETURNS void
 LANGUAGE plpgsql
AS $function$
declare
  suffix text := to_char(day, 'YYYYMMDD');
  lower_bound timestamptz := day::timestamp at time zone 'UTC';
  upper_bound timestamptz := (day + 1)::timestamp at time zone 'UTC';
begin
  if exists (select from pg_class where relname = 'settlement_' || suffix) then
    return;
  end if;
  -- Read the catalog itself after the lock: to_regclass may answer from a stale cache.
  perform pg_advisory_xact_lock(hashtext('journal_partition'));
  if exists (select from pg_class where relname = 'settlement_' || suffix) then
    return;
  end if;
  execute format('create table %I partition of journal for values from (%L) to (%L)', 'journal_' || suffix, lower_bound, upper_bound);
  execute format('create table %I partition of settlement for values from (%L) to (%L)', 'settlement_' || suffix, lower_bound, upper_bound);
end $function$

journal_retention(keep_from date)
CREATE OR REPLACE FUNCTION public.journal_retention(keep_from date)
 RETURNS SETOF date
 LANGUAGE plpgsql
AS $function$
declare
  name text;
  day date;
  lower_bound timestamptz;
  upper_bound timestamptz;
begin
  -- One process at a time; the next finds nothing left to drop.
  perform pg_advisory_xact_lock(hashtext('journal_partition'));
  for name in
    select c.relname from pg_inherits i join pg_class c on c.oid = i.inhrelid
    where i.inhparent = 'journal'::regclass and c.relname ~ '^journal_[0-9]{8}$' order by 1
  loop
    day := to_date(substr(name, 9), 'YYYYMMDD');
    exit when day >= keep_from;
    lower_bound := day::timestamp at time zone 'UTC';
    upper_bound := (day + 1)::timestamp at time zone 'UTC';
    continue when exists (select from pending p where p.received_at >= lower_bound and p.received_at < upper_bound);
    continue when exists (
      select from settlement s where s.state = 'review' and s.received_at >= lower_bound and s.received_at < upper_bound);
    execute format('drop table %I', name);
    execute format('drop table %I', 'settlement_' || substr(name, 9));
    return next day;
  end loop;
  delete from journal_key where received_at < keep_from::timestamp at time zone 'UTC';
end $function$

latency_bucket(took interval)
CREATE OR REPLACE FUNCTION public.latency_bucket(took interval)
 RETURNS smallint
 LANGUAGE sql
 IMMUTABLE
AS $function$
  select ceil(4 * ln(greatest(1, extract(epoch from took) * 1000)::float) / ln(2::float))::smallint
$function$


-- triggers
approval.approval_is_fixed CREATE TRIGGER approval_is_fixed BEFORE UPDATE ON public.approval FOR EACH ROW EXECUTE FUNCTION approval_is_fixed()
audit.audit_is_final CREATE TRIGGER audit_is_final BEFORE DELETE OR UPDATE ON public.audit FOR EACH ROW EXECUTE FUNCTION audit_is_final()
audit.audit_is_kept CREATE TRIGGER audit_is_kept BEFORE TRUNCATE ON public.audit FOR EACH STATEMENT EXECUTE FUNCTION audit_is_final()
audit_anchor.audit_is_final CREATE TRIGGER audit_is_final BEFORE DELETE OR UPDATE ON public.audit_anchor FOR EACH ROW EXECUTE FUNCTION audit_is_final()
audit_anchor.audit_is_kept CREATE TRIGGER audit_is_kept BEFORE TRUNCATE ON public.audit_anchor FOR EACH STATEMENT EXECUTE FUNCTION audit_is_final()
audit_lane.audit_is_final CREATE TRIGGER audit_is_final BEFORE DELETE OR UPDATE ON public.audit_lane FOR EACH ROW EXECUTE FUNCTION audit_lane_advances()
audit_lane.audit_is_kept CREATE TRIGGER audit_is_kept BEFORE TRUNCATE ON public.audit_lane FOR EACH STATEMENT EXECUTE FUNCTION audit_is_final()
consent_version.consent_version_is_final CREATE TRIGGER consent_version_is_final BEFORE DELETE OR UPDATE ON public.consent_version FOR EACH ROW EXECUTE FUNCTION is_final()
consortium.access_changed CREATE TRIGGER access_changed AFTER INSERT OR DELETE OR UPDATE ON public.consortium FOR EACH STATEMENT EXECUTE FUNCTION access_changed()
consortium_member.access_changed CREATE TRIGGER access_changed AFTER INSERT OR DELETE OR UPDATE ON public.consortium_member FOR EACH STATEMENT EXECUTE FUNCTION access_changed()
exam.exam_labels_follow CREATE TRIGGER exam_labels_follow AFTER INSERT OR UPDATE OF facts ON public.exam FOR EACH ROW EXECUTE FUNCTION exam_labels_follow()
exam_alias.exam_labels_move CREATE TRIGGER exam_labels_move AFTER INSERT OR UPDATE ON public.exam_alias FOR EACH ROW EXECUTE FUNCTION exam_labels_move()
institution.access_changed CREATE TRIGGER access_changed AFTER INSERT OR DELETE OR UPDATE ON public.institution FOR EACH STATEMENT EXECUTE FUNCTION access_changed()
institution_site.access_changed CREATE TRIGGER access_changed AFTER INSERT OR DELETE OR UPDATE ON public.institution_site FOR EACH STATEMENT EXECUTE FUNCTION access_changed()
standing_step.standing_step_is_final CREATE TRIGGER standing_step_is_final BEFORE DELETE OR UPDATE ON public.standing_step FOR EACH ROW EXECUTE FUNCTION is_final()
