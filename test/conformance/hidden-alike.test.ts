/**
 * What is hidden is not there: every face is asked, then records are laid that the asker may not see, then it is asked again.
 * The answers are the same to the byte, totals, pages, grades, warnings and "more matches" included.
 */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { Caller } from '../../hub/core/access.ts';
import { residentCheck, siteId, type HubId } from '../../hub/core/identifier.ts';
import type { VisitRecord } from '../../hub/core/record.ts';
import type { DicomQuery } from '../../hub/core/ports.ts';
import { visitKey } from '../../hub/core/visit.ts';
import { createPatientQueries } from '../../hub/flow/patient-queries.ts';
import { createSeeing } from '../../hub/flow/sighted-index.ts';
import { createAffinityPatients } from '../../hub/store/affinity-patients.ts';
import { createVisitIndex } from '../../hub/store/visit.ts';
import { identifierSystems } from '../../mappings/fhir/index.ts';
import { AUTHORITY, I1, startAccessHub, type AccessHub } from '../support/access-hub.ts';
import { signedIn } from '../support/people.ts';
import { patientOf, personHub, recordId, registration, type PersonHub, type Told } from '../support/person-hub.ts';

const DOMAIN = '2.999.156.1';
/** A domain that no site declares, and in which only who is hidden has a number. */
const RARE = '2.999.156.77';
const numbered = (first17: string): string => first17 + residentCheck(first17);
const MEI: Told = {
  ...{ name: '张晓梅', sex: 'female', birthDate: '1980-03-15', phone: '13812345678' },
  ...{ residentId: numbered('21010219800315122'), address: { text: '虚构市东城区长青路7号' } },
};
const WARD = { keys: [visitKey('3.1', 'W1')], numbers: [], accounts: [] };

let hub: PersonHub;
let faces: AccessHub;
/** `MEI` as h1 registered her, and exams of hers and of whom nobody hides. */
let mei: HubId;
let order: HubId;
let person: HubId;
const doctor = signedIn('doctor', 'physician', I1);
const platform: Caller = { id: 'platform', name: 'platform', role: 'query-platform', peer: 'test' };

before(async () => {
  hub = await personHub();
  await open();
  await hub.send(
    registration('h1', 'A', MEI),
    registration('h1', 'B', { name: '张伟', sex: 'male', birthDate: '1975-01-02', phone: '13900000001' }),
    registration('h1', 'C', { name: '张玲', sex: 'female', birthDate: '1990-11-30' }),
    visit('A', 'V1'),
    visit('B', 'V2'),
  );
  mei = await hub.personOf(recordId('h1', 'A'));
  const laid = [await faces.lay('P', 'h1', 'P1'), await faces.lay('P', 'h1', 'P2'), await faces.lay('Q', 'h1', 'Q1')];
  [order, person] = [laid[0]?.order ?? mei, laid[0]?.person ?? mei];
});
after(async () => {
  for (const one of opened) await one.close();
  await hub.fresh.drop();
});

const opened: AccessHub[] = [];
async function open(): Promise<void> {
  faces = await startAccessHub({ ...hub.fresh, drop: () => Promise.resolve() });
  opened.push(faces);
}

const visit = (patient: string, number: string): VisitRecord => ({
  ...{ kind: 'visit', site: siteId('h1'), at: '2026-03-01T09:00:00.000Z', patient: patientOf('h1', patient) },
  visit: { type: 'VN', authority: '2.999.156.8.h1', value: number },
  fields: { cancelled: false, place: { pointOfCare: 'W1' } },
});

const json = (body: object): RequestInit => ({
  ...{ method: 'POST', body: JSON.stringify(body) },
  headers: { 'Content-Type': 'application/json' },
});
const match = (resource: object, count: number, onlyCertain: boolean): RequestInit => ({
  ...json({
    resourceType: 'Parameters',
    parameter: [
      { name: 'resource', resource: { resourceType: 'Patient', ...resource } },
      { name: 'count', valueInteger: count },
      { name: 'onlyCertainMatches', valueBoolean: onlyCertain },
    ],
  }),
  headers: { 'Content-Type': 'application/fhir+json' },
});
const byNumbers = (...numbers: readonly (readonly [string, string])[]): object => ({
  identifier: numbers.map(([system, value]) => ({ system: `urn:oid:${system}`, value })),
});

