/**
 * The affinity domain in the demo's checks: registry and repository of this hub, and the gateway by which a study of the
 * neighbouring community is found (ITI-18) and fetched (RAD-69) beside our own.
 */
import { createHash } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import type { DocumentEntry } from '../../hub/core/document.ts';
import { EXPLICIT_LE } from '../../mappings/dicom/uids.ts';
import { readManifest } from '../../mappings/dicom/kos-read.ts';
import type { ManifestRead } from '../../mappings/dicom/kos-read.ts';
import { readQueryAnswer } from '../../mappings/xds/cross-query.ts';
import { writeRetrieveRequest } from '../../mappings/xds/document-set.ts';
import { QUERY, RIM } from '../../mappings/xds/ebrim-names.ts';
import { readSubmission } from '../../mappings/xds/ebrim-read.ts';
import { listed, quoted } from '../../mappings/xds/stored-query-value.ts';
import { xml } from '../../mappings/xds/xml.ts';
import type { Exam } from '../province/exams.ts';
import { ask, ITI18, ITI43, RAD69, retrieved } from '../support/xds-community.ts';
import { requestBody } from '../support/xds-peer.ts';
import { digests, filesOf, same } from './asker.ts';
import type { Asker, Check } from './asker.ts';
import { patientAt } from './neighbour.ts';

const FIND_DOCUMENTS = 'urn:uuid:14d4debf-8f97-4251-9a74-a90016b0af0d';
const APPROVED = 'urn:oasis:names:tc:ebxml-regrep:StatusType:Approved';
const KOS = 'application/dicom';
const PDF = 'application/pdf';
/** A manifest, and the report in its three forms. */
const OF_A_STUDY = [KOS, 'application/fhir+json', PDF, 'text/xml'];

interface Found {
  readonly entry: DocumentEntry;
  /** homeCommunityId as the answer says it. */
  readonly home: string;
}

const headers = (asker: Asker): Record<string, string> => ({ Authorization: `Bearer ${asker.query}` });

const slot = (name: string, value: string): string =>
  `<rim:Slot name="${name}"><rim:ValueList><rim:Value>${xml(value)}</rim:Value></rim:ValueList></rim:Slot>`;

/** ITI-18 FindDocuments: the approved documents of a person, by the id in our affinity domain. */
async function findDocuments(asker: Asker, face: string, person: string): Promise<Found[]> {
  const { hub } = asker;
  const body =
    `<query:AdhocQueryRequest xmlns:query="${QUERY}" xmlns:rim="${RIM}">` +
    '<query:ResponseOption returnComposedObjects="true" returnType="LeafClass"/>' +
    `<rim:AdhocQuery id="${FIND_DOCUMENTS}">` +
    slot('$XDSDocumentEntryPatientId', quoted(`${person}^^^&${hub.domain}&ISO`)) +
    slot('$XDSDocumentEntryStatus', listed([APPROVED])) +
    '</rim:AdhocQuery></query:AdhocQueryRequest>';
  const answered = await ask(`${hub.base}/xds/${face}`, ITI18, body, headers(asker));
  const answer = answered.body === null ? null : readQueryAnswer(answered.body);
  if (answer?.ok !== true) throw new Error(`ITI-18 answered HTTP ${String(answered.status)}`);
  const { status, errors, objects } = answer.value;
  if (status !== 'success') throw new Error(`ITI-18: ${status}, ${errors.map(({ code }) => code).join(', ')}`);
  const list = { namespace: RIM, name: 'RegistryObjectList', attributes: new Map(), children: objects, text: '' };
  const { submission, homes } = readSubmission(list, { form: 'strict' });
  return submission.objects.flatMap((entry) =>
    entry.kind === 'document' ? [{ entry, home: homes.get(entry.id) ?? '' }] : [],
  );
}

const ofStudy = (found: readonly Found[], exam: Exam): Found[] =>
  found.filter(({ entry }) => entry.referenceIds.some((reference) => reference.startsWith(`${exam.studyUid}^`)));
const types = (found: readonly Found[]): string[] => found.map(({ entry }) => entry.mimeType).sort();

/** Which of these exams have their manifest and report among the documents of a person. */
export async function documented(asker: Asker, person: string, exams: readonly Exam[]): Promise<readonly Exam[]> {
  const found = await findDocuments(asker, 'registry', person);
  return exams.filter((exam) => complete(found, exam));
}

const complete = (found: readonly Found[], exam: Exam): boolean =>
  same('', types(ofStudy(found, exam)), OF_A_STUDY) === '';

/** Documents are made when a study has settled, beside everything else: the query is asked again until they stand. */
async function standing(asker: Asker, face: string, exam: Exam, also: Exam = exam): Promise<Found[]> {
  const person = await patientAt(asker.hub, asker.query, exam.person);
  for (let tries = 0; ; tries++) {
    const found = await findDocuments(asker, face, person);
    if ((complete(found, exam) && complete(found, also)) || tries === 40) return found;
    await pause(500);
  }
}

