/**
 * The questions of QIDO-RS and C-FIND on a real database: what matches by PS3.4 §C.2.2.2, and that each selective
 * question is answered through its index however large the province is.
 */
import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { nameKeys } from '../../hub/core/dicom-text.ts';
import type { DicomQuery } from '../../hub/core/ports.ts';
import type { PersonName } from '../../hub/core/record.ts';
import { createDicomIndex, statement } from '../../hub/store/dicom-index.ts';
import { freshDatabase, type FreshDatabase } from '../support/database.ts';

let fresh: FreshDatabase;

interface Told {
  readonly n: number;
  readonly localId: string;
  readonly names: readonly PersonName[];
  readonly date: string;
  readonly time: string;
  readonly modalities: readonly string[];
  readonly born?: string;
  readonly voided?: boolean;
}

const han = (text: string): PersonName => ({ text, representation: 'ideographic' });
const latin = (family: string, given: string): PersonName => ({
  text: `${family} ${given}`,
  family,
  given,
  representation: 'alphabetic',
});

// prettier-ignore
const STUDIES: readonly Told[] = [
  { n: 1, localId: 'P100', names: [han('张三丰'), latin('Zhang', 'Sanfeng')], date: '20260301', time: '081500', modalities: ['CT'], born: '1980-03-15' },
  { n: 2, localId: 'P101', names: [han('张三'), latin('Zhang', 'San')], date: '20260302', time: '103000', modalities: ['CT', 'SR'] },
  { n: 3, localId: 'P_01', names: [han('欧阳娜'), latin('Ouyang', 'Na')], date: '20260303', time: '105959', modalities: ['MR'] },
  { n: 4, localId: 'Q%1', names: [latin("O'Neil", 'Sanford')], date: '', time: '', modalities: ['DX'] },
  { n: 5, localId: 'P999', names: [han('张三')], date: '20260302', time: '120000', modalities: ['CT'], voided: true },
];

const uuid = (n: number): string => `00000000-0000-4000-8000-${String(n).padStart(12, '0')}`;
const uid = (n: number): string => `1.2.3.${String(n)}`;

async function fill(told: Told): Promise<void> {
  const { pool } = fresh.database;
  const { n } = told;
  await pool.query(
    `insert into patient_record (record_id, site, authority, local_id, person_id, facts, sex, birth_date, dicom_name)
     values ($1, 'h1', '2.999', $2, $1, '{}', 'male', $3, $4)`,
    [uuid(n), told.localId, told.born ?? null, told.names[0]?.text],
  );
  await pool.query('insert into patient_name (record_id, key) select $1, unnest($2::text[])', [
    uuid(n),
    nameKeys(told.names),
  ]);
  await pool.query(
    `insert into study (record_id, study_uid, study_id, exam_id, site, modalities, series_count, instance_count, availability,
       voided, study_date, study_time, accession, description)
     values ($1, $2, $1, $1, 'h1', $3, $4, $5, 'complete', $6, $7, $8, $9, $10)`,
    [
      uuid(n),
      uid(n),
      told.modalities,
      told.modalities.length,
      2,
      told.voided === true,
      told.date,
      told.time,
      `A${String(n)}`,
      '胸部CT平扫',
    ],
  );
  for (const [at, modality] of told.modalities.entries()) {
    const series = `${uid(n)}.${String(at + 1)}`;
    await pool.query(
      `insert into series (record_id, study_uid, series_uid, modality, number, body_part, instance_count)
       values ($1, $2, $3, $4, $5, 'CHEST', 2)`,
      [uuid(n), uid(n), series, modality, at + 1],
    );
    await pool.query(
      `insert into instance (record_id, study_uid, series_uid, sop_uid, sop_class, transfer_syntax, number, object, size,
         digest, data_set_offset, journal_id)
       select $1, $2, $3, $3 || '.' || i, '1.2.840.10008.5.1.4.1.1.2', '1.2.840.10008.1.2.1', i, 'o', 1, 'd', 0, 1
       from generate_series(1, 2) i`,
      [uuid(n), uid(n), series],
    );
  }
}

