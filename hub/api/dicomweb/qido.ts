/** QIDO-RS (PS3.18 §10.6): searches of the index, answered as DICOM JSON or as multipart XML. */
import type { Request } from 'express';
import type { DicomMatch } from '../../core/ports.ts';
import { Failure, problem } from '../../core/problem.ts';
import { attributeNamed } from '../../../mappings/dicom/dictionary.ts';
import { attributesToJson } from '../../../mappings/dicom/json.ts';
import type { JsonDataSet } from '../../../mappings/dicom/json.ts';
import { acceptedBy } from './accept.ts';
import type { MediaRange } from './accept.ts';
import type { DicomwebDeps } from './deps.ts';
import type { Exchange } from './exchange.ts';
import { uidParameter } from './exchange.ts';
import { sendMultipart } from './multipart.ts';
import { nativeXml } from './native-xml.ts';
import { readSearch } from './qido-query.ts';
import type { Level, Search } from './qido-query.ts';

/** Returned without being asked for (PS3.18 tables 10.6.3-3 to 10.6.3-5, and what study lists show). */
// prettier-ignore
const RETURNED: Readonly<Record<Level, readonly string[]>> = {
  STUDY: [
    'StudyDate', 'StudyTime', 'AccessionNumber', 'InstanceAvailability', 'ModalitiesInStudy', 'ReferringPhysicianName',
    'TimezoneOffsetFromUTC', 'PatientName', 'PatientID', 'IssuerOfPatientID', 'PatientBirthDate', 'PatientSex', 'StudyInstanceUID',
    'StudyID', 'StudyDescription', 'NumberOfStudyRelatedSeries', 'NumberOfStudyRelatedInstances',
  ],
  SERIES: [
    'Modality', 'TimezoneOffsetFromUTC', 'SeriesDescription', 'SeriesInstanceUID', 'SeriesNumber', 'NumberOfSeriesRelatedInstances',
    'PerformedProcedureStepStartDate', 'PerformedProcedureStepStartTime', 'BodyPartExamined', 'StudyInstanceUID',
  ],
  IMAGE: [
    'SOPClassUID', 'SOPInstanceUID', 'InstanceAvailability', 'TimezoneOffsetFromUTC', 'InstanceNumber', 'Rows', 'Columns',
    'BitsAllocated', 'NumberOfFrames', 'SeriesInstanceUID', 'StudyInstanceUID',
  ],
};

export async function search(deps: DicomwebDeps, exchange: Exchange, level: Level): Promise<void> {
  const { request, response, base } = exchange;
  const xml = wantsXml(request);
  const path = pathKeys(request);
  const parameters = new URL(request.originalUrl, 'http://hub').searchParams;
  const read = readSearch(level, parameters, path, deps.limits);
  if (!read.ok) throw new Failure(read.problem);
  const { query } = read.value;
  // One more than asked for tells whether there is more.
  const found = query.limit === 0 ? [] : await exchange.index.find({ ...query, limit: query.limit + 1 });
  const matches = found.slice(0, query.limit);
  const studies = matches.flatMap((match) => (match.studyUid === null ? [] : [match.studyUid]));
  await exchange.audited('search', [...new Set(matches.map((match) => match.personId))], [...new Set(studies)]);
  if (found.length > query.limit) {
    response.setHeader('Warning', `299 ${base} "There are additional results that can be requested"`);
  }
  const levels = returnedLevels(level, path);
  const models = matches.map((match) => answered(match, levels, level, read.value.include, base));
  response.setHeader('Cache-Control', 'no-store');
  if (!xml) {
    response.type('application/dicom+json').send(Buffer.from(JSON.stringify(models)));
    return;
  }
  const parts = models.map((model) => ({
    contentType: 'application/dicom+xml',
    body: { bytes: Buffer.from(nativeXml(model)) },
  }));
  if (parts.length === 0)
    response.status(204).end(); // a multipart body needs a part
  else await sendMultipart(deps, exchange, 'application/dicom+xml', parts);
}

/** What the path names need not be told again; a search across studies or series tells where each match belongs. */
function returnedLevels(level: Level, path: Readonly<Record<string, string>>): readonly Level[] {
  const levels: Level[] = [level];
  if (level !== 'STUDY' && path.StudyInstanceUID === undefined) levels.push('STUDY');
  if (level === 'IMAGE' && path.SeriesInstanceUID === undefined) levels.push('SERIES');
  return levels;
}

function pathKeys(request: Request): Record<string, string> {
  const keys: Record<string, string> = {};
  if (request.params.study !== undefined) keys.StudyInstanceUID = uidParameter(request, 'study');
  if (request.params.series !== undefined) keys.SeriesInstanceUID = uidParameter(request, 'series');
  return keys;
}

/** JSON unless XML is preferred; 406 where neither is taken. */
export function wantsXml(request: Request): boolean {
  const ranges = acceptedBy(request);
  if (!ranges.ok) throw new Failure(ranges.problem);
  for (const range of ranges.value) {
    if (isJson(range)) return false;
    if (isXml(range)) return true;
  }
  throw new Failure(
    problem(
      'unsupported-media',
      'Accept',
      'The answer can be had as application/dicom+json or multipart/related; type="application/dicom+xml".',
    ),
  );
}

const isJson = ({ type }: MediaRange): boolean =>
  ['*/*', 'application/*', 'application/json', 'application/dicom+json'].includes(type);
const isXml = ({ type, parameters }: MediaRange): boolean =>
  type === 'application/dicom+xml' ||
  (type === 'multipart/related' && parameters.get('type')?.toLowerCase() === 'application/dicom+xml');

function answered(
  match: DicomMatch,
  levels: readonly Level[],
  level: Level,
  include: Search['include'],
  base: string,
): JsonDataSet {
  const wanted = new Set(levels.flatMap((at) => RETURNED[at]));
  const chosen = Object.entries(match.attributes).filter(
    ([keyword]) =>
      attributeNamed(keyword) !== null && (include === 'all' || wanted.has(keyword) || include.has(keyword)),
  );
  const own = { SpecificCharacterSet: 'ISO_IR 192', RetrieveURL: retrieveUrl(match, level, base) };
  return attributesToJson({ ...Object.fromEntries(chosen), ...own });
}

function retrieveUrl({ attributes }: DicomMatch, level: Level, base: string): string {
  const uid = (keyword: string): string => String(attributes[keyword] ?? '');
  const study = `${base}/studies/${uid('StudyInstanceUID')}`;
  if (level === 'STUDY') return study;
  const series = `${study}/series/${uid('SeriesInstanceUID')}`;
  return level === 'SERIES' ? series : `${series}/instances/${uid('SOPInstanceUID')}`;
}
