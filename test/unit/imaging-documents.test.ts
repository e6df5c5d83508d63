/** The document entries of an exam (WIRE §6.2): their metadata, valid as ebRIM, and the MADO form beside the KOS. */
import assert from 'node:assert/strict';
import test from 'node:test';
import type { Bundle, Endpoint, ImagingStudy } from 'fhir/r4.js';
import type { DocumentEntry, EntryId, PatientCx } from '../../hub/core/document.ts';
import type { FhirBody } from '../../hub/core/fhir.ts';
import { registration } from '../../hub/flow/publication-plan.ts';
import { projectExam } from '../../mappings/fhir/index.ts';
import { imagingDocuments } from '../../mappings/xds/imaging-documents.ts';
import type { ImagingDocument } from '../../mappings/xds/imaging-documents.ts';
import { writeSubmission } from '../../mappings/xds/ebrim-write.ts';
import { faultsOf } from '../support/fhir-validation.ts';
import { context, imagingExam, imagingStudy, report, STUDY_UID } from '../support/imaging-exam.ts';
import { invalid, noSchemas } from '../support/xsd.ts';
import { iheSamples, noIheSamples } from '../support/ihe-samples.ts';

const exam = imagingExam();
const bySlot = (documents: readonly ImagingDocument[]): Partial<Record<string, ImagingDocument>> =>
  Object.fromEntries(documents.map((document) => [document.slot.split('|')[0] ?? '', document] as const));
const documents = bySlot(imagingDocuments(exam, context).documents);
const made = (document: ImagingDocument | undefined): Buffer => {
  assert.equal(document?.content.kind, 'made');
  return document.content.bytes;
};

test('the manifest has the metadata of WIRE §6.2', () => {
  const kos = documents['kos'];
  assert.ok(kos);
  const { entry } = kos;
  assert.equal(kos.uniqueId, exam.manifests[0]?.sopUid);
  assert.equal(entry.mimeType, 'application/dicom');
  const codes = (list: readonly (DocumentEntry['classCode'] | undefined)[]): string[] =>
    list.map((one) => `${one?.code ?? ''}^^${one?.scheme ?? ''}`);
  assert.deepEqual(codes([entry.formatCode, entry.classCode, entry.typeCode, entry.practiceSetting]), [
    '1.2.840.10008.5.1.4.1.1.88.59^^1.2.840.10008.2.6.1',
    'IMAGES^^1.3.6.1.4.1.19376.1.2.6.1',
    'CT01^^2.999.156.8',
    '394914008^^2.16.840.1.113883.6.96',
  ]);
  assert.deepEqual(codes(entry.eventCodes), ['CT^^1.2.840.10008.2.6.1', '51185008^^2.16.840.1.113883.6.96']);
  assert.deepEqual(entry.referenceIds, [
    `${STUDY_UID}^^^^urn:ihe:iti:xds:2016:studyInstanceUID`,
    'A100^^^&2.999.156.7.1&ISO^urn:ihe:iti:xds:2013:accession',
  ]);
  assert.equal(entry.serviceStartTime, '20260301003000');
  assert.equal(entry.creationTime, '20260301010000');
  assert.equal(entry.sourcePatientId, 'P0001^^^&2.999.156.1.1&ISO');
  assert.deepEqual(entry.sourcePatientInfo, [
    'PID-3|P0001^^^&2.999.156.1.1&ISO',
    'PID-5|欧阳^修^^^^^L^I',
    'PID-5|Ouyang Xiu^^^^^^L^A',
    'PID-7|19800315',
    'PID-8|M',
  ]);
  assert.equal(entry.repositoryUniqueId, '2.999.156.3');
});

test('the report is a PDF and a CDA with one auditor', () => {
  for (const slot of ['report-pdf', 'report-cda']) {
    const entry = documents[slot]?.entry;
    assert.equal(entry?.classCode?.code, 'REPORTS');
    assert.equal(entry.legalAuthenticator, '^王主任');
    assert.equal(entry.authors[0]?.person, '^李医生');
    assert.equal(entry.creationTime, '20260301023000');
  }
  assert.equal(documents['report-cda']?.entry.formatCode?.code, 'urn:ihe:rad:TEXT');
  assert.match(documents['report-cda'].uniqueId, /^2\.16\.156\.10011\.1\.1\^[A-Z2-7]{16}$/);
  const id = /<id root="([\d.]+)" extension="([A-Z2-7]{16})"\/>/.exec(made(documents['report-cda']).toString());
  assert.equal(documents['report-cda'].uniqueId, `${id?.[1] ?? ''}^${id?.[2] ?? ''}`, 'as ClinicalDocument.id says');
});