/** Over HTTP. */
const asked = (): readonly (readonly [string, RequestInit?])[] => [
  ['/fhir/Patient?_summary=count'],
  ['/fhir/Patient?name=张&_count=2'],
  ['/fhir/Patient?family=张&_sort=birthdate&_count=1&_total=accurate'],
  ['/fhir/Patient?gender=female&_count=0'],
  ['/fhir/Patient?birthdate=ge1970&_count=50&_elements=birthDate'],
  [`/fhir/Patient?identifier=urn:oid:${RARE}|`],
  [`/fhir/Patient?identifier=urn:oid:${RARE}|Z1`],
  ['/fhir/Patient?_has:ServiceRequest:patient:status=completed&_summary=count'],
  ['/fhir/Patient/_history?_count=2'],
  ['/fhir/_history?_count=3'],
  [`/fhir/Patient/$ihe-pix?sourceIdentifier=urn:oid:${RARE}|Z1`],
  [`/fhir/Patient/$ihe-pix?sourceIdentifier=urn:oid:2.999.156.9.1|A&targetSystem=urn:oid:${RARE}`],
  ['/fhir/Patient/$match', match(byNumbers(['2.999.156.9.1', 'A'], ['2.999.156.9.3', 'Z1']), 10, true)],
  ['/fhir/Patient/$match', match(byNumbers(['2.999.156.9.1', 'A'], ['2.999.156.9.3', 'Z1']), 10, false)],
  ['/fhir/Patient/$match', match({ name: [{ text: '张晓梅' }], gender: 'female', birthDate: '1980-03-15' }, 1, false)],
  ['/fhir/ServiceRequest?_summary=count'],
  ['/fhir/ServiceRequest?_count=1&_include=ServiceRequest:patient'],
  ['/fhir/ServiceRequest?patient.name=张&_summary=count'],
  [`/fhir/ServiceRequest?patient=Patient/${person}&_count=1`],
  [`/fhir/ServiceRequest/${order}/_history`],
  [`/fhir/Patient?_id=${person}&_revinclude=ServiceRequest:patient&_revinclude=ImagingStudy:patient`],
  ['/fhir/ImagingStudy?modality=CT&_count=1'],
  ['/fhir/DiagnosticReport?_summary=count'],
  ['/fhir/Provenance?_summary=count'],
  ['/dicomweb/studies?limit=2'],
  ['/dicomweb/studies?ModalitiesInStudy=CT&limit=3'],
  ['/dicomweb/series?limit=1&offset=1'],
  ['/dicomweb/studies?StudyDate=20260301&offset=1&limit=1'],
  ['/api/v1/persons/search', json({ name: '张晓梅', birthDate: '19800315' })],
  [`/api/v1/persons/${person}/timeline?limit=1`],
  ['/api/v1/exams/search', json({ identifier: { authority: AUTHORITY, value: 'P' }, limit: 1 })],
];

/** Through the ports that DIMSE, HL7 v2 and HL7 v3 read. */
async function ported(caller: Caller): Promise<readonly unknown[]> {
  const sight = await faces.access.sight(caller);
  const queries = createPatientQueries({
    ...{ store: hub.fhir, visits: createVisitIndex(hub.database), affinityDomainOid: DOMAIN },
    patients: createAffinityPatients({ database: hub.database, affinityDomainOid: DOMAIN }),
    domains: identifierSystems([DOMAIN, '2.999.156.9.1', '2.999.156.9.3']),
  }).seenBy(sight);
  const nobody = { numbers: [], names: [], birthDate: null, sex: null, phone: null, address: [] };
  const named = [{ text: '张', begins: true, part: 'any' as const }];
  const asking = { callerId: caller.id, tag: 't', limit: 1 };
  const { index } = await createSeeing(faces.access, faces.index, faces.reader)(caller);
  const find = (level: DicomQuery['level'], wanted: DicomQuery['match']) =>
    index.find({ level, match: wanted, fuzzy: false, limit: 3, offset: 0 });
  return [
    await queries.find({ ...nobody, names: named }, [], asking),
    await queries.find({ ...nobody, names: named }, [RARE], asking),
    await queries.find({ ...nobody, visits: WARD }, [], { ...asking, each: 'visit', limit: 10 }),
    await queries.find({ ...nobody, visits: WARD }, [], asking),
    await queries.crossReference({ authority: RARE, value: 'Z1' }, []),
    await queries.crossReference({ authority: '2.999.156.9.3', value: 'Z1' }, []),
    await queries.crossReference({ authority: '2.999.156.9.1', value: 'A' }, [RARE]),
    await find('PATIENT', { PatientName: '*' }),
    await find('PATIENT', { ModalitiesInStudy: 'CT' }),
    await find('PATIENT', { PatientID: 'P', StudyDescription: '*', StudyDate: '20260301' }),
    await find('PATIENT', { PatientID: 'P', ModalitiesInStudy: 'MR' }),
    await find('STUDY', { StudyDate: '20260101-' }),
    await find('IMAGE', { SOPClassUID: ['1.2.840.10008.5.1.4.1.1.2'] }),
  ];
}

