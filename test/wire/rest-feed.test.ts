/** Feeds over HTTP: durable before 202, repeated and conflicting keys, batches line by line, hostile bodies. */
import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { once } from 'node:events';
import { gzipSync } from 'node:zlib';
import { after, before, test } from 'node:test';
import iconv from 'iconv-lite';
import type { Answer, Call, RestServer } from '../support/rest-server.ts';
import { startRest } from '../support/rest-server.ts';
import { AUDIT_COLUMNS, toRecord, type AuditRow } from '../../hub/store/audit-row.ts';
import { vaultOf } from '../../hub/store/database.ts';

let hub: RestServer;
let broken = false;
before(async () => {
  hub = await startRest((intake) => ({
    accept: (envelope) => (broken ? Promise.reject(new Error('disk full')) : intake.accept(envelope)),
    refuse: (envelope, problem) => intake.refuse(envelope, problem),
  }));
});
after(() => hub.close());

const feed = (kind: string, body: Call['body'], headers: Record<string, string> = {}): Promise<Answer> =>
  hub.call('POST', `/api/v1/sites/h1/${kind}`, {
    as: 'hospital-feed',
    headers,
    ...(body === undefined ? {} : { body }),
  });

const raw = async (journalId: unknown): Promise<string> => {
  const answer = await hub.call('GET', `/api/v1/journal/${String(journalId)}/raw`);
  return Buffer.from(String(answer.json['base64']), 'base64').toString('utf8');
};

const counters = async (): Promise<Record<string, number>> =>
  (await hub.call('GET', '/api/v1/journal/counters', { as: 'operator' })).json as Record<string, number>;

test('one message: 202, kept byte for byte, its fate readable, its content not', async () => {
  const body = '{ "patientId": "P0001",\n "name": "䶮𠮷", "病历号": "P0001" }';
  const answer = await feed('registrations', body);
  assert.equal(answer.status, 202);
  assert.deepEqual(Object.keys(answer.json).sort(), ['duplicate', 'journalId', 'status']);
  const entry = await hub.call('GET', String(answer.json['status']), { as: 'operator' });
  assert.equal(entry.json['messageType'], 'POST registration');
  assert.doesNotMatch(entry.text, /䶮|P0001/);
  assert.equal(await raw(answer.json['journalId']), body);
  assert.equal((await hub.audit.list({ action: 'export' }, { limit: 1 })).items[0]?.operation, 'readJournalBytes');
});

test('each message that is accepted is one record of the audit, a repeat and a refusal are none', async () => {
  const before = (await hub.audit.list({ action: 'feed', face: 'rest' }, { limit: 200 })).items.length;
  const body = { patientId: 'AUDIT1', orderNumber: 'AU1' };
  const accepted = await feed('orders', body);
  assert.equal(accepted.status, 202);
  await feed('orders', body);
  assert.equal((await feed('orders', '{ "patientId": ')).status, 400);
  let items = (await hub.audit.list({ action: 'feed', face: 'rest' }, { limit: 200 })).items;
  // Nobody waits for the record, the sender least of all.
  for (let tries = 0; items.length === before && tries < 100; tries++) {
    await new Promise((resolve) => setTimeout(resolve, 20));
    ({ items } = await hub.audit.list({ action: 'feed', face: 'rest' }, { limit: 200 }));
  }
  assert.equal(items.length, before + 1);
  const [last] = items;
  assert.deepEqual([last?.outcome, last?.callerRole, last?.operation], ['success', 'hospital-feed', 'POST order']);
  const { pool } = hub.fresh.database;
  const { rows } = await pool.query<AuditRow>(
    `select ${AUDIT_COLUMNS} from audit a where face = 'rest' and action = 'feed' order by at desc, id desc limit 1`,
  );
  assert.deepEqual(rows.map((row) => toRecord(vaultOf(pool).fields, row).detail)[0], {
    messageId: accepted.json['journalId'],
    patientIds: ['AUDIT1^^^&2.999.156.1.1&ISO'],
  });
});

test('same key and bytes: the first answer again; same key, other bytes: 409 and kept', async () => {
  const headers = { 'Idempotency-Key': 'order-7' };
  const body = { patientId: 'P1', orderNumber: 'SQ1' };
  const first = await feed('orders', body, headers);
  const again = await feed('orders', body, headers);
  assert.deepEqual([first.status, again.status], [202, 202]);
  assert.deepEqual(again.json, { ...first.json, duplicate: true });
  const other = await feed('orders', { ...body, modality: 'CT' }, headers);
  assert.equal(other.status, 409);
  assert.equal(other.json['code'], 'control-id-reused');
  const kept = await hub.call('GET', `/api/v1/journal/${String(other.json['journalId'])}`, { as: 'operator' });
  assert.equal(kept.json['state'], 'refused');
  assert.equal(
    (await feed('reports', { ...body, accessionNumber: 'A', findings: 'x' }, headers)).status,
    202,
    'a key is per kind',
  );
});

