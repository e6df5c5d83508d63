/**
 * Which visits a question about patients and visits means (ITI-22): whichever of the two says more is looked for first, the
 * other among it. Visits are seen as exams are: records of their hospital, which a label, a refusal or a missing relation
 * hides.
 */
import type { Sight } from '../core/access-ports.ts';
import { SearchTimeout, type Criterion } from '../core/fhir.ts';
import { saysNobody, type Demand } from '../core/patient-query.ts';
import type { VisitDemand, VisitIndex, VisitView } from '../core/visit.ts';

const ANY: VisitDemand = { numbers: [], accounts: [], keys: [] };

export interface VisitQuestion {
  readonly visits: VisitIndex;
  /** Patients who are meant, among others' criteria; null: too many. */
  readonly patients: (among: readonly Criterion[]) => Promise<readonly string[] | null>;
  readonly most: number;
}

/** As `found`, where to look through so many is too much as well. */
export async function visitsAsked(question: VisitQuestion, demand: Demand): ReturnType<typeof found> {
  try {
    return await found(question, demand);
  } catch (error) {
    if (error instanceof SearchTimeout) return null;
    throw error;
  }
}

/** `visits`: `Visit/id`, and `Patient/id` of who has none where none is asked for; by patient. null: too many. */
async function found(
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
  const theirs = first ?? (await visits.find(asked, ids, most + 1));
  if (theirs.length > most) return null;
  const byPerson = new Map<string, VisitView[]>(ids.map((id) => [id, []]));
  for (const visit of theirs) byPerson.get(visit.personId)?.push(visit);
  const told = [...byPerson].filter(([, all]) => all.length > 0 || demand.visits === undefined);
  return {
    patients: told.map(([id]) => id),
    visits: told.flatMap(([id, all]) =>
      all.length === 0 ? [`Patient/${id}`] : all.map(({ visitId }) => `Visit/${visitId}`),
    ),
  };
}

/** Visits looked through for one answer: no ward has as many. */
const MOST_LOOKED_AT = 40_000;

export function sightedVisits(visits: VisitIndex, sight: Sight): VisitIndex {
  const seen = async (found: readonly VisitView[]): Promise<readonly VisitView[]> => {
    const decisions = await sight.decide(
      found.map(({ visitId, personId, site, labels }) => ({ person: personId, exam: { id: visitId, site, labels } })),
    );
    return found.filter((_, at) => decisions[at]?.allowed === true);
  };
  return {
    find: async (demand, persons, limit) => {
      for (let looked = limit; looked <= MOST_LOOKED_AT; looked *= 2) {
        const found = await visits.find(demand, persons, looked);
        const shown = await seen(found);
        if (found.length < looked || shown.length >= limit) return shown.slice(0, limit);
      }
      throw new SearchTimeout('too many visits are looked through for what may be seen of them');
    },
    read: async (ids) => seen(await visits.read(ids)),
  };
}
