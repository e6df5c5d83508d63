/**
 * ITI-44 as the feed of a hospital's own numbers (ITI TF-2 §3.44.4): registrations, revisions and merges in HL7 v3 to
 * records, as the journal keeps them. Affinity-domain ids are `patient-feed.ts`.
 */
import type { Envelope, Mapped } from '../../hub/core/envelope.ts';
import { fail, ok, problem, type Finding, type Result } from '../../hub/core/problem.ts';
import type {
  Identifier,
  MergeRecord,
  PatientFields,
  PatientRecord,
  PatientRef,
  PersonName,
} from '../../hub/core/record.ts';
import type { SiteProfile } from '../../hub/core/site.ts';
import { sexOf } from '../codes/demographics.ts';
import { RESIDENT_AUTHORITY } from '../codes/identifier-type.ts';
import { present } from '../hl7v2/context.ts';
import { residentIdentifier, type Report } from '../hl7v2/identity.ts';
import { splitHan, tidyName } from '../hl7v2/name.ts';
import { readDate, readTime } from '../hl7v2/time.ts';
import { attributeOf, down } from './hl7v3.ts';
import { feedKindOf } from './patient-feed.ts';
import { parseXml } from './xml.ts';
import type { XmlElement } from './xml.ts';

const EVENT = ['controlActProcess', 'subject', 'registrationEvent'] as const;
const WHERE = EVENT.join('/');
const LIMITS = { bytes: 16 * 1024 ** 2, depth: 64, elements: 100_000 };

type FeedRecord = PatientRecord | MergeRecord;

/** Roots of all ids by which the message names its patients. */
export const feedAuthorities = (body: XmlElement): readonly string[] =>
  down([body], ...EVENT, 'subject1', 'patient', 'id').map((id) => attributeOf(id, 'root'));

/** `root^extension` of the message, by which it is known when it comes again; null: it has none. */
export function feedMessageId(body: XmlElement): string | null {
  const [id] = down([body], 'id');
  const [root, extension] = [attributeOf(id, 'root'), attributeOf(id, 'extension')];
  return root === '' || `${root}^${extension}`.length > 200 ? null : `${root}^${extension}`;
}

export function mapIdentityFeed(
  entry: Pick<Envelope, 'bytes'> & { readonly receivedAt: string },
  site: SiteProfile,
): Mapped<FeedRecord> {
  const findings: Finding[] = [];
  const report: Report = (code, where, text) => void findings.push({ code, where, text });
  const root = parseXml(Buffer.from(entry.bytes), LIMITS);
  const read = root.ok ? readFeed(root.value, entry.receivedAt, site, report) : root;
  return read.ok ? { ok: true, records: read.value, findings } : { ok: false, problem: read.problem, findings };
}

function readFeed(
  body: XmlElement,
  receivedAt: string,
  site: SiteProfile,
  report: Report,
): Result<readonly FeedRecord[]> {
  const kind = feedKindOf(body);
  if (kind === undefined)
    return fail(problem('unsupported-message', 'Body', 'The body is no patient identity feed message.'));
  const at = messageTime(body, receivedAt, site);
  const patients = down([body], ...EVENT, 'subject1', 'patient');
  const [patient] = patients;
  const ref = patient === undefined || patients.length > 1 ? null : ownIn(down([patient], 'id'), site);
  if (patient === undefined || ref === null)
    return fail(problem('required-missing', `${WHERE}/subject1/patient/id`, 'One patient with a number of this site.'));
  const fields = fieldsOf(patient, site, report);
  const registered: PatientRecord = { kind: 'patient', site: site.id, at, patient: ref, fields };
  if (kind !== 'merge') return ok([registered]);
  const ended = down([body], ...EVENT, 'replacementOf', 'priorRegistration', 'subject1', 'priorRegisteredRole', 'id');
  const victims = ended.flatMap((id) => ownIn([id], site) ?? []);
  const place = `${WHERE}/replacementOf`;
  if (victims.length === 0) return fail(problem('required-missing', place, 'There is no prior number of this site.'));
  if (victims.some(({ authority, value }) => authority === ref.authority && value === ref.value))
    return fail(problem('invalid-value', place, 'A patient cannot be merged into itself.'));
  return ok([
    registered,
    ...victims.map((victim): MergeRecord => ({ kind: 'merge', site: site.id, at, survivor: ref, victim })),
  ]);
}

/** creationTime orders a sender's messages; one far ahead of the clock stands for nothing. */
function messageTime(body: XmlElement, receivedAt: string, site: SiteProfile): string {
  const told = readTime(attributeOf(down([body], 'creationTime')[0], 'value'), beliefOf(site));
  return told === null || Date.parse(told) > Date.parse(receivedAt) + 3_600_000 ? receivedAt : told;
}

