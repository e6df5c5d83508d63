/** What physicians ask over REST: seen is what the desk lets them see, refused is what it does not, and all of it is recorded. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { loadSites } from '../../adapters/sites/load.ts';
import { Derivation, siteId } from '../../hub/core/identifier.ts';
import { createMatching } from '../../hub/core/match/matcher.ts';
import type { CanonicalRecord } from '../../hub/core/record.ts';
import { createIngest } from '../../hub/flow/ingest.ts';
import { derivation } from '../../hub/store/hub-key.ts';
import { createIndexWriter } from '../../hub/store/index-writer.ts';
import { enterSites } from '../../hub/store/institution.ts';
import { createJournal } from '../../hub/store/journal.ts';
import { romanise } from '../../mappings/romanise.ts';
import { quiet } from '../support/database.ts';
import { patientOf, registration } from '../support/person-hub.ts';
import { SITES_DIR, startRest, type Answer, type RestServer } from '../support/rest-server.ts';
import { signIn, type SignedInTest } from '../support/sign-in.ts';

const RESIDENT = '210102198003151239';
let rest: RestServer;
let h1: SignedInTest;
let h3: SignedInTest;

const now = (minutes: number): string => new Date(Date.now() - minutes * 60_000).toISOString();

/** An exam with its order and two versions of its report. */
function examined(
  site: string,
  value: string,
  accession: string,
  modality: string,
  minutes: number,
): CanonicalRecord[] {
  const about = { site: siteId(site), patient: patientOf(site, value), keys: { accession } };
  const fields = { modality, procedure: { code: modality, system: 'urn:x', display: `胸部${modality}` } };
  const report = (text: string, status: 'final' | 'corrected', at: number): CanonicalRecord => ({
    ...about,
    kind: 'report',
    at: now(at),
    reportNumber: `R${accession}`,
    status,
    content: { impression: text, critical: status === 'corrected', auditedAt: now(at) },
  });
  return [
    { ...about, kind: 'order', at: now(minutes), status: 'completed', fields: { ...fields, startedAt: now(minutes) } },
    report('未见异常。', 'final', minutes - 1),
    report('右侧气胸。', 'corrected', minutes - 2),
  ];
}

before(async () => {
  rest = await startRest();
  const { database } = rest.fresh;
  const sites = (await loadSites(SITES_DIR)).all;
  await enterSites(database, sites);
  const derive = await derivation(database, 'identifier');
  const clock = (): Date => new Date();
  const site = (id: string) => sites.find((one) => one.id === id) ?? null;
  const store = createIndexWriter({
    ...{ database, derive, clock, site, settleMs: () => 1_000, matching: createMatching(romanise) },
    indexDerive: new Derivation(new Uint8Array(32).fill(9)),
    projection: { person: () => [], exam: () => [] },
  });
  const ingest = createIngest({
    ...{ store, site, derive, log: quiet, ownerOf: () => null },
    documents: { put: () => Promise.reject(new Error('no document in this test')) },
    map: (entry) => ({
      ok: true,
      records: [JSON.parse(Buffer.from(entry.bytes).toString()) as CanonicalRecord],
      findings: [],
    }),
  });
  const journal = createJournal({ database, clock, log: quiet, arrived: () => undefined });
  const told = { name: '张三', sex: 'male', birthDate: '1980-03-15', phone: '13800001111' } as const;
  const at = { at: now(60) };
  const records: CanonicalRecord[] = [
    { ...registration('h1', 'P1', { ...told, residentId: RESIDENT }), ...at },
    { ...registration('h2', 'Q1', { ...told, residentId: RESIDENT }), ...at },
    { ...registration('h2', 'Q9', { name: '李四', birthDate: '1990-01-01' }), ...at },
    ...examined('h1', 'P1', 'A1', 'CT', 50),
    ...examined('h2', 'Q1', 'A2', 'DX', 40),
  ];
  for (const [n, record] of records.entries())
    await journal.accept({
      ...{ site: record.site, channel: 'hl7v2', sender: 'TEST', peer: '127.0.0.1', controlId: `c${String(n)}` },
      ...{ messageType: record.kind, contentType: 'application/json', bytes: Buffer.from(JSON.stringify(record)) },
      ...{ patientKey: String(n), answer: Buffer.from('ack') },
    });
  await ingest.drain();
  const codeOf = (id: string): { institution: string } => ({ institution: site(id)?.institutionCode ?? '' });
  h1 = await signIn(rest.fresh, 'physician', codeOf('h1'));
  h3 = await signIn(rest.fresh, 'physician', codeOf('h3'));
});
after(() => rest.close());

