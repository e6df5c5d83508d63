-- Operations: figures of the intake, who listens, codes that no table maps and what people mapped, and bulk work on the journal.

-- How an entry comes to be applied again: an operator's retry of what was in review, or a replay of what stands.
alter table pending add column again text check (again in ('retry', 'replay'));

-- Mappings made by people that the entry was mapped with: what to replay when one of them is undone.
alter table settlement add column mappings bigint[];
create index settlement_by_mapping on settlement using gin (mappings) where mappings is not null;
create index settlement_unmapped on settlement using gin (findings jsonb_path_ops) where findings @> '[{"code": "unmapped-code"}]';
create index journal_by_control on journal (control_id);

-- What became of each entry when it was first decided, by the hour of its arrival. Appended by whoever settles (no row is
-- ever waited for) and folded together by upkeep. `bucket`: received to decided took at most 2^(bucket/4) ms.
create table intake_tally (
  hour timestamptz not null,
  -- empty: the sender belongs to no site
  site text not null,
  channel text not null,
  state text not null,
  -- code of the problem; empty where there was none
  cause text not null default '',
  bucket smallint not null,
  entries bigint not null,
  last_at timestamptz not null,
  folded boolean not null default false
);
create index intake_tally_by_hour on intake_tally (hour);
create index intake_tally_by_site on intake_tally (site, channel, hour desc);
create index intake_tally_loose on intake_tally (hour) where not folded;

create function latency_bucket(took interval) returns smallint language sql immutable as $$
  select ceil(4 * ln(greatest(1, extract(epoch from took) * 1000)::float) / ln(2::float))::smallint
$$;

-- Folds the rows of hours before `before` into one a combination, and forgets what is older than `keep_from`.
create function intake_tally_fold(before timestamptz, keep_from timestamptz) returns void language plpgsql as $$
begin
  perform pg_advisory_xact_lock(hashtext('intake_tally_fold'));
  delete from intake_tally where hour < keep_from;
  with loose as (delete from intake_tally where hour < before and not folded returning *)
  insert into intake_tally (hour, site, channel, state, cause, bucket, entries, last_at, folded)
  select hour, site, channel, state, cause, bucket, sum(entries), max(last_at), true from loose group by 1, 2, 3, 4, 5, 6;
end $$;

insert into intake_tally (hour, site, channel, state, cause, bucket, entries, last_at, folded)
select date_trunc('hour', received_at, 'UTC'), coalesce(site, ''), channel, state, coalesce(problem ->> 'code', ''),
  latency_bucket(settled_at - received_at), count(*), max(received_at), true
from settlement group by 1, 2, 3, 4, 5, 6;

-- Every process that listens says so again and again; what was not said for a while does not hold any more.
create table listener (
  process text not null,
  channel text not null,
  address text not null,
  listening boolean not null,
  connections int not null,
  received bigint not null,
  refused bigint not null,
  seen_at timestamptz not null,
  primary key (process, channel)
);

-- Codes that messages carried and no table of their site maps; no patient data. `key` as core/code-mapping.ts folds it.
create table unmapped_code (
  site text not null,
  code_table text not null,
  key text not null,
  code text not null,
  display text not null default '',
  field text not null,
  channel text not null,
  seen bigint not null,
  first_seen_at timestamptz not null,
  last_seen_at timestamptz not null,
  last_journal_id bigint not null,
  primary key (site, code_table, key)
);
create index unmapped_code_by_time on unmapped_code (last_seen_at desc, site, code_table, key);

-- What a person mapped, above the site's codes.csv. Never changed but to be undone; `version` grows with each change.
create table code_mapping (
  id bigint generated always as identity primary key,
  site text not null,
  code_table text not null,
  key text not null,
  source text not null,
  source_display text not null default '',
  code text not null,
  display text not null default '',
  reason text not null,
  made_at timestamptz not null,
  made_by text not null,
  made_by_id text not null,
  undone_at timestamptz,
  undone_by text,
  undo_reason text
);
create unique index code_mapping_standing on code_mapping (site, code_table, key) where undone_at is null;
create index code_mapping_by_time on code_mapping (id desc);
create table code_mapping_version (
  single boolean primary key default true check (single),
  version bigint not null
);
insert into code_mapping_version (version) values (0);

-- Retry or replay of many entries: which ones is fixed at the start; a worker puts them back to work a few at a time.
create table journal_work (
  id bigint generated always as identity primary key,
  kind text not null check (kind in ('retry', 'replay')),
  -- what was asked for, without patient data
  scope jsonb not null,
  site text,
  state text not null default 'running' check (state in ('running', 'done', 'cancelled')),
  reason text not null,
  started_at timestamptz not null,
  started_by text not null,
  started_by_id text not null,
  ended_at timestamptz,
  total int not null default 0
);
create index journal_work_running on journal_work (id) where state = 'running';
create table journal_work_entry (
  work_id bigint not null references journal_work on delete cascade,
  journal_id bigint not null,
  received_at timestamptz not null,
  put_at timestamptz,
  -- it was not in a state to be put back to work, or is gone
  skipped boolean not null default false,
  primary key (work_id, journal_id)
);
create index journal_work_entry_left on journal_work_entry (work_id, journal_id) where put_at is null and not skipped;

-- Completeness by hospital and modality.
alter table exam add column modality text not null default '';
update exam set modality = upper(coalesce(
  facts #>> '{orders,0,facts,modality,1}',
  (select min(s.value #>> '{modality,1}') from jsonb_each(facts -> 'studies') s), ''));
create index exam_completeness on exam (created_at) include (site, modality, has_order, has_report, has_images, cancelled);
create index study_holding on study (created_at) include (site, availability, instance_count, voided);
