/** Data types of XDS metadata (ITI TF-3 §4.2.3.1.7: CX, CXi, XCN, XON, XTN, DTM) as FHIR data types and back. */
import type {
  CodeableConcept,
  Coding,
  ContactPoint,
  HumanName,
  Identifier,
  Organization,
  Practitioner,
} from 'fhir/r4.js';
import type { DocumentCode, LocalizedText } from '../../hub/core/document.ts';
import { parseOid } from '../../hub/core/identifier.ts';
import { SYSTEMS } from './context.ts';
import { compact, list, text } from './datatypes.ts';
import { schemeOfSystem, systemOfScheme } from './mhd-terms.ts';
import { dateRange } from './search-date.ts';

const parts = (value: string): string[] => value.split('^').map((part) => part.trim());
/** Components joined, without the empty ones at the end. */
const joined = (components: readonly (string | undefined)[]): string =>
  components
    .map((one) => (one ?? '').replaceAll('^', ' '))
    .join('^')
    .replace(/\^+$/, '');

/** Leaves out what is undefined; empty lists of XDS metadata stay. */
export const defined = <T extends object>(value: { readonly [K in keyof T]: T[K] | undefined }): T =>
  Object.fromEntries(Object.entries(value).filter(([, member]) => member !== undefined)) as T;

export const firstText = (value: LocalizedText): string | undefined => text(value[0]?.text);
export const plainText = (value: string | undefined): LocalizedText =>
  value === undefined || value.trim() === '' ? [] : [{ text: value }];

/** HD of an authority: `&oid&ISO`; another namespace is a URI of its own. */
const authorityOf = (hd: string | undefined): string | undefined => {
  const [name = '', universal = ''] = (hd ?? '').split('&');
  return universal !== '' ? systemOfAuthority(universal) : name === '' ? undefined : systemOfAuthority(name);
};
const systemOfAuthority = (authority: string): string =>
  parseOid(authority) !== null && authority.includes('.') ? `urn:oid:${authority}` : authority;
/** HD: `&oid&ISO`, or the namespace alone, which may be a URI. */
const hdOf = (system: string | undefined): string => {
  if (system === undefined) return '';
  const oid = system.replace(/^urn:oid:/, '');
  return oid === system ? system.replaceAll('&', '') : `&${oid}&ISO`;
};

/** `id^^^&oid&ISO`. */
export function identifierOfCx(cx: string): Identifier | undefined {
  const [id = '', , , authority] = parts(cx);
  return id === '' ? undefined : compact<Identifier>({ system: authorityOf(authority), value: id });
}
export const cxOf = (identifier: Identifier): string => joined([identifier.value, '', '', hdOf(identifier.system)]);

export const REFERENCE_TYPES = {
  uniqueId: 'urn:ihe:iti:xds:2013:uniqueId',
  encounter: 'urn:ihe:iti:xds:2015:encounterId',
  study: 'urn:ihe:iti:xds:2016:studyInstanceUID',
} as const;

/** CXi (ITI TF-3 §4.2.3.2.28) `id^^^authority^type`: the type is the identifier's type (ITI TF-2x Appendix Z.9.1.2). */
export function identifierOfReferenceId(cxi: string): Identifier | undefined {
  const [id = '', , , authority, type = ''] = parts(cxi);
  if (id === '') return undefined;
  const oid = parseOid(id) !== null && id.includes('.') ? `urn:oid:${id}` : id;
  if (type === REFERENCE_TYPES.uniqueId && !authority) return { system: SYSTEMS.uri, value: oid };
  const coded = type === '' ? undefined : { coding: [{ system: SYSTEMS.uri, code: type }] };
  if (type === REFERENCE_TYPES.study && !authority)
    return compact<Identifier>({ type: coded, system: SYSTEMS.dicomUid, value: oid });
  return compact<Identifier>({ type: coded, system: authorityOf(authority), value: id });
}

