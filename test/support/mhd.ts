/** Provide Document Bundles for tests, plain by default and changed where a test wants it. */
import { createHash } from 'node:crypto';
import type { Binary, Bundle, BundleEntry, DocumentReference, List } from 'fhir/r4.js';
import type { FhirBody } from '../../hub/core/fhir.ts';
import { mhdProfile, MHD_EXTENSIONS, LIST_TYPES } from '../../mappings/fhir/mhd-terms.ts';

/** FHIR's types of a bundle's and a list's contents are wider than what a test means. */
export const as = <T>(value: unknown, _like?: T): T => value as T;
const url = (n: number): string => `urn:uuid:00000000-0000-4000-8000-${String(n).padStart(12, '0')}`;
const concept = (system: string, code: string) => ({ coding: [{ system, code, display: code }] });

export interface Given {
  readonly subject: string;
  readonly setId: string;
  readonly documents: readonly (Partial<DocumentReference> & { readonly uid: string; readonly words: string })[];
  readonly extra?: readonly (Omit<BundleEntry, 'resource'> & { readonly resource: FhirBody })[];
  readonly list?: Partial<List>;
}

export function documentReference(given: Given['documents'][number], subject: string, at: number): DocumentReference {
  const { uid, words, ...more } = given;
  return {
    resourceType: 'DocumentReference',
    meta: { profile: [mhdProfile('Comprehensive.DocumentReference')] },
    contained: as([
      {
        resourceType: 'Patient',
        id: 'p',
        identifier: [{ system: 'urn:oid:2.999.7', value: 'L1' }],
        name: [{ family: '张', given: ['三'] }],
      },
      { resourceType: 'Practitioner', id: 'a', name: [{ family: 'Welby', given: ['Marcus'] }] },
    ]),
    masterIdentifier: { use: 'usual', system: 'urn:ietf:rfc:3986', value: `urn:oid:${uid}` },
    status: 'current',
    type: concept('http://loinc.org', '18748-4'),
    category: [concept('http://loinc.org', '18726-0')],
    subject: { reference: subject },
    author: [{ reference: '#a' }],
    securityLabel: [concept('http://terminology.hl7.org/CodeSystem/v3-Confidentiality', 'N')],
    content: [
      {
        attachment: {
          contentType: 'text/plain',
          language: 'zh-CN',
          url: url(100 + at),
          size: Buffer.byteLength(words),
          hash: createHash('sha1').update(words).digest('base64'),
          title: words,
          creation: '2024-03-01T08:00:00+08:00',
        },
        format: {
          system: 'http://ihe.net/fhir/ihe.formatcode.fhir/CodeSystem/formatcode',
          code: 'urn:ihe:iti:xds-sd:text:2008',
        },
      },
    ],
    context: {
      event: [concept('http://dicom.nema.org/resources/ontology/DCM', 'CT')],
      period: { start: '2024-02-01T00:00:00Z', end: '2024-02-03T00:00:00Z' },
      facilityType: concept('http://snomed.info/sct', '82242000'),
      practiceSetting: concept('http://snomed.info/sct', '394914008'),
      sourcePatientInfo: { reference: '#p' },
      related: [{ identifier: { system: 'urn:dicom:uid', value: 'urn:oid:1.2.840.99.1' } }],
    },
    ...more,
  };
}

const binary = ({ content, words }: Given['documents'][number]): Binary => ({
  resourceType: 'Binary',
  contentType: content?.[0]?.attachment.contentType ?? 'text/plain',
  data: Buffer.from(words).toString('base64'),
});

export function provideBundle({ subject, setId, documents, extra = [], list = {} }: Given): Bundle {
  const set: List = {
    resourceType: 'List',
    meta: { profile: [mhdProfile('Comprehensive.SubmissionSet')] },
    contained: as([{ resourceType: 'Practitioner', id: 'a', name: [{ family: 'Kildare', given: ['James'] }] }]),
    extension: [
      { url: MHD_EXTENSIONS.designationType, valueCodeableConcept: concept('http://snomed.info/sct', '225728007') },
      { url: MHD_EXTENSIONS.sourceId, valueIdentifier: { value: 'urn:oid:1.2.3.4' } },
    ],
    identifier: [{ use: 'usual', system: 'urn:ietf:rfc:3986', value: `urn:oid:${setId}` }],
    status: 'current',
    mode: 'working',
    code: { coding: [{ system: LIST_TYPES, code: 'submissionset' }] },
    subject: { reference: subject },
    date: '2024-03-02T00:00:00Z',
    source: { reference: '#a' },
    entry: [
      ...documents.map((_one, at) => ({ item: { reference: url(at + 1) } })),
      ...extra.flatMap(({ fullUrl, resource }) =>
        fullUrl === undefined || resource.resourceType !== 'List' ? [] : [{ item: { reference: fullUrl } }],
      ),
    ],
    ...list,
  };
  return {
    resourceType: 'Bundle',
    meta: { profile: [mhdProfile('Comprehensive.ProvideBundle')] },
    type: 'transaction',
    entry: [
      { fullUrl: url(0), resource: set, request: { method: 'POST', url: 'List' } },
      ...documents.map((one, at) => ({
        fullUrl: url(at + 1),
        resource: documentReference(one, subject, at),
        request: { method: 'POST' as const, url: 'DocumentReference' },
      })),
      ...documents.map((one, at) => ({
        fullUrl: url(100 + at),
        resource: binary(one),
        request: { method: 'POST' as const, url: 'Binary' },
      })),
      ...as<BundleEntry[]>(extra),
    ],
  };
}