/** Others, enough that the planner has a choice: each with a name, a study, a series and an instance of its own. */
const CROWD = `
with s as (select g, md5('r' || g)::uuid as r, '9.9.' || g as u from generate_series(1, 20000) g),
patients as (insert into patient_record (record_id, site, authority, local_id, person_id, facts, sex, birth_date, dicom_name)
  select r, 'h2', '2.999.2', 'X' || g, r, '{}', 'female', to_char(date '1940-01-01' + (g % 25000), 'YYYY-MM-DD'), '' from s),
names as (insert into patient_name select r, k from s, lateral (values (chr(20000 + g % 9000) || chr(20000 + g % 7001)),
  (' ' || chr(20000 + g % 9000) || chr(20000 + g % 7001))) v(k)),
studies as (insert into study (record_id, study_uid, study_id, exam_id, site, modalities, series_count, instance_count,
    availability, study_date, study_time, accession)
  select r, u, r, r, 'h2', '{US}', 1, 1, 'complete', to_char(date '2020-01-01' + (g % 2000), 'YYYYMMDD'), '080000', 'B' || g from s),
rows as (insert into series (record_id, study_uid, series_uid, modality, number, instance_count) select r, u, u || '.1', 'US', 1, 1 from s)
insert into instance (record_id, study_uid, series_uid, sop_uid, sop_class, transfer_syntax, number, object, size, digest,
  data_set_offset, journal_id) select r, u, u || '.1', u || '.1.1', '1.2', '1.2', 1, 'o', 1, 'd', 0, 1 from s`;

before(async () => {
  fresh = await freshDatabase();
  for (const told of STUDIES) await fill(told);
  await fresh.database.pool.query(CROWD);
  await fresh.database.pool.query('analyze');
});

const asked = (level: DicomQuery['level'], match: DicomQuery['match'], fuzzy = false): DicomQuery => ({
  level,
  match,
  fuzzy,
  limit: 101,
  offset: 0,
});

async function studies(match: DicomQuery['match'], fuzzy = false): Promise<string[]> {
  const found = await createDicomIndex(fresh.database).find(asked('STUDY', match, fuzzy));
  return found.map((one) => String(one.studyUid)).sort();
}

test('a patient identifier matches whole, by wildcards, and by no accident of LIKE', async () => {
  assert.deepEqual(await studies({ PatientID: 'P100' }), [uid(1)]);
  assert.deepEqual(await studies({ PatientID: 'P10?' }), [uid(1), uid(2)]);
  assert.deepEqual(await studies({ PatientID: 'P*0*' }), [uid(1), uid(2), uid(3)]);
  assert.deepEqual(await studies({ PatientID: 'P_0*' }), [uid(3)]);
  assert.deepEqual(await studies({ PatientID: 'Q%*' }), [uid(4)]);
  assert.deepEqual(await studies({ PatientID: 'p100' }), []);
});

test('a number with its issuer means the person: what other hospitals have of it, and what a merge left under the old one', async () => {
  const { pool } = fresh.database;
  const person = (local: string, id: string): Promise<unknown> =>
    pool.query('update patient_record set person_id = $2 where local_id = $1', [local, id]);
  const both = [uid(1), '9.9.77'].sort();
  await person('X77', uuid(1));
  try {
    for (const number of [
      { PatientID: 'P100', IssuerOfPatientID: '2.999' },
      { PatientID: 'X77', IssuerOfPatientID: '2.999.2' },
    ])
      assert.deepEqual(await studies(number), both, JSON.stringify(number));
    assert.deepEqual(await studies({ PatientID: 'X77', IssuerOfPatientID: '2.999' }), [], 'another hospital’s X77');
    assert.deepEqual(await studies({ PatientID: 'X77', IssuerOfPatientID: '2.999*' }), ['9.9.77'], 'a pattern is one');
    assert.deepEqual(await studies({ PatientID: 'P100' }), [uid(1)], 'alone it may be anybody’s elsewhere');
    assert.deepEqual(await studies({ PatientID: 'P100', IssuerOfPatientID: '2.999', StudyDate: '20260301' }), [uid(1)]);
    const patients = await createDicomIndex(fresh.database).find(
      asked('PATIENT', { PatientID: 'X77', IssuerOfPatientID: '2.999.2' }),
    );
    assert.deepEqual(patients.map((one) => one.attributes.PatientID).sort(), ['P100', 'X77'], 'each under its own');
  } finally {
    await person('X77', (await pool.query<{ r: string }>(`select md5('r77')::uuid::text as r`)).rows[0]?.r ?? '');
  }
  await person('P_01', uuid(2));
  await pool.query(`update patient_record set merged_into = $1 where local_id = 'P_01'`, [uuid(2)]);
  try {
    for (const number of ['P101', 'P_01'])
      assert.deepEqual(
        await studies({ PatientID: number }),
        [uid(2), uid(3)],
        `${number}: the survivor and the old one`,
      );
  } finally {
    await person('P_01', uuid(3));
    await pool.query(`update patient_record set merged_into = null where local_id = 'P_01'`);
  }
});

