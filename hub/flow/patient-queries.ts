/**
 * PIX and PDQ questions answered from the projection that FHIR is served from, so that a patient is the same whichever wire
 * asks. Pages are kept in the database for their asker: any process may turn them.
 */
import type { Patient } from 'fhir/r4.js';
import type { PatientCx } from '../core/document.ts';
import { SearchTimeout, type Criterion, type FhirStore } from '../core/fhir.ts';
import type {
  AskedText,
  Asking,
  CrossReference,
  Demand,
  Demographics,
  FoundPatient,
  PatientQueries,
} from '../core/patient-query.ts';
import { identifierSystem, authorityOfSystem } from '../../mappings/fhir/datatypes.ts';
import { foundPatient } from '../../mappings/fhir/found-patient.ts';
import { prefixedDate } from '../../mappings/fhir/search-date.ts';
import { grams, normalise } from '../../mappings/fhir/search-text.ts';
import { sightedFhir } from './sighted-fhir.ts';
import { crossReferenced, isUsed, type CrossReferenceDeps } from './cross-reference.ts';
import { sightedVisits, visitsAsked } from './visits-asked.ts';
import type { VisitIndex } from '../core/visit.ts';

/** Most patients, or visits, that one question pages through: who asks for more has asked for nobody. */
const MOST = 1_000;

export interface PatientQueryDeps extends CrossReferenceDeps {
  /** Authority of the ids that every person has in the affinity domain. */
  readonly affinityDomainOid: string;
  readonly visits: VisitIndex;
}

/** A query's pages belong to its asker under its tag: another query of the same asker neither sees nor ends them. */
const ownerOf = ({ callerId, tag }: Pick<Asking, 'callerId' | 'tag'>): string => `${callerId} ${tag}`;

export function createPatientQueries(deps: PatientQueryDeps): PatientQueries {
  const { store } = deps;

  async function page(
    {
      type,
      ids,
      domains,
    }: { readonly type: string; readonly ids: readonly string[]; readonly domains: readonly string[] },
    offset: number,
    handle: string | null,
    limit: number,
  ): Promise<Demographics> {
    const asked = ids.slice(offset, offset + limit);
    const patients = await (type === 'Visit' ? visitsOf(deps, asked, domains) : patientsOf(deps, asked, domains));
    const next = offset + limit;
    const remaining = Math.max(0, ids.length - next);
    const pointer = remaining > 0 && handle !== null ? `${handle}.${String(next)}` : null;
    return { kind: 'found', page: { patients, total: ids.length, remaining, pointer } };
  }

  return {
    seenBy: (sight) =>
      sight.whole
        ? createPatientQueries(deps)
        : createPatientQueries({
            ...deps,
            store: sightedFhir(store, sight),
            visits: sightedVisits(deps.visits, sight),
            everything: deps.everything ?? store,
          }),
    async crossReference(source, targets): Promise<CrossReference> {
      const asked = { system: identifierSystem(source.authority), value: source.value };
      const found = await crossReferenced(deps, asked, targets.map(identifierSystem));
      if (found.kind !== 'known') return found;
      const numbers = found.others.flatMap(({ system, value }) =>
        system === undefined || value === undefined ? [] : [{ authority: authorityOfSystem(system), value }],
      );
      return { kind: 'known', personId: found.version.id, numbers };
    },
    async find(demand, domains, asking) {
      const unknown = await unknownDomains(deps, domains);
      if (unknown.length > 0) return { kind: 'unknown-domains', at: unknown };
      const found = await answersTo(deps, demand, domains, asking.each === 'visit');
      if (found === null) return { kind: 'too-many' };
      const saved = { callerId: ownerOf(asking), ...found, state: JSON.stringify(domains) };
      const handle = found.ids.length > asking.limit ? await store.savePages(saved) : null;
      return page({ ...found, domains }, 0, handle, asking.limit);
    },
    async more(from, asking) {
      const match = /^([0-9a-f]{32})\.(\d{1,6})$/.exec(String(from));
      const [, handle = '', offset = ''] = match ?? [];
      const owner = ownerOf(asking);
      const saved =
        typeof from === 'number'
          ? await store.latestPages(owner)
          : handle === ''
            ? null
            : await store.pages(handle, owner);
      if (saved === null) return { kind: 'unknown-pointer' };
      const domains = JSON.parse(saved.state) as readonly string[];
      return page({ ...saved, domains }, typeof from === 'number' ? from : Number(offset), handle, asking.limit);
    },
    cancel: (asking) => store.forgetPages(ownerOf(asking)),
  };
}

/** What is paged through: patients by their ids, or visits and patients without one (visits-asked.ts). null: too many. */
async function answersTo(
  deps: PatientQueryDeps,
  demand: Demand,
  domains: readonly string[],
  eachVisit: boolean,
): Promise<{ readonly type: 'Patient' | 'Visit'; readonly ids: readonly string[] } | null> {
  const criteria = [...(await criteriaOf(deps, demand)), ...inDomains(deps, domains)];
  const patients = (among: readonly Criterion[]): Promise<readonly string[] | null> =>
    searched(deps.store, [...criteria, ...among]);
  const isVisited = eachVisit || demand.visits !== undefined;
  const found = isVisited ? await visitsAsked({ visits: deps.visits, patients, most: MOST }, demand) : null;
  if (!isVisited) {
    const ids = await patients([]);
    return ids === null ? null : { type: 'Patient', ids };
  }
  if (found === null) return null;
  return eachVisit ? { type: 'Visit', ids: found.visits } : { type: 'Patient', ids: found.patients };
}

