-- What people knew when they ruled two registrations the same (decisions/0018): the resident IDs of both persons, as
-- match_record keeps them, and `m|n`, the smaller first, where two people confirmed that these conflict. Null: none were
-- known, as with every ruling before this.
alter table ruling add column numbers text[];
create or replace view ruling_in_force as
select distinct on (r.record_id, r.other_id) r.record_id, r.other_id, r.decision_id, r.decision, r.numbers
from ruling r left join identity_decision u on u.undoes = r.decision_id
where u.id is null
order by r.record_id, r.other_id, r.decision_id desc;