const beliefOf = ({ timeZone }: SiteProfile): { timeZone: string; dateFormats: string[] } => ({
  timeZone,
  dateFormats: [],
});

/** The number under which the site files the patient: of its own authority first. */
function ownIn(ids: readonly XmlElement[], { patientIds }: SiteProfile): PatientRef | null {
  const all = ids.map((id) => ({ authority: attributeOf(id, 'root'), value: attributeOf(id, 'extension') }));
  const numbers = all.filter(({ value }) => value !== '' && value.length <= 256);
  const authorities = [patientIds.defaultAuthority, ...Object.values(patientIds.authorities)];
  return authorities.flatMap((one) => numbers.filter(({ authority }) => authority === one))[0] ?? null;
}

function fieldsOf(patient: XmlElement, site: SiteProfile, report: Report): PatientFields {
  const [person] = down([patient], 'patientPerson');
  const ids = [
    ...down([patient], 'id'),
    ...(person === undefined ? [] : [...down([person], 'id'), ...down([person], 'asOtherIDs', 'id')]),
  ];
  const identifiers = ids.flatMap((id, at) => identifierOf(id, `patient/id[${String(at + 1)}]`, report));
  if (person === undefined) return { identifiers };
  const [sex] = down([person], 'administrativeGenderCode');
  const known = sex === undefined ? null : sexIn(attributeOf(sex, 'code'));
  const born = attributeOf(down([person], 'birthTime')[0], 'value');
  const date = born === '' ? null : readDate(born.slice(0, 8), beliefOf(site));
  if (typeof date === 'string')
    report('invalid-value', 'patientPerson/birthTime', 'this is no birth date; it was left out');
  const [address] = down([person], 'addr')
    .map(textOf)
    .filter((text) => text !== '');
  const dead = attributeOf(down([person], 'deceasedInd')[0], 'value');
  const phone = down([person], 'telecom').map((one) => attributeOf(one, 'value'));
  return present({
    names: namesOf(down([person], 'name')),
    sex: known ?? undefined,
    birthDate: date === null || typeof date === 'string' ? undefined : date.date,
    ...(identifiers.length === 0 ? {} : { identifiers }),
    phone: phone
      .find((value) => /^(tel:)?[+\d(]/.test(value))
      ?.replace(/^tel:/, '')
      .slice(0, 64),
    address: address === undefined ? undefined : { text: address },
    deceased: dead === '' ? undefined : dead === 'true',
  });
}

const sexIn = (code: string): PatientFields['sex'] => (code === 'UN' ? 'other' : sexOf(code));

function identifierOf(id: XmlElement, where: string, report: Report): readonly Identifier[] {
  const [authority, value] = [attributeOf(id, 'root'), attributeOf(id, 'extension')];
  if (authority === '' || value === '' || value.length > 256) return [];
  return [
    authority === RESIDENT_AUTHORITY ? residentIdentifier(value, where, report) : { authority, value, type: 'PI' },
  ];
}

/** `Unknown` stands where the schema wants a name and the sender has none. */
const NO_NAME = /^(unknown|未知|不详|无名氏?|佚名)$/i;

function namesOf(names: readonly XmlElement[]): readonly PersonName[] | undefined {
  const found: PersonName[] = [];
  for (const name of names) {
    const part = (of: string): string =>
      tidyName(
        down([name], of)
          .map(({ text }) => text)
          .join(' '),
      );
    const [family, given] = [part('family'), part('given')];
    const han = /\p{Script=Han}/u.test(family + given);
    const text = tidyName(family + given === '' ? name.text : [family, given].filter(Boolean).join(han ? '' : ' '));
    if (text === '' || NO_NAME.test(text)) continue;
    const uses = attributeOf(name, 'use').split(' ');
    const written = /\p{Script=Han}/u.test(text);
    const representation = written ? 'ideographic' : uses.includes('SYL') ? 'phonetic' : 'alphabetic';
    if (found.some((one) => one.representation === representation)) continue;
    const cut = family === '' || given === '' ? splitHan(text) : { family, given };
    found.push({ text, representation, ...(cut ?? {}) });
  }
  return found.length === 0 ? undefined : found;
}

/** Parts of an AD from large to small where it is Chinese, else as they stand. */
function textOf(address: XmlElement): string {
  const part = (of: string): string =>
    down([address], of)
      .map(({ text }) => text.trim())
      .join(' ');
  const street = part('streetAddressLine') || part('streetName');
  const parts = [part('state'), part('city'), part('county'), street].filter((one) => one !== '');
  if (parts.length === 0) return address.text.trim();
  return /\p{Script=Han}/u.test(parts.join('')) ? parts.join('') : parts.reverse().join(', ');
}
