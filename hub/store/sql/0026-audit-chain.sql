-- The audit as evidence (ADR 0019): more of who and why, records chained in lanes, signed anchors over the lanes' heads,
-- and a database that refuses what would bend it.

-- Why and whence, in the words of hub/core/audit.ts. lane, seq and hash are null in records of before.
alter table audit
  add column purpose text,
  add column basis text,
  add column institution text,
  add column session text,
  add column agent text,
  add column lane int,
  add column seq bigint,
  add column hash bytea;

-- A writer draws a block of ids at once, since ids are part of what is hashed (hub/store/audit-lane.ts).
alter sequence audit_id_seq increment by 500;

-- One chain of records: one writer within one month, so that a month goes with its lanes. Lanes are numbered without a gap
-- and chained by their genesis, so none can be taken out of the middle. `seq`, `hash`, `at`: its newest record.
create table audit_lane (
  lane int primary key,
  month date not null,
  process text not null,
  from_at timestamptz not null,
  algorithm text not null,
  key_id text,
  -- the record that the same writer wrote last in another lane: `lane:seq:hash`
  follows text,
  genesis bytea not null,
  seq bigint not null default 0,
  hash bytea not null,
  at timestamptz not null
) with (fillfactor = 50);

-- Signed statements over the heads of lanes, each naming the one before. Copies stand outside the database.
create table audit_anchor (
  number bigint primary key,
  at timestamptz not null,
  statement text not null,
  signature text not null,
  -- months whose records it lets go
  dropped date[] not null default '{}'
);
create index audit_anchor_dropping on audit_anchor using gin (dropped) where dropped <> '{}';

-- The newest anchor that a destination outside has got.
create table audit_anchor_sent (
  destination text primary key,
  number bigint not null
);

-- Runs over the chain; ended_at null: it runs, or died.
create table audit_verification (
  id bigint generated always as identity primary key,
  began_at timestamptz not null,
  ended_at timestamptz,
  kind text not null check (kind in ('nightly', 'command')),
  intact boolean,
  records bigint not null default 0,
  finding_count bigint not null default 0,
  findings jsonb not null default '[]',
  -- what was read: records since this anchor, up to that one, and one month besides
  from_anchor bigint,
  up_to_anchor bigint,
  month date
);

-- How far the rules of odd access have read each lane.
create table audit_watch (
  lane int primary key,
  seq bigint not null,
  at timestamptz not null
);

-- What an actor did on a day, for the habit that a rule compares with; and whose data in the last days.
create table audit_actor_day (
  actor text not null,
  day date not null,
  persons int not null,
  reads int not null,
  refusals int not null,
  primary key (actor, day)
);
-- Names of the persons who read, by which colleagues are known.
create table audit_actor (
  actor text primary key,
  name text not null,
  institution text,
  seen_on date not null
);
create index audit_actor_by_institution on audit_actor (institution);
create table audit_actor_person (
  actor text not null,
  day date not null,
  hour smallint not null,
  person text not null,
  primary key (actor, day, person)
);

-- Odd access, for an auditor to look at. One a rule, actor and day: what comes after is counted.
create table audit_flag (
  flag_id uuid primary key default gen_random_uuid(),
  rule text not null,
  actor text not null,
  actor_name text not null,
  institution text,
  day date not null,
  first_at timestamptz not null,
  last_at timestamptz not null,
  events int not null,
  persons text[] not null,
  -- the newest records of it, as AuditEvent ids
  records text[] not null,
  explanation text not null,
  opened_at timestamptz not null default now(),
  closed_at timestamptz,
  closed_by text,
  verdict text check (verdict in ('proper', 'improper', 'unclear')),
  reason text,
  unique (rule, actor, day)
);
create index audit_flag_open on audit_flag (last_at desc, flag_id) where closed_at is null;

-- GB/T 22239 8.1.4.3 c: nothing is changed, deleted or emptied. `enable always`: in sessions that replay, too.
create or replace function audit_is_final() returns trigger language plpgsql as $$
begin
  raise exception 'audit records are never changed or deleted';
end $$;
alter table audit enable always trigger audit_is_final;
create trigger audit_is_kept before truncate on audit for each statement execute function audit_is_final();
alter table audit enable always trigger audit_is_kept;
create trigger audit_is_final before update or delete on audit_anchor for each row execute function audit_is_final();
alter table audit_anchor enable always trigger audit_is_final;
create trigger audit_is_kept before truncate on audit_anchor for each statement execute function audit_is_final();
alter table audit_anchor enable always trigger audit_is_kept;

create function audit_lane_advances() returns trigger language plpgsql as $$
begin
  if tg_op = 'UPDATE' and new.seq > old.seq and new.at >= old.at
     and (new.lane, new.month, new.process, new.from_at, new.algorithm, new.genesis)
       is not distinct from (old.lane, old.month, old.process, old.from_at, old.algorithm, old.genesis)
     and (new.key_id, new.follows) is not distinct from (old.key_id, old.follows) then
    return new;
  end if;
  raise exception 'audit records are never changed or deleted';
end $$;
create trigger audit_is_final before update or delete on audit_lane for each row execute function audit_lane_advances();
alter table audit_lane enable always trigger audit_is_final;
create trigger audit_is_kept before truncate on audit_lane for each statement execute function audit_is_final();
alter table audit_lane enable always trigger audit_is_kept;

-- What the owner itself may give up it gives up; who owns tables can take it back, so a hub in earnest owns none of them
-- (openapi/audit.md): these functions run as their owner.
create function audit_close(part regclass) returns void language plpgsql set search_path = public, pg_temp as $$
begin
  execute format('alter table %s enable always trigger audit_is_final', part);
  if not exists (select from pg_trigger where tgrelid = part and tgname = 'audit_is_kept') then
    execute format('create trigger audit_is_kept before truncate on %s for each statement execute function audit_is_final()', part);
  end if;
  execute format('alter table %s enable always trigger audit_is_kept', part);
  execute format('revoke update, delete, truncate on %s from %I', part, current_user);
end $$;
revoke execute on function audit_close from public;

create or replace function audit_partition(month date) returns void language plpgsql
  security definer set search_path = public, pg_temp as $$
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
end $$;
revoke execute on function audit_partition from public;

do $$
declare part regclass;
begin
  for part in select i.inhrelid::regclass from pg_inherits i where i.inhparent = 'audit'::regclass loop
    perform audit_close(part);
  end loop;
  execute format('revoke update, delete, truncate on audit, audit_anchor from %I', current_user);
  execute format('revoke delete, truncate on audit_lane from %I', current_user);
end $$;

-- Months that ended before `keep_from`, and 180 days ago by the database's own clock (Cybersecurity Law).
drop function audit_retention(date, date);
create function audit_due(keep_from date) returns setof date language plpgsql stable as $$
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
end $$;

-- Drops one such month, once a signed anchor says that it goes; false: it had gone before.
create function audit_drop(month date) returns boolean language plpgsql
  security definer set search_path = public, pg_temp as $$
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
end $$;
revoke execute on function audit_drop from public;
