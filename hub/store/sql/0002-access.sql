-- Access: who may call, and what was done by whom to whose data.

create table client (
  id uuid primary key default gen_random_uuid(),
  name text not null,
  role text not null check (role in ('administrator', 'operator', 'query-platform', 'hospital-feed')),
  site text,
  -- SHA-256 of the token; the token itself is shown once and kept nowhere
  token_hash bytea not null unique check (octet_length(token_hash) = 32),
  -- the administrator that the start makes; there is one at most
  bootstrap boolean not null default false,
  created_at timestamptz not null default now(),
  created_by text not null,
  last_used_at timestamptz,
  revoked_at timestamptz,
  -- a feed without a site could send for every hospital
  check (role <> 'hospital-feed' or site is not null)
);
create unique index client_bootstrap on client (bootstrap) where bootstrap;
create index client_by_time on client (created_at desc, id desc);

create sequence audit_id_seq as bigint;

-- One partition a month. There is no default partition: the writer makes the month before it writes into it, and a
-- record that cannot be written must fail its act rather than vanish.
create table audit (
  id bigint not null default nextval('audit_id_seq'),
  at timestamptz not null,
  action text not null,
  outcome text not null,
  face text not null,
  operation text not null,
  caller_id text not null,
  caller_name text not null,
  caller_role text not null,
  peer text not null,
  persons text[] not null,
  objects text[] not null,
  reason text,
  primary key (at, id)
) partition by range (at);
create index audit_by_person on audit using gin (persons);
create index audit_by_caller on audit (caller_id, at desc);

-- GB/T 22239 8.1.4.3 c: the audit is protected against change and deletion; retention drops whole months.
create function audit_is_final() returns trigger language plpgsql as $$
begin
  raise exception 'audit records are never changed or deleted';
end $$;
create trigger audit_is_final before update or delete on audit for each row execute function audit_is_final();

create function audit_partition(month date) returns void language plpgsql as $$
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
end $$;

-- Drops the months that ended before `keep_from`, and refuses to keep less than 180 days (Cybersecurity Law).
create function audit_retention(keep_from date, today date) returns setof text language plpgsql as $$
declare
  name text;
begin
  if keep_from > today - 180 then
    raise exception 'audit is kept for at least 180 days';
  end if;
  -- One process at a time; the next finds nothing left to drop.
  perform pg_advisory_xact_lock(hashtext('audit_partition'));
  for name in
    select c.relname from pg_inherits i join pg_class c on c.oid = i.inhrelid
    where i.inhparent = 'audit'::regclass and c.relname ~ '^audit_[0-9]{6}$' order by 1
  loop
    exit when to_date(substr(name, 7), 'YYYYMM') + interval '1 month' > keep_from;
    execute format('drop table %I', name);
    return next name;
  end loop;
end $$;
