/**
 * Documents as attachments and as Binary: the bytes lie in the object store, the resource says where they are read
 * (R4 §2.24.0.14), so that searches stay small.
 */
import type { Attachment } from 'fhir/r4.js';
import type { FhirBody } from '../../hub/core/fhir.ts';
import type { ExamView, ManifestView, ReportView } from '../../hub/core/view.ts';
import type { FhirContext } from './context.ts';
import { compact, dateTime, text } from './datatypes.ts';

export type ReportDocument = NonNullable<ReportView['document']>;

/** What the store keeps under a Binary's id: enough for the face to stream the bytes and to audit whose they are. */
export interface StoredBinary extends FhirBody {
  readonly resourceType: 'Binary';
  readonly id: string;
  readonly contentType: string;
  readonly subject: { readonly reference: string };
  readonly securityContext: { readonly reference: string };
  readonly object: string;
  readonly size: number;
}

/** The same of a document that another repository keeps: what the registry tells of its bytes. */
export interface RemoteBinary extends Omit<StoredBinary, 'object' | 'size'> {
  readonly elsewhere: { readonly repositoryUniqueId: string; readonly documentUniqueId: string };
  readonly size?: number;
  /** SHA-1 in lower case. */
  readonly hash?: string;
}

export function reportAttachment(report: ReportView, document: ReportDocument): Attachment {
  return compact<Attachment>({
    contentType: mimeType(document.contentType),
    url: `Binary/${document.documentId}`,
    size: document.size,
    hash: base64OfHex(document.sha1),
    title: text(report.content.title),
    creation: dateTime(report.content.reportedAt ?? report.at),
  });
}

const manifestBinaryId = (manifest: ManifestView, ctx: FhirContext): string =>
  ctx.derive.id('fhir-manifest', manifest.studyUid);

export function manifestAttachment(manifest: ManifestView, ctx: FhirContext): Attachment {
  return compact<Attachment>({
    contentType: 'application/dicom',
    url: `Binary/${manifestBinaryId(manifest, ctx)}`,
    size: manifest.size,
    hash: base64OfHex(manifest.sha1),
    creation: dateTime(manifest.createdAt),
  });
}

export function reportBinary(exam: ExamView, report: ReportView, document: ReportDocument): StoredBinary {
  return {
    resourceType: 'Binary',
    id: document.documentId,
    contentType: mimeType(document.contentType),
    subject: { reference: `Patient/${exam.personId}` },
    securityContext: { reference: `DiagnosticReport/${report.reportId}` },
    object: document.object,
    size: document.size,
  };
}

export function manifestBinary(exam: ExamView, manifest: ManifestView, ctx: FhirContext): StoredBinary {
  return {
    resourceType: 'Binary',
    id: manifestBinaryId(manifest, ctx),
    contentType: 'application/dicom',
    subject: { reference: `Patient/${exam.personId}` },
    securityContext: { reference: `Patient/${exam.personId}` },
    object: manifest.object,
    size: manifest.size,
  };
}

export const mimeType = (type: string): string =>
  /^[\w.+-]+\/[\w.+-]+(;\s*[\w.+-]+=[\w.+-]+)*$/.test(type) ? type : 'application/octet-stream';

const base64OfHex = (hex: string): string => Buffer.from(hex, 'hex').toString('base64');
