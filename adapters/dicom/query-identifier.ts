/** Reads the identifier of C-FIND, C-MOVE and C-GET (PS3.4 §C.4) into what the index is asked, and writes its answers. */
import { fail, ok, problem } from '../../hub/core/problem.ts';
import type { Result } from '../../hub/core/problem.ts';
import type { DicomMatch, DicomQuery } from '../../hub/core/ports.ts';
import { parseCharset, UTF8 } from '../../mappings/dicom/charset.ts';
import { attributeOf } from '../../mappings/dicom/dictionary.ts';
import type { Attribute } from '../../mappings/dicom/dictionary.ts';
import type { DataSet } from '../../mappings/dicom/data-set.ts';
import { parseDataSet } from '../../mappings/dicom/parse.ts';
import { TAG } from '../../mappings/dicom/tags.ts';
import { EXPLICIT_LE } from '../../mappings/dicom/uids.ts';
import { writeDataSet } from '../../mappings/dicom/write.ts';
import type { Attributes, Value } from '../../mappings/dicom/write.ts';
import type { Root } from './sop-classes.ts';

export type Level = DicomQuery['level'];

export interface Identifier {
  readonly level: Level;
  readonly match: Readonly<Record<string, string | readonly string[]>>;
  /** Attributes asked for, matched or not, in the order of the request. */
  readonly wanted: readonly Attribute[];
  /** A key was given that the index does not match: pending responses say so (FF01). */
  readonly unsupported: boolean;
  readonly charset: 'ISO_IR 192' | 'GB18030' | 'ISO_IR 100';
}

const QUERY_RETRIEVE_LEVEL = 0x00080052;
/** Deep or long identifiers are no queries: real ones have some twenty keys and one level of sequences. */
const LIMITS = { depth: 4, elements: 2000, inflated: 1 << 20 };
const MAX_VALUES = 5000;

/** Keys of PS3.4 §C.6.1.1 and §C.6.2.1 that the index matches; the rest is returned where held, and not matched. */
// prettier-ignore
const MATCHED = new Set([
  'PatientName', 'PatientID', 'IssuerOfPatientID', 'PatientBirthDate', 'PatientSex',
  'StudyInstanceUID', 'StudyDate', 'StudyTime', 'AccessionNumber', 'StudyID', 'StudyDescription',
  'ReferringPhysicianName', 'ModalitiesInStudy', 'NumberOfStudyRelatedSeries', 'NumberOfStudyRelatedInstances',
  'SeriesInstanceUID', 'Modality', 'SeriesNumber', 'SeriesDescription', 'BodyPartExamined',
  'NumberOfSeriesRelatedInstances', 'SOPInstanceUID', 'SOPClassUID', 'InstanceNumber',
]);
/** Say how to answer, not what to match. */
const CONTROL = new Set([
  'SpecificCharacterSet',
  'QueryRetrieveLevel',
  'RetrieveAETitle',
  'InstanceAvailability',
  'TimezoneOffsetFromUTC',
  'QueryRetrieveView',
]);

export function readIdentifier(bytes: Buffer, transferSyntax: string, root: Root): Result<Identifier> {
  const parsed = parseDataSet(bytes, transferSyntax, LIMITS);
  if (!parsed.ok) return parsed;
  const { dataSet } = parsed.value;
  const level = dataSet.one(QUERY_RETRIEVE_LEVEL);
  const levels = root === 'patient' ? ['PATIENT', 'STUDY', 'SERIES', 'IMAGE'] : ['STUDY', 'SERIES', 'IMAGE'];
  if (!levels.includes(level)) {
    const text = `Query/Retrieve Level must be one of ${levels.join(', ')} in this model.`;
    return fail(problem('invalid-value', '(0008,0052)', text));
  }
  const match: Record<string, string | string[]> = {};
  const wanted: Attribute[] = [];
  let unsupported = false;
  for (const { tag } of dataSet.elements.values()) {
    const attribute = attributeOf(tag);
    // Group lengths and private keys: neither matched nor returned (PS3.4 §C.2.2.1).
    if (!attribute || (tag & 0xffff) === 0) continue;
    if (!CONTROL.has(attribute.keyword)) wanted.push(attribute);
    else if (attribute.keyword === 'InstanceAvailability') wanted.push(attribute);
    const value = CONTROL.has(attribute.keyword) ? null : matchValue(dataSet, attribute);
    if (value === null) continue;
    if (Array.isArray(value) && value.length > MAX_VALUES) {
      return fail(problem('limit-exceeded', tagOf(attribute), 'The list of values is too long.'));
    }
    if (MATCHED.has(attribute.keyword)) match[attribute.keyword] = value;
    else unsupported = true;
  }
  return ok({ level: level as Level, match, wanted, unsupported, charset: answerCharset(dataSet) });
}

