-- Data keys, wrapped by a master key that is not here (hub/security/keyring.ts), and whether rows in clear may still be.
create table data_key (
  id int primary key check (id > 0),
  algorithm text not null check (algorithm in ('aes-256-gcm', 'sm4-ctr-hmac-sm3')),
  wrapped bytea not null,
  wrapped_by text not null,
  created_at timestamptz not null default now(),
  current_from timestamptz not null
);

create table sealing (
  one boolean primary key default true check (one),
  state bytea not null
);

-- What lies sealed is longer than what came.
alter table journal add column size int;

-- Resident IDs are found by keyed hashes from now on: HMAC-SHA-256 (RFC 2104) as hub/compose-keys.ts makes it, in base64url.
-- The year of birth that a number tells stays, since it decides whose a number is (hub/store/resident-owner.ts).
alter table patient_record add column resident_born smallint;

do $$
declare
  secret bytea := sha256(uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid()));
  inner_key bytea := decode(repeat('36', 64), 'hex');
  outer_key bytea := decode(repeat('5c', 64), 'hex');
begin
  if not exists (select from patient_record) then
    return;
  end if;
  -- Sealed by the first process that opens it.
  insert into hub_key (name, value) values ('search', secret);
  for i in 0..31 loop
    inner_key := set_byte(inner_key, i, get_byte(secret, i) # get_byte(inner_key, i));
    outer_key := set_byte(outer_key, i, get_byte(secret, i) # get_byte(outer_key, i));
  end loop;
  update patient_record set resident_born = substr(resident_id, 7, 4)::smallint,
    resident_id = rtrim(translate(encode(
      sha256(outer_key || sha256(inner_key || 'resident'::bytea || '\x00'::bytea || convert_to(resident_id, 'UTF8'))), 'base64'),
      E'+/\n', '-_'), '=')
  where resident_id is not null;
end $$;

-- How far rows of a release that did not seal, or that an earlier key sealed, were sealed anew (`npm run keys -- reseal`).
create table reseal (
  part text primary key,
  cursor text not null default '',
  passed bigint not null default 0,
  target int not null,
  done_at timestamptz
);

-- Blocking keys are keyed hashes from now on; they are made anew from the features before anything is compared.
insert into reseal (part, target) select 'match_key', 0 where exists (select from match_record);
truncate match_key;
