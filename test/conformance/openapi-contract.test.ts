/** The contract holds: its examples pass their own schemas, the answers of the running hub match it, generated types agree. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { generated } from '../../openapi/generate.ts';
import { readDocument } from '../../openapi/document.ts';
import { FIELDS } from '../../mappings/rest/fields.ts';
import { canonical, type Kind } from '../../mappings/rest/index.ts';
import type { Answer, RestServer } from '../support/rest-server.ts';
import { startRest } from '../support/rest-server.ts';

type Tree = Readonly<Record<string, unknown>>;
const document = readDocument();
const ajv = new Ajv2020({ allErrors: true, strict: false, validateFormats: false });
ajv.addSchema(document, 'hub');

function check(schema: object, value: unknown, what: string): void {
  const text = JSON.stringify(schema).replaceAll('"#/components/', '"hub#/components/');
  const validate = ajv.compile(JSON.parse(text) as object);
  assert.ok(validate(value), `${what}: ${JSON.stringify(validate.errors)} ${JSON.stringify(value)}`);
}

const at = (tree: unknown, ...path: readonly string[]): Tree =>
  path.reduce<unknown>((node, key) => (node as Tree | undefined)?.[key], tree) as Tree;

const operations = Object.entries(document.paths).flatMap(([path, item]) =>
  Object.entries(item).map(([method, operation]) => ({ path, method, operation })),
);

let hub: RestServer;
before(async () => {
  hub = await startRest();
});
after(() => hub.close());

/** The answer must be one that the contract has for this operation and status. */
function conforms(operationId: string, answer: Answer): void {
  const found = operations.find(({ operation }) => operation.operationId === operationId);
  const responses = at(found?.operation, 'responses');
  let response = (responses[String(answer.status)] ?? responses['default']) as Tree;
  const ref = response['$ref'];
  if (typeof ref === 'string') response = at(document, ...ref.slice(2).split('/'));
  const media = (answer.headers.get('content-type') ?? '').split(';')[0] ?? '';
  const schema = at(response, 'content', media, 'schema');
  assert.ok(
    (schema as Tree | undefined) !== undefined,
    `${operationId} ${String(answer.status)} answers ${media}: ${answer.text}`,
  );
  check(schema, answer.json, `${operationId} ${String(answer.status)}`);
}

test('generated types are in step with hub.yaml', async () => {
  for (const [path, text] of await generated())
    assert.equal(readFileSync(path, 'utf8').replace(/\s+/g, ' '), text.replace(/\s+/g, ' '), 'run npm run generate');
});

test('every operation has an id of its own, a right, and problems as its default answer', () => {
  const ids = operations.map(({ operation }) => operation.operationId);
  assert.equal(new Set(ids).size, ids.length);
  for (const { operation } of operations)
    assert.equal(
      at(operation, 'responses', 'default')['$ref'],
      '#/components/responses/Problem',
      operation.operationId,
    );
});

test('no path carries what names a person or an exam by a hospital’s number', () => {
  for (const { path } of operations)
    for (const [, name] of path.matchAll(/\{(\w+)\}/g)) assert.ok(['site', 'id'].includes(name ?? ''), path);
});

test('the names of fields in the mapping are those of the contract, their Chinese title first among the aliases', () => {
  for (const [kind, names] of Object.entries(FIELDS)) {
    const properties = at(document.components.schemas, kind, 'properties') as Readonly<Record<string, Tree>>;
    assert.deepEqual(Object.keys(names).sort(), Object.keys(properties).sort(), kind);
    for (const [name, others] of Object.entries(names))
      assert.equal(others.split(' ')[0], properties[name]?.['title'], `${kind}.${name}`);
    const all = Object.entries(names).flatMap(([name, others]: [string, string]) => [name, ...others.split(' ')]);
    assert.deepEqual(
      all.filter((name, n) => all.indexOf(name) !== n),
      [],
      `${kind}: a name means one field`,
    );
    const required = at(document.components.schemas, kind)['required'] as readonly string[];
    for (const [name, property] of Object.entries(properties))
      assert.equal(property['x-grade'] === 'required', required.includes(name), `${kind}.${name}`);
  }
});