/** ITI-43 of one document. */
async function fetchDocument(asker: Asker, face: string, { entry, home }: Found): Promise<Buffer> {
  const wanted = {
    homeCommunityId: home === '' ? null : home,
    repositoryUniqueId: entry.repositoryUniqueId ?? '',
    documentUniqueId: entry.uniqueId,
  };
  const url = `${asker.hub.base}/xds/${face}`;
  const answer = retrieved(await ask(url, ITI43, writeRetrieveRequest([wanted]), headers(asker)));
  if (answer.status !== 'success') throw new Error(`ITI-43: ${answer.errors.map(({ code }) => code).join(', ')}`);
  return answer.bytes.get(entry.uniqueId) ?? Buffer.alloc(0);
}

function manifestOf(bytes: Buffer): ManifestRead {
  const read = readManifest(bytes);
  if (!read.ok) throw new Error(`the manifest: ${read.problem.text}`);
  return read.value;
}

const sopUids = ({ studies }: ManifestRead): string[] =>
  studies.flatMap(({ series }) => series.flatMap(({ instances }) => instances.map(({ sopUid }) => sopUid))).sort();

async function registered(asker: Asker): Promise<string> {
  const { revised } = asker.played;
  const found = ofStudy(await standing(asker, 'registry', revised), revised);
  return (
    same('documents', types(found), OF_A_STUDY) ||
    same('repository', [...new Set(found.map(({ entry }) => entry.repositoryUniqueId))], [asker.hub.repositoryOid])
  );
}

async function documentsRight(asker: Asker): Promise<string> {
  const { revised } = asker.played;
  const found = ofStudy(await standing(asker, 'registry', revised), revised);
  for (const type of [KOS, PDF]) {
    const one = found.find(({ entry }) => entry.mimeType === type);
    if (!one) return `no ${type} is registered`;
    const bytes = await fetchDocument(asker, 'repository', one);
    const hash = createHash('sha1').update(bytes).digest('hex');
    const wrong =
      same(`hash and size of ${type}`, [hash, bytes.length], [one.entry.hash, one.entry.size]) ||
      (type === PDF
        ? same('PDF', bytes.subarray(0, 5).toString('latin1'), '%PDF-')
        : same(
            'instances',
            sopUids(manifestOf(bytes)),
            filesOf(asker, revised)
              .map(({ sopUid }) => sopUid)
              .sort(),
          ));
    if (wrong !== '') return wrong;
  }
  return '';
}

/** Our exam of the person who was abroad. */
function atHome(asker: Asker): Exam {
  const ours = asker.played.exams.find(
    ({ site, person }) => site === 'h1' && person.residentId === asker.abroad.exam.person.residentId,
  );
  if (!ours) throw new Error('the traveller has no exam here');
  return ours;
}

async function bothCommunities(asker: Asker): Promise<string> {
  const { hub, abroad } = asker;
  const ours = atHome(asker);
  const found = await standing(asker, 'initiating-gateway', ours, abroad.exam);
  const seen = (exam: Exam): [string[], string[]] => [
    types(ofStudy(found, exam)),
    [...new Set(ofStudy(found, exam).map(({ home }) => home))],
  ];
  return (
    same('our study', seen(ours), [OF_A_STUDY, [hub.home]]) ||
    same('the study of the neighbour', seen(abroad.exam), [OF_A_STUDY, [hub.neighbour.home]])
  );
}

/** As a viewer does it: the manifest from the gateway names the images, and who has them. */
async function imagesFromAbroad(asker: Asker): Promise<string> {
  const { exam, files } = asker.abroad;
  const found = ofStudy(await standing(asker, 'initiating-gateway', atHome(asker), exam), exam);
  const kos = found.find(({ entry }) => entry.mimeType === KOS);
  if (!kos) return 'no manifest of the neighbour is found';
  const manifest = manifestOf(await fetchDocument(asker, 'initiating-gateway', kos));
  const wanted = manifest.studies.flatMap(({ studyUid, series }) =>
    series.flatMap(({ seriesUid, repositoryUid, instances }) =>
      instances.map(({ sopUid }) => ({
        study: studyUid,
        series: seriesUid,
        sop: sopUid,
        repository: repositoryUid,
        home: kos.home,
      })),
    ),
  );
  const url = `${asker.hub.base}/xds/initiating-gateway`;
  const answer = retrieved(await ask(url, RAD69, requestBody(wanted, [EXPLICIT_LE]), headers(asker)));
  if (answer.status !== 'success')
    return `RAD-69: ${answer.status}, ${answer.errors.map(({ code }) => code).join(', ')}`;
  return same('data sets', digests([...answer.bytes.values()]), digests(files.map(({ bytes }) => bytes)));
}

export const DOCUMENT_CHECKS: readonly Check[] = [
  { name: 'ITI-18: manifest and report of a complete study stand in the registry by themselves', holds: registered },
  { name: 'ITI-43: manifest and PDF report, their hashes right', holds: documentsRight },
  {
    name: '邻省 ITI-18: one answer of our gateway has its study and ours, each with its community',
    holds: bothCommunities,
  },
  { name: '邻省 RAD-69: its CT through our gateway, byte for byte', holds: imagesFromAbroad },
];
