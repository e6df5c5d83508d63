/**
 * Identity feeds by FHIR to records: one Patient by conditional PUT (PIXm ITI-104, ITI TF-2 §3.104) and a message of several
 * (PMIR ITI-93, §3.93). The journal keeps the request as `application/http` (RFC 9112 §10.2): of a conditional update the
 * target says whom it is about, and the body alone does not.
 */
import type { Bundle, BundleEntry, Identifier, MessageHeader, Patient, Reference } from 'fhir/r4.js';
import type { Envelope, Mapped } from '../../hub/core/envelope.ts';
import { fail, ok, problem, type Finding, type Problem, type Result } from '../../hub/core/problem.ts';
import type { MergeRecord, PatientRecord, PatientRef, SourceTime } from '../../hub/core/record.ts';
import type { SiteProfile } from '../../hub/core/site.ts';
import { parseXml } from '../xds/xml.ts';
import { authorityOfSystem } from './datatypes.ts';
import { fromXml } from './from-xml.ts';
import { structureFaults } from './structure.ts';
import { ownNumber, toldFields } from './told-patient.ts';

export const PATIENT_UPDATE = 'PUT Patient';
export const PATIENT_MESSAGE = 'POST message';
/** PMIR §3.93.4.1.2.1. */
export const PMIR_FEED = 'urn:ihe:iti:pmir:2019:patient-feed';

/** Patients in one message: a merge tells two. */
const MOST_PATIENTS = 100;
const HEAD_BYTES = 16 * 1024;
const XML = { bytes: 32 * 1024 * 1024, depth: 64, elements: 500_000 };

export interface FeedRequest {
  readonly method: string;
  /** Path and query as they were sent. */
  readonly target: string;
  readonly contentType: string;
  readonly body: Uint8Array;
  /** Numbers that Patients of this server had, named in the body by literal reference, when the request came. */
  readonly named?: NamedPatients;
}

/** By reference as it is written. */
export type NamedPatients = ReadonlyMap<string, readonly Pick<Identifier, 'system' | 'value'>[]>;

const NAMED = 'Hub-Named-Patient';

export function writeRequest({ method, target, contentType, body, named = new Map() }: FeedRequest): Uint8Array {
  // A reference means whom it meant when it came, however often the journal is read again: so it is kept beside the body.
  const told = [...named].map(
    ([reference, numbers]) =>
      `\r\n${NAMED}: ${[reference, ...numbers.map(({ system, value }) => `${system ?? ''}|${value ?? ''}`)].map(encodeURIComponent).join(' ')}`,
  );
  const head = `${method} ${target} HTTP/1.1\r\nContent-Type: ${contentType.replace(/[\r\n]/g, ' ')}${told.join('')}\r\n\r\n`;
  return Buffer.concat([Buffer.from(head, 'latin1'), body]);
}

function readRequest(bytes: Uint8Array): FeedRequest | null {
  const all = Buffer.from(bytes);
  const end = all.indexOf('\r\n\r\n');
  if (end < 0 || end > HEAD_BYTES) return null;
  const [start = '', type = '', ...told] = all.toString('latin1', 0, end).split('\r\n');
  const [, method = '', target = ''] = /^(\S+) (\S+) HTTP\/1\.1$/.exec(start) ?? [];
  const contentType = /^Content-Type: (.*)$/.exec(type)?.[1];
  if (method === '' || contentType === undefined) return null;
  const named = told.map((line): [string, Pick<Identifier, 'system' | 'value'>[]] => {
    const [reference = '', ...numbers] = line
      .slice(NAMED.length + 2)
      .split(' ')
      .map(decodeURIComponent);
    return [reference, numbers.map(numberOf)];
  });
  return { method, target, contentType, body: all.subarray(end + 4), named: new Map(named) };
}

const numberOf = (text: string): Pick<Identifier, 'system' | 'value'> => {
  const bar = text.indexOf('|');
  return { system: text.slice(0, bar), value: text.slice(bar + 1) };
};

function resourceOf({ contentType, body }: FeedRequest): unknown {
  if (contentType.includes('xml')) {
    const root = parseXml(Buffer.from(body), XML);
    return root.ok ? fromXml(root.value) : null;
  }
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body)) as unknown;
  } catch {
    // Not JSON in UTF-8: told by the caller as what cannot be read.
    return null;
  }
}

type FeedRecord = PatientRecord | MergeRecord;
type Records = Result<readonly FeedRecord[]>;

interface Telling {
  readonly site: SiteProfile;
  readonly at: SourceTime;
  readonly findings: Finding[];
  readonly named: NamedPatients;
}