export function referenceIdOf(identifier: Identifier, otherwise = ''): string {
  const { system, value } = identifier;
  const bare = (value ?? '').replace(/^urn:oid:/, '');
  if (system === SYSTEMS.dicomUid) return joined([bare, '', '', '', REFERENCE_TYPES.study]);
  const type = (identifier.type?.coding ?? []).find((coding) => coding.system === SYSTEMS.uri)?.code ?? otherwise;
  if (system === SYSTEMS.uri) return joined([bare, '', '', '', type === '' ? REFERENCE_TYPES.uniqueId : type]);
  return joined([value, '', '', hdOf(system), type]);
}

/** uniqueId: an OID, `OID^extension`, or another string (ITI TF-3 §4.2.3.2.26). */
export function identifierOfUniqueId(uniqueId: string): Identifier {
  const [root = '', extension] = uniqueId.split('^');
  if (parseOid(root) !== null && extension) return { use: 'usual', system: `urn:oid:${root}`, value: extension };
  const url = /^([a-z]+:[^|\s]+)\|(.+)$/.exec(uniqueId);
  if (url) return { use: 'usual', system: url[1] ?? '', value: url[2] ?? '' };
  const oid = parseOid(uniqueId) !== null && uniqueId.includes('.');
  return { use: 'usual', system: SYSTEMS.uri, value: oid ? `urn:oid:${uniqueId}` : uniqueId };
}
export function uniqueIdOf(identifier: Identifier): string {
  const { system = '', value = '' } = identifier;
  if (system === SYSTEMS.uri || system === '') return value.replace(/^urn:oid:/, '');
  const oid = system.replace(/^urn:oid:/, '');
  return oid === system ? `${system}|${value}` : `${oid}^${value}`;
}

/** `id^family^given^second^suffix^prefix^degree^^authority`. */
export function practitionerOfXcn(xcn: string): Practitioner {
  const [id = '', family = '', given = '', second = '', suffix = '', prefix = '', degree = '', , authority] =
    parts(xcn);
  const name = compact<HumanName>({
    family: text(family),
    given: list(text(given), text(second)),
    prefix: list(text(prefix)),
    suffix: list(text(suffix)),
  });
  return compact<Practitioner>({
    resourceType: 'Practitioner',
    identifier: id === '' ? [] : [compact<Identifier>({ system: authorityOf(authority), value: text(id) })],
    name: Object.keys(name).length === 0 ? [] : [name],
    qualification: degree === '' ? [] : [{ code: { text: text(degree) ?? degree } }],
  });
}
export function xcnOf(person: {
  readonly identifier?: Identifier[] | undefined;
  readonly name?: HumanName[] | undefined;
  readonly qualification?: Practitioner['qualification'];
}): string {
  const [identifier] = person.identifier ?? [];
  const [name] = person.name ?? [];
  return joined([
    identifier?.value,
    name?.family ?? (name?.given ? undefined : name?.text),
    name?.given?.[0],
    name?.given?.slice(1).join(' '),
    name?.suffix?.[0],
    name?.prefix?.[0],
    person.qualification?.[0]?.code.text,
    '',
    hdOf(identifier?.system),
  ]);
}

/** `name^^^^^authority^^^^id`; an id that is an OID needs no authority. */
export function organizationOfXon(xon: string): Organization {
  const [name = '', , , , , authority, , , , id = ''] = parts(xon);
  const system = authorityOf(authority);
  const oid = system === undefined && parseOid(id) !== null && id.includes('.');
  const identifier = oid ? { system: SYSTEMS.uri, value: `urn:oid:${id}` } : { system, value: text(id) };
  return compact<Organization>({
    resourceType: 'Organization',
    identifier: id === '' ? [] : [compact<Identifier>(identifier)],
    name: text(name),
  });
}
export function xonOf(organization: Pick<Organization, 'identifier' | 'name'>): string {
  const [identifier] = organization.identifier ?? [];
  const oid = identifier?.system === SYSTEMS.uri ? identifier.value?.replace(/^urn:oid:/, '') : undefined;
  const authority = oid === undefined ? hdOf(identifier?.system) : '';
  return joined([organization.name, '', '', '', '', authority, '', '', '', oid ?? identifier?.value]);
}