test('examples pass their own schemas, and the hub takes every one of them', async () => {
  let sent = 0;
  for (const { path, operation } of operations) {
    let body = at(operation, 'requestBody') as Tree | undefined;
    if (typeof body?.['$ref'] === 'string') body = at(document, ...body['$ref'].slice(2).split('/'));
    const json = (body?.['content'] as Tree | undefined)?.['application/json'] as Tree | undefined;
    if (json?.['example'] === undefined) continue;
    check(json['schema'] as object, json['example'], operation.operationId);
    if (operation['x-act'] !== 'feed') continue;
    const answer = await hub.call('POST', `/api/v1${path.replace('{site}', 'h1')}`, {
      body: json['example'] as object,
    });
    assert.equal(answer.status, 202, answer.text);
    conforms(operation.operationId, answer);
    sent++;
  }
  assert.equal(sent, 6);
});

test('answers are as described: lists, entries, clients, problems', async () => {
  const get = (path: string): Promise<Answer> => hub.call('GET', `/api/v1${path}`);
  conforms('listSites', await get('/sites'));
  const list = await get('/journal?limit=2');
  conforms('listJournal', list);
  const [entry] = list.json['items'] as { journalId: string }[];
  assert.ok(entry !== undefined);
  conforms('readJournalEntry', await get(`/journal/${entry.journalId}`));
  conforms('readJournalBytes', await get(`/journal/${entry.journalId}/raw`));
  conforms('retryJournalEntry', await hub.call('POST', `/api/v1/journal/${entry.journalId}/retry`));
  conforms('countJournal', await get('/journal/counters?site=h1&channel=rest'));
  conforms('listReviews', await get('/reviews?state=open'));
  conforms('readReview', await get('/reviews/00000000-0000-8000-8000-000000000000'));
  conforms('listOrphans', await get('/orphans?kind=report-without-order'));
  conforms('listClients', await get('/clients'));
  conforms('listAudit', await get('/audit?action=export'));
  conforms('readExam', await get('/exams/unknown'));
  const made = await hub.call('POST', '/api/v1/clients', { body: { name: 'x', role: 'operator' } });
  conforms('createClient', made);
  conforms('revokeClient', await hub.call('DELETE', `/api/v1/clients/${String(made.json['id'])}`));
  conforms(
    'searchExams',
    await hub.call('POST', '/api/v1/exams/search', { body: { identifier: { authority: '1.2.3', value: 'P' } } }),
  );
  conforms('createClient', await hub.call('POST', '/api/v1/clients', { body: {} }));
  conforms('listJournal', await hub.call('GET', '/api/v1/journal', { as: null }));
  conforms('listJournal', await hub.call('GET', '/api/v1/journal', { as: 'hospital-feed' }));
});

test('pages of the journal follow each other without gap or repeat', async () => {
  const seen: string[] = [];
  for (let after: string | null = ''; after !== null;) {
    const mark: string = after === '' ? '' : `&after=${encodeURIComponent(after)}`;
    const page: Answer = await hub.call('GET', `/api/v1/journal?limit=2${mark}`);
    seen.push(...(page.json['items'] as { journalId: string }[]).map(({ journalId }) => journalId));
    after = page.json['next'] as string | null;
  }
  const { received } = (await hub.call('GET', '/api/v1/journal/counters')).json;
  assert.deepEqual([new Set(seen).size, seen.length], [received, received]);
});

test('the own name of a field wins over its aliases, and both are told', () => {
  const kind: Kind = 'Registration';
  const { fields, doubled, unknown } = canonical(kind, { 病历号: 'A', patientId: 'B', patientNo: 'C', shoe: 42 });
  assert.deepEqual([fields, doubled, unknown], [{ patientId: 'B' }, ['patientId', 'patientId'], ['shoe']]);
});
