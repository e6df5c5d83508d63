-- Who belongs together and what is sensitive: institutions with their sites, consortia, labels of exams; and what of it
-- a decision reads at once (hub/store/access-facts.ts).

create table institution (
  -- 22-character institution code, or a USCC: what site.yaml calls institutionCode
  code text primary key check (code ~ '^[0-9A-Za-z.-]{1,40}$'),
  name_zh text not null,
  name_en text,
  parent text references institution (code),
  kind text not null default 'hospital'
    check (kind in ('hospital', 'branch', 'primary-care', 'imaging-centre', 'public-health', 'authority', 'other')),
  -- GB/T 2260; null: the hub's own province
  region text check (region ~ '^[0-9]{6}$'),
  state text not null default 'applied' check (state in ('applied', 'approved', 'suspended', 'left')),
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  check (parent <> code)
);
create index institution_by_parent on institution (parent) where parent is not null;

-- Which feeding sites belong to it; a site belongs to one.
create table institution_site (
  site text primary key,
  institution text not null references institution (code),
  since timestamptz not null default now()
);
create index institution_site_by_institution on institution_site (institution);

-- Institutions that agreed to share, other regions' among them.
create table consortium (
  id uuid primary key default gen_random_uuid(),
  name_zh text not null,
  name_en text,
  valid_from timestamptz,
  valid_until timestamptz,
  created_at timestamptz not null default now()
);
create table consortium_member (
  consortium uuid not null references consortium (id) on delete cascade,
  institution text not null references institution (code),
  since timestamptz not null default now(),
  primary key (consortium, institution)
);
create index consortium_member_by_institution on consortium_member (institution);

-- GB/T 39725 level 5, GB/T 22239 8.1.4.2 g. Which codes of an order make its exam sensitive: data, not code.
create table sensitivity_rule (
  field text not null check (field in ('requestingDepartment', 'procedure', 'diagnosis')),
  -- as the site's table maps it, or as the source gave it
  code text not null,
  label text not null check (label ~ '^[a-z][a-z-]{0,30}$'),
  created_at timestamptz not null default now(),
  created_by text not null,
  primary key (field, code, label)
);

-- `rule`: worked out from the exam's own facts; `hand`: set by a person, and only taken away by one.
create table exam_label (
  exam_id uuid not null,
  label text not null check (label ~ '^[a-z][a-z-]{0,30}$'),
  source text not null check (source in ('rule', 'hand')),
  set_at timestamptz not null default now(),
  set_by text not null default '',
  reason text not null default '',
  primary key (exam_id, label, source)
);

-- Codes that an exam's orders carry in one field.
create function exam_codes(facts jsonb, field text) returns setof text language sql immutable as $$
  select c.code from jsonb_array_elements(facts -> 'orders') o
    cross join lateral (select o -> 'facts' -> field -> 1 as coded) v
    cross join lateral (values (v.coded ->> 'code'), (v.coded -> 'source' ->> 'code')) c (code)
  where c.code <> ''
$$;

-- Labels by rule follow the facts in the same transaction, whoever wrote them. Without a rule it costs one look.
create function exam_labels_follow() returns trigger language plpgsql as $$
begin
  if not exists (select from sensitivity_rule) then
    return null;
  end if;
  with wanted as (
    select distinct r.label from sensitivity_rule r where r.code in (select exam_codes(new.facts, r.field))
  ), gone as (
    delete from exam_label l where l.exam_id = new.exam_id and l.source = 'rule' and l.label not in (select label from wanted)
  )
  insert into exam_label (exam_id, label, source) select new.exam_id, label, 'rule' from wanted on conflict do nothing;
  return null;
end $$;
create trigger exam_labels_follow after insert or update of facts on exam
  for each row execute function exam_labels_follow();

-- All exams under the rules as they are now; for when the rules changed.
create function relabel_exams() returns void language sql as $$
  with wanted as materialized (
    select distinct e.exam_id, r.label from exam e
      cross join sensitivity_rule r where r.code in (select exam_codes(e.facts, r.field))
  ), gone as (
    delete from exam_label l where l.source = 'rule'
      and not exists (select from wanted w where w.exam_id = l.exam_id and w.label = l.label)
  )
  insert into exam_label (exam_id, label, source) select exam_id, label, 'rule' from wanted on conflict do nothing
$$;

-- An exam that turned out to be another takes its labels by hand along.
create function exam_labels_move() returns trigger language plpgsql as $$
begin
  insert into exam_label (exam_id, label, source, set_at, set_by, reason)
  select new.exam_id, label, source, set_at, set_by, reason from exam_label
  where exam_id::text = new.alias and source = 'hand' on conflict do nothing;
  return null;
end $$;
create trigger exam_labels_move after insert or update on exam_alias
  for each row execute function exam_labels_move();

-- Persons whom an account asked for by an exact identifier: it knows that they exist, so it may be told the way to them.
create table known_person (
  account_id text not null,
  person_id uuid not null,
  at timestamptz not null,
  primary key (account_id, person_id)
);
create index known_person_by_time on known_person (at);

-- Counts changes of what decisions keep in memory, so that one number tells whether it still stands.
create table access_version (
  one boolean primary key default true check (one),
  version bigint not null default 1
);
insert into access_version default values;
create function access_changed() returns trigger language plpgsql as $$
begin
  update access_version set version = version + 1;
  return null;
end $$;
create trigger access_changed after insert or update or delete on institution
  for each statement execute function access_changed();
create trigger access_changed after insert or update or delete on institution_site
  for each statement execute function access_changed();
create trigger access_changed after insert or update or delete on consortium
  for each statement execute function access_changed();
create trigger access_changed after insert or update or delete on consortium_member
  for each statement execute function access_changed();
