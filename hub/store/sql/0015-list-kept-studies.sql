-- Studies that a hospital keeps and an earlier release indexed: the hospital is asked once what it holds of each
-- (hub/flow/list-kept-study.ts), spread over time so that what happens now is not kept waiting.
insert into outbox (topic, key, due_at)
select 'list', s.study_uid, now() + (row_number() over (order by max(s.updated_at) desc)) * interval '1 second'
from study s
where s.availability = 'at-hospital' and not s.voided
group by s.study_uid
on conflict (topic, key) where done_at is null do nothing;
