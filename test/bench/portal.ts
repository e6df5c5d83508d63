/**
 * The portal's search and time line over HTTP among a million exams, asked by a physician in a session: the access decision
 * and the audit are part of what is measured. The first exams come through the hub's port; the province around them is
 * made in the tables of the index.
 */
import { layInClear } from './clear.ts';
import pg from 'pg';
import { loadSites } from '../../adapters/sites/load.ts';
import { alsoOpen } from '../support/keyring.ts';
import { enterSites } from '../../hub/store/institution.ts';
import { SITES_DIR } from '../support/rest-server.ts';
import { signIn } from '../support/sign-in.ts';
import { startBenchHub, type BenchHub } from './bench-hub.ts';
import { accession, localId, person } from './hl7-messages.ts';
import { median, percentile, scaled, show, type Figure } from './measure.ts';
import { sendFirst } from './query.ts';

const FIRST = 250;
const EXAMS = 1_000_000;
const ASKED = 100;
/** Exams of each made-up person. */
const EACH = 4;

interface Question {
  readonly what: string;
  readonly body: (n: number) => object;
}

const QUESTIONS: readonly Question[] = [
  { what: 'resident ID', body: (n) => ({ residentId: person(n).residentId }) },
  { what: 'patient number', body: (n) => ({ number: localId(n) }) },
  { what: 'exam number', body: (n) => ({ number: accession(n) }) },
  { what: 'phone', body: (n) => ({ phone: person(n).phone }) },
  { what: 'name and birth date', body: (n) => ({ name: person(n).name, birthDate: person(n).born }) },
];

/** Copies $1 to $2 of the first persons, each with EACH exams; birth dates spread as a province's are. */
const STATEMENTS: readonly string[] = [
  `insert into patient_record (record_id, site, authority, local_id, person_id, facts, resident_id, resident_born, sex, birth_date, dicom_name)
   select md5(record_id::text || '#' || k)::uuid, site, authority, local_id || '-' || k, md5(person_id::text || '#' || k)::uuid, facts,
     resident_id || '-' || k, resident_born, sex, to_char(to_date(birth_date, 'YYYY-MM-DD') + ((k * 7919) % 12000 - 6000), 'YYYY-MM-DD'), dicom_name
   from bench_patient, generate_series($1::int, $2::int) k`,
  `insert into person (person_id) select md5(person_id::text || '#' || k)::uuid from bench_patient, generate_series($1::int, $2::int) k
   on conflict do nothing`,
  // As many persons share a name as before: every tenth copy has the same one.
  `insert into patient_name (record_id, key) select md5(record_id::text || '#' || k)::uuid,
     case when k % 10 = 0 then key when key like ' %' then ' ' || chr(20000 + k) || substr(key, 2) else chr(20000 + k) || key end
   from bench_name, generate_series($1::int, $2::int) k`,
  `insert into match_record (record_id, features) select md5(record_id::text || '#' || k)::uuid, features
   from bench_features, generate_series($1::int, $2::int) k`,
  `insert into match_key (record_id, key) select md5(record_id::text || '#' || k)::uuid, hashtextextended(key || '#' || k, 3)
   from bench_key, generate_series($1::int, $2::int) k on conflict do nothing`,
  `insert into exam (record_id, exam_id, site, facts, accession, cancelled, has_order, has_report, has_images, performed_at)
   select md5(record_id::text || '#' || k)::uuid, md5(exam_id::text || '#' || k || '.' || n)::uuid, site, facts, accession || '-' || k,
     cancelled, has_order, has_report, has_images, performed_at - (k % 3000 + n * 90) * interval '1 day'
   from bench_exam, generate_series($1::int, $2::int) k, generate_series(1, ${String(EACH)}) n`,
  `insert into exam_key (site, kind, value, record_id, exam_id) select site, kind, value || '-' || k || '.' || n,
     md5(record_id::text || '#' || k)::uuid, md5(exam_id::text || '#' || k || '.' || n)::uuid
   from bench_examkey, generate_series($1::int, $2::int) k, generate_series(1, ${String(EACH)}) n`,
  `insert into study (record_id, study_uid, study_id, exam_id, site, modalities, series_count, instance_count, availability, accession)
   select md5(record_id::text || '#' || k)::uuid, study_uid || '.' || k || '.' || n, md5(study_id::text || '#' || k || '.' || n)::uuid,
     md5(exam_id::text || '#' || k || '.' || n)::uuid, site, modalities, series_count, instance_count, availability, accession || '-' || k
   from bench_study, generate_series($1::int, $2::int) k, generate_series(1, ${String(EACH)}) n`,
];

