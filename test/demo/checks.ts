/** What must be true afterwards, asked through the hub's outside faces only; each check is one line of the demo's end. */
import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import { find, get } from '../../adapters/dicom/index.ts';
import { binaryOf, readPackage } from '../../mappings/xds/mtom.ts';
import { readMultipart } from '../../mappings/xds/multipart.ts';
import { RAD69_REQUEST, readImagingResponse } from '../../mappings/xds/rad-69.ts';
import { SOAP } from '../../mappings/xds/soap.ts';
import { childNamed, parseXml } from '../../mappings/xds/xml.ts';
import { EXPLICIT_LE } from '../../mappings/dicom/uids.ts';
import type { Exam } from '../province/exams.ts';
import { PERSONS } from '../province/persons.ts';
import { digests, filesOf, same } from './asker.ts';
import type { Asker, Check } from './asker.ts';
import { at, call, list, postJson, text } from './http.ts';
import { requestBody, requestEnvelope, SOAP_TYPE } from '../support/xds-peer.ts';

export async function search(
  asker: Asker,
  type: string,
  parameters: Readonly<Record<string, string>>,
): Promise<readonly unknown[]> {
  // POST: an identifier is no part of a URL.
  const body = new URLSearchParams({ _count: '100', ...parameters }).toString();
  const answer = await call(`${asker.hub.base}/fhir/${type}/_search`, {
    token: asker.query,
    type: 'application/x-www-form-urlencoded',
    accept: 'application/fhir+json',
    body,
  });
  if (answer.status !== 200) throw new Error(`${type}/_search answered HTTP ${String(answer.status)}`);
  return list(answer.json(), 'entry')
    .map((entry) => at(entry, 'resource'))
    .filter((resource) => at(resource, 'resourceType') === type);
}

async function wado(asker: Asker, exam: Exam): Promise<Buffer[]> {
  const accept = 'multipart/related; type="application/dicom"; transfer-syntax=*';
  const answer = await call(`${asker.hub.base}/dicomweb/studies/${exam.studyUid}`, { token: asker.query, accept });
  if (answer.status !== 200) throw new Error(`WADO-RS answered HTTP ${String(answer.status)}`);
  const boundary = /boundary="?([^";]+)"?/.exec(answer.type)?.[1] ?? '';
  const files: Buffer[] = [];
  for await (const part of readMultipart(Readable.from([answer.bytes]), boundary, {
    headerBytes: 8192,
    preambleBytes: 8192,
  })) {
    if (!part.ok) throw new Error(part.problem.text);
    const chunks: Uint8Array[] = [];
    for await (const chunk of part.value.body) if (chunk.ok) chunks.push(chunk.value);
    files.push(Buffer.concat(chunks));
  }
  return files;
}

async function rad69(asker: Asker, exam: Exam): Promise<Buffer[]> {
  const wanted = filesOf(asker, exam).map((file) => ({
    study: file.studyUid,
    series: file.seriesUid,
    sop: file.sopUid,
    repository: asker.hub.repositoryOid,
  }));
  const answer = await call(`${asker.hub.base}/xds/imaging-source`, {
    token: asker.query,
    type: SOAP_TYPE,
    body: requestEnvelope(requestBody(wanted, [EXPLICIT_LE])),
  });
  const packed = await readPackage(answer.type, Readable.from([answer.bytes]), { bytes: 1 << 28, parts: 5000 });
  if (answer.status !== 200 || !packed.ok) throw new Error(`${RAD69_REQUEST} answered HTTP ${String(answer.status)}`);
  const root = parseXml(packed.value.envelope);
  const body = root.ok ? childNamed(root.value, SOAP, 'Body')?.children[0] : undefined;
  const response = body ? readImagingResponse(body) : null;
  if (response?.ok !== true || response.value.status !== 'success') throw new Error('the response is no Success');
  return response.value.documents.map(({ content }) => binaryOf(content, packed.value.attachments) ?? Buffer.alloc(0));
}

