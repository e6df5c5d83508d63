/** What the REST face does for physicians: persons found, their time line, an exam's versions, origins and priors. */
import type { components } from '../../../openapi/generated/hub.ts';
import type { BodyRegion } from '../../core/body-region.ts';
import type { PersonQuestion, TimelineExam, TimelineFilter } from '../../core/clinical.ts';
import { isCalendarDate, parseResidentId } from '../../core/identifier.ts';
import { mask } from '../../core/person.ts';
import { problem } from '../../core/problem.ts';
import type { Sites } from '../../core/site.ts';
import type { PatientView } from '../../core/view.ts';
import type { ClinicalRecords, PersonFound, Provenance } from '../../flow/clinical-records.ts';
import type { Disclosure, Handlers, Refused } from './operation.ts';

export interface ClinicalDeps {
  readonly sites: Sites;
  readonly clinical: ClinicalRecords;
}

type Schemas = components['schemas'];
type Clinical = Pick<
  Handlers,
  'searchPersons' | 'readTimeline' | 'listReportRevisions' | 'readExamProvenance' | 'listPriors'
>;

export function clinicalHandlers({ sites, clinical }: ClinicalDeps): Clinical {
  const nameOf = (site: string): string => sites.byId(site)?.name ?? site;
  const read = (personId: string, objects: readonly string[]): Disclosure => ({
    action: 'read',
    persons: [personId],
    objects,
  });
  return {
    searchPersons: async ({ sight, body }) => {
      const { limit, after } = body;
      const question = questionOf(body, sites);
      if ('problem' in question) return question;
      const page = await clinical.search(sight, question, { limit, ...(after === undefined ? {} : { after }) });
      return {
        status: 200,
        body: { items: page.items.map((one) => foundOf(one, nameOf)), next: page.next },
        disclosure: {
          action: 'search',
          persons: page.items.map(({ personId }) => personId),
          objects: [],
          reason: `by ${question.by}`,
        },
      };
    },
    readTimeline: async ({ sight, path, query }) => {
      const { limit = 50, after, ...asked } = query;
      const found = await clinical.timeline(sight, path.id, filterOf(asked));
      if (!found.ok) return { problem: found.problem };
      const { personId, registrations, exams, all } = found.value;
      const from = after === undefined ? 0 : exams.findIndex(({ examId }) => examId === after) + 1;
      const page = exams.slice(from, from + limit);
      return {
        status: 200,
        body: {
          person: headerOf(personId, registrations, nameOf, true),
          items: page.map((exam) => lineOf(exam, nameOf)),
          next: from + limit < exams.length ? (page.at(-1)?.examId ?? null) : null,
          total: exams.length,
          facets: {
            modalities: facet(all.flatMap(({ modalities }) => modalities)),
            regions: facet(all.map(({ region }) => region)),
            sites: facet(
              all.map(({ site }) => site),
              nameOf,
            ),
          },
        },
        disclosure: read(
          personId,
          page.map(({ examId }) => `exam/${examId}`),
        ),
      };
    },
    listReportRevisions: async ({ sight, path }) => {
      const found = await clinical.revisions(sight, path.id);
      if (!found.ok) return { problem: found.problem };
      const { exam, items } = found.value;
      const body = { items: items.map(({ content, ...rest }) => ({ ...rest, content: textsOf(content) })) };
      return { status: 200, body: structuredClone(body), disclosure: read(exam.personId, [`exam/${exam.examId}`]) };
    },
    readExamProvenance: async ({ sight, path }) => {
      const found = await clinical.provenance(sight, path.id);
      if (!found.ok) return { problem: found.problem };
      const { exam } = found.value;
      const items = hopsOf(found.value, nameOf);
      return { status: 200, body: { items }, disclosure: read(exam.personId, [`exam/${exam.examId}`]) };
    },
    listPriors: async ({ sight, path, query }) => {
      const found = await clinical.priors(sight, path.id);
      if (!found.ok) return { problem: found.problem };
      const items = found.value.priors.slice(0, query.limit ?? 50);
      return {
        status: 200,
        body: { items: items.map(({ exam, ...why }) => ({ exam: lineOf(exam, nameOf), ...why })) },
        disclosure: read(
          found.value.exam.personId,
          items.map(({ exam }) => `exam/${exam.examId}`),
        ),
      };
    },
  };
}

const refused = (pointer: string, code: string, text: string): Refused => ({
  problem: problem('invalid-value', pointer, text),
  errors: [{ pointer: `#/${pointer}`, code, text }],
});

/** One of the four ways, and only one: a second number would hide what the first one said. */
function questionOf(body: Schemas['PersonQuestion'], sites: Sites): PersonQuestion | Refused {
  const ways = [body.residentId, body.number, body.phone, body.name].filter((way) => way !== undefined);
  if (ways.length !== 1)
    return refused('residentId', 'one-of', 'Exactly one of residentId, number, phone, or name with birthDate.');
  if (body.residentId !== undefined) {
    const resident = parseResidentId(body.residentId);
    return resident.ok
      ? { by: 'resident-id', residentId: resident.id }
      : refused('residentId', resident.reason, 'This is no valid resident ID.');
  }
  if (body.number !== undefined) {
    const all = body.site === undefined ? sites.all.map(({ id }) => id as string) : [body.site];
    return { by: 'number', number: body.number, sites: all };
  }
  if (body.phone !== undefined) return { by: 'phone', phone: body.phone };
  const { name = '', birthDate = '', sex } = body;
  const plain = birthDate.replaceAll('-', '');
  const date = `${plain.slice(0, 4)}-${plain.slice(4, 6)}-${plain.slice(6)}`;
  if (!isCalendarDate(date)) return refused('birthDate', 'required', 'A name is asked for with the birth date.');
  return { by: 'name', name, birthDate: plain, ...(sex === undefined ? {} : { sex }) };
}

