/** What the FHIR projection must be told, and the canonical names it uses. */
import type { Derivation, SiteId } from '../../hub/core/identifier.ts';
import type { SiteProfile } from '../../hub/core/site.ts';

export interface FhirContext {
  readonly derive: Derivation;
  /** OID under which the provincial exam index is issued. */
  readonly examIndexOid: string;
  /** XDS affinity domain: authority of the provincial person ids. */
  readonly affinityDomainOid: string;
  readonly repositoryOid: string;
  site(id: SiteId): SiteProfile | null;
}

/** Base of the hub's own canonical URLs. `.example` (RFC 2606) until the province names its own domain. */
export const CANONICAL = 'https://hutong.example/fhir';

export const profileUrl = (name: string): string => `${CANONICAL}/StructureDefinition/${name}`;

export const PROFILES = {
  Patient: profileUrl('HutongPatient'),
  Organization: profileUrl('HutongOrganization'),
  Endpoint: profileUrl('HutongEndpoint'),
  ServiceRequest: profileUrl('HutongServiceRequest'),
  ImagingStudy: profileUrl('HutongImagingStudy'),
  DiagnosticReport: profileUrl('HutongDiagnosticReport'),
  DocumentReference: profileUrl('HutongDocumentReference'),
  Consent: profileUrl('HutongConsent'),
} as const;

export const EXTENSIONS = {
  /** Name representation: IDE, ABC or SYL (R4 extension iso21090-EN-representation). */
  representation: 'http://hl7.org/fhir/StructureDefinition/iso21090-EN-representation',
  ethnicGroup: profileUrl('ethnic-group'),
  nationality: profileUrl('nationality'),
  availability: profileUrl('image-availability'),
  accessUrl: profileUrl('image-access-url'),
  findings: profileUrl('report-findings'),
  suggestion: profileUrl('report-suggestion'),
  positive: profileUrl('report-positive'),
  critical: profileUrl('report-critical'),
  institutionLevel: profileUrl('institution-level'),
} as const;

export const SYSTEMS = {
  /** Resident identity number (CODES §6). */
  residentId: 'urn:oid:2.16.156.10011.1.3',
  dicomUid: 'urn:dicom:uid',
  uri: 'urn:ietf:rfc:3986',
  dcm: 'http://dicom.nema.org/resources/ontology/DCM',
  loinc: 'http://loinc.org',
  snomed: 'http://snomed.info/sct',
  identifierType: 'http://terminology.hl7.org/CodeSystem/v2-0203',
  diagnosticService: 'http://terminology.hl7.org/CodeSystem/v2-0074',
  connectionType: 'http://terminology.hl7.org/CodeSystem/endpoint-connection-type',
  organizationType: 'http://terminology.hl7.org/CodeSystem/organization-type',
  availability: `${CANONICAL}/CodeSystem/image-availability`,
  bodyPartExamined: `${CANONICAL}/CodeSystem/dicom-body-part-examined`,
  cvDocumentType: 'urn:oid:2.16.156.10011.2.3.1.1',
  institution: `${CANONICAL}/NamingSystem/institution-code`,
  uscc: 'urn:oid:2.16.156.10011.1.5',
  journal: `${CANONICAL}/NamingSystem/journal-entry`,
  /** Purposes of use that HL7 has no code for. */
  purpose: `${CANONICAL}/CodeSystem/purpose-of-use`,
} as const;

/** Stands in `url` values for the address at which the hub is reached; the face puts that in. */
export const HUB_ORIGIN = 'urn:hutong:origin';
