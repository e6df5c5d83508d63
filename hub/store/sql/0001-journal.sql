-- The journal: every input byte for byte before anyone is told "accepted", what became of it, and what still waits.

create sequence journal_id_seq as bigint;

-- Immutable once written; one partition a day, dropped whole by retention so that the disk gets its room back.
create table journal (
  id bigint not null,
  received_at timestamptz not null,
  site text,
  channel text not null,
  sender text not null,
  peer text not null,
  control_id text not null,
  message_type text not null,
  content_type text not null,
  patient_key text not null,
  digest bytea not null,
  bytes bytea not null,
  object text,
  answer bytea not null,
  primary key (received_at, id)
) partition by range (received_at);
create table journal_default partition of journal default;
create index journal_by_id on journal (id);
create index journal_by_site on journal (site, received_at desc);

-- The sender's own id of a message, once: `key` is a hash of site, channel, sender and control id.
create table journal_key (
  key bytea primary key,
  digest bytea not null,
  journal_id bigint not null,
  received_at timestamptz not null
);
create index journal_key_by_time on journal_key using brin (received_at);

-- What waits to be applied. The oldest row of a work key is its lock: one worker at a time per site and patient.
create table pending (
  journal_id bigint primary key,
  received_at timestamptz not null,
  work_key text not null,
  attempts int not null default 0,
  next_try_at timestamptz not null default '-infinity',
  -- an operator looked at the doubt and told the hub to apply it all the same
  forced boolean not null default false
);
create index pending_by_key on pending (work_key, journal_id);

-- What became of an entry that waits no more. journal = pending + settlement, always.
create table settlement (
  received_at timestamptz not null,
  journal_id bigint not null,
  site text,
  channel text not null,
  state text not null check (state in ('applied', 'refused', 'review')),
  attempts int not null,
  problem jsonb,
  findings jsonb not null default '[]',
  settled_at timestamptz not null,
  primary key (received_at, journal_id)
) partition by range (received_at);
create table settlement_default partition of settlement default;
create index settlement_by_state on settlement (state, received_at desc) where state <> 'applied';
-- Registrations whose resident ID may be somebody else's: few, and asked for by name.
create index settlement_suspect on settlement (received_at desc) where findings @> '[{"code": "identifier-suspect"}]';

-- Makes the partition of one day (UTC) for both tables; harmless when it is there.
create function journal_partition(day date) returns void language plpgsql as $$
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
end $$;

-- Drops the days before `keep_from` in which nothing waits and nothing is under review. Returns the days dropped.
create function journal_retention(keep_from date) returns setof date language plpgsql as $$
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
end $$;

-- Keys that the hub draws for itself once: derivation of identifiers and of the provincial exam index.
create table hub_key (
  name text primary key,
  value bytea not null
);
