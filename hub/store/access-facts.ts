/**
 * Facts for the access decision: what restricts anybody, read once a moment and kept by its version, and what ties a
 * reader to persons, by one indexed query for as many persons as an answer holds.
 */
import type { AccessFacts, AccessGround, ConsentFacts, FactsQuery, RelationFacts } from '../core/access-ports.ts';
import type { HubId } from '../core/identifier.ts';
import type { Relation, SubjectFacts } from '../core/subject.ts';
import { reasonsWanted } from './access-reason.ts';
import type { Database } from './database.ts';
import { readInstitutions } from './institution.ts';

export interface AccessFactsDeps {
  readonly database: Database;
  readonly consents: ConsentFacts;
  /** Consultations, recognitions, shares: each from the capability that knows of them. */
  readonly relations: readonly RelationFacts[];
  /** How long after a patient's last activity at an institution they are still its patient (GB/T 39725: time-boxed). */
  readonly treatingDays: number;
  readonly clock: () => Date;
}

/** How long a look at what restricts anybody stands: a change holds for everybody after so long. */
const LOOK_MS = 1_000;
/** A stamp of core/register.ts holds the source's own time in its second part. */
const LAST_SAID = `(select max(split_part(f.value ->> 0, '|', 2)) from jsonb_each(%s) f)`;
const lastSaid = (facts: string): string => LAST_SAID.replace('%s', facts);

/**
 * Of each person: the last activity at these sites (a registration, an order, an exam), in the source's own time, and the
 * exams that this practitioner asked for there. Rows by person and exam.
 */
const RELATIONS = `
  select r.person_id, null::uuid as exam_id, max(${lastSaid('r.facts')}) as at
  from patient_record r where r.person_id = any ((select $1::uuid[])::uuid[]) and r.site = any ((select $2::text[])::text[]) group by 1
  union all
  select r.person_id, case when o.mine then e.exam_id end,
    max(greatest(o.at, to_char(e.performed_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')))
  from patient_record r join exam e on e.record_id = r.record_id
    cross join lateral (
      select max(${lastSaid("x -> 'facts'")}) as at,
        coalesce(bool_or(x -> 'facts' -> 'requester' ->> 1 = $3), false) as mine
      from jsonb_array_elements(e.facts -> 'orders') x) o
  where r.person_id = any ((select $1::uuid[])::uuid[]) and r.site = any ((select $2::text[])::text[]) and not e.cancelled group by 1, 2`;

const WANTED = { reasonWanted: true } as const;

interface RelationRow {
  person_id: HubId;
  exam_id: HubId | null;
  at: string | null;
}

export function createAccessFacts(deps: AccessFactsDeps): AccessFacts {
  const { pool } = deps.database;
  let kept: { readonly ground: AccessGround; readonly version: string; readonly until: number } | null = null;
  let looking: Promise<AccessGround> | null = null;
  const look = async (): Promise<AccessGround> => {
    const [{ rows }, anyRefusal] = await Promise.all([
      pool.query<{ version: string; any_label: boolean }>({
        name: 'access-ground',
        // A rule may hide a visit of which no exam tells.
        text: `select version, exists (select from exam_label) or exists (select from sensitivity_rule) as any_label
               from access_version`,
        values: [],
      }),
      deps.consents.anyRefusal(),
    ]);
    const { version = '', any_label: anyLabel = true } = rows[0] ?? {};
    const institutions = kept?.version === version ? kept.ground.institutions : await readInstitutions(pool);
    const ground = { institutions, anyLabel, anyRefusal };
    kept = { ground, version, until: deps.clock().getTime() + LOOK_MS };
    return ground;
  };
  return {
    ground() {
      if (kept !== null && deps.clock().getTime() < kept.until) return Promise.resolve(kept.ground);
      looking ??= look().finally(() => {
        looking = null;
      });
      return looking;
    },
    async of(persons, query) {
      const { accountId } = query;
      const [own, others, said, wanted] = await Promise.all([
        query.sites.length === 0 ? new Map<HubId, never>() : treating(persons, query),
        Promise.all(deps.relations.map((one) => one.relationsOf(persons, query))),
        this.consentsOf(persons, query),
        accountId === null ? null : reasonsWanted(pool, accountId, persons, query.at),
      ]);
      return new Map(
        persons.map((person): [HubId, SubjectFacts] => {
          const { consents, grants } = said.get(person) ?? { consents: [], grants: [] };
          const relations = [...(own.get(person) ?? []), ...others.flatMap((one) => one.get(person) ?? [])];
          return [person, { relations, consents, grants, ...(wanted?.has(person) === true ? WANTED : {}) }];
        }),
      );
    },
    async consentsOf(persons, { accountId, at }) {
      const none = new Map<HubId, never>();
      const [consents, grants] = await Promise.all([
        deps.consents.consentsOf(persons, at),
        accountId === null ? none : deps.consents.grantsOf(accountId, persons, at),
      ]);
      return new Map(
        persons.map((person): [HubId, SubjectFacts] => [
          person,
          { relations: [], consents: consents.get(person) ?? [], grants: grants.get(person) ?? [] },
        ]),
      );
    },
  };

  async function treating(
    persons: readonly HubId[],
    query: FactsQuery,
  ): Promise<ReadonlyMap<HubId, readonly Relation[]>> {
    const { rows } = await pool.query<RelationRow>({
      name: 'access-relations',
      text: RELATIONS,
      values: [persons, query.sites, query.practitionerId],
    });
    const found = new Map<HubId, Relation[]>();
    for (const { person_id: person, exam_id: exam, at } of rows) {
      const last = Date.parse(at ?? '');
      if (Number.isNaN(last)) continue;
      const until = new Date(last + deps.treatingDays * 86_400_000).toISOString();
      const relations = found.get(person) ?? [];
      found.set(person, relations);
      relations.push({ kind: 'treating', until });
      if (exam !== null) relations.push({ kind: 'ordered', until, exams: [exam] });
    }
    return found;
  }
}
