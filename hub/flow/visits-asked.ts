/**
 * Which visits a question about patients and visits means (ITI-22): whichever of the two says more is looked for first, the
 * other among it. Visits are seen as exams are: records of their hospital, which a label, a refusal or a missing relation
 * hides.
 */
import type { Sight } from '../core/access-ports.ts';
import type { Criterion } from '../core/fhir.ts';
import { saysNobody, type Demand } from '../core/patient-query.ts';
import type { VisitDemand, VisitIndex, VisitView } from '../core/visit.ts';

const ANY: VisitDemand = { numbers: [], accounts: [], keys: [] };

export interface VisitQuestion {
  readonly visits: VisitIndex;
  /** Patients who are meant, among others' criteria; null: too many. */
  readonly patients: (among: readonly Criterion[]) => Promise<readonly string[] | null>;
  readonly most: number;
}

/** `visits`: `Visit/id`, and `Patient/id` of who has none where none is asked for; by patient. null: too many. */
export async function visitsAsked(
  { visits, patients, most }: VisitQuestion,
  demand: Demand,
): Promise<{ readonly visits: readonly string[]; readonly patients: readonly string[] } | null> {
  const asked = demand.visits ?? ANY;
  const isNamed = asked.numbers.length + asked.accounts.length > 0;
  const first = isNamed || saysNobody(demand) ? await visits.find(asked, null, most + 1) : null;
  if (first !== null && first.length > most) return null;
  const ids = await patients(
    first === null ? [] : [{ kind: 'ids', any: [...new Set(first.map(({ personId }) => personId))] }],
  );
  if (ids === null) return null;
  const found = first ?? (await visits.find(asked, ids, most + 1));
  if (found.length > most) return null;
  const byPerson = new Map<string, VisitView[]>(ids.map((id) => [id, []]));
  for (const visit of found) byPerson.get(visit.personId)?.push(visit);
  const told = [...byPerson].filter(([, theirs]) => theirs.length > 0 || demand.visits === undefined);
  return {
    patients: told.map(([id]) => id),
    visits: told.flatMap(([id, theirs]) =>
      theirs.length === 0 ? [`Patient/${id}`] : theirs.map(({ visitId }) => `Visit/${visitId}`),
    ),
  };
}

export function sightedVisits(visits: VisitIndex, sight: Sight): VisitIndex {
  const seen = async (found: readonly VisitView[]): Promise<readonly VisitView[]> => {
    const decisions = await sight.decide(
      found.map(({ visitId, personId, site, labels }) => ({ person: personId, exam: { id: visitId, site, labels } })),
    );
    return found.filter((_, at) => decisions[at]?.allowed === true);
  };
  return {
    find: async (demand, persons, limit) => {
      const found = await visits.find(demand, persons, limit);
      // What is beyond the limit was not looked at: as many stay too many, seen or not.
      return found.length === limit ? found : seen(found);
    },
    read: async (ids) => seen(await visits.read(ids)),
  };
}
