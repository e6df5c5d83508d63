-- ID numbers that hospitals use as their own numbers lie closed from now on (hub/store/sealed-numbers.ts). What a release of
-- before wrote is closed by the first process that starts, before it reads any (hub/store/close-numbers.ts).
insert into reseal (part, target) select 'numbers', 0 where exists (select from hub_key) on conflict do nothing;