const tagOf = ({ tag }: Attribute): string => `(${hex(tag >>> 16)},${hex(tag & 0xffff)})`;
const hex = (half: number): string => half.toString(16).toUpperCase().padStart(4, '0');

/** null: universal matching (PS3.4 §C.2.2.2.3), and sequences, which are returned empty. */
function matchValue(dataSet: DataSet, { tag, vr }: Attribute): string | string[] | null {
  if (vr === 'SQ') return null;
  const element = dataSet.get(tag);
  if (!element || element.end === element.start) return null;
  const charset = parseCharset(dataSet.ascii(TAG.SpecificCharacterSet)) ?? UTF8;
  const values = (TEXT.has(vr) ? dataSet.text(tag, charset) : dataSet.ascii(tag)).filter((value) => value !== '');
  const [first] = values;
  if (first === undefined) return null;
  return values.length === 1 ? first : values;
}

const TEXT = new Set(['LO', 'LT', 'PN', 'SH', 'ST', 'UC', 'UT']);

/** What the requester writes in it can read; where that cannot hold the answer, UTF-8 is used instead. */
function answerCharset(dataSet: DataSet): Identifier['charset'] {
  const charset = parseCharset(dataSet.ascii(TAG.SpecificCharacterSet));
  if (charset?.kind !== 'whole') return 'ISO_IR 192';
  return charset.name === 'GB18030' || charset.name === 'ISO_IR 100' ? charset.name : 'ISO_IR 192';
}

/** One match as the identifier of a C-FIND response (PS3.4 §C.4.1.1.3.2). */
export function writeMatch(match: DicomMatch, asked: Identifier, aeTitle: string, transferSyntax: string): Buffer {
  const held = match.attributes;
  const attributes: Record<string, Value> = { QueryRetrieveLevel: asked.level, RetrieveAETitle: aeTitle };
  for (const { keyword, vr } of asked.wanted) {
    const value = held[keyword];
    attributes[keyword] = vr === 'SQ' ? [] : (value ?? '');
  }
  for (const unique of UNIQUE[asked.level]) attributes[unique] ??= held[unique] ?? '';
  return writeDataSet(asSaid(attributes), {
    explicit: transferSyntax === EXPLICIT_LE,
    charset: holds(asked.charset, match) ? asked.charset : 'ISO_IR 192',
  });
}

const UNIQUE: Readonly<Record<Level, readonly string[]>> = {
  PATIENT: ['PatientID'],
  STUDY: ['StudyInstanceUID'],
  SERIES: ['StudyInstanceUID', 'SeriesInstanceUID'],
  IMAGE: ['StudyInstanceUID', 'SeriesInstanceUID', 'SOPInstanceUID'],
};

/** An empty value is an empty element, whatever its VR; the writer would take '' of a binary VR for a number. */
function asSaid(attributes: Record<string, Value>): Attributes {
  return Object.fromEntries(
    Object.entries(attributes).map(([keyword, value]) => [keyword, value === '' ? Buffer.alloc(0) : value]),
  );
}

/** GB18030 holds all of Unicode; Latin-1 its 256 characters less the C1 controls. */
function holds(charset: Identifier['charset'], match: DicomMatch): boolean {
  if (charset !== 'ISO_IR 100') return true;
  const foreign = /[^\x20-\x7e\xa0-\xff]/;
  return Object.values(match.attributes).every((value) => {
    const texts = typeof value === 'object' ? value : [String(value)];
    return !texts.some((text) => foreign.test(text));
  });
}