function filterOf(asked: {
  readonly modality?: string | undefined;
  readonly region?: BodyRegion | undefined;
  readonly site?: string | undefined;
  readonly from?: string | undefined;
  readonly to?: string | undefined;
}): TimelineFilter {
  const { modality, region, site, from, to } = asked;
  return {
    ...(modality === undefined ? {} : { modality }),
    ...(region === undefined ? {} : { region }),
    ...(site === undefined ? {} : { site }),
    ...(from === undefined ? {} : { from: new Date(from).toISOString() }),
    ...(to === undefined ? {} : { to: new Date(to).toISOString() }),
  };
}

type NameOf = (site: string) => string;

/** Numbers are always shortened: whoever needs them whole has them, or opens the exam. Names only of who is open. */
function headerOf(
  personId: string,
  registrations: readonly PatientView[],
  nameOf: NameOf,
  open: boolean,
): Schemas['PersonHeader'] {
  const masked = registrations.map(mask);
  const shown = open ? registrations : masked;
  const told = <T>(value: (view: PatientView) => T | null): T | null =>
    shown.map(value).find((one) => one !== null) ?? null;
  return {
    personId,
    name: told(
      ({ names }) => (names.find(({ representation }) => representation === 'ideographic') ?? names[0])?.text ?? null,
    ),
    sex: told(({ sex }) => sex),
    birthDate: told(({ birthDate }) => birthDate),
    residentId: masked.find(({ residentId }) => residentId !== null)?.residentId ?? null,
    // Where somebody is registered tells of what they have: not of who is closed.
    registrations: open ? masked.map(({ site, localId }) => ({ site, siteName: nameOf(site), localId })) : [],
  };
}

function foundOf({ personId, access, registrations, exams }: PersonFound, nameOf: NameOf): Schemas['PersonFound'] {
  return {
    person: headerOf(personId, registrations, nameOf, access !== 'closed'),
    access,
    examCount: exams.length,
    lastExamAt:
      exams
        .map(({ at }) => at)
        .sort()
        .at(-1) ?? null,
    modalities: [...new Set(exams.flatMap(({ modalities }) => modalities))].sort(),
    sites: [...new Set(exams.map(({ site }) => nameOf(site)))],
  };
}

function lineOf({ images, ...exam }: TimelineExam, nameOf: NameOf): Schemas['TimelineExam'] {
  return {
    ...exam,
    modalities: [...exam.modalities],
    siteName: nameOf(exam.site),
    images:
      images === null
        ? null
        : {
            studyInstanceUid: images.studyUid,
            series: images.series,
            instances: images.instances,
            availability: images.availability,
          },
  };
}

/** How often each value stands there, the most frequent first. */
function facet(values: readonly string[], label: (value: string) => string = (value) => value): Schemas['Facet'][] {
  const counts = new Map<string, number>();
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1);
  return [...counts]
    .map(([value, count]) => ({ value, label: label(value), count }))
    .sort((a, b) => b.count - a.count || a.value.localeCompare(b.value));
}

type Texts = Schemas['ReportRevision']['content'];

function textsOf({ title, findings, impression, suggestion, positive, critical, reporter, auditor }: Texts): Texts {
  const all = { title, findings, impression, suggestion, positive, critical, reporter, auditor };
  return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined));
}

type Hop = Schemas['Hop'];

/** Oldest first; what has no time of its own stands where it belongs in the order of work. */
function hopsOf({ exam, origins, links, registrations, listings }: Provenance, nameOf: NameOf): Hop[] {
  const own = { site: exam.site as string, siteName: nameOf(exam.site) };
  const messages = origins.map((origin): Hop => ({
    kind: origin.of === 'images' ? 'images' : 'message',
    at: origin.receivedAt,
    site: origin.site,
    siteName: origin.site === null ? null : nameOf(origin.site),
    journalId: origin.journalId,
    settledAt: origin.settledAt,
    findings: [...origin.findings],
    count: origin.count,
    ...(origin.channel === null ? {} : { channel: origin.channel }),
    ...(origin.sender === null ? {} : { sender: origin.sender }),
    ...(origin.messageType === null ? {} : { messageType: origin.messageType }),
    ...(origin.state === null ? {} : { state: origin.state }),
  }));
  const linked: Hop = {
    kind: 'linked',
    at: null,
    ...own,
    count: registrations,
    links: links.map(({ source, says, weight, contributions }) => ({
      source,
      says,
      weight,
      attributes: contributions.filter((one) => one.weight > 0).map(({ attribute }) => attribute),
    })),
  };
  const indexed: Hop[] =
    exam.index === null
      ? []
      : [{ kind: 'indexed', at: null, ...own, value: exam.index.value, issuedBy: exam.index.issuedBy }];
  const kept = listings.map((at): Hop => ({ kind: 'at-hospital', at, ...own }));
  const manifests = exam.manifests.map(({ createdAt }): Hop => ({ kind: 'manifest', at: createdAt, ...own, count: 1 }));
  return [...messages, linked, ...indexed, ...kept, ...manifests];
}