/** The identifier that a conditional update is about: `identifier=system|value`, once and nothing else (§3.104.4.1.2). */
export function updatedIdentifier(target: string): { readonly system: string; readonly value: string } | null {
  const query = new URL(target, 'http://hub.invalid').searchParams;
  const asked = [...query.keys()].filter((name) => !name.startsWith('_'));
  const [system = '', ...value] = (query.get('identifier') ?? '').split('|');
  if (asked.length !== 1 || asked[0] !== 'identifier' || system === '' || value.join('|') === '') return null;
  return { system, value: value.join('|') };
}

export function mapPatientFeed(
  entry: Pick<Envelope, 'bytes'> & { readonly receivedAt: string },
  site: SiteProfile,
): Mapped<FeedRecord> {
  const findings: Finding[] = [];
  const request = readRequest(entry.bytes);
  const resource = request === null ? null : resourceOf(request);
  const telling = { site, at: entry.receivedAt, findings, named: request?.named ?? new Map() };
  const read =
    request === null || resource === null
      ? fail(problem('malformed', 'body', 'The body is not a FHIR resource.'))
      : request.method === 'PUT'
        ? readUpdate(resource, request.target, telling)
        : readMessage(resource, telling);
  return read.ok ? { ok: true, records: read.value, findings } : { ok: false, problem: read.problem, findings };
}

/** Its structure first: what passes may be read as its type. */
function resourceFault(resource: unknown, type: 'Patient' | 'Bundle'): Problem | null {
  if ((resource as { resourceType?: unknown } | null)?.resourceType !== type)
    return problem('invalid-value', 'resourceType', `A ${type} resource is taken here.`);
  const [fault] = structureFaults(resource, type, () => false);
  return fault === undefined ? null : problem('malformed', fault.path, fault.text);
}

function readUpdate(resource: unknown, target: string, telling: Telling): Records {
  const named = updatedIdentifier(target);
  if (named === null)
    return fail(problem('required-missing', 'identifier', 'A Patient is updated by one identifier=system|value.'));
  const fault = resourceFault(resource, 'Patient');
  if (fault !== null) return fail(fault);
  const patient = resource as Patient;
  const told = patient.identifier?.some(({ system, value }) => system === named.system && value === named.value);
  if (told !== true)
    return fail(
      problem('invalid-value', 'Patient.identifier', 'The Patient does not have the identifier it is updated by.'),
    );
  const ref = { authority: authorityOfSystem(named.system), value: named.value };
  return recordsOf(patient, ref, telling, 'Patient', (link) => link.identifier ?? null);
}

const NOT_NAMED =
  'A Patient is removed by Patient?identifier=system|value with a number of the site, or by reference to one who has one there.';

/**
 * PMIR §3.93.4.1.3, Delete: the source takes its registration back. Named by a conditional url, or as a Patient of this
 * server with one number of the sender's site.
 */
function removed(url: string, telling: Telling): PatientRef | null {
  const [path = ''] = url.split('?');
  const named = path === 'Patient' || path.endsWith('/Patient') ? updatedIdentifier(url) : null;
  return named === null ? onlyNumber(url, null, telling) : ownNumber(named, telling.site);
}

/** Of a Patient of this server the one number of the sender's site, beside the one that ends in it; null: none, or several. */
function onlyNumber(reference: string, victim: PatientRef | null, { site, named }: Telling): PatientRef | null {
  const own = (named.get(reference) ?? []).flatMap((one) => ownNumber(one, site) ?? []);
  const [only, ...more] = own.filter(
    ({ authority, value }) => authority !== victim?.authority || value !== victim.value,
  );
  return only === undefined || more.length > 0 ? null : only;
}

/** `other`: the identifier of whom a link points to, where it or the message tells one. */
function recordsOf(
  patient: Patient,
  ref: PatientRef,
  telling: Telling,
  where: string,
  other: (link: Reference) => Identifier | null,
): Records {
  const { site, at, findings } = telling;
  const replaced = (patient.link ?? []).filter(({ type }) => type === 'replaced-by');
  if (patient.active !== false) {
    if (replaced.length > 0)
      return fail(problem('invalid-value', `${where}.active`, 'A Patient that was replaced is no longer active.'));
    const report = (code: Finding['code'], place: string, text: string): void =>
      void findings.push({ code, where: place, text });
    return ok([{ kind: 'patient', site: site.id, at, patient: ref, fields: toldFields(patient, site, report) }]);
  }
  const [link] = replaced;
  if (link === undefined || replaced.length > 1)
    return fail(
      problem('invalid-value', `${where}.link`, 'A Patient ends only by one link of type replaced-by to another one.'),
    );
  const named = other(link.other);
  const survivor = named === null ? onlyNumber(link.other.reference ?? '', ref, telling) : ownNumber(named, site);
  if (survivor === null)
    return fail(
      problem(
        'invalid-value',
        `${where}.link[0].other.identifier`,
        'The surviving patient is named by a number of the same site, or by reference to a Patient with one such number.',
      ),
    );
  return ok([{ kind: 'merge', site: site.id, at, survivor, victim: ref }]);
}

