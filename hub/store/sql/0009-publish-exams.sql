-- Exams that an earlier release indexed have documents too: each is asked for once (hub/flow/publish-documents.ts), spread
-- over time so that what arrives now is not kept waiting.
insert into outbox (topic, key, due_at)
select 'publish', e.exam_id::text, now() + (row_number() over (order by e.updated_at desc)) * interval '20 milliseconds'
from exam e
where e.facts -> 'reports' <> '[]'::jsonb
  or exists (select from study s where s.exam_id = e.exam_id and s.manifest is not null)
on conflict (topic, key) where done_at is null do nothing;
