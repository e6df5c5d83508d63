/**
 * The questions of QIDO-RS and C-FIND as SQL over the index. Matching follows PS3.4 §C.2.2.2: single value, list of UID,
 * wildcard, range. Every level's columns are joined only where a key or the level needs them.
 */
import { nameKey } from '../core/dicom-text.ts';
import type { HubId, Uid } from '../core/identifier.ts';
import type { DicomIndex, DicomMatch, DicomQuery } from '../core/ports.ts';
import type { Database } from './database.ts';
import { timed } from './fhir-query.ts';

type Level = 'patient' | 'study' | 'series' | 'instance';
type Matching = 'text' | 'person' | 'uid' | 'date' | 'time' | 'name' | 'integer' | 'any-modality' | 'exact';
interface Key {
  readonly level: Level;
  readonly column: string;
  readonly matching: Matching;
}

const KEYS: Readonly<Record<string, Key>> = {
  PatientID: { level: 'patient', column: 'p.local_id', matching: 'text' },
  IssuerOfPatientID: { level: 'patient', column: 'p.authority', matching: 'text' },
  PatientName: { level: 'patient', column: 'p.record_id', matching: 'name' },
  PatientSex: {
    level: 'patient',
    column: `case p.sex when 'male' then 'M' when 'female' then 'F' when 'other' then 'O' else '' end`,
    matching: 'exact',
  },
  PatientBirthDate: { level: 'patient', column: `replace(coalesce(p.birth_date, ''), '-', '')`, matching: 'date' },
  StudyInstanceUID: { level: 'study', column: 's.study_uid', matching: 'uid' },
  StudyDate: { level: 'study', column: 's.study_date', matching: 'date' },
  StudyTime: { level: 'study', column: 's.study_time', matching: 'time' },
  AccessionNumber: { level: 'study', column: 's.accession', matching: 'text' },
  StudyID: { level: 'study', column: 's.dicom_study_id', matching: 'text' },
  StudyDescription: { level: 'study', column: 's.description', matching: 'text' },
  ReferringPhysicianName: { level: 'study', column: 's.referring_physician', matching: 'person' },
  ModalitiesInStudy: { level: 'study', column: 's.modalities', matching: 'any-modality' },
  NumberOfStudyRelatedSeries: { level: 'study', column: 's.series_count', matching: 'integer' },
  NumberOfStudyRelatedInstances: { level: 'study', column: 's.instance_count', matching: 'integer' },
  InstitutionSite: { level: 'study', column: 's.site', matching: 'exact' },
  SeriesInstanceUID: { level: 'series', column: 'r.series_uid', matching: 'uid' },
  Modality: { level: 'series', column: 'r.modality', matching: 'text' },
  SeriesNumber: { level: 'series', column: 'r.number', matching: 'integer' },
  SeriesDescription: { level: 'series', column: `coalesce(r.description, '')`, matching: 'text' },
  BodyPartExamined: { level: 'series', column: `coalesce(r.body_part, '')`, matching: 'text' },
  NumberOfSeriesRelatedInstances: { level: 'series', column: 'r.instance_count', matching: 'integer' },
  SOPInstanceUID: { level: 'instance', column: 'i.sop_uid', matching: 'uid' },
  SOPClassUID: { level: 'instance', column: 'i.sop_class', matching: 'uid' },
  InstanceNumber: { level: 'instance', column: 'i.number', matching: 'integer' },
};

const PATIENT_COLUMNS = `p.record_id, p.person_id, p.local_id, p.authority, p.dicom_name, p.sex, p.birth_date`;
const STUDY_COLUMNS = `s.study_uid, s.site, s.study_date, s.study_time, s.accession, s.dicom_study_id, s.description as study_description,
  s.referring_physician, s.modalities, s.series_count, s.instance_count, s.availability`;
const SERIES_COLUMNS = `r.series_uid, r.modality, r.number as series_number, r.description as series_description, r.body_part,
  r.laterality, r.started_at, r.station_name, r.manufacturer, r.instance_count as series_instance_count`;
const INSTANCE_COLUMNS = `i.sop_uid, i.sop_class, i.transfer_syntax, i.number as instance_number, i.rows, i.columns, i.frames,
  i.bits_allocated`;

