/**
 * The documents of the affinity domain as FHIR resources (IHE MHD ITI-66, 67, 68): DocumentReference, List and Binary are
 * rendered from the registry as they are asked for, beside the projection of the hub's own exams, each document once
 * (decision 0016). Everything else is the projection's.
 */
import type { DocumentReference, Reference } from 'fhir/r4.js';
import type { AffinityPatients, DocumentRegistry } from '../core/document-ports.ts';
import type { DocumentEntry, EntryId, PatientCx, RegistryObject } from '../core/document.ts';
import type { Criterion, FhirBody, FhirQuery, FhirStore, StoredVersion } from '../core/fhir.ts';
import { HUB_ORIGIN } from '../../mappings/fhir/context.ts';
import type { StoredBinary } from '../../mappings/fhir/document.ts';
import { mimeType } from '../../mappings/fhir/document.ts';
import { candidateOf } from '../../mappings/fhir/extract.ts';
import { inOrder, matches } from '../../mappings/fhir/match.ts';
import { documentReferenceOf, fhirId, RELATION_OF } from '../../mappings/fhir/mhd-document.ts';
import { folderList, submissionSetList, type ListSurroundings } from '../../mappings/fhir/mhd-list.ts';
import { canonicalSystem } from '../../mappings/fhir/mhd-terms.ts';
import { cxOf, dateTimeOfDtm, identifierOfCx, identifierOfUniqueId } from '../../mappings/fhir/xds-values.ts';

export interface SharedDocuments {
  readonly projection: FhirStore;
  readonly registry: DocumentRegistry;
  readonly patients: AffinityPatients;
}

/** Most objects of one patient that a search looks at; the face cuts its answers at as many. */
const MOST = 10_000;
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
const entryId = (id: string): EntryId | null => (UUID.test(id) ? (`urn:uuid:${id}` as EntryId) : null);

export function createSharedDocuments(deps: SharedDocuments): FhirStore {
  const { projection, registry } = deps;
  const shared = (type: string): boolean => type === 'DocumentReference' || type === 'List';
  const one = async (type: string, id: string): Promise<StoredVersion | null> => {
    const entry = entryId(id);
    if (entry === null) return null;
    if (type === 'Binary') return binary(deps, entry);
    return shared(type) ? ((await render(deps, ofType(type, await registry.byId([entry]))))[0] ?? null) : null;
  };
  return {
    async read(type, id) {
      return (await one(type, id)) ?? projection.read(type, id);
    },
    async vread(type, id, version) {
      const found = await one(type, id);
      return found?.version === version ? found : projection.vread(type, id, version);
    },
    async history(scope, page) {
      const { type, id } = scope;
      const found = await projection.history(scope, page);
      if (found.length > 0 || page.before || type === undefined || id === undefined) return found;
      const only = await one(type, id);
      return only ? [only] : [];
    },
    async countVersions(type, id, since) {
      const count = await projection.countVersions(type, id, since);
      return count > 0 ? count : (await one(type, id)) ? 1 : 0;
    },
    async search(query) {
      if (!shared(query.type)) return projection.search(query);
      return (await find(deps, query)) ?? projection.search(query);
    },
    async count(query) {
      if (!shared(query.type)) return projection.count(query);
      const found = await find(deps, { ...query, sort: [], limit: MOST });
      return found?.length ?? projection.count(query);
    },
    async fetch(type, ids) {
      if (!shared(type)) return projection.fetch(type, ids);
      const entries = ids.flatMap((id) => entryId(id) ?? []);
      const rendered = await render(deps, ofType(type, entries.length === 0 ? [] : await registry.byId(entries)));
      const byId = new Map(rendered.map((version) => [version.id, version]));
      const others = await projection.fetch(
        type,
        ids.filter((id) => !byId.has(id)),
      );
      for (const version of others) byId.set(version.id, version);
      return ids.flatMap((id) => byId.get(id) ?? []);
    },
    savePages: (pages) => projection.savePages(pages),
    pages: (handle, callerId) => projection.pages(handle, callerId),
    latestPages: (callerId) => projection.latestPages(callerId),
    forgetPages: (callerId) => projection.forgetPages(callerId),
  };
}

