/**
 * Nothing that names a person by number, telephone or address lies in the database to be read: messages over real ports,
 * then every table and a dump looked through; and every face still answers with them to who may read.
 */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { freshDatabase, type FreshDatabase } from '../support/database.ts';
import { dataFolder, startHub, type HubProcess } from '../support/hub.ts';
import { dumpOf, leaksIn, tablesOf } from '../support/leaks.ts';
import { DIALECTS, order, registration, report } from '../province/messages.ts';
import type { Exam } from '../province/exams.ts';
import type { Person } from '../province/persons.ts';
import { RawPeer } from '../wire/hl7v2-fixture.ts';

const TOKEN = 'a-token-of-the-test-0123456789abcdef';
/** Of nobody: made for this test, with check digits that hold. */
const WORDS = {
  'resident ID by HL7': '210102198003151239',
  'telephone by HL7': '13804021177',
  'address by HL7': '沈阳市和平区南京南街九十一号',
  'telephone by REST': '13998244163',
  'address by REST': '大连市中山区鲁迅路七号楼二单元',
  'insurance number by REST': 'YB88421907731',
  'finding of a report': '右肺上叶尖段见磨玻璃结节',
  'reason of an order': '反复咳嗽伴胸痛三周待查',
} as const;

let fresh: FreshDatabase;
let folder: Awaited<ReturnType<typeof dataFolder>>;
let hub: HubProcess;

before(async () => {
  fresh = await freshDatabase();
  folder = await dataFolder();
  hub = startHub(folder.dir, [], { HUB_ADMIN_TOKEN: TOKEN, DATABASE_URL: fresh.url });
  await hub.up();
});
after(async () => {
  hub.signal('SIGTERM');
  await hub.ended();
  await folder.remove();
});

