/**
 * Who the patient is: PID-3 (and MRG-1, PID-2, PID-19) as identifiers under canonical authorities, and which of them
 * the hospital itself files the patient under. A resident ID that fails its check digit is kept, but never links.
 */
import { parseResidentId } from '../../hub/core/identifier.ts';
import type { Identifier, PatientRef } from '../../hub/core/record.ts';
import type { Finding } from '../../hub/core/problem.ts';
import type { SiteProfile } from '../../hub/core/site.ts';
import { identifierTypeOf, RESIDENT_AUTHORITY } from '../codes/identifier-type.ts';
import { NOT_TEXT, type Field, type Segment } from './message.ts';

/** Types under which a hospital files a patient (HL7 table 0203). */
const LOCAL_TYPES = new Set(['', 'PI', 'MR', 'PT', 'PN', 'LR', 'MRT', 'U', 'RI', 'MA', 'EN', 'XX']);
/** Types that name the person elsewhere, or a visit: never the hospital's own number of the patient. */
const FOREIGN_TYPES =
  /^(NI|NI-invalid|NN[A-Z]{3}|PPN|SS|SB|DL|VN|AN|HC|MI|MC|MB|BC|BR|CZ|DP|PNT|PRC|TAX|WC|JHN|PHC|SN|VISA|NPI|cv:.+)$/;
const MAX_IDENTIFIERS = 100;

interface Read {
  readonly identifier: Identifier;
  /** How well it serves as the hospital's own number: 0 best; null: not at all. */
  readonly rank: number | null;
}

export type Report = (code: Finding['code'], where: string, text: string) => void;
const silent: Report = () => undefined;

/** The canonical authority of an assigning authority as sent (HD: namespace, universal id, its type). */
function authorityOf(field: Field, site: SiteProfile, where: string, report: Report): string {
  const [namespace, universal] = [field.text(4, 1), field.text(4, 2)];
  const { authorities, defaultAuthority } = site.patientIds;
  for (const key of [universal, namespace]) {
    if (key === '') continue;
    if (key === defaultAuthority) return key;
    const known = Object.hasOwn(authorities, key) ? authorities[key] : undefined;
    if (known !== undefined) return known;
  }
  if (universal === '' && namespace === '') return defaultAuthority;
  report(
    'unmapped-code',
    `${where}.4`,
    `this assigning authority is not registered for ${site.id}; it was kept as sent`,
  );
  return universal || namespace;
}

/** The canonical authority of a number that is not a patient's own (HD in component 4), as sent where the site's data do not know it. */
export function assignerOf(field: Field, site: SiteProfile, otherwise: string): string {
  const key = field.text(4, 2) || field.text(4, 1) || otherwise;
  const { authorities } = site.patientIds;
  return Object.hasOwn(authorities, key) ? (authorities[key] ?? key) : key;
}

function readCx(field: Field, site: SiteProfile, where: string, report: Report): Read | null {
  const value = field.text(1).replace(/\s+/g, ' ');
  if (value === '' || value.length > 256) return null;
  if (value.includes(NOT_TEXT)) {
    report('identifier-suspect', where, 'this identifier holds a control character; it was left out');
    return null;
  }
  const type = identifierTypeOf(field.text(5), site);
  if (type === 'NI') return { identifier: residentIdentifier(value, where, report), rank: null };
  const authority = authorityOf(field, site, where, report);
  const own = authority === site.patientIds.defaultAuthority;
  const known = LOCAL_TYPES.has(type);
  if (!known && !FOREIGN_TYPES.test(type)) report('unmapped-code', `${where}.5`, 'this identifier type is not known');
  const rank = FOREIGN_TYPES.test(type) ? null : (known ? 0 : 2) + (own ? 0 : 1);
  return { identifier: { authority, value, type: type || 'PI' }, rank };
}

/** GB 11643-1999: canonical and under the national authority when valid, else of a type that no linking looks at. */
export function residentIdentifier(value: string, where: string, report: Report): Identifier {
  const parsed = parseResidentId(value);
  if (parsed.ok) {
    if (parsed.warning !== undefined) report('identifier-suspect', where, 'the resident ID names a birth before 1900');
    return { authority: RESIDENT_AUTHORITY, value: parsed.id, type: 'NI' };
  }
  report('identifier-suspect', where, `the resident ID is not valid (${parsed.reason}); it was kept but links nobody`);
  return { authority: RESIDENT_AUTHORITY, value, type: 'NI-invalid' };
}

function read(segment: Segment, field: number, site: SiteProfile, report: Report): readonly Read[] {
  const found: Read[] = [];
  for (const { field: one, at } of segment.repetitions(field).slice(0, MAX_IDENTIFIERS)) {
    const value = readCx(one, site, `${segment.name}-${String(field)}[${String(at)}]`, report);
    if (value !== null) found.push(value);
  }
  return found;
}

/** The best of the local numbers, the first of equals; null: the message files the patient under none. */
const refOf = (found: readonly Read[]): PatientRef | null => refsOf(found)[0] ?? null;

const refsOf = (found: readonly Read[]): readonly PatientRef[] =>
  found
    .filter((one) => one.rank !== null)
    .sort((a, b) => (a.rank ?? 0) - (b.rank ?? 0))
    .map(({ identifier: { authority, value } }) => ({ authority, value }));

/** All local numbers of PID-3, the best first. */
export const localRefs = (segment: Segment, field: number, site: SiteProfile): readonly PatientRef[] =>
  refsOf(read(segment, field, site, silent));

/** The local patient of PID-3, or of MRG-1. */
export function localRef(segment: Segment, field: number, site: SiteProfile): PatientRef | null {
  return refOf(read(segment, field, site, silent));
}

export interface Identity {
  readonly ref: PatientRef | null;
  readonly identifiers: readonly Identifier[];
}

/** PID-3 with PID-2 (external id, to 2.6) and PID-19, which Chinese senders fill with the resident ID. */
export function readIdentity(pid: Segment, site: SiteProfile, report: Report): Identity {
  const found = read(pid, 3, site, report);
  const all = found.map((one) => one.identifier);
  const nineteenth = pid.text(19);
  if (parseResidentId(nineteenth).ok) all.push(residentIdentifier(nineteenth, 'PID-19', report));
  else if (nineteenth !== '') all.push({ authority: `${site.id}:PID-19`, value: nineteenth, type: 'SS' });
  const seen = new Set<string>();
  const identifiers = all.filter((one) => {
    const key = `${one.type}|${one.authority}|${one.value}`;
    return seen.has(key) ? false : seen.add(key);
  });
  return { ref: refOf(found), identifiers };
}
