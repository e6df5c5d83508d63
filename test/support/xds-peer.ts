/** Both ends of a RAD-69 exchange for tests: a face over images in memory, and a client that reads packages byte by byte. */
import { createHash } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Readable } from 'node:stream';
import express from 'express';
import { setCaller } from '../../hub/api/caller.ts';
import { imagingSourceFace, IMAGING_SOURCE_LIMITS } from '../../hub/api/xds/rad-69.ts';
import type { ImagingSourceDeps } from '../../hub/api/xds/rad-69.ts';
import type { Role } from '../../hub/core/access.ts';
import type { AuditEvent } from '../../hub/core/audit.ts';
import type { HubId, Uid } from '../../hub/core/identifier.ts';
import { siteId } from '../../hub/core/identifier.ts';
import type { InstanceLocated, StudyLocated } from '../../hub/core/ports.ts';
import { ok } from '../../hub/core/problem.ts';
import type { ExamView, InstanceView, PatientView, SeriesView, StudyView } from '../../hub/core/view.ts';
import { writePart10 } from '../../mappings/dicom/write.ts';
import { everythingSeen } from './access.ts';

export const REPOSITORY = '2.999.156.3';
export const HOME = '2.999.156.2';
export const EXPLICIT = '1.2.840.10008.1.2.1';
export const JPEG_LS = '1.2.840.10008.1.2.4.80';

const uid = (text: string): Uid => text as Uid;
const hubId = (text: string): HubId => text as HubId;

export interface StoredImage {
  readonly study: string;
  readonly series: string;
  readonly sop: string;
  readonly bytes: Buffer;
  readonly transferSyntax?: string;
  /** What the index believes, where it differs from the file. */
  readonly size?: number;
}

export function image(study: string, series: string, sop: string, pixels = 1000): StoredImage {
  const bytes = writePart10({
    SOPClassUID: '1.2.840.10008.5.1.4.1.1.2',
    SOPInstanceUID: sop,
    StudyInstanceUID: study,
    SeriesInstanceUID: series,
    Modality: 'CT',
    PixelData: { vr: 'OW', value: createHash('sha512').update(sop).digest().subarray(0, 64) },
    DataSetTrailingPadding: { vr: 'OB', value: Buffer.alloc(pixels, sop.charCodeAt(sop.length - 1)) },
  });
  return { study, series, sop, bytes };
}

export function studyOf(images: readonly StoredImage[], studyUid: string): StudyLocated | null {
  const own = images.filter((one) => one.study === studyUid);
  if (own.length === 0) return null;
  const series = [...new Set(own.map((one) => one.series))].map((seriesUid): SeriesView => {
    const instances = own.filter((one) => one.series === seriesUid).map(instanceOf);
    const nothing = {
      number: null,
      description: null,
      bodyPart: null,
      laterality: null,
      startedAt: null,
      stationName: null,
      manufacturer: null,
    };
    return { seriesUid: uid(seriesUid), modality: 'CT', ...nothing, instanceCount: instances.length, instances };
  });
  const study: StudyView = {
    studyId: hubId('study'),
    studyUid: uid(studyUid),
    site: siteId('h1'),
    fields: {},
    modalities: ['CT'],
    seriesCount: series.length,
    instanceCount: own.length,
    availability: 'complete',
    voided: false,
    changedAt: '2026-03-01T08:30:00.000Z',
    series,
  };
  return { exam: examOf(study), study, personId: hubId(`person-of-${studyUid}`) };
}

function instanceOf(one: StoredImage): InstanceView {
  return {
    sopUid: uid(one.sop),
    sopClass: uid('1.2.840.10008.5.1.4.1.1.2'),
    transferSyntax: uid(one.transferSyntax ?? EXPLICIT),
    number: 1,
    rows: 8,
    columns: 4,
    frames: null,
    bitsAllocated: 16,
    object: `objects/${one.sop}`,
    size: one.size ?? one.bytes.length,
    digest: '',
    dataSetOffset: 0,
  };
}

function examOf(study: StudyView): ExamView {
  const unknown = {
    sex: null,
    birthDate: null,
    phone: null,
    address: null,
    maritalStatus: null,
    ethnicGroup: null,
    nationality: null,
  };
  const patient: PatientView = {
    recordId: hubId('record'),
    site: siteId('h1'),
    authority: '2.999.156.1.1',
    localId: 'P1',
    names: [],
    identifiers: [],
    ...unknown,
    deceased: null,
    residentId: null,
    mergedInto: null,
  };
  const rest = { index: null, cancelled: false, orders: [], report: null, manifests: [] };
  return {
    examId: hubId('exam'),
    site: siteId('h1'),
    recordId: hubId('record'),
    personId: hubId('person'),
    patient,
    keys: {},
    studies: [study],
    ...rest,
  };
}

export interface Peer {
  readonly url: string;
  readonly audits: AuditEvent[];
  close(): Promise<void>;
}