const ofType = (type: string, objects: readonly RegistryObject[]): readonly RegistryObject[] =>
  objects.filter(({ kind }) => (kind === 'document') === (type === 'DocumentReference'));

/** Ids in order; null: nothing in the question that the registry answers by, so the projection alone is asked. */
async function find(deps: SharedDocuments, query: FhirQuery): Promise<readonly string[] | null> {
  const criteria = query.criteria.map((criterion) => asRendered(query.type, criterion));
  const whose = criteria.filter(isWhose);
  const asked = criteria.filter((criterion) => !isWhose(criterion));
  const scope = whose.length === 0 ? null : await scopeOf(deps, whose);
  const objects = scope ? await objectsOf(deps, query.type, scope.ids, asked) : await named(deps, query.type, asked);
  if (objects === null) return query.type === 'List' ? [] : null;
  const rendered = await render(deps, objects);
  const taken = new Set(rendered.map(({ body }) => masterOf(body)));
  const own: readonly StoredVersion[] =
    query.type === 'List'
      ? []
      : scope
        ? await ownOf(deps, scope.persons)
        : await projected(deps, { ...query, criteria });
  return [...rendered, ...own.filter(({ body }) => !taken.has(masterOf(body)))]
    .map(candidateOf)
    .filter((candidate) => asked.every((criterion) => matches(candidate, criterion)))
    .sort(inOrder(query.sort))
    .slice(0, query.limit)
    .map(({ id }) => id);
}

const masterOf = (body: FhirBody | null): string | undefined => {
  const { system, value } = (body as DocumentReference | null)?.masterIdentifier ?? {};
  return value === undefined ? undefined : `${system ?? ''}|${value}`;
};

async function ownOf(deps: SharedDocuments, persons: readonly string[]): Promise<readonly StoredVersion[]> {
  if (persons.length === 0) return [];
  const any = persons.map((person) => `patient=Patient/${person}`);
  return projected(deps, {
    type: 'DocumentReference',
    criteria: [{ kind: 'tokens', any, negate: false, selective: true }],
    sort: [],
    limit: MOST,
  });
}

async function projected({ projection }: SharedDocuments, query: FhirQuery): Promise<readonly StoredVersion[]> {
  return projection.fetch(query.type, await projection.search(query));
}

const WHOSE = /^(patient|subject|patient\.identifier)=/;
const isWhose = (criterion: Criterion): criterion is Extract<Criterion, { kind: 'tokens' }> =>
  criterion.kind === 'tokens' && !criterion.negate && criterion.any.some((token) => WHOSE.test(token));

/** As resources of the registry say it: one name for a code system, and the status that a List has. */
function asRendered(type: string, criterion: Criterion): Criterion {
  if (criterion.kind !== 'tokens') return criterion;
  return {
    ...criterion,
    any: criterion.any.map((token) => {
      if (type === 'List' && token === 'status=superseded') return 'status=retired';
      const match = /^([A-Za-z:.-]+=)([^|]+)\|(.*)$/s.exec(token);
      if (!match || match[1]?.includes('identifier')) return token;
      return `${match[1] ?? ''}${canonicalSystem(match[2] ?? '')}|${match[3] ?? ''}`;
    }),
  };
}

interface Scope {
  readonly persons: readonly string[];
  readonly ids: readonly PatientCx[];
}

/** Every criterion names patients; those that all of them name are meant. */
async function scopeOf(
  { projection, patients }: SharedDocuments,
  whose: readonly Extract<Criterion, { kind: 'tokens' }>[],
): Promise<Scope> {
  const sets: Set<PatientCx>[] = [];
  const persons: Set<string>[] = [];
  for (const { any } of whose) {
    const named = any.flatMap((token) => /^(?:patient|subject)=Patient\/(.+)$/.exec(token)?.[1] ?? []);
    const identifiers = any.flatMap((token) => /^patient\.identifier=(.+)$/s.exec(token)?.[1] ?? []);
    const found =
      identifiers.length === 0
        ? []
        : await projection.search({
            type: 'Patient',
            criteria: [
              { kind: 'tokens', any: identifiers.map((one) => `identifier=${one}`), negate: false, selective: true },
            ],
            sort: [],
            limit: 1000,
          });
    const outside = identifiers.flatMap((one) => cxOfToken(one) ?? []);
    const all = [...new Set([...named, ...found, ...(await patients.personsOf(outside)).values()])];
    persons.push(new Set(all));
    sets.push(new Set([...(await patients.idsOf(all)).values(), ...outside]));
  }
  const [first, ...rest] = sets;
  const [people, ...others] = persons;
  return {
    ids: [...(first ?? [])].filter((id) => rest.every((set) => set.has(id))),
    persons: [...(people ?? [])].filter((person) => others.every((set) => set.has(person))),
  };
}

