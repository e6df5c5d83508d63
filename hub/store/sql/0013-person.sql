-- Who is this person: what registrations are compared by, what comparing found, what people and hospitals said about
-- pairs, and the rules in force (decisions/0018). Facts of registrations are never touched by any of it; which person a
-- registration belongs to (patient_record.person_id) is worked out from these tables and can be worked out again.

-- What of a registration is compared (core/match/features.ts), made once when it changes.
create table match_record (
  record_id uuid primary key,
  features jsonb not null
);

-- Registrations that share a key are compared. Hashes: no name and no number stands here.
create table match_key (
  record_id uuid not null,
  key bigint not null,
  primary key (record_id, key)
);
create index match_key_by_key on match_key (key, record_id);

create table match_rules (
  version text primary key,
  rules jsonb not null,
  state text not null check (state in ('draft', 'active', 'retired')),
  created_at timestamptz not null default now(),
  created_by text not null,
  activated_at timestamptz,
  activated_by text
);
create unique index match_rules_active on match_rules (state) where state = 'active';

-- Comparisons worth keeping, under each version of the rules that is in force or tried. Each pair stands twice, so that
-- everything about a registration lies with it.
create table match_pair (
  record_id uuid not null,
  rules text not null,
  other_id uuid not null,
  outcome text not null check (outcome in ('link', 'review', 'none')),
  weight real not null,
  veto text,
  contributions jsonb not null,
  compared_at timestamptz not null,
  primary key (record_id, rules, other_id)
);
create index match_pair_by_weight on match_pair (rules, weight) where record_id < other_id and outcome <> 'link';

-- Keys that more registrations share than are compared: never cut off in silence.
create table match_cut (
  key bigint primary key,
  candidates int not null,
  times int not null default 1,
  first_at timestamptz not null,
  last_at timestamptz not null
);

-- What people decided, append-only; one that was taken back is named by the decision that took it back.
create table identity_decision (
  id bigint generated always as identity primary key,
  kind text not null check (kind in ('merge', 'split', 'same', 'not-same', 'undo')),
  at timestamptz not null,
  by_id text not null,
  by_name text not null,
  reason text not null,
  -- of the caller: the same request again is the same decision
  request_id text,
  undoes bigint unique references identity_decision (id),
  review_id uuid,
  persons uuid[] not null,
  records uuid[] not null
);
create unique index identity_decision_once on identity_decision (by_id, request_id) where request_id is not null;
create index identity_decision_by_record on identity_decision using gin (records);

-- What a decision says of pairs of registrations, each twice. The latest that stands counts.
create table ruling (
  record_id uuid not null,
  other_id uuid not null,
  decision_id bigint not null,
  decision text not null check (decision in ('same', 'not-same')),
  primary key (record_id, other_id, decision_id)
);
create view ruling_in_force as
select distinct on (r.record_id, r.other_id) r.record_id, r.other_id, r.decision_id, r.decision
from ruling r left join identity_decision u on u.undoes = r.decision_id
where u.id is null
order by r.record_id, r.other_id, r.decision_id desc;

-- What a hospital said of two registrations beyond its merges (ADT A24, A37), each twice; from the facts of both.
create table record_tie (
  record_id uuid not null,
  other_id uuid not null,
  said text not null check (said in ('same', 'apart')),
  primary key (record_id, other_id)
);

alter table review add column weight real;
alter table review add column veto text;
alter table review add column proposal jsonb;
create index review_by_record on review using gin (record_ids) where state = 'open';

create index person_by_survivor on person (replaced_by) where replaced_by is not null;

-- A pass over everything under other rules: where it is, and what it would change.
create table rematch (
  id bigint generated always as identity primary key,
  rules text not null,
  state text not null check (state in ('comparing', 'judging', 'compared', 'applying', 'done', 'cancelled')),
  cursor_id uuid,
  passed bigint not null default 0,
  total bigint not null,
  report jsonb not null default '{}',
  started_at timestamptz not null,
  started_by text not null,
  updated_at timestamptz not null,
  ended_at timestamptz
);
create unique index rematch_one on rematch ((true)) where state in ('comparing', 'judging', 'compared', 'applying');
