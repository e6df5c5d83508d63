/**
 * What every face but REST lets be done, and the right that it takes: beside openapi/hub.yaml the other half of the table
 * role x operation (roles.md), and what test/conformance/access-walk.test.ts walks.
 */
import type { ActKind } from '../hub/core/access.ts';

export interface FaceOperation {
  readonly face: 'FHIR' | 'DICOMweb' | 'SOAP' | 'DIMSE' | 'HL7 v2' | 'HTTP';
  readonly operation: string;
  readonly act: ActKind;
}

const of = (face: FaceOperation['face'], act: ActKind, operations: readonly string[]): readonly FaceOperation[] =>
  operations.map((operation) => ({ face, operation, act }));

export const FACE_OPERATIONS: readonly FaceOperation[] = [
  ...of('FHIR', 'read-record', ['read, vread', 'Binary', 'Patient/$ihe-pix']),
  ...of('FHIR', 'search-records', ['search, _include, _revinclude, _summary=count', '_history']),
  ...of('FHIR', 'find-persons', ['Patient/$match']),
  ...of('FHIR', 'submit-documents', ['ITI-65, ITI-105', 'ITI-104, ITI-93']),
  ...of('FHIR', 'read-audit', ['AuditEvent read and search']),
  ...of('DICOMweb', 'search-records', ['QIDO-RS']),
  ...of('DICOMweb', 'read-images', ['WADO-RS, metadata, frames, bulk data', 'rendered, thumbnail', 'WADO-URI']),
  ...of('DICOMweb', 'feed', ['STOW-RS']),
  ...of('SOAP', 'search-records', ['ITI-18, ITI-51', 'ITI-38', 'ITI-45, ITI-47']),
  ...of('SOAP', 'read-record', ['ITI-43', 'ITI-39', 'ITI-52']),
  ...of('SOAP', 'read-images', ['RAD-69', 'RAD-75']),
  ...of('SOAP', 'submit-documents', ['ITI-41, ITI-42, ITI-53, ITI-57, ITI-61, ITI-62']),
  ...of('SOAP', 'administer', ['ITI-86']),
  ...of('SOAP', 'feed', ['ITI-44']),
  ...of('DIMSE', 'search-records', ['C-FIND']),
  ...of('DIMSE', 'read-images', ['C-MOVE, C-GET']),
  ...of('DIMSE', 'feed', ['C-STORE']),
  ...of('HL7 v2', 'search-records', ['ITI-9, ITI-21, ITI-22']),
  ...of('HL7 v2', 'feed', ['ADT, ORM, ORU and others']),
  ...of('HTTP', 'operate', ['/metrics']),
];