test('without a key the bytes are their own key', async () => {
  const body = { patientId: 'P2', accessionNumber: 'A2' };
  const [first, again] = [await feed('exams', body), await feed('exams', body)];
  assert.equal(again.json['journalId'], first.json['journalId']);
  assert.equal(again.json['duplicate'], true);
});

test('a missing field is named, and the message is kept as refused', async () => {
  const answer = await feed('reports', { findings: 'x', reportNumber: 'R1' });
  assert.equal(answer.status, 400);
  assert.equal(answer.json['code'], 'required-missing');
  const { errors } = answer.json as { errors: { pointer: string; code: string; text: string }[] };
  assert.deepEqual(errors.map(({ pointer, code }) => [pointer, code]).sort(), [
    ['#', 'required'],
    ['#/patientId', 'required'],
  ]);
  assert.match(errors.find(({ pointer }) => pointer === '#')?.text ?? '', /accessionNumber/);
  const kept = await hub.call('GET', `/api/v1/journal/${String(answer.json['journalId'])}`, { as: 'operator' });
  assert.equal(kept.json['state'], 'refused');
  assert.equal((await feed('exams', { patientId: 'P', accessionNumber: { a: 1 } })).status, 400);
  assert.equal((await feed('registrations', { patientId: '   ' })).status, 400);
});

test('grades: a bad or missing degrade field, aliases and unknown fields are taken', async () => {
  for (const body of [
    { patientId: 'P3', sex: 'banana', birthDate: '31.31.31', idNumber: '1', unknown: { deep: [1] } },
    { 患者编号: 'P4', 患者姓名: '张三', 性别: '1', 身份证号: '210102198003151239' },
    { patientId: 12345 },
  ])
    assert.equal((await feed('registrations', body)).status, 202, JSON.stringify(body));
});

test('a charset is believed when it is declared and true; else refused, kept, never guessed', async () => {
  const text = JSON.stringify({ patientId: 'P5', name: '䶮珅' });
  const gb = iconv.encode(text, 'gb18030');
  assert.equal((await feed('registrations', gb, { 'Content-Type': 'application/json; charset=GBK' })).status, 202);
  const undeclared = await feed('registrations', gb);
  assert.deepEqual([undeclared.status, undeclared.json['code']], [400, 'charset']);
  assert.equal(
    (await feed('registrations', text, { 'Content-Type': 'application/json; charset=utf-7' })).json['code'],
    'charset',
  );
});

test('hostile bodies are refused clearly and disturb nothing', async () => {
  const cases: readonly (readonly [Call['body'], number, string, Record<string, string>?])[] = [
    ['{', 400, 'malformed'],
    ['', 400, 'malformed'],
    ['[]', 400, 'malformed'],
    ['null', 400, 'malformed'],
    [`{"a":${'['.repeat(100_000)}`, 413, 'limit-exceeded'],
    ['{"patientId":"P1","patientId":"P2"}', 400, 'malformed'],
    ['{"patientId":"P1","patient\\u0049d":"P2"}', 400, 'malformed'],
    ['{"patientId":"P1","idNumber":210102198003151239}', 400, 'invalid-value'],
    [`{"patientId":"P","name":"${'x'.repeat(2_000_000)}"}`, 413, 'too-large'],
    ['{"patientId":"P1"}', 415, 'unsupported-media', { 'Content-Type': 'text/plain' }],
    [gzipSync('{"patientId":"P1"}'), 415, 'unsupported-media', { 'Content-Encoding': 'gzip' }],
    ['{"patientId":"P1"}', 400, 'invalid-value', { 'Idempotency-Key': 'a b' }],
    // PostgreSQL can store neither: a message that was told "accepted" must not end as a failure of the hub.
    ['{"patientId":"P\\u00001"}', 400, 'invalid-value'],
    ['{"patientId":"P1","name":"\\ud842"}', 400, 'invalid-value'],
    ['{"patientId":"P1","document":{"\\udfb7":1}}', 400, 'invalid-value'],
    [`{${Array.from({ length: 30_000 }, (_, n) => `"k${String(n)}":1`).join()}}`, 413, 'limit-exceeded'],
  ];
  for (const [body, status, code, headers] of cases) {
    const answer = await feed('registrations', body, headers);
    assert.deepEqual([answer.status, answer.json['code']], [status, code], JSON.stringify(body).slice(0, 60));
    // However early it was refused, it is in the journal with its reason, and what it began with.
    const entry = await hub.call('GET', `/api/v1/journal/${String(answer.json['journalId'])}`, { as: 'operator' });
    assert.deepEqual([entry.json['state'], (entry.json['problem'] as { code: string }).code], ['refused', code]);
    const kept = Buffer.from(await raw(answer.json['journalId']));
    if (code === 'too-large') assert.equal(kept.length, 8_192);
    else if (typeof body === 'string') assert.equal(kept.toString(), body);
  }
  const polluted = await feed(
    'registrations',
    '{"patientId":"P6","__proto__":{"admin":true},"constructor":{"prototype":{}}}',
  );
  assert.equal(polluted.status, 202);
  assert.equal(({} as Record<string, unknown>)['admin'], undefined);
});

