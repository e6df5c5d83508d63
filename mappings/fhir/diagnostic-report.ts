/** DiagnosticReport: the one report that stands for an exam, readable as text and linked to order and images. */
import type { DiagnosticReport, Narrative } from 'fhir/r4.js';
import type { ReportStatus } from '../../hub/core/record.ts';
import type { ExamView, ReportView } from '../../hub/core/view.ts';
import { EXTENSIONS, PROFILES, SYSTEMS, type FhirContext } from './context.ts';
import { compact, concept, dateTime, extension, list, meta, named, text } from './datatypes.ts';
import { reportAttachment } from './document.ts';
import { examIdentifiers, orderReferences, performerOf, studyReferences, subjectOf } from './exam-links.ts';

const STATUS: Readonly<Record<ReportStatus, DiagnosticReport['status']>> = {
  preliminary: 'preliminary',
  final: 'final',
  corrected: 'corrected',
  // R4: "withdrawn following a previous final release".
  withdrawn: 'entered-in-error',
};

export function diagnosticReport(exam: ExamView, report: ReportView, ctx: FhirContext): DiagnosticReport {
  const content = report.content;
  const order = exam.orders[0];
  const procedure = concept(order?.fields.procedure);
  const suggestion = text(content.suggestion);
  return compact<DiagnosticReport>({
    resourceType: 'DiagnosticReport',
    id: report.reportId,
    meta: meta(PROFILES.DiagnosticReport),
    text: narrative(report),
    extension: list(
      extension(EXTENSIONS.findings, 'valueString', text(content.findings)),
      extension(EXTENSIONS.suggestion, 'valueString', suggestion),
      extension(EXTENSIONS.positive, 'valueBoolean', content.positive),
      extension(EXTENSIONS.critical, 'valueBoolean', content.critical),
    ),
    identifier: examIdentifiers(exam, exam.keys, ctx, ['FILL', 'ACSN', 'index']),
    basedOn: orderReferences(exam),
    status: STATUS[report.status],
    category: [{ coding: [{ system: SYSTEMS.diagnosticService, code: 'RAD', display: 'Radiology' }] }],
    code: procedure ?? {
      coding: [{ system: SYSTEMS.loinc, code: '18748-4', display: 'Diagnostic imaging study' }],
      ...(text(content.title) === undefined ? {} : { text: text(content.title) ?? '' }),
    },
    subject: subjectOf(exam),
    effectiveDateTime: dateTime(exam.studies[0]?.fields.startedAt ?? order?.fields.startedAt),
    issued: dateTime(content.auditedAt ?? content.reportedAt ?? report.at),
    performer: [performerOf(exam, ctx)],
    resultsInterpreter: list(named(content.reporter), named(content.auditor)),
    imagingStudy: studyReferences(exam),
    conclusion: text(content.impression),
    conclusionCode: list(...(content.conclusionCodes ?? []).map(concept)),
    presentedForm: report.document ? [reportAttachment(report, report.document)] : undefined,
  });
}

/** XHTML that says what the structured parts say, for readers without our profile (R4 §2.3.0.0). */
function narrative(report: ReportView): Narrative | undefined {
  const { title, findings, impression, suggestion } = report.content;
  const parts: readonly (readonly [string, string | undefined])[] = [
    ['影像所见', findings],
    ['诊断意见', impression],
    ['建议', suggestion],
  ];
  const heading = text(title);
  const body = parts.flatMap(([label, value]) => {
    const clean = text(value);
    return clean === undefined ? [] : [`<h3>${label}</h3><p>${paragraphs(clean)}</p>`];
  });
  if (heading === undefined && body.length === 0) return undefined;
  const head = heading === undefined ? '' : `<h2>${escapeXhtml(heading)}</h2>`;
  return { status: 'extensions', div: `<div xmlns="http://www.w3.org/1999/xhtml">${head}${body.join('')}</div>` };
}

const paragraphs = (value: string): string => escapeXhtml(value).replace(/\r\n|\r|\n/g, '<br/>');

export const escapeXhtml = (value: string): string =>
  value.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