async function cGet(asker: Asker, exam: Exam): Promise<string[]> {
  const { hub } = asker;
  const got: string[] = [];
  const sopClass = filesOf(asker, exam)[0]?.sopClass ?? '';
  const result = await get({
    node: { host: hub.host, port: hub.dimsePort, aeTitle: hub.aeTitle },
    callingAe: 'H1PACS',
    identifier: { QueryRetrieveLevel: 'STUDY', StudyInstanceUID: exam.studyUid },
    storage: [{ sopClass, transferSyntaxes: [EXPLICIT_LE] }],
    take: () => {
      const hash = createHash('sha256');
      return Promise.resolve({
        data: (chunk) => {
          hash.update(chunk);
          return Promise.resolve();
        },
        end: () => {
          got.push(hash.digest('hex'));
          return Promise.resolve();
        },
        abort: () => Promise.resolve(),
      });
    },
  });
  if (!result.ok) throw new Error(`C-GET: ${result.problem.code}`);
  return got.sort();
}

const identifierOf = (exam: Exam): string => exam.person.residentId ?? '';

async function oneStudyEach(asker: Asker): Promise<string> {
  const { revised, exams } = asker.played;
  const own = exams.filter((exam) => exam.person.residentId === revised.person.residentId);
  const found = await search(asker, 'ImagingStudy', { 'patient.identifier': identifierOf(revised) });
  const seen = found
    .map(
      (one) =>
        list(one, 'identifier')
          .map((identifier) => text(identifier, 'value'))
          .find((value) => value.startsWith('urn:oid:')) ?? '',
    )
    .sort();
  return same('studies', seen, own.map((exam) => `urn:oid:${exam.studyUid}`).sort());
}

async function revisedReport(asker: Asker): Promise<string> {
  const { revised } = asker.played;
  const found = (await search(asker, 'DiagnosticReport', { 'patient.identifier': identifierOf(revised) })).filter(
    (one) => JSON.stringify(one).includes(revised.accession),
  );
  const current = found[0];
  if (found.length !== 1) return `${String(found.length)} reports stand for one exam`;
  if (!text(current, 'conclusion').includes('结节')) return 'the first text still stands';
  if (!['amended', 'corrected'].includes(text(current, 'status'))) return `its status is ${text(current, 'status')}`;
  const history = await call(`${asker.hub.base}/fhir/DiagnosticReport/${text(current, 'id')}/_history`, {
    token: asker.query,
    accept: 'application/fhir+json',
  });
  return list(history.json(), 'entry').length >= 2 ? '' : 'the earlier version is not in its history';
}

/** A person is one Patient with the number of every hospital that knows him. */
async function names(asker: Asker): Promise<string> {
  for (const person of PERSONS.filter((one) => one.residentId !== null)) {
    const found = await search(asker, 'Patient', { identifier: person.residentId ?? '' });
    const right = found.filter((one) => {
      const numbers = list(one, 'identifier').map((identifier) => text(identifier, 'value'));
      return (
        list(one, 'name').some((name) => text(name, 'text') === person.name) &&
        Object.values(person.local).every((number) => numbers.includes(number))
      );
    });
    if (right.length !== 1)
      return `${person.name}: ${String(right.length)} of ${String(found.length)} patients are right`;
  }
  return '';
}

async function everyInstance(asker: Asker): Promise<string> {
  for (const exam of asker.played.exams.filter((one) => one.site !== 'h3')) {
    const answer = await call(`${asker.hub.base}/dicomweb/studies/${exam.studyUid}/instances`, {
      token: asker.query,
      accept: 'application/dicom+json',
    });
    const seen =
      answer.status === 200
        ? list(answer.json())
            .map((one) => text(one, '00080018', 'Value', 0))
            .sort()
        : [`HTTP ${String(answer.status)}`];
    const wrong = same(
      exam.accession,
      seen,
      filesOf(asker, exam)
        .map((file) => file.sopUid)
        .sort(),
    );
    if (wrong !== '') return wrong;
  }
  return '';
}