test('the same exam gives the same documents; another word gives another document', () => {
  assert.deepEqual(imagingDocuments(imagingExam(), context), imagingDocuments(exam, context));
  const other = bySlot(
    imagingDocuments(
      imagingExam({ report: report({ content: { ...report().content, impression: '未见异常。' } }) }),
      context,
    ).documents,
  );
  assert.notEqual(other['report-cda']?.uniqueId, documents['report-cda']?.uniqueId);
  assert.notEqual(other['report-pdf']?.uniqueId, documents['report-pdf']?.uniqueId);
  assert.deepEqual(other['kos'], documents['kos']);
});

test('what the hospital sent as PDF is registered byte for byte, as the FHIR face shows it', () => {
  const document = {
    documentId: exam.examId,
    contentType: 'application/pdf',
    object: 'document/aa/aa',
    size: 12,
    sha1: 'ab'.repeat(20),
  };
  const own = { ...exam, report: report({ document }) };
  const { documents: list } = imagingDocuments(own, context);
  const pdf = bySlot(list)['report-pdf'];
  assert.deepEqual(pdf?.content, { kind: 'kept', object: document.object, size: 12, sha1: document.sha1 });
  assert.equal(list.filter(({ entry }) => entry.mimeType === 'application/pdf').length, 1);
  const fhir = { ...context, examIndexOid: '2.999.1', repositoryOid: '2.999.3' };
  const shown = projectExam(own, fhir).map(({ body }) => body as { masterIdentifier?: { value: string } });
  assert.ok(shown.some(({ masterIdentifier }) => masterIdentifier?.value === `urn:oid:${pdf.uniqueId}`));
  const text = bySlot(
    imagingDocuments({ ...exam, report: report({ document: { ...document, contentType: 'text/html' } }) }, context)
      .documents,
  );
  assert.equal(text['report-original']?.entry.mimeType, 'text/html');
  assert.equal(text['report-pdf']?.content.kind, 'made');
});

test('nothing of what is cancelled, voided, preliminary or without manifest', () => {
  const slots = (changes: Parameters<typeof imagingExam>[0]): string[] =>
    imagingDocuments(imagingExam(changes), context).documents.map(({ slot }) => slot.split('|')[0] ?? '');
  assert.deepEqual(slots({ cancelled: true }), []);
  assert.deepEqual(slots({ report: report({ status: 'preliminary' }) }), ['kos', 'mado']);
  assert.deepEqual(slots({ report: null, studies: [imagingStudy(STUDY_UID, 3, { voided: true })] }), []);
  assert.deepEqual(slots({ manifests: [] }), ['report-cda', 'report-pdf']);
});

test('a study that its hospital keeps has both forms, of what the hospital listed', () => {
  const away = { availability: 'at-hospital' as const, series: [], seriesCount: 0, instanceCount: 0, modalities: [] };
  const own = imagingExam({ report: null, studies: [imagingStudy(STUDY_UID, 3, away)] });
  const [series] = imagingStudy(STUDY_UID, 2).series;
  assert.ok(series);
  const listed = new Map([[STUDY_UID, [{ ...series, modality: 'MR' }]]]);
  const { documents: list, waiting } = imagingDocuments(own, context, listed);
  assert.deepEqual(waiting, []);
  const { kos, mado } = bySlot(list);
  for (const one of [kos, mado]) assert.equal(one?.entry.eventCodes[0]?.code, 'MR', 'as listed');
  const text = made(mado).toString();
  assert.match(text, /"numberOfInstances":2/);
  assert.match(text, /"address":"https:\/\/hub\.example\/dicomweb"/, 'retrieved through the hub');
  // Images of it that come to the centre after all are listed by the centre, as soon as they are complete.
  const partial = imagingExam({ report: null, studies: [imagingStudy(STUDY_UID, 1, { availability: 'partial' })] });
  assert.deepEqual(imagingDocuments(partial, context, listed).waiting, [`mado|${STUDY_UID}`]);
});