async function ask(
  method: string,
  path: string,
  body?: object,
): Promise<{ status: number; json: unknown; text: string }> {
  const headers = { Authorization: `Bearer ${TOKEN}`, 'Content-Type': 'application/json', Accept: 'application/json' };
  const answer = await fetch(`${hub.address()}${path}`, {
    method,
    headers,
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await answer.text();
  return { status: answer.status, json: text.startsWith('{') ? (JSON.parse(text) as unknown) : null, text };
}

const PERSON: Person = {
  name: '张晓梅',
  pinyin: ['Zhang', 'Xiaomei'],
  sex: 'F',
  born: '19800315',
  residentId: WORDS['resident ID by HL7'],
  phone: WORDS['telephone by HL7'],
  address: WORDS['address by HL7'],
  ethnic: '01',
  local: { h1: 'REST01' },
};
const EXAM: Exam = {
  ...{
    site: 'h1',
    person: PERSON,
    kind: { part: 'chest-ct', finding: 'nodule', enhanced: false },
    modality: 'CT',
    bodyPart: 'CHEST',
    seed: 1,
  },
  ...{ procedure: ['CT001', '胸部CT平扫'], accession: 'REST-A1', placer: 'REST-P1', studyUid: '2.25.77001' },
  startedAt: '20260303091500',
  report: { findings: WORDS['finding of a report'], impression: '建议复查。', positive: true },
};

async function byHl7(): Promise<void> {
  const port = Number(/hl7v2 on \S+:(\d+)/.exec(hub.said())?.[1] ?? /mllp on \S+:(\d+)/.exec(hub.said())?.[1]);
  const peer = await RawPeer.open(port);
  const at = '20260303080000';
  peer.send(registration(DIALECTS.h1, PERSON, 'REST01', 'R-1', at));
  peer.send(order(DIALECTS.h1, EXAM, 'REST01', 'NW', 'R-2', '20260303081000'));
  peer.send(report(DIALECTS.h1, EXAM, 'REST01', EXAM.report, 'F', 'R-3', '20260303100000'));
  const answers = await peer.answers(3, 30_000);
  assert.deepEqual(
    answers.map((answer) => /MSA\|(\w\w)/.exec(answer)?.[1]),
    ['AA', 'AA', 'AA'],
  );
  peer.socket.destroy();
}

async function byRest(): Promise<void> {
  const send = async (path: string, body: object): Promise<void> => {
    const { status, text } = await ask('POST', `/api/v1/sites/h2/${path}`, { patientId: 'REST02', ...body });
    assert.equal(status, 202, text);
  };
  await send('registrations', {
    ...{ name: '张晓梅', sex: '2', birthDate: '1980-03-15', idType: '01', idNumber: WORDS['resident ID by HL7'] },
    ...{ phone: WORDS['telephone by REST'], address: WORDS['address by REST'] },
    insuranceNumber: WORDS['insurance number by REST'],
  });
  await send('orders', {
    accessionNumber: 'REST-B1',
    procedureCode: 'CT001',
    modality: 'CT',
    reason: WORDS['reason of an order'],
  });
  await send('reports', {
    ...{ accessionNumber: 'REST-B1', reportNumber: 'RB1', status: 'F', findings: WORDS['finding of a report'] },
    ...{ reporter: '李医生', auditor: '王主任', auditedAt: '2026-03-03 10:00:00' },
  });
}

test('messages over real ports are applied', async () => {
  await byHl7();
  await byRest();
  for (let tries = 0; ; tries += 1) {
    const { json } = await ask('GET', '/api/v1/journal/counters');
    const { applied, pending } = json as { applied: number; pending: number };
    if (applied === 6 && pending === 0) break;
    assert.ok(tries < 600, `not applied: ${JSON.stringify(json)}`);
    await pause(100);
  }
});

const shows = (what: string, text: string, ...words: readonly (keyof typeof WORDS)[]): void => {
  for (const word of words) assert.ok(text.includes(WORDS[word]), `${what} does not show the ${word}`);
};

test('every face answers with them to who may read, and finds by them', async () => {
  for (const [param, value] of [
    ['identifier', WORDS['resident ID by HL7']],
    ['phone', WORDS['telephone by HL7']],
    ['telecom', WORDS['telephone by REST']],
    ['address', '沈阳市和平区'],
    ['address:exact', WORDS['address by REST']],
    ['address:contains', '南京南街'],
  ] as const) {
    const { text, status } = await ask('GET', `/fhir/Patient?${param}=${encodeURIComponent(value)}`);
    assert.equal(status, 200, text);
    shows(`FHIR by ${param}`, text, 'resident ID by HL7', 'telephone by HL7', 'address by HL7', 'address by REST');
  }
  const elsewhere = await ask('GET', `/fhir/Patient?address=${encodeURIComponent('和平区')}`);
  assert.equal(
    (elsewhere.json as { total?: number }).total,
    0,
    'an address is found from its beginning, or by contains',
  );
  const reports = await ask('GET', '/fhir/DiagnosticReport');
  shows('FHIR', reports.text, 'finding of a report');
  const exams = await ask('POST', '/api/v1/exams/search', { identifier: { value: WORDS['resident ID by HL7'] } });
  shows('REST', exams.text, 'finding of a report', 'reason of an order');
  const { json } = await ask('GET', '/api/v1/journal?limit=10');
  const raw = await Promise.all(
    (json as { items: { journalId: string }[] }).items.map(({ journalId }) =>
      ask('GET', `/api/v1/journal/${journalId}/raw`),
    ),
  );
  const bytes = raw.map((one) => Buffer.from((one.json as { base64: string }).base64, 'base64').toString()).join('\n');
  shows('the journal', bytes, 'telephone by HL7', 'telephone by REST', 'address by REST', 'insurance number by REST');
});

test('in no table and in no dump lies any of them', async (t) => {
  const tables = await tablesOf(fresh.url);
  assert.ok((tables.get('public.patient_record')?.length ?? 0) > 500, 'the tables were read');
  // What is no secret is there: the scan finds what there is to find.
  assert.notDeepEqual(
    [...tables].flatMap(([name, bytes]) => leaksIn(name, bytes, { name: PERSON.name })),
    [],
  );
  assert.deepEqual(
    [...tables].flatMap(([name, bytes]) => leaksIn(name, bytes, WORDS)),
    [],
  );
  const dump = await dumpOf(fresh.url);
  if (typeof dump === 'string') t.diagnostic(`no dump was looked through: ${dump}`);
  else assert.deepEqual(leaksIn('dump', dump, WORDS), []);
});

test('a flipped byte is told and not served, and what was moved to another row does not open', async () => {
  const { json } = await ask('GET', '/fhir/DiagnosticReport');
  const [first, second] = (json as { entry: { resource: { id: string } }[] }).entry.map(({ resource }) => resource.id);
  const read = (id = ''): Promise<{ status: number; text: string }> => ask('GET', `/fhir/DiagnosticReport/${id}`);
  assert.equal((await read(first)).status, 200);
  await fresh.database.pool.query(
    `update fhir_version set body = overlay(body placing (case substr(body, 60, 1) when 'A' then 'B' else 'A' end) from 60)
     where type = 'DiagnosticReport' and id = $1`,
    [first],
  );
  const bent = await read(first);
  assert.equal(bent.status, 500);
  assert.ok(!bent.text.includes(WORDS['finding of a report']) && !bent.text.includes('HSv1'));
  await fresh.database.pool.query(
    `update fhir_version v set body = (select body from fhir_version o where o.type = v.type and o.id = $2 order by version desc limit 1)
     where v.type = 'DiagnosticReport' and v.id = $1`,
    [first, second],
  );
  assert.equal((await read(first)).status, 500, 'another report in its place');
  assert.equal((await read(second)).status, 200);
});
