/** The hub's values as FHIR data types: text that any FHIR string may hold, identifier systems, coded values. */
import type { CodeableConcept, Coding, Extension, Identifier, Meta, Reference } from 'fhir/r4.js';
import { parseOid } from '../../hub/core/identifier.ts';
import type { Coded } from '../../hub/core/record.ts';
import { CANONICAL, SYSTEMS } from './context.ts';
import { dateRange } from './search-date.ts';

/**
 * FHIR R4 §2.24.0.1: no character below U+0020 but tab, CR and LF, and no empty string. XML 1.0 §2.2 bars lone surrogates and
 * U+FFFE/U+FFFF too. What cannot stand is shown as U+FFFD, so that its place is seen.
 */
export function text(value: string | null | undefined): string | undefined {
  if (value === null || value === undefined) return undefined;

  const clean = value.replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]|\p{Surrogate}/gu, '\ufffd').trim();
  return clean === '' ? undefined : clean;
}

/** Leaves out what is undefined, null or an empty list: FHIR knows no empty elements. */
export function compact<T extends object>(value: { readonly [K in keyof T]: T[K] | null | undefined }): T {
  const kept = Object.entries(value).filter(
    ([, member]) => member !== undefined && member !== null && !(Array.isArray(member) && member.length === 0),
  );
  return Object.fromEntries(kept) as T;
}

export const list = <T>(...values: readonly (T | null | undefined)[]): T[] =>
  values.filter((value): value is T => value !== null && value !== undefined);

/** An assigning authority as an identifier system: OIDs as urn:oid, URIs as they are, names under the hub's own URI. */
export function identifierSystem(authority: string): string {
  if (parseOid(authority) !== null && authority.includes('.')) return `urn:oid:${authority}`;
  if (/^(urn:|https?:\/\/)\S+$/.test(authority)) return authority;
  return `${CANONICAL}/NamingSystem/namespace/${encodeURIComponent(text(authority) ?? '')}`;
}

/** The authority that the system was made of. */
export function authorityOfSystem(system: string): string {
  const namespace = `${CANONICAL}/NamingSystem/namespace/`;
  if (system.startsWith(namespace)) return decodeURIComponent(system.slice(namespace.length));
  return system.replace(/^urn:oid:/, '');
}

/** Code systems are named in site tables by OID, URI or a plain word. */
export function codeSystem(system: string): string | undefined {
  if (system === '') return undefined;
  if (system === 'DCM') return SYSTEMS.dcm;
  if (system === 'LN') return SYSTEMS.loinc;
  if (system === 'SCT' || system === 'SNM') return SYSTEMS.snomed;
  if (parseOid(system) !== null && system.includes('.')) return `urn:oid:${system}`;
  if (/^(urn:|https?:\/\/)\S+$/.test(system)) return system;
  return `${CANONICAL}/CodeSystem/${encodeURIComponent(text(system) ?? '')}`;
}

/** R4 `code`: no blanks but single inner ones. */
const codeText = (value: string): string | undefined => text(value)?.replace(/\s+/g, ' ');

export function coding(system: string | undefined, code: string, display?: string): Coding | undefined {
  const clean = codeText(code);
  const shown = text(display);
  if (clean === undefined && shown === undefined) return undefined;
  return compact<Coding>({ system: clean === undefined ? undefined : system, code: clean, display: shown });
}

/** The provincial code first, then what the source sent; `text` is the source's own words. */
export function concept(coded: Coded | null | undefined): CodeableConcept | undefined {
  if (!coded) return undefined;
  const own = coding(codeSystem(coded.system), coded.code, coded.display);
  const source = coded.source;
  const theirs = source && coding(codeSystem(source.system ?? ''), source.code, source.display);
  const same = own && theirs && own.code === theirs.code && own.system === theirs.system;
  const words = text(source?.display) ?? text(coded.display) ?? text(source?.code);
  return orNothing(compact<CodeableConcept>({ coding: list(own, same ? null : theirs), text: words }));
}

export function orNothing<T extends object>(value: T): T | undefined {
  return Object.keys(value).length === 0 ? undefined : value;
}

export function typedIdentifier(
  type: string | null,
  system: string | undefined,
  value: string | null | undefined,
  assigner?: Reference,
): Identifier | undefined {
  const clean = text(value);
  if (clean === undefined) return undefined;
  const isDocumentType = type?.startsWith('cv:') === true;
  const typeCoding =
    type === null
      ? undefined
      : isDocumentType
        ? coding(SYSTEMS.cvDocumentType, type.slice(3))
        : coding(SYSTEMS.identifierType, type);
  return compact<Identifier>({
    type: typeCoding && { coding: [typeCoding] },
    system,
    value: clean,
    assigner,
  });
}

export const meta = (profile: string): Meta => ({ profile: [profile] });

/** A person or place known by name only. */
export function named(name: string | null | undefined): Reference | undefined {
  const display = text(name);
  return display === undefined ? undefined : { display };
}

export const extension = <K extends keyof Extension>(
  url: string,
  key: K,
  value: Extension[K] | null | undefined,
): Extension | undefined => (value === undefined || value === null ? undefined : { url, [key]: value });

/** R4 dateTime from a source time; undefined where it is none. */
export function dateTime(time: string | null | undefined): string | undefined {
  return time && /T\d{2}:\d{2}:\d{2}(\.\d+)?(Z|[+-]\d{2}:\d{2})$/.test(time) && dateRange(time) ? time : undefined;
}

/** R4 date of any precision. */
export function partialDate(date: string | null | undefined): string | undefined {
  return date && !date.includes('T') && dateRange(date) ? date : undefined;
}
