/** REST messages through a whole hub process into the index and back to the query platform, in every order that matters. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import type { HubProcess } from '../support/hub.ts';
import { dataFolder, startHub } from '../support/hub.ts';

const TOKEN = 'a-token-of-the-test-0123456789abcdef';
const AUTHORITY = '2.999.156.1.2';
let hub: HubProcess;
let folder: Awaited<ReturnType<typeof dataFolder>>;

before(async () => {
  folder = await dataFolder();
  hub = startHub(folder.dir, [], { HUB_ADMIN_TOKEN: TOKEN });
  await hub.up();
});
after(async () => {
  hub.signal('SIGTERM');
  await hub.ended();
  await folder.remove();
});

type Json = Readonly<Record<string, unknown>>;

async function ask(method: string, path: string, body?: object): Promise<{ status: number; json: Json }> {
  const answer = await fetch(`${hub.address()}/api/v1${path}`, {
    method,
    headers: { Authorization: `Bearer ${TOKEN}`, 'Content-Type': 'application/json' },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  return { status: answer.status, json: (await answer.json()) as Json };
}

async function send(path: string, body: object): Promise<void> {
  const answer = await ask('POST', `/sites/h2/${path}`, body);
  assert.equal(answer.status, 202, JSON.stringify(answer.json));
}

/** Until nothing waits; the sum must hold at every look. */
async function settled(): Promise<Json> {
  for (let tries = 0; tries < 200; tries++) {
    const { json } = await ask('GET', '/journal/counters');
    const [applied, refused, review, pending] = ['applied', 'refused', 'review', 'pending'].map((key) =>
      Number(json[key]),
    );
    assert.equal(json['received'], (applied ?? 0) + (refused ?? 0) + (review ?? 0) + (pending ?? 0));
    if (pending === 0) return json;
    await pause(50);
  }
  throw new Error('messages still wait after ten seconds');
}

async function examsOf(value: string): Promise<Json[]> {
  const { status, json } = await ask('POST', '/exams/search', { identifier: { authority: AUTHORITY, value } });
  assert.equal(status, 200);
  return json['items'] as Json[];
}

const messages = (patientId: string, accessionNumber: string): readonly (readonly [string, object])[] => [
  ['registrations', { patientId, name: '李小梅', sex: '2', eventTime: '2026-03-03 08:00:00' }],
  ['orders', { patientId, accessionNumber, procedureCode: 'FS001', modality: 'DR', eventTime: '2026-03-03 08:10:00' }],
  ['exams', { patientId, accessionNumber, modality: 'DR', procedureCode: 'FS001', eventTime: '2026-03-03 09:00:00' }],
  [
    'reports',
    { patientId, accessionNumber, reportNumber: 'R1', status: 'F', findings: '一', auditedAt: '2026-03-03 10:00:00' },
  ],
  [
    'reports',
    { patientId, accessionNumber, reportNumber: 'R1', status: 'C', findings: '二', auditedAt: '2026-03-03 11:00:00' },
  ],
];

const seen = (exam: Json | undefined): unknown[] => {
  const [patient, report] = [exam?.['patient'] as Json, exam?.['report'] as Json | null];
  const orders = (exam?.['orders'] as Json[]).map(({ status }) => status);
  return [patient['name'], orders, report?.['status'], report?.['findings'], exam?.['cancelled']];
};

test('registration, order, exam, report and its correction end in the same exam, forwards and backwards', async () => {
  for (const [path, body] of messages('W1', 'WA1')) await send(path, body);
  for (const [path, body] of [...messages('W2', 'WA2')].reverse()) await send(path, body);
  const counters = await settled();
  assert.deepEqual([counters['refused'], counters['review']], [0, 0]);
  const [forwards, backwards] = [await examsOf('W1'), await examsOf('W2')];
  assert.deepEqual([forwards.length, backwards.length], [1, 1]);
  assert.deepEqual(seen(forwards[0]), ['李小梅', ['completed'], 'corrected', '二', false]);
  assert.deepEqual(seen(backwards[0]), seen(forwards[0]));
});

test('a withdrawal leaves no current report, a void exam says so, and both are readable by its id', async () => {
  await send('reports/withdraw', {
    patientId: 'W1',
    accessionNumber: 'WA1',
    reportNumber: 'R1',
    eventTime: '2026-03-03 12:00:00',
  });
  await send('exams/void', { patientId: 'W1', accessionNumber: 'WA1', eventTime: '2026-03-03 12:30:00' });
  await settled();
  const [exam] = await examsOf('W1');
  assert.deepEqual([exam?.['report'], exam?.['cancelled']], [null, true]);
  assert.deepEqual((await ask('GET', `/exams/${String(exam?.['examId'])}`)).json, exam);
});

test('a message about another patient’s exam waits in review, and can be retried and dismissed with a reason', async () => {
  await send('reports', {
    patientId: 'W9',
    accessionNumber: 'WA2',
    reportNumber: 'R9',
    findings: '他人',
    status: 'F',
    auditedAt: '2026-03-03 13:00:00',
  });
  const counters = await settled();
  assert.equal(counters['review'], 1);
  const [review] = (await ask('GET', '/reviews?state=open&site=h2')).json['items'] as Json[];
  assert.equal((review?.['problem'] as Json)['code'], 'patient-mismatch');
  assert.equal((await ask('POST', String(review?.['retry']).replace('/api/v1', ''))).status, 200);
  await settled();
  const [again] = (await ask('GET', '/reviews?state=open&site=h2')).json['items'] as Json[];
  assert.ok(again !== undefined, 'the cause still stands, so it waits again');
  const id = String(again['reviewId']);
  assert.equal((await ask('POST', `/reviews/${id}/dismiss`, {})).status, 400);
  assert.equal((await ask('POST', `/reviews/${id}/dismiss`, { reason: '医院发错患者' })).status, 200);
  assert.equal((await ask('POST', `/reviews/${id}/dismiss`, { reason: '医院发错患者' })).status, 409);
  const end = await settled();
  assert.deepEqual([end['review'], end['refused']], [0, 1]);
  assert.deepEqual(seen((await examsOf('W2'))[0])[3], '二', 'the exam stands as it was');
});
