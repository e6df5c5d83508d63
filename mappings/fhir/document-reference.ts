/** DocumentReference: a report's rendered document, and the KOS manifest of a complete study, as documents. */
import type { DocumentReference, Period } from 'fhir/r4.js';
import type { ExamView, ManifestView, ReportView, StudyView } from '../../hub/core/view.ts';
import { PROFILES, SYSTEMS, type FhirContext } from './context.ts';
import { compact, dateTime, identifierSystem, list, meta, named, text } from './datatypes.ts';
import { manifestAttachment, reportAttachment, type ReportDocument } from './document.ts';
import { examIdentifiers, performerOf, studyReferences, subjectOf } from './exam-links.ts';
import { reportDocumentUid } from '../xds/report-words.ts';

const IMAGING_REPORT = { system: SYSTEMS.loinc, code: '18748-4', display: 'Diagnostic imaging study' };
const IMAGING_CATEGORY = { system: SYSTEMS.loinc, code: '18726-0', display: 'Radiology studies (set)' };

export function reportDocument(
  exam: ExamView,
  report: ReportView,
  document: ReportDocument,
  ctx: FhirContext,
): DocumentReference {
  const withdrawn = report.status === 'withdrawn';
  return compact<DocumentReference>({
    resourceType: 'DocumentReference',
    id: ctx.derive.id('fhir-report-document', report.reportId),
    meta: meta(PROFILES.DocumentReference),
    masterIdentifier: {
      system: SYSTEMS.uri,
      // The same unique id as in the document registry: one document, two faces.
      value: `urn:oid:${reportDocumentUid(exam, document.sha1, ctx.derive)}`,
    },
    identifier: examIdentifiers(exam, exam.keys, ctx, ['ACSN', 'index']),
    status: withdrawn ? 'entered-in-error' : 'current',
    docStatus: report.status === 'preliminary' ? 'preliminary' : report.status === 'corrected' ? 'amended' : 'final',
    type: { coding: [IMAGING_REPORT] },
    category: [{ coding: [IMAGING_CATEGORY] }],
    subject: subjectOf(exam),
    date: dateTime(report.at),
    author: list(named(report.content.reporter), performerOf(exam, ctx)),
    authenticator: named(report.content.auditor),
    custodian: performerOf(exam, ctx),
    description: text(report.content.title),
    content: [{ attachment: reportAttachment(report, document) }],
    context: compact({
      period: servicePeriod(exam, exam.studies[0]),
      related: [{ reference: `DiagnosticReport/${report.reportId}` }, ...studyReferences(exam)],
    }),
  });
}

/** IHE RAD TF-3 4.68.4.1.2.3: the format of a manifest is the SOP class of Key Object Selection. */
export function manifestDocument(exam: ExamView, manifest: ManifestView, ctx: FhirContext): DocumentReference {
  const study = exam.studies.find((candidate) => candidate.studyUid === manifest.studyUid);
  return compact<DocumentReference>({
    resourceType: 'DocumentReference',
    id: ctx.derive.id('fhir-manifest-document', manifest.studyUid),
    meta: meta(PROFILES.DocumentReference),
    masterIdentifier: { system: SYSTEMS.uri, value: `urn:oid:${manifest.sopUid}` },
    identifier: [
      { system: SYSTEMS.dicomUid, value: `urn:oid:${manifest.studyUid}` },
      ...examIdentifiers(exam, exam.keys, ctx, ['ACSN', 'index']),
    ],
    status: 'current',
    docStatus: 'final',
    type: { coding: [{ system: SYSTEMS.dcm, code: '113030', display: 'Manifest' }] },
    category: [{ coding: [IMAGING_CATEGORY] }],
    subject: subjectOf(exam),
    date: dateTime(manifest.createdAt),
    author: [performerOf(exam, ctx)],
    custodian: performerOf(exam, ctx),
    content: [
      {
        attachment: manifestAttachment(manifest, ctx),
        format: {
          system: identifierSystem('1.2.840.10008.2.6.1'),
          code: '1.2.840.10008.5.1.4.1.1.88.59',
          display: 'Key Object Selection Document',
        },
      },
    ],
    context: study
      ? compact({ period: servicePeriod(exam, study), related: [{ reference: `ImagingStudy/${study.studyId}` }] })
      : undefined,
  });
}

/** serviceStartTime of the same document in the registry (ITI TF-3 §4.5.1.1): when the exam began. */
function servicePeriod(exam: ExamView, study: StudyView | undefined): Period | undefined {
  const start = dateTime(study?.fields.startedAt ?? exam.orders[0]?.fields.startedAt);
  return start === undefined ? undefined : { start };
}