/** null: too many, or too slow. */
async function searched(store: FhirStore, criteria: readonly Criterion[]): Promise<readonly string[] | null> {
  try {
    const ids = await store.search({
      type: 'Patient',
      criteria,
      sort: [{ by: 'text', descending: false }],
      limit: MOST + 1,
    });
    return ids.length > MOST ? null : ids;
  } catch (error) {
    if (error instanceof SearchTimeout) return null;
    throw error;
  }
}

/** Each visit with its patient of now, in the order of `entries`. */
async function visitsOf(
  deps: PatientQueryDeps,
  entries: readonly string[],
  domains: readonly string[],
): Promise<readonly FoundPatient[]> {
  const idOf = (entry: string): string => entry.slice(entry.indexOf('/') + 1);
  const isVisit = (entry: string): boolean => entry.startsWith('Visit/');
  const visits = await deps.visits.read(entries.filter(isVisit).map(idOf));
  const byId = new Map(visits.map((visit) => [visit.visitId as string, visit]));
  const wanted = entries.map((entry) => {
    const visit = isVisit(entry) ? (byId.get(idOf(entry)) ?? null) : null;
    return { visit, personId: isVisit(entry) ? (visit?.personId ?? null) : idOf(entry) };
  });
  const persons = [...new Set(wanted.flatMap(({ personId }) => personId ?? []))];
  const patients = new Map((await patientsOf(deps, persons, domains)).map((one) => [one.personId, one]));
  return wanted.flatMap(({ personId, visit }) => {
    const patient = personId === null ? undefined : patients.get(personId);
    return patient === undefined ? [] : [{ ...patient, visit }];
  });
}

async function unknownDomains(deps: CrossReferenceDeps, domains: readonly string[]): Promise<readonly number[]> {
  const unknown: number[] = [];
  for (const [at, domain] of domains.map(identifierSystem).entries())
    if (!deps.domains.has(domain) && !(await isUsed(deps, domain))) unknown.push(at);
  return unknown;
}

/** Who has a number in one of the domains; everybody has one in the affinity domain. */
function inDomains({ affinityDomainOid }: PatientQueryDeps, domains: readonly string[]): readonly Criterion[] {
  if (domains.length === 0 || domains.includes(affinityDomainOid)) return [];
  const any = domains.map((domain) => `identifier=${identifierSystem(domain)}|`);
  return [{ kind: 'tokens', any, negate: false, selective: false }];
}

async function criteriaOf(deps: PatientQueryDeps, demand: Demand): Promise<readonly Criterion[]> {
  const { names, address, birthDate, sex, phone } = demand;
  const token = (any: string, selective: boolean): Criterion => ({
    kind: 'tokens',
    any: [any],
    negate: false,
    selective,
  });
  const born = birthDate === null ? null : prefixedDate(birthDate);
  return [
    // Who was joined to another is told of by the other.
    token('active=true', false),
    ...(await Promise.all(demand.numbers.map((number) => numberCriterion(deps, number)))),
    ...names.map((name) => text(name.part === 'any' ? ['name', 'family', 'given'] : [name.part, 'name'], name)),
    ...address.map((one) => stringCriterion(['address'], 'contains', one)),
    ...(born === null ? [] : [{ kind: 'date' as const, column: 'date1' as const, any: [born] }]),
    ...(sex === null ? [] : [token(`gender=${sex}`, false)]),
    ...(phone === null ? [] : [token(`phone=${phone}`, true)]),
  ];
}

const text = (params: readonly string[], asked: AskedText): Criterion =>
  stringCriterion(params, asked.begins ? 'prefix' : 'equal', asked.text);

function stringCriterion(
  params: readonly string[],
  mode: Extract<Criterion, { kind: 'string' }>['mode'],
  exact: string,
): Criterion {
  const norm = normalise(exact);
  return { kind: 'string', params, mode, any: [{ exact, norm, grams: grams(norm, true) }] };
}

/** An id of the affinity domain stands in no registration: it names the person itself. */
async function numberCriterion(
  { patients, affinityDomainOid }: PatientQueryDeps,
  { value, authority }: Demand['numbers'][number],
): Promise<Criterion> {
  if (authority === affinityDomainOid) {
    const cx = `${value}^^^&${affinityDomainOid}&ISO` as PatientCx;
    return { kind: 'ids', any: /[\^&]/.test(value) ? [] : [...(await patients.personsOf([cx])).values()] };
  }
  const any = authority === null ? `identifier=${value}` : `identifier=${identifierSystem(authority)}|${value}`;
  return { kind: 'tokens', any: [any], negate: false, selective: true };
}

/** In the order of `ids`, with their numbers in the domains asked for; none named: all. */
async function patientsOf(
  { store, patients, affinityDomainOid }: PatientQueryDeps,
  ids: readonly string[],
  domains: readonly string[],
): Promise<readonly FoundPatient[]> {
  const [versions, issued] = await Promise.all([store.fetch('Patient', ids), patients.idsOf(ids)]);
  return versions.map(({ id, body }) => {
    const found = foundPatient(body as Patient);
    const own = issued.get(id)?.split('^')[0];
    const all =
      own === undefined ? found.numbers : [{ authority: affinityDomainOid, value: own, type: 'PI' }, ...found.numbers];
    return { ...found, numbers: all.filter(({ authority }) => domains.length === 0 || domains.includes(authority)) };
  });
}
