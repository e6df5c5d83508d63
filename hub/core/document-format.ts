/** The data types of document metadata (ITI TF-3 §4.2.3.1): whether a text is a DTM, a CX, an OID, a reference id. */
import type { DocumentAssociation, EntryId, RegistryObject, Submission } from './document.ts';
import { parseOid } from './identifier.ts';

const ENTRY_ID = /^urn:uuid:[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
/** Also a malformed one: what begins so was not meant as a symbol. */
const ENTRY_ID_PREFIX = /^urn:uuid:/i;

export const isEntryId = (text: string): boolean => ENTRY_ID.test(text);
export const isSymbol = (text: string): boolean => !ENTRY_ID_PREFIX.test(text);

export const isOid = (text: string): boolean => text.length <= 64 && parseOid(text) !== null;

/** DTM: YYYY[MM[DD[hh[mm[ss]]]]], each part in its range (ITI TF-3 table 4.2.3.1.7-2). */
export function isDtm(text: string, digits?: number): boolean {
  if (!/^\d{4}(\d\d){0,5}$/.test(text) || (digits !== undefined && text.length !== digits)) return false;
  const part = (at: number, otherwise: number): number =>
    text.length > at ? Number(text.slice(at, at + 2)) : otherwise;
  const [month, day] = [part(4, 1), part(6, 1)];
  if (month < 1 || month > 12 || part(8, 0) > 23 || part(10, 0) > 59 || part(12, 0) > 59) return false;
  return day >= 1 && day <= new Date(Date.UTC(Number(text.slice(0, 4)), month, 0)).getUTCDate();
}

/** `id^^^&oid&ISO` and nothing else (ITI TF-3 §4.2.3.2.16). */
export function isCx(text: string): boolean {
  const match = /^([^^&|~]+)\^\^\^&([0-9.]+)&ISO$/.exec(text);
  return match !== null && isOid(match[2] ?? '');
}

/** CXi: `id^^^&oid&ISO^idType[^homeCommunityId]`; a study UID has no authority (ITI TF-3 §4.2.3.2.28). */
export function isReferenceId(text: string): boolean {
  const [id = '', second = '', third = '', authority = '', type = ''] = text.split('^');
  if (id === '' || second !== '' || third !== '' || type === '') return false;
  if (authority === '') return true;
  const match = /^([^&]*)&([0-9.]+)&ISO$/.exec(authority);
  return match !== null ? isOid(match[2] ?? '') : /^[^&]+(&&)?$/.test(authority);
}

/**
 * OIDs as unique ids may be longer than the 64 characters of other OIDs: the guide of MHD has such in its examples, and
 * sources make them from UUIDs (1.2.840.113556.1.8000.2554…).
 */
export const isUniqueOid = (text: string): boolean => text.length <= 128 && parseOid(text) !== null;

/**
 * An OID, `oid^extension`, or a UUID as URN; at most 128 characters (ITI TF-3 §4.2.3.2.26). A URN's digits are in lower case
 * (FHIR R4 §2.24.0.1, uuid): in another it would be the same name (RFC 9562 §4) and another text, so it is refused.
 */
export function isDocumentUniqueId(text: string): boolean {
  if (text.length > 128) return false;
  if (isEntryId(text)) return true;
  const [oid = '', extension, more] = text.split('^');
  return isUniqueOid(oid) && extension !== '' && more === undefined;
}

/** RFC 5646, its shape only. */
export const isLanguage = (text: string): boolean => /^[A-Za-z]{1,8}(-[A-Za-z0-9]{1,8})*$/.test(text);

/** `PID-n|value`, of the fields that the profile names (ITI TF-3 §4.2.3.2.23). */
export const isPatientInfo = (text: string): boolean => /^PID-(3|5|7|8|11)\|/.test(text);

/**
 * Every symbolic id gets a real one, and everything that speaks of it with it (ITI TF-3 §4.2.1.3). `sentAs` leads back:
 * what is wrong is told the sender in its own names.
 */
export function withRealIds(
  submission: Submission,
  draw: () => EntryId,
): { readonly submission: Submission; readonly sentAs: ReadonlyMap<string, string> } {
  const real = new Map<EntryId, EntryId>();
  for (const { id } of [...submission.objects, ...submission.associations])
    if (isSymbol(id) && !real.has(id)) real.set(id, draw());
  const of = (id: EntryId): EntryId => real.get(id) ?? id;
  const objects = submission.objects.map((object): RegistryObject => ({
    ...object,
    id: of(object.id),
    lid: of(object.lid),
  }));
  const associations = submission.associations.map((one): DocumentAssociation => ({
    ...one,
    id: of(one.id),
    source: of(one.source),
    target: of(one.target),
  }));
  const sentAs = new Map([...real].map(([symbol, id]) => [id as string, symbol as string]));
  return { submission: { objects, associations }, sentAs };
}