const FROM = {
  PATIENT: { columns: PATIENT_COLUMNS, from: 'patient_record p', order: 'p.record_id' },
  STUDY: {
    columns: `${PATIENT_COLUMNS}, ${STUDY_COLUMNS}`,
    from: 'study s join patient_record p on p.record_id = s.record_id',
    order: 's.study_date desc, s.study_uid',
  },
  SERIES: {
    columns: `${PATIENT_COLUMNS}, ${STUDY_COLUMNS}, ${SERIES_COLUMNS}`,
    from: `study s join patient_record p on p.record_id = s.record_id
      join series r on r.record_id = s.record_id and r.study_uid = s.study_uid`,
    order: 's.study_date desc, s.study_uid, r.number nulls last, r.series_uid',
  },
  IMAGE: {
    columns: `${PATIENT_COLUMNS}, ${STUDY_COLUMNS}, ${SERIES_COLUMNS}, ${INSTANCE_COLUMNS}`,
    from: `study s join patient_record p on p.record_id = s.record_id
      join series r on r.record_id = s.record_id and r.study_uid = s.study_uid
      join instance i on i.record_id = r.record_id and i.study_uid = r.study_uid and i.series_uid = r.series_uid`,
    order: 's.study_date desc, s.study_uid, r.number nulls last, r.series_uid, i.number nulls last, i.sop_uid',
  },
} as const;

/** A pattern that begins with a wildcard reads all there is: such a question must end. */
const TIMEOUT_MS = 20_000;

export function createDicomIndex(database: Database): DicomIndex {
  return {
    async find(query) {
      const rows = await timed<Row>(database, statement(query), TIMEOUT_MS);
      return rows.map((row) => match(row, query.level));
    },
  };
}

/** The SQL of a query, apart so that a test can EXPLAIN it. */
export function statement(query: DicomQuery): { text: string; values: unknown[] } {
  const values: unknown[] = [];
  const bind = (value: unknown): string => `$${String(values.push(value))}`;
  const shape = FROM[query.level];
  const conditions = query.level === 'PATIENT' ? ['p.merged_into is null'] : ['not s.voided'];
  const lower: string[] = [];
  const person = personNumbered(query.match, bind);
  if (person !== null) conditions.push(person);
  for (const [keyword, wanted] of Object.entries(query.match)) {
    const key = KEYS[keyword];
    if (key === undefined || (person !== null && NUMBER.includes(keyword))) continue;
    const sql = condition(key, Array.isArray(wanted) ? wanted.map(String) : [String(wanted)], query.fuzzy, bind);
    if (sql === null) continue;
    (reaches(query.level, key.level) ? conditions : lower).push(sql);
  }
  if (lower.length > 0) conditions.push(below(query.level, lower));
  const text = `select ${shape.columns} from ${shape.from} where ${conditions.join(' and ')}
    order by ${shape.order} limit ${bind(query.limit)} offset ${bind(query.offset)}`;
  return { text, values };
}

const NUMBER: readonly string[] = ['PatientID', 'IssuerOfPatientID'];

/**
 * A number whole means whose it is today: with its issuer everything of the person, at whatever hospital; alone, which
 * several hospitals may give, what that person has under the same issuer, so that the survivor of a hospital's own merge
 * brings the studies of both numbers, and so does the old one (IHE RAD TF-2 §4.14, multiple identity resolution). The
 * answer names the number that each study was made under. null: a pattern, or no number.
 */
function personNumbered(match: DicomQuery['match'], bind: Bind): string | null {
  const [id, issuer] = [single(match.PatientID), single(match.IssuerOfPatientID)];
  if (id === null || (issuer === null && match.IssuerOfPatientID !== undefined)) return null;
  const alike = issuer === null ? 'q.authority = n.authority' : `n.authority = ${bind(issuer)}`;
  return `p.record_id in (select q.record_id from patient_record n join patient_record q on q.person_id = n.person_id
    where n.local_id = ${bind(id)} and ${alike})`;
}

const single = (wanted: string | readonly string[] | undefined): string | null => {
  const [value, ...more] = wanted === undefined ? [] : [wanted].flat();
  return value === undefined || value === '' || more.length > 0 || hasWildcard(value) ? null : value;
};

const DEPTH: Readonly<Record<Level, number>> = { patient: 0, study: 1, series: 2, instance: 3 };
const QUERY_DEPTH: Readonly<Record<DicomQuery['level'], number>> = { PATIENT: 0, STUDY: 1, SERIES: 2, IMAGE: 3 };
const reaches = (level: DicomQuery['level'], of: Level): boolean => DEPTH[of] <= QUERY_DEPTH[level];