/** `^^Internet^mail`, or a telephone in XTN.12, XTN.1 or in its parts. */
export function contactOfXtn(xtn: string): ContactPoint | undefined {
  const [first, , equipment = '', mail, country, area, local, , , , , whole] = parts(xtn);
  if (text(mail) !== undefined) return { system: equipment === 'X.400' ? 'other' : 'email', value: mail ?? '' };
  const number = text(whole) ?? text(first) ?? text([country, area, local].filter(Boolean).join(' '));
  return number === undefined ? undefined : { system: equipment === 'FX' ? 'fax' : 'phone', value: number };
}
export function xtnOf(contact: ContactPoint): string | undefined {
  const value = text(contact.value);
  if (value === undefined) return undefined;
  if (contact.system === 'email') return joined(['', '', 'Internet', value]);
  if (contact.system === 'phone' || contact.system === 'fax')
    return joined(['', '', contact.system === 'fax' ? 'FX' : 'PH', ...Array<string>(8).fill(''), value]);
  return joined(['', '', 'X.400', value]);
}

export function codingOf(code: DocumentCode): Coding | undefined {
  const value = text(code.code)?.replace(/\s+/g, ' ');
  if (value === undefined) return undefined;
  return compact<Coding>({ system: systemOfScheme(code.scheme), code: value, display: firstText(code.display) });
}
export function conceptOf(code: DocumentCode | undefined): CodeableConcept | undefined {
  const coding = code && codingOf(code);
  return coding && { coding: [coding] };
}
export const codeOfCoding = (coding: Coding): DocumentCode => ({
  code: coding.code ?? '',
  scheme: schemeOfSystem(coding.system),
  display: plainText(coding.display),
});
/** The first coding: XDS knows one code where FHIR may give several. */
export function codeOf(concept: CodeableConcept | undefined): DocumentCode | undefined {
  const coding = (concept?.coding ?? []).find((one) => one.code !== undefined);
  if (coding === undefined) return undefined;
  const code = codeOfCoding(coding);
  return code.display.length > 0 ? code : { ...code, display: plainText(concept?.text) };
}

const DTM = /^(\d{4})(?:(\d{2})(?:(\d{2})(?:(\d{2})(?:(\d{2})(?:(\d{2}))?)?)?)?)?$/;

/** DTM (UTC) of any precision as R4 dateTime; an hour alone is the full hour, since R4 knows no hours. */
export function dateTimeOfDtm(dtm: string | undefined): string | undefined {
  const match = DTM.exec((dtm ?? '').replace(/\..*$/, ''));
  if (!match) return undefined;
  const [, year, month, day, hour, minute = '00', second = '00'] = match;
  const date = [year, month, day].filter((part) => part !== undefined).join('-');
  const value = hour === undefined ? date : `${date}T${hour}:${minute}:${second}Z`;
  return dateRange(value) === null ? undefined : value;
}
/** The inverse: a time goes to UTC, a date keeps its precision. */
export function dtmOfDateTime(dateTime: string | undefined): string | undefined {
  if (dateTime === undefined) return undefined;
  if (!dateTime.includes('T')) return dateTime.replaceAll('-', '');
  const at = Date.parse(dateTime);
  return Number.isNaN(at) ? undefined : new Date(at).toISOString().slice(0, 19).replace(/[-T:]/g, '');
}

export const hashOfHex = (hex: string): string => Buffer.from(hex, 'hex').toString('base64');
/** base64 of the SHA-1; base64 of its hex digits as well, which the guide's own examples carry. */
export function hexOfHash(hash: string): string | null {
  const bytes = Buffer.from(hash, 'base64');
  if (bytes.length === 20) return bytes.toString('hex');
  const digits = bytes.toString('latin1').toLowerCase();
  return /^[0-9a-f]{40}$/.test(digits) ? digits : null;
}