function cxOfToken(token: string): PatientCx | null {
  const match = /^(urn:oid:[0-9.]+)\|([^|^&]+)$/.exec(token);
  return match ? (cxOf({ system: match[1] ?? '', value: match[2] ?? '' }) as PatientCx) : null;
}

async function objectsOf(
  { registry }: SharedDocuments,
  type: string,
  patientIds: readonly PatientCx[],
  asked: readonly Criterion[],
): Promise<readonly RegistryObject[]> {
  if (patientIds.length === 0) return [];
  const wants = (code: string): boolean =>
    asked.every(
      (one) =>
        one.kind !== 'tokens' || one.negate || !one.any[0]?.startsWith('status=') || one.any.includes(`status=${code}`),
    );
  const status = [
    ...(wants('current') ? (['approved'] as const) : []),
    ...(wants(type === 'List' ? 'retired' : 'superseded') ? (['deprecated'] as const) : []),
  ];
  if (status.length === 0) return [];
  if (type === 'DocumentReference')
    return registry.findDocuments({ patientIds, status, entryTypes: ['stable', 'on-demand'] }, MOST);
  const [sets, folders] = await Promise.all([
    registry.findSubmissionSets({ patientIds, status }, MOST),
    registry.findFolders({ patientIds, status }, MOST),
  ]);
  return [...sets, ...folders];
}

/** By `_id` or by identifier, whosever it is; null where the question names none. */
async function named(
  { registry }: SharedDocuments,
  type: string,
  asked: readonly Criterion[],
): Promise<readonly RegistryObject[] | null> {
  const ids = asked.find((one) => one.kind === 'ids');
  if (ids) return ofType(type, await registry.byId(ids.any.flatMap((id) => entryId(id) ?? [])));
  const tokens = asked.find(
    (one) => one.kind === 'tokens' && !one.negate && one.any.every((token) => token.startsWith('identifier=')),
  );
  if (tokens?.kind !== 'tokens') return null;
  const values = tokens.any.map((token) => token.slice('identifier='.length));
  const bare = values.map((value) => value.replace(/^urn:ietf:rfc:3986\|/, ''));
  const entries = bare.filter((value) => value.startsWith('urn:uuid:')) as EntryId[];
  const unique = bare.flatMap((value) => {
    const rooted = /^urn:oid:([^|]+)\|(.+)$/.exec(value);
    return rooted ? [`${rooted[1] ?? ''}^${rooted[2] ?? ''}`] : [value, value.replace(/^urn:oid:/, '')];
  });
  const kinds = type === 'DocumentReference' ? (['document'] as const) : (['submission-set', 'folder'] as const);
  const found = await Promise.all(kinds.map((kind) => registry.byUniqueId(kind, [...new Set(unique)])));
  return [...found.flat(), ...(entries.length === 0 ? [] : ofType(type, await registry.byId(entries)))];
}

