/**
 * Reads a QIDO-RS search (PS3.18 §8.3.4, §10.6.1) into the question that the index answers: every parameter is an
 * attribute it can match, a known option, or a clear refusal; a filter is never silently ignored.
 */
import { lenientUid } from '../../core/identifier.ts';
import type { DicomQuery } from '../../core/ports.ts';
import { fail, ok, problem } from '../../core/problem.ts';
import type { Result } from '../../core/problem.ts';
import { attributeOf, parseTag } from '../../../mappings/dicom/dictionary.ts';
import type { Attribute } from '../../../mappings/dicom/dictionary.ts';

export type Level = 'STUDY' | 'SERIES' | 'IMAGE';

export interface Search {
  readonly query: DicomQuery;
  /** Keywords asked for besides the level's own; `all` for whatever the index holds. */
  readonly include: ReadonlySet<string> | 'all';
}

/** What the index matches. A key below the level (Modality in a search for studies) holds where something below has it. */
// prettier-ignore
const MATCHED: readonly string[] = [
  'PatientName', 'PatientID', 'IssuerOfPatientID', 'PatientBirthDate', 'PatientSex',
  'StudyInstanceUID', 'StudyDate', 'StudyTime', 'AccessionNumber', 'StudyID', 'StudyDescription', 'ReferringPhysicianName',
  'ModalitiesInStudy', 'NumberOfStudyRelatedSeries', 'NumberOfStudyRelatedInstances',
  'SeriesInstanceUID', 'Modality', 'SeriesNumber', 'SeriesDescription', 'BodyPartExamined', 'NumberOfSeriesRelatedInstances',
  'SOPInstanceUID', 'SOPClassUID', 'InstanceNumber',
];

const PARAMETER_LIMIT = 100;
const VALUE_LIMIT = 16_384;

export function readSearch(
  level: Level,
  parameters: URLSearchParams,
  path: Readonly<Record<string, string>>,
  limits: { readonly matches: number },
): Result<Search> {
  const match: Record<string, string | readonly string[]> = { ...path };
  const include = new Set<string>();
  let all = false;
  let fuzzy = false;
  let limit = limits.matches;
  let offset = 0;
  if ([...parameters].length > PARAMETER_LIMIT) return refuse(null, 'There are too many query parameters.');
  for (const [name, value] of parameters) {
    if (value.length > VALUE_LIMIT) return refuse(name, 'The value is too long.');
    switch (name) {
      case 'includefield': {
        const fields = readFields(value);
        if (!fields.ok) return fields;
        if (fields.value === 'all') all = true;
        else for (const keyword of fields.value) include.add(keyword);
        break;
      }
      case 'fuzzymatching':
        if (value !== 'true' && value !== 'false') return refuse(name, 'Takes true or false.');
        fuzzy = value === 'true';
        break;
      case 'limit':
      case 'offset': {
        if (!/^\d{1,9}$/.test(value)) return refuse(name, 'Takes a whole number that is not negative.');
        if (name === 'limit') limit = Math.min(Number(value), limits.matches);
        else offset = Number(value);
        break;
      }
      case 'accept':
      case 'charset':
        break; // content negotiation (PS3.18 §8.3.3)
      default: {
        const key = readKey(name, value);
        if (!key.ok) return key;
        const { attribute, wanted } = key.value;
        include.add(attribute.keyword);
        if (wanted === null) break;
        const { keyword } = attribute;
        if (match[keyword] !== undefined && !sameMatch(match[keyword], wanted))
          return refuse(name, 'Is given twice, with two values.');
        match[keyword] = wanted;
      }
    }
  }
  return ok({ query: { level, match, fuzzy, limit, offset }, include: all ? 'all' : include });
}

const refuse = (where: string | null, text: string): Result<never> =>
  fail(problem('invalid-value', where?.slice(0, 64), text));

const sameMatch = (one: string | readonly string[], other: string | readonly string[]): boolean =>
  String(one) === String(other);

/** Names and tags of attributes, comma separated; what the index does not hold is simply not returned (§10.6.1.2). */
function readFields(value: string): Result<readonly string[] | 'all'> {
  const keywords: string[] = [];
  for (const field of value.split(',').map((text) => text.trim())) {
    if (field === '') continue;
    if (field.toLowerCase() === 'all') return ok('all');
    // A path into a sequence asks for the sequence.
    const tag = parseTag(field.split('.')[0] ?? '');
    if (tag === null) return refuse('includefield', 'Names an attribute that does not exist.');
    const attribute = attributeOf(tag);
    if (attribute) keywords.push(attribute.keyword);
  }
  return ok(keywords);
}

function readKey(
  name: string,
  value: string,
): Result<{ attribute: Attribute; wanted: string | readonly string[] | null }> {
  const tag = parseTag(name);
  const attribute = tag === null ? null : attributeOf(tag);
  if (attribute === null) return refuse(name, 'Is neither an attribute of DICOM nor an option of this search.');
  if (!MATCHED.includes(attribute.keyword)) return refuse(name, `Cannot be searched. What can: ${MATCHED.join(', ')}.`);
  if (value === '') return ok({ attribute, wanted: null }); // universal matching
  if (CONTROL.test(value)) return refuse(name, 'Has control characters.');
  return readValue(attribute, name, value);
}

const CONTROL = /[\u0000-\u001f\u007f]/;
const DATES = /^(\d{8}|\d{8}-|-\d{8}|\d{8}-\d{8})$/;
const CLOCK = '\\d{2}(?:\\d{2}(?:\\d{2}(?:\\.\\d{1,6})?)?)?';
const TIMES = new RegExp(`^(${CLOCK}|${CLOCK}-|-${CLOCK}|${CLOCK}-${CLOCK})$`);

function readValue(
  attribute: Attribute,
  name: string,
  value: string,
): Result<{ attribute: Attribute; wanted: string | readonly string[] }> {
  const { vr, keyword } = attribute;
  if (vr === 'UI') {
    const uids = value.split(/[,\\]/).map((text) => text.trim());
    if (uids.some((uid) => lenientUid(uid) === null)) return refuse(name, 'Takes DICOM UIDs, separated by commas.');
    return ok({ attribute, wanted: uids.length === 1 ? (uids[0] ?? '') : uids });
  }
  if (vr === 'DA' && !DATES.test(value)) return refuse(name, 'Takes a date YYYYMMDD or a range YYYYMMDD-YYYYMMDD.');
  if (vr === 'TM' && !TIMES.test(value)) return refuse(name, 'Takes a time HHMMSS or a range HHMMSS-HHMMSS.');
  if (keyword === 'ModalitiesInStudy' && /[,\\]/.test(value)) {
    return ok({
      attribute,
      wanted: value
        .split(/[,\\]/)
        .map((text) => text.trim())
        .filter((text) => text !== ''),
    });
  }
  if (vr === 'IS' && !/^[+-]?\d{1,11}$/.test(value)) return refuse(name, 'Takes an integer.');
  return ok({ attribute, wanted: value });
}