test('every entry is valid ebRIM, with hostile text too', { skip: noSchemas }, () => {
  const nasty = `<x>&"'\r\n\u0000\ud800 ^~\\|&T&${'长'.repeat(3000)}`;
  const patientId = 'P^^^&2.999.156.1&ISO' as PatientCx;
  const hostile = imagingExam({
    patient: { ...exam.patient, localId: nasty, names: [{ text: nasty, representation: 'ideographic' }] },
    keys: { accession: nasty },
    orders: exam.orders.map((order) => ({
      ...order,
      fields: { ...order.fields, procedure: { code: nasty, system: nasty, display: nasty } },
    })),
    report: report({ content: { title: nasty, findings: nasty, reporter: nasty, auditor: nasty } }),
  });
  for (const one of [exam, hostile]) {
    const additions = imagingDocuments(one, context).documents.map((document, at) => {
      const id = `urn:uuid:00000000-0000-4000-8000-00000000000${String(at)}` as EntryId;
      const rest = { id, lid: id, version: 1, status: 'approved' as const, patientId, uniqueId: document.uniqueId };
      const bytes = { uniqueId: document.uniqueId, mimeType: '', object: '', size: 1, hash: '' };
      return { entry: { ...document.entry, ...rest, hash: 'ab'.repeat(20), size: 1 }, replaces: null, bytes };
    });
    const submission = registration(patientId, additions, {
      derive: context.derive,
      sourceId: context.repositoryOid,
      submissionTime: '20260301030000',
      authors: [{ institutions: ['H1'], roles: [], specialties: [], telecoms: [] }],
      contentType: { code: '18748-4', scheme: '2.16.840.1.113883.6.1', display: [] },
      title: 'x',
    });
    assert.equal(invalid(writeSubmission([...submission.objects, ...submission.associations])), '');
  }
});

const typeOf = (value: object | undefined): string | undefined =>
  (value as { resourceType?: string } | undefined)?.resourceType;
const bundle = (): Bundle => JSON.parse(made(documents['mado']).toString('utf8')) as Bundle;
const resource = (type: string): object => bundle().entry?.find((one) => typeOf(one.resource) === type)?.resource ?? {};

test('the MADO bundle stands alone, says what the KOS says, and is valid R4', () => {
  const whole = bundle();
  assert.equal(whole.type, 'document');
  assert.equal(typeOf(whole.entry?.[0]?.resource), 'Composition');
  assert.equal(
    whole.identifier?.value,
    `urn:oid:${exam.manifests[0]?.sopUid ?? ''}`,
    'the SOP Instance UID of the KOS',
  );
  const urls = new Set(whole.entry?.map(({ fullUrl }) => fullUrl));
  const references = [...JSON.stringify(whole).matchAll(/"reference":"([^"]+)"/g)].map((found) => found[1]);
  assert.ok(references.length >= 6);
  for (const reference of references) assert.ok(urls.has(reference ?? ''), 'every reference is answered inside');
  const study = resource('ImagingStudy') as ImagingStudy;
  assert.equal(study.identifier?.[0]?.value, `urn:oid:${STUDY_UID}`);
  assert.equal(study.basedOn?.[0]?.identifier?.value, 'A100');
  assert.deepEqual(
    study.series?.map(({ instance }) => instance?.map(({ uid }) => uid)),
    [[`${STUDY_UID}.1.1`, `${STUDY_UID}.1.2`, `${STUDY_UID}.1.3`]],
  );
  assert.equal((resource('Endpoint') as Endpoint).address, 'https://hub.example/dicomweb');
  for (const { resource: one } of whole.entry ?? []) {
    // The guide's own profiles and extensions are not among the definitions here.
    const plain = JSON.parse(JSON.stringify(one), (key, value: unknown) =>
      key === 'meta' || (key === 'extension' && JSON.stringify(value).includes('/RAD/MADO/')) ? undefined : value,
    ) as FhirBody;
    assert.deepEqual(faultsOf(plain), []);
  }
});

/** What the guide's own examples say of each resource, by the first word of each path of a rule. */
function pathsOf(fsh: string): Set<string> {
  const paths = [...fsh.matchAll(/^\* ([A-Za-z]+)/gm)].map((found) => found[1] ?? '');
  return new Set(paths.filter((path) => path !== 'insert'));
}

/** What of the guide's examples is in which resource of ours. */
const MADO: Readonly<Record<string, () => object>> = {
  'bundle-example': bundle,
  'composition-example': () => resource('Composition'),
  'imagingstudy-example': () => resource('ImagingStudy'),
  'wado-endpoint-example': () => resource('Endpoint'),
  'device-creator-example': () => ({ ...resource('Organization'), ...resource('Device') }),
  'patient-example': () => resource('Patient'),
};
test('the MADO form has every element of the guide’s examples', { skip: noIheSamples }, () => {
  for (const { name, verdict, text } of iheSamples('MADO')) {
    const ours = MADO[name.replace(/^mado__|\.fsh$/g, '')];
    assert.equal(ours === undefined ? 'no-input' : 'read', verdict, name);
    if (ours === undefined) continue;
    const paths = pathsOf(text());
    assert.ok(paths.size > 0);
    const made = ours();
    assert.deepEqual(
      [...paths].filter((path) => !(path in made)),
      [],
      name,
    );
  }
});

test('a hub that does not know its address says so in the guide’s own way', () => {
  const { documents: list } = imagingDocuments(exam, { ...context, wadoUrl: null });
  const text = made(bySlot(list)['mado']).toString();
  assert.match(text, /"address":"http:\/\/notapplicable"/);
  assert.match(text, /data-absent-reason/);
});
