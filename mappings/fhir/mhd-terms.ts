/** Canonical names of IHE MHD, and code systems by the OID that XDS knows them by and the URI that FHIR does. */
import { parseOid } from '../../hub/core/identifier.ts';
import { CANONICAL, SYSTEMS } from './context.ts';
import { codeSystem } from './datatypes.ts';

const MHD = 'https://profiles.ihe.net/ITI/MHD';

export const mhdProfile = (name: string): string => `${MHD}/StructureDefinition/IHE.MHD.${name}`;

export const MHD_EXTENSIONS = {
  designationType: `${MHD}/StructureDefinition/ihe-designationType`,
  sourceId: `${MHD}/StructureDefinition/ihe-sourceId`,
  intendedRecipient: `${MHD}/StructureDefinition/ihe-intendedRecipient`,
  authorOrg: `${MHD}/StructureDefinition/ihe-authorOrg`,
} as const;

export const LIST_TYPES = `${MHD}/CodeSystem/MHDlistTypes`;
/** Marks the logical id among the identifiers of a DocumentReference (MHD identifier types). */
export const IDENTIFIER_TYPES = `${MHD}/CodeSystem/DocumentIdentifierTypes`;

/** HL7 terminology: the URI of a system is not `urn:oid:` where FHIR names it otherwise (R4 §4.3.0). */
const KNOWN: readonly (readonly [oid: string, uri: string])[] = [
  ['2.16.840.1.113883.6.1', SYSTEMS.loinc],
  ['2.16.840.1.113883.6.96', SYSTEMS.snomed],
  ['1.2.840.10008.2.16.4', SYSTEMS.dcm],
  ['2.16.840.1.113883.5.25', 'http://terminology.hl7.org/CodeSystem/v3-Confidentiality'],
  ['2.16.840.1.113883.5.4', 'http://terminology.hl7.org/CodeSystem/v3-ActCode'],
  ['1.3.6.1.4.1.19376.1.2.3', 'http://ihe.net/fhir/ihe.formatcode.fhir/CodeSystem/formatcode'],
];
const URI_OF = new Map(KNOWN);
const OID_OF = new Map(KNOWN.map(([oid, uri]) => [uri, oid]));
const NAMED = `${CANONICAL}/CodeSystem/`;

/** Coding scheme of XDS (OID, URI, or a plain name) as a FHIR system. */
export const systemOfScheme = (scheme: string): string | undefined => URI_OF.get(scheme) ?? codeSystem(scheme);

/** The inverse; what is neither OID nor one of the hub's own names stays the URI that it is. */
export function schemeOfSystem(system: string | undefined): string {
  if (system === undefined) return '';
  const known = OID_OF.get(system);
  if (known !== undefined) return known;
  const oid = system.replace(/^urn:oid:/, '');
  if (oid !== system && parseOid(oid) !== null) return oid;
  return system.startsWith(NAMED) ? decodeURIComponent(system.slice(NAMED.length)) : system;
}

/** One form of a system that may be written in two: `urn:oid:2.16.840.1.113883.6.1` is LOINC. */
export const canonicalSystem = (system: string): string => systemOfScheme(schemeOfSystem(system)) ?? system;
