-- Two persons for a reader (hub/decisions/0024): what one administrator asked for works once another has approved it.

-- Clients of before stand as they are.
alter table client add column pending boolean not null default false;

create table approval (
  id uuid primary key default gen_random_uuid(),
  -- a client; a new account; its factors anew; other rights for an account that there is
  kind text not null check (kind in ('client', 'account', 'reset', 'rights')),
  client_id uuid references client (id),
  account_id uuid references account (id),
  -- what was asked, as the second person sees it
  asked jsonb not null,
  -- SHA-256 of the asker's half of the secret; null: there is no secret
  half_hash bytea check (octet_length(half_hash) = 32),
  asked_by text not null,
  asked_by_name text not null,
  asked_at timestamptz not null,
  lapses_at timestamptz not null,
  state text not null default 'open' check (state in ('open', 'approved', 'refused', 'lapsed')),
  decided_by text,
  decided_by_name text,
  decided_at timestamptz,
  reason text,
  -- when both halves were used
  activated_at timestamptz,
  check ((kind = 'client') = (client_id is not null) and (kind = 'client') = (account_id is null)),
  check ((state = 'open') = (decided_at is null)),
  -- dual control is no rule of a program alone: neither who asked nor whose account it is
  check (state <> 'approved' or (decided_by is not null and decided_by <> asked_by
    and decided_by is distinct from account_id::text))
);
create index approval_by_time on approval (asked_at desc, id desc);
create index approval_by_account on approval (account_id) where account_id is not null;
create index approval_by_client on approval (client_id) where client_id is not null;
create unique index approval_one_open on approval (account_id) where state = 'open' and account_id is not null;

-- What was asked stays what was asked, and what was decided stays decided.
create function approval_is_fixed() returns trigger language plpgsql as $$
begin
  if (new.kind, new.client_id, new.account_id, new.asked, new.half_hash, new.asked_by, new.asked_at, new.lapses_at)
    is distinct from
    (old.kind, old.client_id, old.account_id, old.asked, old.half_hash, old.asked_by, old.asked_at, old.lapses_at)
    or (old.state <> 'open' and (new.state, new.decided_by, new.decided_at, new.reason)
      is distinct from (old.state, old.decided_by, old.decided_at, old.reason)) then
    raise exception 'a request for approval is never changed';
  end if;
  return new;
end $$;
create trigger approval_is_fixed before update on approval for each row execute function approval_is_fixed();