const TABLES: Readonly<Record<string, string>> = {
  bench_patient: 'patient_record',
  bench_name: 'patient_name',
  bench_features: 'match_record',
  bench_key: 'match_key',
  bench_exam: 'exam',
  bench_examkey: 'exam_key',
  bench_study: 'study',
};

async function fill(client: pg.Client, url: string, first: number): Promise<number> {
  for (const [copy, table] of Object.entries(TABLES)) await client.query(`create table ${copy} as table ${table}`);
  await layInClear(url, { patients: 'bench_patient', exams: 'bench_exam', features: 'bench_features' });
  await client.query('set synchronous_commit = off');
  const copies = Math.ceil(scaled(EXAMS, 1_000) / (first * EACH));
  const step = 20;
  for (let at = 1; at <= copies; at += step) {
    for (const text of STATEMENTS) await client.query(text, [at, Math.min(copies, at + step - 1)]);
    if (at % 200 === 1) show(`  ... ${String(at * first * EACH)} exams`);
  }
  await client.query('vacuum analyze');
  await client.query('checkpoint');
  const { rows } = await client.query<{ exams: string }>('select count(*) as exams from exam');
  return Number(rows[0]?.exams);
}

type Ask = (method: string, path: string, body?: object) => Promise<{ ms: number; json: unknown }>;

/** As a physician of h1 in a browser asks. */
async function physician(hub: BenchHub): Promise<Ask> {
  const database = await alsoOpen(hub.databaseUrl, 1);
  await enterSites(database, (await loadSites(SITES_DIR)).all);
  const institution = (await loadSites(SITES_DIR)).all.find(({ id }) => id === 'h1')?.institutionCode;
  const { headers } = await signIn({ database }, 'physician', institution === undefined ? {} : { institution });
  await database.close();
  return async (method, path, body) => {
    const began = performance.now();
    const answer = await fetch(`${hub.base}/api/v1${path}`, {
      method,
      headers: { ...headers, 'Content-Type': 'application/json' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await answer.text();
    const ms = performance.now() - began;
    if (answer.status !== 200) throw new Error(`${path} was answered ${String(answer.status)}`);
    return { ms, json: JSON.parse(text) as unknown };
  };
}

interface FoundPage {
  readonly items: readonly { readonly person: { readonly personId: string }; readonly examCount: number }[];
}

export async function run(): Promise<readonly Figure[]> {
  const first = scaled(FIRST, 20);
  const hub = await startBenchHub();
  const client = new pg.Client({ connectionString: hub.databaseUrl });
  try {
    await client.connect();
    await sendFirst(hub, first);
    // Lately at the hospital: whoever was there half a year ago is nobody's patient any more (hub/compose-access.ts).
    await client.query(`update exam set performed_at = now() - interval '3 days'`);
    const exams = await fill(client, hub.databaseUrl, first);
    const ask = await physician(hub);
    const times = new Map<string, number[]>();
    const note = (what: string, ms: number): void => void times.set(what, [...(times.get(what) ?? []), ms]);
    for (let round = -10; round < scaled(ASKED, 10); round++)
      for (const { what, body } of QUESTIONS) {
        const { ms, json } = await ask('POST', '/persons/search', body(1 + ((Math.abs(round) * 7) % (first - 1))));
        const found = (json as FoundPage).items.find(({ examCount }) => examCount > 0);
        if (found === undefined) throw new Error(`${what} found nobody whose exams may be seen`);
        const line = await ask('GET', `/persons/${found.person.personId}/timeline`);
        if (round < 0) continue;
        note(what, ms);
        note('time line', line.ms);
      }
    return figures(times, exams);
  } finally {
    await client.end();
    await hub.stop();
  }
}

function figures(times: ReadonlyMap<string, readonly number[]>, exams: number): Figure[] {
  const told = (all: readonly number[]): string =>
    `p50 ${median(all).toFixed(1)}, p95 ${percentile(all, 95).toFixed(1)}, most ${Math.max(...all).toFixed(1)} ms`;
  const search = [...times].filter(([what]) => what !== 'time line').flatMap(([, all]) => all);
  return [
    {
      what: `portal search, all five ways, at ${String(exams)} exams`,
      measured: told(search),
      ratio: { of: '150 ms (p95)', value: percentile(search, 95) / 150, target: 1, most: true },
    },
    ...[...times].map(([what, all]) => ({ what: `portal: ${what}`, measured: told(all) })),
  ];
}