/** Resources with all that stands around the objects: patients, members, relations, times of submission. */
async function render(deps: SharedDocuments, objects: readonly RegistryObject[]): Promise<readonly StoredVersion[]> {
  if (objects.length === 0) return [];
  const unique = [...new Map(objects.map((object) => [object.id, object])).values()];
  const ids = unique.map(({ id }) => id);
  const subjects = await subjectsOf(deps, unique);
  const links = await deps.registry.associations({ sources: ids, targets: ids });
  const others = links.flatMap(({ type, source, target }) => (type === 'HasMember' ? [source, target] : []));
  const around = new Map((await deps.registry.byId([...new Set(others)])).map((object) => [object.id, object]));
  const twins = await twinsOf(deps, unique);
  const setOf = (id: EntryId) =>
    links
      .filter(({ type, target }) => type === 'HasMember' && target === id)
      .flatMap(({ source }) => around.get(source) ?? [])
      .find((object) => object.kind === 'submission-set');
  return unique.map((object) => {
    const subject = subjects(object.patientId);
    const set = object.kind === 'submission-set' ? object : setOf(object.id);
    const submittedAt = set?.kind === 'submission-set' ? set.submissionTime : undefined;
    if (object.kind !== 'document') {
      const items = links.flatMap(({ type, source, target }): ListSurroundings['items'] => {
        const item = type === 'HasMember' && source === object.id ? around.get(target) : undefined;
        return item ? [{ type: item.kind === 'document' ? 'DocumentReference' : 'List', id: target }] : [];
      });
      const list =
        object.kind === 'folder'
          ? folderList(object, { subject, items })
          : submissionSetList(object, { subject, items });
      return versionOf('List', object, list, object.kind === 'folder' ? object.lastUpdateTime : submittedAt);
    }
    const relations = links.flatMap(({ type, source, target }) => {
      const code = RELATION_OF[type];
      return code !== undefined && source === object.id ? [{ code, target }] : [];
    });
    const url = `${HUB_ORIGIN}/fhir/Binary/${fhirId(object.id)}`;
    const body = documentReferenceOf(object, {
      subject,
      url,
      relations,
      ...(submittedAt === undefined ? {} : { submittedAt }),
    });
    return versionOf('DocumentReference', object, withLinks(body, twins.get(masterOf(body) ?? '')), submittedAt);
  });
}

function versionOf(type: string, object: RegistryObject, body: FhirBody, dtm: string | undefined): StoredVersion {
  const at = new Date(dateTimeOfDtm(dtm) ?? 0).toISOString();
  return { type, id: fhirId(object.id), version: object.version, at, body, site: '', occurredAt: at, journalIds: [] };
}

/** Patients by the hub's own resources; one that only an outside source knows, by the identifier. */
async function subjectsOf(
  { patients }: SharedDocuments,
  objects: readonly RegistryObject[],
): Promise<(id: PatientCx) => Reference> {
  const persons = await patients.personsOf([...new Set(objects.map(({ patientId }) => patientId))]);
  return (id) => {
    const person = persons.get(id);
    const identifier = identifierOfCx(id);
    return {
      ...(person === undefined ? {} : { reference: `Patient/${person}` }),
      ...(identifier ? { identifier } : {}),
    };
  };
}

/** The projection's form of the same documents: it knows the study and the report that they are of. */
async function twinsOf(
  deps: SharedDocuments,
  objects: readonly RegistryObject[],
): Promise<ReadonlyMap<string, DocumentReference>> {
  const any = objects
    .filter((object): object is DocumentEntry => object.kind === 'document')
    .map(({ uniqueId }) => identifierOfUniqueId(uniqueId))
    .map(({ system, value }) => `identifier=${system ?? ''}|${value ?? ''}`);
  if (any.length === 0) return new Map();
  const criteria = [{ kind: 'tokens' as const, any, negate: false, selective: true }];
  const found = await projected(deps, { type: 'DocumentReference', criteria, sort: [], limit: MOST });
  return new Map(found.map(({ body }) => [masterOf(body) ?? '', body as DocumentReference]));
}

function withLinks(body: DocumentReference, twin: DocumentReference | undefined): DocumentReference {
  const related = twin?.context?.related ?? [];
  if (related.length === 0) return body;
  return { ...body, context: { ...body.context, related: [...(body.context?.related ?? []), ...related] } };
}

/** ITI-68: where the bytes of a document in the hub's own repository lie. */
async function binary({ registry, patients }: SharedDocuments, id: EntryId): Promise<StoredVersion | null> {
  const [entry] = await registry.byId([id]);
  if (entry?.kind !== 'document') return null;
  const [stored] = await registry.documents([entry.uniqueId]);
  if (!stored) return null;
  const person = (await patients.personsOf([entry.patientId])).get(entry.patientId);
  const body: StoredBinary = {
    resourceType: 'Binary',
    id: fhirId(id),
    contentType: mimeType(stored.mimeType),
    subject: { reference: person === undefined ? '' : `Patient/${person}` },
    securityContext: { reference: `DocumentReference/${fhirId(id)}` },
    object: stored.object,
    size: stored.size,
  };
  return versionOf('Binary', entry, body, entry.creationTime);
}