async function examRecord(asker: Asker, identifier: string, accession: string): Promise<unknown> {
  const answer = await postJson(`${asker.hub.base}/api/v1/exams/search`, asker.query, {
    identifier: { value: identifier },
    limit: 100,
  });
  return list(answer.json(), 'items').find((item) => text(item, 'keys', 'accession') === accession);
}

export async function whole(asker: Asker, exam: Exam, identifier: string): Promise<string> {
  const found = await examRecord(asker, identifier, exam.accession);
  if (found === undefined) return 'the exam is not found under the person';
  return same(
    'orders, studies, report',
    [list(found, 'orders').length, list(found, 'studies').length, at(found, 'report') !== null],
    [1, 1, true],
  );
}

async function statuses(asker: Asker): Promise<string> {
  const { base } = asker.hub;
  const soap = { type: SOAP_TYPE, body: requestEnvelope(requestBody([], [])) };
  const seen: number[] = [];
  for (const token of [undefined, asker.feed]) {
    const who = token === undefined ? {} : { token };
    seen.push(
      (await call(`${base}/fhir/Patient`, who)).status,
      (await call(`${base}/dicomweb/studies`, who)).status,
      (await call(`${base}/xds/imaging-source`, { ...who, ...soap })).status,
      (await call(`${base}/api/v1/journal`, who)).status,
    );
  }
  return same('HTTP status', seen, [401, 401, 401, 401, 403, 403, 403, 403]);
}

async function counters(asker: Asker): Promise<string> {
  const counted = (await call(`${asker.hub.base}/api/v1/journal/counters`, { token: asker.operator })).json();
  const of = (key: string): number => Number(at(counted, key));
  if (of('pending') !== 0) return `${String(of('pending'))} are pending`;
  const sum = of('applied') + of('refused') + of('review');
  return of('received') === sum && sum > 100 ? '' : JSON.stringify(counted);
}

/** Who claims the number of somebody else is nobody else, and the message says that the number is suspect. */
async function claimed(asker: Asker): Promise<string> {
  const path = '/api/v1/journal?finding=identifier-suspect&site=h2&channel=rest&limit=200';
  const told = list((await call(asker.hub.base + path, { token: asker.operator })).json(), 'items');
  if (told.length === 0) return 'no message of h2 has the finding';
  const found = await search(asker, 'Patient', { identifier: identifierOf(asker.played.revised) });
  return JSON.stringify(found).includes('李四') ? 'the stranger is found under the number' : '';
}

async function badMessage(asker: Asker): Promise<string> {
  const states: string[] = [];
  for (const state of ['refused', 'review']) {
    const items = list(
      (
        await call(`${asker.hub.base}/api/v1/journal?state=${state}&site=h1&limit=200`, { token: asker.operator })
      ).json(),
      'items',
    );
    states.push(
      ...items
        .filter(
          (one) => text(one, 'messageType').startsWith('ORU') && text(one, 'problem', 'code') === 'required-missing',
        )
        .map(() => state),
    );
  }
  return states.length === 1 ? '' : `kept ${String(states.length)} times`;
}

async function refusals(asker: Asker): Promise<string> {
  const items = list(
    (await call(`${asker.hub.base}/api/v1/audit?outcome=refused&limit=200`, { token: asker.hub.adminToken })).json(),
    'items',
  );
  const faces = new Set(items.map((one) => text(one, 'face')));
  return faces.has('hl7v2') && faces.has('dimse')
    ? ''
    : `refusals are audited of ${[...faces].join(', ') || 'nothing'}`;
}

async function found(asker: Asker): Promise<string> {
  const { hub, played } = asker;
  const result = await find({
    node: { host: hub.host, port: hub.dimsePort, aeTitle: hub.aeTitle },
    callingAe: 'H1PACS',
    identifier: { QueryRetrieveLevel: 'STUDY', AccessionNumber: played.revised.accession, StudyInstanceUID: '' },
  });
  if (!result.ok) return result.problem.code;
  return result.value.identifiers.length === 1 &&
    result.value.identifiers[0]?.includes(played.revised.studyUid) === true
    ? ''
    : `${String(result.value.identifiers.length)} matches`;
}