/** Keys below the level (Modality in a study query): something below must match them all. */
function below(level: DicomQuery['level'], conditions: readonly string[]): string {
  const all = conditions.join(' and ');
  if (level === 'PATIENT')
    return `exists (select from study s left join series r on r.record_id = s.record_id and r.study_uid = s.study_uid
      left join instance i on i.record_id = r.record_id and i.study_uid = r.study_uid and i.series_uid = r.series_uid
      where s.record_id = p.record_id and not s.voided and ${all})`;
  if (level === 'STUDY')
    return `exists (select from series r left join instance i on i.record_id = r.record_id and i.study_uid = r.study_uid
      and i.series_uid = r.series_uid where r.record_id = s.record_id and r.study_uid = s.study_uid and ${all})`;
  return `exists (select from instance i where i.record_id = r.record_id and i.study_uid = r.study_uid
    and i.series_uid = r.series_uid and ${all})`;
}

type Bind = (value: unknown) => string;

/** null: universal matching. */
function condition(key: Key, wanted: readonly string[], fuzzy: boolean, bind: Bind): string | null {
  const values = wanted.filter((value) => value !== '' && value !== '*');
  const [first] = values;
  if (first === undefined) return null;
  switch (key.matching) {
    case 'uid':
      return `${key.column} = any (${bind(values)}::text[])`;
    case 'integer':
      return /^-?\d{1,9}$/.test(first) ? `${key.column} = ${bind(Number(first))}` : 'false';
    case 'exact':
      return `${key.column} = any (${bind(values)}::text[])`;
    case 'any-modality':
      return values.some(hasWildcard)
        ? `exists (select from unnest(${key.column}) m where ${anyOf(values, (value) => `m like ${bind(like(value))}`)})`
        : `${key.column} && ${bind(values)}::text[]`;
    case 'date':
    case 'time':
      return range(key, first, bind);
    case 'name':
      return nameCondition(values, fuzzy, bind);
    case 'person':
      // A PN as it came: the whole of it, one of its component groups, or a group without its separators (李^建平).
      return anyOf(
        values,
        (value) => `exists (select from unnest(string_to_array(${key.column}, '=') || ${key.column}) as g (part)
          where part like ${bind(like(value))} or replace(part, '^', '') like ${bind(like(value))})`,
      );
    case 'text':
      return anyOf(values, (value) =>
        hasWildcard(value) ? `${key.column} like ${bind(like(value))}` : `${key.column} = ${bind(value)}`,
      );
  }
}

const anyOf = (values: readonly string[], each: (value: string) => string): string =>
  `(${values.map((value) => `(${each(value)})`).join(' or ')})`;
const hasWildcard = (text: string): boolean => /[*?]/.test(text);

/** DICOM `*` and `?` as LIKE, with LIKE's own characters escaped. */
const like = (text: string): string =>
  text
    .replace(/[\\%_]/g, (c) => `\\${c}`)
    .replaceAll('*', '%')
    .replaceAll('?', '_');

/** PS3.4 §C.2.2.2.5: `a-b`, `a-`, `-b` or one value; times compare by their given precision. */
function range(key: Key, wanted: string, bind: Bind): string {
  const clean = key.matching === 'date' ? wanted.replaceAll('.', '') : wanted.replaceAll(':', '');
  const dash = clean.indexOf('-');
  if (dash < 0) {
    const value = key.matching === 'time' ? (clean.split('.')[0] ?? '') : clean;
    return key.matching === 'time' ? `${key.column} like ${bind(`${like(value)}%`)}` : `${key.column} = ${bind(value)}`;
  }
  const [from, to] = [clean.slice(0, dash), clean.slice(dash + 1)];
  const parts = [`${key.column} <> ''`];
  if (from !== '') parts.push(`${key.column} >= ${bind(from)}`);
  // 10 as an upper time bound means through 10:59:59: pad with nines.
  if (to !== '')
    parts.push(`${key.column} <= ${bind(key.matching === 'time' ? to.split('.')[0]?.padEnd(6, '9') : to)}`);
  return `(${parts.join(' and ')})`;
}