/** A face on an ephemeral loopback port; the caller's role comes in the header `x-role`. */
export async function serve(images: readonly StoredImage[], overrides: Partial<ImagingSourceDeps> = {}): Promise<Peer> {
  const audits: AuditEvent[] = [];
  const deps = { ...imagingDeps(images, audits), ...overrides };
  const app = express();
  app.use((request, response, next) => {
    const role = request.get('x-role');
    setCaller(
      response,
      role === undefined ? null : { id: 'c1', name: 'client', role: role as Role, peer: '127.0.0.1' },
    );
    next();
  });
  app.use('/xds/imaging-source', imagingSourceFace(deps));
  const server = createServer(app).listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const url = `http://127.0.0.1:${String((server.address() as AddressInfo).port)}/xds/imaging-source`;
  return {
    url,
    audits,
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => {
          resolve();
        });
      }),
  };
}

/** What the face stands on: images in memory, and the audit as a list. */
export function imagingDeps(images: readonly StoredImage[], audits: AuditEvent[]): ImagingSourceDeps {
  const silent = {
    debug: () => undefined,
    info: () => undefined,
    warn: () => undefined,
    error: () => undefined,
    child: () => silent,
  };
  return {
    access: everythingSeen,
    reader: { study: (studyUid) => Promise.resolve(studyOf(images, studyUid)) },
    images: {
      open: (located: InstanceLocated, range) => {
        const found = images.find((one) => one.sop === located.instance.sopUid);
        if (!found) return Promise.reject(new Error('no such object'));
        return Promise.resolve(Readable.from([found.bytes.subarray(range?.start ?? 0, range?.end)]));
      },
    },
    transcode: {
      canTranscode: (_from, to) => to === JPEG_LS,
      transcode: (part10) => Promise.resolve(ok(Buffer.concat([Buffer.from('DICM-transcoded:'), part10]))),
    },
    repositoryOid: REPOSITORY,
    homeCommunityOid: HOME,
    audit: { record: (event) => Promise.resolve(void audits.push(event)) },
    log: silent,
    limits: IMAGING_SOURCE_LIMITS,
  };
}

export interface Wanted {
  readonly study: string;
  readonly series: string;
  readonly sop: string;
  readonly repository?: string;
  readonly home?: string;
}

export function requestBody(wanted: readonly Wanted[], transferSyntaxes: readonly string[]): string {
  const studies = wanted.map(({ study, series, sop, repository, home }) => {
    const community = home === undefined ? '' : `<ihe:HomeCommunityId>${home}</ihe:HomeCommunityId>`;
    return (
      `<iherad:StudyRequest studyInstanceUID="${study}"><iherad:SeriesRequest seriesInstanceUID="${series}"><ihe:DocumentRequest>${community}` +
      `<ihe:RepositoryUniqueId>${repository ?? REPOSITORY}</ihe:RepositoryUniqueId><ihe:DocumentUniqueId>${sop}</ihe:DocumentUniqueId>` +
      '</ihe:DocumentRequest></iherad:SeriesRequest></iherad:StudyRequest>'
    );
  });
  const syntaxes = transferSyntaxes
    .map((one) => `<iherad:TransferSyntaxUID>${one}</iherad:TransferSyntaxUID>`)
    .join('');
  return (
    '<iherad:RetrieveImagingDocumentSetRequest xmlns:iherad="urn:ihe:rad:xdsi-b:2009" xmlns:ihe="urn:ihe:iti:xds-b:2007">' +
    `${studies.join('')}<iherad:TransferSyntaxUIDList>${syntaxes}</iherad:TransferSyntaxUIDList></iherad:RetrieveImagingDocumentSetRequest>`
  );
}

export const ACTION = 'urn:ihe:rad:2009:RetrieveImagingDocumentSet';

export function requestEnvelope(body: string, headers = ''): string {
  return (
    '<?xml version="1.0" encoding="UTF-8"?><s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope" xmlns:a="http://www.w3.org/2005/08/addressing">' +
    `<s:Header><a:Action s:mustUnderstand="1">${ACTION}</a:Action><a:MessageID>urn:uuid:0fbfdced-6c01-4d09-a110-2201afedaa02</a:MessageID>` +
    '<a:ReplyTo><a:Address>http://www.w3.org/2005/08/addressing/anonymous</a:Address></a:ReplyTo>' +
    `<a:To s:mustUnderstand="1">http://localhost/xds</a:To>${headers}</s:Header><s:Body>${body}</s:Body></s:Envelope>`
  );
}

export const SOAP_TYPE = `application/soap+xml; charset=UTF-8; action="${ACTION}"`;

export async function post(
  url: string,
  contentType: string,
  body: string | Buffer,
  role: string | null = 'query-platform',
): Promise<{ status: number; type: string; bytes: Buffer }> {
  const headers: Record<string, string> = { 'Content-Type': contentType };
  if (role !== null) headers['x-role'] = role;
  const response = await fetch(url, { method: 'POST', headers, body });
  return {
    status: response.status,
    type: response.headers.get('content-type') ?? '',
    bytes: Buffer.from(await response.arrayBuffer()),
  };
}