test('a name matches in either script, by its components or as one', async () => {
  assert.deepEqual(await studies({ PatientName: '张三' }), [uid(2)]);
  assert.deepEqual(await studies({ PatientName: '张三*' }), [uid(1), uid(2)]);
  assert.deepEqual(await studies({ PatientName: 'zhang^san' }), [uid(2)]);
  assert.deepEqual(await studies({ PatientName: 'ZHANG*' }), [uid(1), uid(2)]);
  assert.deepEqual(await studies({ PatientName: 'Ouyang^Na=欧阳娜' }), [uid(3)]);
  assert.deepEqual(await studies({ PatientName: "O'Neil^San*" }), [uid(4)]);
  assert.deepEqual(await studies({ PatientName: 'SAN' }), [], 'a word alone is no name');
  assert.deepEqual(await studies({ PatientName: '?SAN*' }), [], 'nor does a word answer a pattern');
  assert.deepEqual(await studies({ PatientName: '*三丰' }), [uid(1)]);
});

test('fuzzy matching takes the beginnings of words in any order', async () => {
  assert.deepEqual(await studies({ PatientName: 'san zhang' }, true), [uid(1), uid(2)]);
  assert.deepEqual(await studies({ PatientName: 'sanf' }, true), [uid(1), uid(4)]);
  assert.deepEqual(await studies({ PatientName: 'sanf* zh*' }, true), [uid(1)]);
  assert.deepEqual(await studies({ PatientName: '欧阳' }, true), [uid(3)]);
});

test('dates and times match one value, a range, and a range open at either end', async () => {
  const P = { PatientID: 'P*' };
  assert.deepEqual(await studies({ ...P, StudyDate: '20260302' }), [uid(2)]);
  assert.deepEqual(await studies({ ...P, StudyDate: '20260301-20260302' }), [uid(1), uid(2)]);
  assert.deepEqual(await studies({ ...P, StudyDate: '20260302-' }), [uid(2), uid(3)]);
  assert.deepEqual(await studies({ ...P, StudyDate: '-20260301' }), [uid(1)]);
  assert.deepEqual(await studies({ PatientID: '*', AccessionNumber: 'A4', StudyDate: '-20991231' }), []);
  assert.deepEqual(await studies({ ...P, StudyTime: '08-10' }), [uid(1), uid(2), uid(3)]);
  assert.deepEqual(await studies({ ...P, StudyTime: '1030' }), [uid(2)]);
  assert.deepEqual(await studies({ PatientBirthDate: '19800315', PatientID: 'P*' }), [uid(1)]);
});

test('lists of UIDs, modalities, numbers and sexes', async () => {
  assert.deepEqual(await studies({ StudyInstanceUID: [uid(1), uid(3), '9.9.9.9'] }), [uid(1), uid(3)]);
  assert.deepEqual(await studies({ PatientID: 'P*', ModalitiesInStudy: ['SR', 'MR'] }), [uid(2), uid(3)]);
  assert.deepEqual(await studies({ PatientID: 'P*', ModalitiesInStudy: 'S?' }), [uid(2)]);
  assert.deepEqual(await studies({ PatientID: 'P*', NumberOfStudyRelatedSeries: '2' }), [uid(2)]);
  assert.deepEqual(await studies({ PatientID: 'P*', NumberOfStudyRelatedSeries: 'x' }), []);
  assert.deepEqual(await studies({ PatientID: 'P*', PatientSex: 'F' }), []);
  assert.deepEqual(await studies({ PatientID: 'P999' }), [], 'what was voided is not shown');
});

test('keys below the level hold where something below has them all', async () => {
  assert.deepEqual(await studies({ PatientID: 'P*', Modality: 'SR' }), [uid(2)]);
  assert.deepEqual(await studies({ SOPInstanceUID: `${uid(2)}.2.1` }), [uid(2)]);
  assert.deepEqual(await studies({ Modality: 'CT', SeriesInstanceUID: `${uid(2)}.2` }), []);
  const index = createDicomIndex(fresh.database);
  const patients = await index.find(asked('PATIENT', { StudyInstanceUID: uid(3) }));
  assert.deepEqual(
    patients.map((one) => one.attributes.PatientID),
    ['P_01'],
  );
});