/** Any component group of any name; fuzzy: each word begins a word of a name, in any order (PS3.18 §8.3.4.2). */
function nameCondition(values: readonly string[], fuzzy: boolean, bind: Bind): string {
  const groups = values
    .flatMap((value) => value.split('='))
    .map(nameKey)
    .filter((key) => key !== '' && key !== '*');
  if (groups.length === 0) return 'true';
  const named = (test: string): string => `select n.record_id from patient_name n where ${test}`;
  const found = groups.map((group) => {
    if (fuzzy) {
      const words = group.split(' ').map((word) => word.replace(/\*$/, ''));
      return words.map((word) => named(`n.key like ${bind(` ${like(word)}%`)}`)).join(' intersect ');
    }
    if (!hasWildcard(group)) return named(`n.key = ${bind(group)}`);
    // A word's own row is no name: it must not answer a pattern that begins anywhere.
    return named(`n.key like ${bind(like(group))} and n.key not like ' %'`);
  });
  // One subquery, not one a group: joined by OR they would each be asked for every patient there is.
  return `p.record_id in (${found.join(' union ')})`;
}

interface Row {
  person_id: HubId;
  local_id: string;
  authority: string;
  dicom_name: string;
  sex: string | null;
  birth_date: string | null;
  study_uid?: Uid;
  site?: string;
  study_date?: string;
  study_time?: string;
  accession?: string;
  dicom_study_id?: string;
  study_description?: string;
  referring_physician?: string;
  modalities?: string[];
  series_count?: number;
  instance_count?: number;
  availability?: string;
  series_uid?: string;
  modality?: string;
  series_number?: number | null;
  series_description?: string | null;
  body_part?: string | null;
  laterality?: string | null;
  station_name?: string | null;
  manufacturer?: string | null;
  series_instance_count?: number;
  sop_uid?: string;
  sop_class?: string;
  transfer_syntax?: string;
  instance_number?: number | null;
  rows?: number | null;
  columns?: number | null;
  frames?: number | null;
  bits_allocated?: number | null;
}

const SEX: Readonly<Record<string, string>> = { male: 'M', female: 'F', other: 'O' };

function match(row: Row, level: DicomQuery['level']): DicomMatch {
  const depth = QUERY_DEPTH[level];
  const all: Record<string, string | number | readonly string[] | null | undefined> = {
    PatientID: row.local_id,
    IssuerOfPatientID: row.authority,
    PatientName: row.dicom_name,
    PatientSex: SEX[row.sex ?? ''] ?? '',
    PatientBirthDate: (row.birth_date ?? '').replaceAll('-', '').padEnd(8, ' ').slice(0, 8).trim(),
  };
  if (depth >= 1)
    Object.assign(all, {
      StudyInstanceUID: row.study_uid,
      StudyDate: row.study_date,
      StudyTime: row.study_time,
      AccessionNumber: row.accession,
      StudyID: row.dicom_study_id,
      StudyDescription: row.study_description,
      ReferringPhysicianName: row.referring_physician,
      ModalitiesInStudy: row.modalities,
      NumberOfStudyRelatedSeries: row.series_count,
      NumberOfStudyRelatedInstances: row.instance_count,
      InstanceAvailability: row.availability === 'at-hospital' ? 'NEARLINE' : 'ONLINE',
      InstitutionSite: row.site,
    });
  if (depth >= 2)
    Object.assign(all, {
      SeriesInstanceUID: row.series_uid,
      Modality: row.modality,
      SeriesNumber: row.series_number,
      SeriesDescription: row.series_description,
      BodyPartExamined: row.body_part,
      Laterality: row.laterality,
      StationName: row.station_name,
      Manufacturer: row.manufacturer,
      NumberOfSeriesRelatedInstances: row.series_instance_count,
    });
  if (depth >= 3)
    Object.assign(all, {
      SOPInstanceUID: row.sop_uid,
      SOPClassUID: row.sop_class,
      AvailableTransferSyntaxUID: row.transfer_syntax,
      InstanceNumber: row.instance_number,
      Rows: row.rows,
      Columns: row.columns,
      NumberOfFrames: row.frames,
      BitsAllocated: row.bits_allocated,
    });
  const attributes: Record<string, string | number | readonly string[]> = {};
  for (const [keyword, value] of Object.entries(all))
    if (value !== null && value !== undefined) attributes[keyword] = value;
  return { attributes, personId: row.person_id, studyUid: row.study_uid ?? null };
}