const at3 = (asker: Asker): Exam | undefined =>
  asker.played.exams.find((exam) => exam.site === 'h3' && exam.person === asker.played.revised.person);

export const CHECKS: readonly Check[] = [
  {
    name: 'every answer on every port was the one expected',
    holds: ({ told }) =>
      Promise.resolve(
        told
          .filter((one) => !one.expected)
          .map((one) => `${one.from} ${one.what}: ${one.outcome}`)
          .slice(0, 5)
          .join('; '),
      ),
  },
  { name: 'journal: received = applied + refused + review, nothing pending', holds: counters },
  { name: 'FHIR: one person, studies of three hospitals, each once', holds: oneStudyEach },
  { name: 'FHIR: the revised report stands, the earlier version is in its history', holds: revisedReport },
  {
    name: 'FHIR: the cancelled order is revoked',
    holds: async (asker) =>
      same(
        'status',
        (await search(asker, 'ServiceRequest', { identifier: asker.played.cancelled.placer })).map((one) =>
          text(one, 'status'),
        ),
        ['revoked'],
      ),
  },
  { name: 'names right in every character set, rare characters and the wrong declaration included', holds: names },
  {
    name: 'an exam whose images came before its order is one exam',
    holds: (asker) => whole(asker, asker.played.imagesFirst, identifierOf(asker.played.imagesFirst)),
  },
  {
    name: 'A40: the emergency exam is found under the person',
    holds: (asker) => whole(asker, asker.played.merged, asker.played.mergedInto.residentId ?? ''),
  },
  { name: 'QIDO-RS: every instance sent to the centre, each once', holds: everyInstance },
  {
    name: 'WADO-RS: CT of h1 (C-STORE), byte for byte',
    holds: async (asker) =>
      same(
        'data sets',
        digests(await wado(asker, asker.played.revised)),
        digests(filesOf(asker, asker.played.revised).map((file) => file.bytes)),
      ),
  },
  {
    name: 'WADO-RS: DR of h2 (STOW-RS), byte for byte',
    holds: async (asker) =>
      same(
        'data sets',
        digests(await wado(asker, asker.played.imagesFirst)),
        digests(filesOf(asker, asker.played.imagesFirst).map((file) => file.bytes)),
      ),
  },
  {
    name: 'RAD-69: CT of h1, byte for byte',
    holds: async (asker) =>
      same(
        'data sets',
        digests(await rad69(asker, asker.played.revised)),
        digests(filesOf(asker, asker.played.revised).map((file) => file.bytes)),
      ),
  },
  { name: 'C-FIND: the study by its accession number', holds: found },
  {
    name: 'C-GET: CT of h1, byte for byte',
    holds: async (asker) =>
      same(
        'data sets',
        await cGet(asker, asker.played.revised),
        digests(filesOf(asker, asker.played.revised).map((file) => file.bytes)),
      ),
  },
  {
    name: 'WADO-RS: CT that h3 keeps, fetched from its own archive, byte for byte',
    holds: async (asker) => {
      const exam = at3(asker);
      return exam
        ? same('data sets', digests(await wado(asker, exam)), digests(filesOf(asker, exam).map((file) => file.bytes)))
        : 'there is no such exam';
    },
  },
  {
    name: 'KOS manifest: a document reference for a complete study',
    holds: async (asker) =>
      (await search(asker, 'DocumentReference', { 'patient.identifier': identifierOf(asker.played.revised) })).some(
        (one) => JSON.stringify(one).includes('application/dicom'),
      )
        ? ''
        : 'none is found',
  },
  { name: 'the stranger with a known resident ID is nobody else, and the message says why', holds: claimed },
  { name: 'the bad message is kept once, with its reason', holds: badMessage },
  { name: 'the unknown sender and the unknown AE title are audited', holds: refusals },
  { name: 'closed: 401 without a token, 403 without the right', holds: statuses },
];