test('each level shows its own rows, in a stable order', async () => {
  const index = createDicomIndex(fresh.database);
  const series = await index.find(asked('SERIES', { StudyInstanceUID: uid(2) }));
  assert.deepEqual(
    series.map((one) => one.attributes.Modality),
    ['CT', 'SR'],
  );
  const images = await index.find(asked('IMAGE', { SeriesInstanceUID: `${uid(2)}.1` }));
  assert.deepEqual(
    images.map((one) => one.attributes.InstanceNumber),
    [1, 2],
  );
  const newest = await index.find({ ...asked('STUDY', { PatientID: 'P*' }), limit: 1, offset: 1 });
  assert.deepEqual(
    newest.map((one) => one.studyUid),
    [uid(2)],
  );
});

test('what no index can answer ends by itself, and hostile text stays text', async () => {
  assert.deepEqual(await studies({ PatientID: "x' or true --" }), []);
  assert.deepEqual(await studies({ PatientName: '%' }), []);
  assert.deepEqual(await studies({ PatientID: '\\' }), []);
});

interface Plan {
  readonly 'Node Type': string;
  readonly 'Index Name'?: string;
  readonly 'Relation Name'?: string;
  readonly Plans?: readonly Plan[];
}

const nodes = (plan: Plan): Plan[] => [plan, ...(plan.Plans ?? []).flatMap(nodes)];

// prettier-ignore
const PLANS: readonly (readonly [string, DicomQuery, string])[] = [
  ['StudyInstanceUID', asked('STUDY', { StudyInstanceUID: '9.9.77' }), 'study_by_uid'],
  ['PatientID', asked('STUDY', { PatientID: 'X77' }), 'patient_record_by_local'],
  ['PatientID and its issuer', asked('STUDY', { PatientID: 'X77', IssuerOfPatientID: '2.999.2' }), 'patient_record_by_person'],
  ['PatientID wildcard', asked('STUDY', { PatientID: 'X777*' }), 'patient_record_by_local'],
  ['PatientID, patients', asked('PATIENT', { PatientID: 'X77' }), 'patient_record_by_local'],
  ['PatientBirthDate, patients', asked('PATIENT', { PatientBirthDate: '19800315' }), 'patient_record_by_birth'],
  ['AccessionNumber', asked('STUDY', { AccessionNumber: 'B77' }), 'study_by_accession'],
  ['AccessionNumber wildcard', asked('STUDY', { AccessionNumber: 'B777*' }), 'study_by_accession'],
  ['PatientName', asked('STUDY', { PatientName: '张三' }), 'patient_name_by_key'],
  ['PatientName wildcard and date', asked('STUDY', { PatientName: '张三*', StudyDate: '20260301-20260331' }), 'patient_name_by_key'],
  ['PatientName fuzzy', asked('STUDY', { PatientName: 'sanf' }, true), 'patient_name_by_key'],
  ['PatientName of two words, fuzzy', asked('STUDY', { PatientName: 'sanf zhang' }, true), 'patient_name_by_key'],
  ['PatientName in two scripts', asked('STUDY', { PatientName: 'Ouyang^Na=欧阳娜' }), 'patient_name_by_key'],
  ['StudyDate', asked('STUDY', { StudyDate: '20260301-20260303' }), 'study_by_date'],
  ['newest of a modality', asked('STUDY', { ModalitiesInStudy: 'US' }), 'study_by_date'],
  ['SeriesInstanceUID', asked('SERIES', { SeriesInstanceUID: '9.9.77.1' }), 'series_by_uid'],
  ['SOPInstanceUID', asked('IMAGE', { SOPInstanceUID: '9.9.77.1.1' }), 'instance_by_uid'],
  ['series of a study', asked('SERIES', { StudyInstanceUID: '9.9.77' }), 'study_by_uid'],
];

for (const [what, query, index] of PLANS)
  test(`${what} is answered through ${index}`, async () => {
    const { text, values } = statement(query);
    const { rows } = await fresh.database.pool.query<{ 'QUERY PLAN': readonly { Plan: Plan }[] }>(
      `explain (format json) ${text}`,
      values,
    );
    const plan = nodes(rows[0]!['QUERY PLAN'][0]!.Plan);
    const used = plan.flatMap((node) => node['Index Name'] ?? []);
    assert.ok(used.includes(index), `${used.join(', ')}; ${plan.map((node) => node['Node Type']).join(', ')}`);
    const scanned = plan.filter((node) => node['Node Type'] === 'Seq Scan').map((node) => node['Relation Name']);
    assert.deepEqual(scanned, [], 'no table is read whole');
  });
