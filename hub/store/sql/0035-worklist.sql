-- Who looks after what needs a person: odd access is taken up by an auditor, accounts are flagged for what they did and what
-- follows of it, sensitivity is ruled by class, site and hand; and an emergency of one doctor for one person is one case.

-- A case that is over has its end, so that at most one of an account and a person is without: two calls at the same moment
-- cannot open two.
update break_glass set ended_at = until where ended_at is null and until <= now();
update break_glass b set ended_at = now() where b.ended_at is null and exists (
  select from break_glass o where o.account_id = b.account_id and o.person_id = b.person_id and o.ended_at is null
    and (o.until, o.grant_id) > (b.until, b.grant_id));
create unique index break_glass_one_open on break_glass (account_id, person_id) where ended_at is null;

alter table audit_flag add column taken_at timestamptz, add column taken_by text;

-- Flags of accounts come of emergencies that were none, and of odd access (hub/core/account-flag.ts says which).
alter table account_flag alter column grant_id drop not null,
  add column audit_flag_id uuid unique,
  add column rule text not null default 'break-glass',
  add column severity text not null default 'high' check (severity in ('low', 'medium', 'high')),
  add column reaction text not null default 'notify' check (reaction in ('notify', 'explain', 'suspend')),
  -- by whose account it is
  add column explanation text,
  add column explained_at timestamptz,
  add column closed_at timestamptz,
  add column closed_by text,
  add column closing text,
  add constraint account_flag_of_one check ((grant_id is null) <> (audit_flag_id is null));
create index account_flag_open on account_flag (account_id) where closed_at is null;

-- What waits is counted whenever a page is opened.
create index practitioner_applied on practitioner (applied_at) where state = 'applied';
create index account_pending on account (created_at) where state = 'pending';

-- Rules may speak of a class, of a body part, of a whole site, and of one site alone.
alter table sensitivity_rule drop constraint sensitivity_rule_field_check,
  add constraint sensitivity_rule_field_check
    check (field in ('requestingDepartment', 'procedure', 'diagnosis', 'modality', 'bodyPart', 'site')),
  drop constraint sensitivity_rule_pkey,
  add column rule_id uuid primary key default gen_random_uuid(),
  add column site text,
  add column reason text not null default '';
create unique index sensitivity_rule_said_once on sensitivity_rule (field, code, label, coalesce(site, ''));

create or replace function exam_codes(facts jsonb, field text) returns setof text language sql immutable as $$
  select c.code from jsonb_array_elements(facts -> 'orders') o
    cross join lateral (select o -> 'facts' -> field -> 1 as coded) v
    cross join lateral (values (v.coded ->> 'code'), (v.coded -> 'source' ->> 'code'),
      (case when jsonb_typeof(v.coded) = 'string' then v.coded #>> '{}' end)) c (code)
  where c.code <> ''
$$;

-- Labels that the rules give to this exam.
create function exam_labels_wanted(of_site text, facts jsonb) returns setof text language sql stable as $$
  select distinct r.label from sensitivity_rule r
  where (r.site is null or r.site = of_site)
    and case when r.field = 'site' then r.code = of_site else r.code in (select exam_codes(facts, r.field)) end
$$;

create or replace function exam_labels_follow() returns trigger language plpgsql as $$
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
end $$;

-- Exams of before a rule are labelled piece by piece in their order (hub/store/sensitivity.ts); how far that is.
drop function relabel_exams();
create table sensitivity_sweep (
  one boolean primary key default true check (one),
  after_record uuid,
  after_exam uuid,
  exams bigint not null default 0,
  began_at timestamptz not null default now(),
  ended_at timestamptz default now()
);
insert into sensitivity_sweep default values;