const call = (who: SignedInTest, method: string, path: string, body?: object): Promise<Answer> =>
  rest.call(method, `/api/v1${path}`, { as: null, headers: who.headers, ...(body === undefined ? {} : { body }) });

interface Found {
  readonly person: {
    readonly personId: string;
    readonly name: string | null;
    readonly registrations: readonly object[];
  };
  readonly access: string;
  readonly examCount: number;
}
const search = async (who: SignedInTest, body: object): Promise<readonly Found[]> => {
  const answer = await call(who, 'POST', '/persons/search', body);
  assert.equal(answer.status, 200, answer.text);
  return answer.json.items as readonly Found[];
};

async function examsOf(who: SignedInTest): Promise<{ personId: string; items: readonly { examId: string }[] }> {
  const personId = (await search(who, { residentId: RESIDENT }))[0]?.person.personId ?? '';
  const answer = await call(who, 'GET', `/persons/${personId}/timeline`);
  assert.equal(answer.status, 200, answer.text);
  return { personId, items: answer.json.items as { examId: string }[] };
}

test('each way finds the person with every hospital behind them; numbers are shortened', async () => {
  for (const body of [
    { residentId: RESIDENT },
    { number: 'P1' },
    { number: 'A2' },
    { phone: '13800001111' },
    { name: '张三', birthDate: '1980-03-15' },
  ]) {
    const found = await search(h1, body);
    assert.deepEqual(
      found.map(({ access, examCount, person }) => [access, examCount, person.name, person.registrations.length]),
      [['open', 2, '张三', 2]],
      JSON.stringify(body),
    );
    assert.ok(!JSON.stringify(found).includes(RESIDENT));
  }
});

test('a question that names nobody clearly is refused, with the field at fault', async () => {
  for (const [body, pointer] of [
    [{}, '#/residentId'],
    [{ residentId: RESIDENT, phone: '13800001111' }, '#/residentId'],
    [{ residentId: '210102198003151230' }, '#/residentId'],
    [{ name: '张三' }, '#/birthDate'],
    [{ name: '张三', birthDate: '1980-02-31' }, '#/birthDate'],
  ] as const) {
    const answer = await call(h1, 'POST', '/persons/search', body);
    assert.equal(answer.status, 400, JSON.stringify(body));
    assert.equal((answer.json.errors as { pointer: string }[])[0]?.pointer, pointer);
  }
  assert.equal((await call(h1, 'POST', '/persons/search', { resident: RESIDENT })).status, 400);
});

test('who has no relation finds nobody by name, and by number a person that is closed', async () => {
  assert.deepEqual(await search(h3, { name: '张三', birthDate: '19800315' }), []);
  assert.deepEqual(await search(h3, { phone: '13800001111' }), []);
  const [closed] = await search(h3, { residentId: RESIDENT });
  assert.ok(closed);
  assert.deepEqual([closed.access, closed.examCount, closed.person.name], ['closed', 0, '张*']);
  assert.deepEqual(closed.person.registrations, [], 'where somebody is registered tells what they have');
  const personId = closed.person.personId;
  const told = await call(h3, 'GET', `/persons/${personId}/timeline`);
  assert.equal(told.status, 403, 'they know that the person exists, so they are told that there is a way');
});