test('where the journal cannot write nothing is acknowledged', async () => {
  broken = true;
  const answer = await feed('registrations', { patientId: 'P7' });
  const batch = await feed('registrations', '{"patientId":"P8"}\n', { 'Content-Type': 'application/x-ndjson' });
  broken = false;
  assert.equal(answer.status, 503);
  assert.match(batch.text, /"status":503/);
  assert.equal((await feed('registrations', { patientId: 'P7' })).json['duplicate'], false);
});

const lines = (text: string): Record<string, unknown>[] =>
  text
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>);

test('a batch answers line by line in order; one bad line harms none', async () => {
  const before = await counters();
  const body = [
    '{"patientId":"B1"}',
    '',
    '{"patientId":',
    '{"patientId":"B1"}\r',
    `{"patientId":"${'x'.repeat(1_100_000)}"}`,
    '{"name":"x"}',
    '{"patientId":"B2"}',
  ].join('\n');
  const answer = await feed('registrations', body, { 'Content-Type': 'application/x-ndjson' });
  assert.equal(answer.status, 200);
  const told = lines(answer.text);
  assert.deepEqual(
    told.slice(0, -1).map(({ line, status }) => [line, status]),
    [
      [1, 202],
      [3, 400],
      [4, 202],
      [5, 413],
      [6, 400],
      [7, 202],
    ],
  );
  assert.deepEqual(told.at(-1), { summary: { lines: 6, accepted: 2, duplicates: 1, refused: 3 } });
  const now = await counters();
  // A line and its repeat are one; of the line that was too long the head is kept, as refused.
  assert.equal((now['received'] ?? 0) - (before['received'] ?? 0), 5);
  assert.equal((now['refused'] ?? 0) - (before['refused'] ?? 0), 3);
  const long = told[3]?.['problem'] as { journalId: string };
  assert.equal(await raw(long.journalId), `{"patientId":"${'x'.repeat(8_178)}`);
  assert.equal(
    now['received'],
    (now['applied'] ?? 0) + (now['refused'] ?? 0) + (now['review'] ?? 0) + (now['pending'] ?? 0),
  );
});

test('a batch of thousands with one key is many messages, and the whole batch again is none', async () => {
  const body = Array.from({ length: 3_000 }, (_, n) => JSON.stringify({ patientId: `M${String(n)}` })).join('\n');
  const headers = { 'Content-Type': 'application/x-ndjson', 'Idempotency-Key': 'morning' };
  const first = lines((await feed('registrations', body, headers)).text).at(-1);
  assert.deepEqual(first, { summary: { lines: 3_000, accepted: 3_000, duplicates: 0, refused: 0 } });
  const again = lines((await feed('registrations', body, headers)).text).at(-1);
  assert.deepEqual(again, { summary: { lines: 3_000, accepted: 0, duplicates: 3_000, refused: 0 } });
});

test('a batch that comes byte by byte, or breaks off, keeps the lines that were whole', async () => {
  const before = await counters();
  const socket = connect(Number(new URL(hub.origin).port), '127.0.0.1');
  const text = '{"patientId":"S1","name":"珅"}\n{"patientId":"S2"}\n{"patientId":"S3';
  socket.write(
    `POST /api/v1/sites/h1/registrations HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${hub.token['hospital-feed']}\r\n` +
      `Content-Type: application/x-ndjson\r\nContent-Length: 100000\r\n\r\n`,
  );
  for (const byte of Buffer.from(text)) {
    socket.write(Buffer.of(byte));
    await new Promise(setImmediate);
  }
  await new Promise((resolve) => setTimeout(resolve, 50));
  socket.destroy();
  await once(socket, 'close');
  for (let tries = 0; tries < 50 && (await counters())['received'] !== (before['received'] ?? 0) + 2; tries++)
    await new Promise((resolve) => setTimeout(resolve, 20));
  assert.equal((await counters())['received'], (before['received'] ?? 0) + 2);
});