/** §3.93.4.1.2: a MessageHeader, and the Bundle of type history that its focus names. */
function readMessage(resource: unknown, telling: Telling): Records {
  const fault = resourceFault(resource, 'Bundle');
  if (fault !== null) return fail(fault);
  const { type, entry = [] } = resource as Bundle;
  const [first, second] = entry;
  if (type !== 'message')
    return fail(problem('invalid-value', 'Bundle.type', 'A Bundle of type message is taken here.'));
  const header = first?.resource as MessageHeader | undefined;
  const history = second?.resource as Bundle | undefined;
  if (header?.resourceType !== 'MessageHeader' || header.eventUri !== PMIR_FEED)
    return fail(
      problem(
        'unsupported-message',
        'Bundle.entry[0].resource',
        `The first entry is a MessageHeader with eventUri ${PMIR_FEED}.`,
      ),
    );
  if (history?.resourceType !== 'Bundle' || history.type !== 'history')
    return fail(
      problem('required-missing', 'Bundle.entry[1].resource', 'The second entry is a Bundle of type history.'),
    );
  const changes = history.entry ?? [];
  if (changes.length === 0 || changes.length > MOST_PATIENTS)
    return fail(
      problem('limit-exceeded', 'Bundle.entry[1].resource.entry', `From 1 to ${String(MOST_PATIENTS)} patients.`),
    );
  return readChanges(changes, telling);
}

function readChanges(changes: readonly BundleEntry[], telling: Telling): Records {
  const records: FeedRecord[] = [];
  const filedUnder = (patient: Patient): PatientRef | null =>
    (patient.identifier ?? [])
      .filter(({ use }) => use !== 'old')
      .flatMap((one) => ownNumber(one, telling.site) ?? [])
      .toSorted((a, b) => Number(isForeign(a, telling.site)) - Number(isForeign(b, telling.site)))[0] ?? null;
  const linked = ({ reference, identifier }: Reference): Identifier | null => {
    if (identifier !== undefined) return identifier;
    const target = changes.find(
      ({ fullUrl, resource }) => fullUrl === reference || `Patient/${resource?.id ?? ''}` === reference,
    )?.resource as Patient | undefined;
    const ref = target === undefined ? null : filedUnder(target);
    const of = target?.identifier?.find((one) => {
      const own = ownNumber(one, telling.site);
      return own?.authority === ref?.authority && own?.value === ref?.value;
    });
    return of ?? null;
  };
  for (const [at, { resource: told, request }] of changes.entries()) {
    const resource = told as Patient | undefined;
    const where = `Bundle.entry[1].resource.entry[${String(at)}].resource`;
    const method = request?.method;
    if (method === 'DELETE') {
      const ref = (resource === undefined ? null : filedUnder(resource)) ?? removed(request?.url ?? '', telling);
      if (ref === null) return fail(problem('invalid-value', where.replace('.resource', '.request.url'), NOT_NAMED));
      records.push({
        kind: 'patient',
        site: telling.site.id,
        at: telling.at,
        patient: ref,
        fields: { withdrawn: true },
      });
      continue;
    }
    if (method !== 'POST' && method !== 'PUT')
      return fail(problem('unsupported-message', where, 'Patients are created, revised, merged and removed here.'));
    if (resource?.resourceType !== 'Patient') return fail(problem('invalid-value', where, 'A Patient is taken here.'));
    const ref = filedUnder(resource);
    if (ref === null)
      return fail(
        problem('required-missing', `${where}.identifier`, 'The number under which the site files this patient.'),
      );
    const read = recordsOf(resource, ref, telling, where, linked);
    if (!read.ok) return read;
    records.push(...read.value);
  }
  // Who survives is registered before who ends in them.
  const order = (record: FeedRecord): number => (record.kind === 'merge' ? 1 : 0);
  return ok(records.toSorted((a, b) => order(a) - order(b)));
}

const isForeign = ({ authority }: PatientRef, site: SiteProfile): boolean =>
  authority !== site.patientIds.defaultAuthority;

/** MessageHeader.id is the same however often a message is sent (R4 §2.4.1.3); null: the sender gave none. */
export function messageIdOf(resource: unknown): string | null {
  const entry = (resource as Bundle | null)?.entry;
  const first = Array.isArray(entry) ? (entry[0] as BundleEntry | null | undefined) : undefined;
  const id = first?.resource?.id ?? first?.fullUrl;
  return typeof id === 'string' && /^[\x21-\x7e]{1,150}$/.test(id) ? id : null;
}