/** Handles of kept pages, and ports, are drawn by chance. */
const plain = (text: string): string =>
  text.replaceAll(/\b[0-9a-f]{32}\.(?=\d)/g, 'HANDLE.').replaceAll(/127\.0\.0\.1:\d+/g, 'HOST');
const BY_CLOCK = new Set(['date', 'keep-alive', 'connection', 'content-length', 'etag']);

async function answers(caller: Caller): Promise<ReadonlyMap<string, string>> {
  const told = new Map<string, string>();
  for (const [at, [path, init]] of asked().entries()) {
    const answer = await faces.call(caller, path, init);
    const headers = [...answer.headers].filter(([name]) => !BY_CLOCK.has(name));
    told.set(`${String(at)} ${path}`, plain(JSON.stringify([answer.status, headers, await answer.text()])));
  }
  for (const [at, found] of (await ported(caller)).entries())
    told.set(`port ${String(at)}`, plain(JSON.stringify(found)));
  return told;
}

/** Strangers at h3, as many as a block of the matcher and a page of visits would be full of. */
async function layStrangers(): Promise<readonly HubId[]> {
  const { pool } = hub.database;
  const rare = { identifiers: [{ type: 'PPN', authority: RARE, value: 'Z1' }] };
  await hub.send(
    registration('h3', 'Z1', { name: '张晓美', sex: 'female', birthDate: '1981-07-09', ...rare }, 2),
    ...Array.from({ length: 12 }, (_, n) =>
      registration(
        'h3',
        `Z${String(n + 2)}`,
        { name: `张${'甲乙丙丁戊己庚辛壬癸子丑'[n] ?? ''}`, sex: 'female', birthDate: `19${String(60 + n)}-02-03` },
        2,
      ),
    ),
  );
  await pool.query(
    `insert into patient_record (record_id, site, authority, local_id, person_id, facts)
     select ('00000000-0000-8000-8000-' || lpad(i::text, 12, '0'))::uuid, 'h3', 'x', 'S' || i,
       ('00000000-0000-8000-9000-' || lpad(i::text, 12, '0'))::uuid, '{}' from generate_series(1, 300) i`,
  );
  await pool.query(
    `insert into match_key (record_id, key) select s.record_id, k.key from match_key k cross join patient_record s
     where k.record_id = $1 and s.authority = 'x' on conflict do nothing`,
    [recordId('h1', 'A')],
  );
  await pool.query(
    `insert into visit (record_id, visit_id, site, type, authority, number, facts, keys, departments, cancelled, ended, created_at, updated_at)
     select s.record_id, gen_random_uuid(), 'h3', 'VN', 'a', 'N' || s.local_id || i, '{}', $1, '{}', false, false, now(), now()
     from patient_record s cross join generate_series(1, 4) i where s.authority = 'x'`,
    [WARD.keys],
  );
  const { rows } = await pool.query<{ person_id: HubId }>(`select person_id from patient_record where site = 'h3'`);
  return rows.map((row) => row.person_id);
}

const alike = (before: ReadonlyMap<string, string>, now: ReadonlyMap<string, string>, who: string): void => {
  for (const [question, answer] of before) assert.equal(now.get(question), answer, `${who}: ${question}`);
  const answered = [...before].filter(([question, answer]) => question.startsWith('port') || answer.startsWith('[200'));
  assert.ok(answered.length > 38, String(answered.length));
};

test('a platform hears what there is without the refused and the sensitive', async () => {
  const before = await answers(platform);
  for (const name of ['P7', 'P8', 'P9']) await faces.lay('P', 'h1', name, { label: 'hiv' });
  await faces.lay('R', 'h1', 'R1');
  const refused = (await faces.lay('R', 'h1', 'R2')).person;
  await hub.database.pool.query(
    `update study set modalities = '{MR}' where exam_id in (select exam_id from exam_label)`,
  );
  const strangers = await layStrangers();
  // Another process: what restricts anybody is looked at once a second, and the clock of these hubs stands still.
  await open();
  const everything = { recipients: [], sources: [], purposes: [], classes: [], labels: [], from: null, until: null };
  const no = { consentId: 'no', version: 1, rules: [{ ...everything, effect: 'deny' as const, exceptionOf: null }] };
  for (const one of [refused, ...strangers]) faces.consents.set(one, [no]);
  alike(before, await answers(platform), 'platform');
});

test('a physician hears of the own patients what there is without any stranger', async () => {
  const before = await answers(doctor);
  for (let n = 0; n < 6; n += 1) await faces.lay(`S${String(n)}`, 'h3', `S${String(n)}`);
  const { pool } = hub.database;
  await pool.query(`delete from visit where site = 'h3'`);
  await pool.query(`delete from match_key k using patient_record p where p.record_id = k.record_id and p.site = 'h3'`);
  alike(before, await answers(doctor), 'physician');
});