test('what is hidden from somebody who does not know of it is as if it did not exist', async () => {
  const { items } = await examsOf(h1);
  const stranger = await signIn(rest.fresh, 'physician', {
    institution: (await loadSites(SITES_DIR)).byId('h3')?.institutionCode ?? '',
  });
  const examId = items[0]?.examId ?? '';
  for (const path of ['revisions', 'provenance', 'priors'])
    assert.equal((await call(stranger, 'GET', `/exams/${examId}/${path}`)).status, 404, path);
  const { personId } = await examsOf(h1);
  assert.equal((await call(stranger, 'GET', `/persons/${personId}/timeline`)).status, 404);
});

test('the time line has every hospital, newest first, filters, pages and counts what it shows', async () => {
  const { personId } = await examsOf(h1);
  const all = await call(h1, 'GET', `/persons/${personId}/timeline`);
  const items = all.json.items as { site: string; region: string; report: { critical: boolean; revisions: number } }[];
  assert.deepEqual(
    items.map(({ site, region, report }) => [site, region, report.critical, report.revisions]),
    [
      ['h2', 'chest', true, 2],
      ['h1', 'chest', true, 2],
    ],
  );
  const ct = await call(h1, 'GET', `/persons/${personId}/timeline?modality=CT`);
  assert.equal(ct.json.total, 1);
  const one = await call(h1, 'GET', `/persons/${personId}/timeline?limit=1`);
  const next = String(one.json.next);
  const two = await call(h1, 'GET', `/persons/${personId}/timeline?limit=1&after=${next}`);
  assert.deepEqual([...(one.json.items as object[]), ...(two.json.items as object[])], all.json.items);
  assert.equal(two.json.next, null);
  assert.equal((await call(h1, 'GET', `/persons/${personId}/timeline?region=tail`)).status, 400);
  assert.equal((await call(h1, 'GET', '/persons/no-such-person/timeline')).status, 404);
});

test('an exam tells its versions with what changed, its priors, and how it came here', async () => {
  const { items } = await examsOf(h1);
  const [newer, older] = items.map(({ examId }) => examId);
  const revisions = (await call(h1, 'GET', `/exams/${String(newer)}/revisions`)).json.items as {
    status: string;
    current: boolean;
    changes: { field: string; parts: { kind: string; text: string }[] }[];
  }[];
  assert.deepEqual(
    revisions.map(({ status, current, changes }) => [status, current, changes.length]),
    [
      ['corrected', true, 1],
      ['final', false, 0],
    ],
  );
  const parts = revisions[0]?.changes[0]?.parts ?? [];
  const side = (kind: string): string =>
    parts
      .filter((part) => part.kind === 'same' || part.kind === kind)
      .map(({ text }) => text)
      .join('');
  assert.deepEqual([side('removed'), side('added')], ['未见异常。', '右侧气胸。']);
  const priors = (await call(h1, 'GET', `/exams/${String(newer)}/priors`)).json.items as {
    exam: { examId: string };
    sameRegion: boolean;
    sameModality: boolean;
    earlier: boolean;
  }[];
  assert.deepEqual(
    priors.map(({ exam, ...why }) => [exam.examId, why.sameRegion, why.sameModality, why.earlier]),
    [[older, true, false, true]],
  );
  const hops = (await call(h1, 'GET', `/exams/${String(newer)}/provenance`)).json.items as { kind: string }[];
  assert.ok(hops.filter(({ kind }) => kind === 'message').length >= 2);
  assert.ok(hops.some(({ kind }) => kind === 'linked'));
});

test('every answer is in the audit with the person and without what was asked', async () => {
  const { personId } = await examsOf(h1);
  const { rows } = await rest.fresh.database.pool.query<{ operation: string; persons: string[]; whole: string }>(
    `select operation, persons, a::text as whole from audit a where caller_id = $1 order by id`,
    [h1.accountId],
  );
  for (const operation of [
    'searchPersons',
    'readTimeline',
    'listReportRevisions',
    'listPriors',
    'readExamProvenance',
  ]) {
    const found = rows.filter((row) => row.operation === operation);
    assert.ok(
      found.some(({ persons }) => persons.includes(personId)),
      operation,
    );
  }
  assert.ok(!rows.some(({ whole }) => whole.includes(RESIDENT) || whole.includes('张三')));
});
