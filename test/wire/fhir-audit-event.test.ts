/** The audit as AuditEvents over HTTP on a real database: every kind of record, search, pages, rights, its own audit. */
import assert from 'node:assert/strict';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, test } from 'node:test';
import express from 'express';
import type { AuditEvent, Bundle, OperationOutcome } from 'fhir/r4.js';
import { setCaller } from '../../hub/api/caller.ts';
import { AUDIT_PARAMETERS } from '../../hub/api/fhir/audit-search.ts';
import { auditEventFace } from '../../hub/api/fhir/audit-event.ts';
import { capabilityStatement } from '../../hub/api/fhir/capability.ts';
import type { Caller, Role } from '../../hub/core/access.ts';
import type { FhirBody } from '../../hub/core/fhir.ts';
import { createAuditSearch } from '../../hub/store/audit-search.ts';
import { createAuditStore, type AuditStore } from '../../hub/store/audit.ts';
import { auditEvent } from '../../mappings/fhir/audit-event.ts';
import { auditFaults, EVERY_KIND, record, SOURCE } from '../support/audit-events.ts';
import { freshDatabase, quiet, type FreshDatabase } from '../support/database.ts';
import { addDefinitions } from '../support/fhir-validation.ts';
import { guide, noGuides } from '../support/ihe-guides.ts';

/** Whatever is answered, each part where it is there. */
type Answer = Pick<Bundle, 'entry' | 'link'> & { readonly resourceType: string };

/** What BALP's profiles ask of agents and entities: the validator does not count slices that tell by a part of theirs. */
function balp(event: AuditEvent): void {
  const [profile = ''] = event.meta?.profile ?? [];
  if (profile === '') return;
  const isSearch = profile.endsWith('Query');
  assert.equal(event.type.code, 'rest');
  assert.equal(event.action, isSearch ? 'E' : 'R');
  assert.equal(event.outcome, '0');
  const [client, server] = isSearch ? ['110153', '110152'] : ['110152', '110153'];
  for (const [role, requestor] of [
    [client, true],
    [server, false],
  ] as const) {
    const agents = event.agent.filter(({ type }) => type?.coding?.[0]?.code === role);
    assert.equal(agents.length, 1, role);
    assert.ok(agents[0]?.who && agents[0].network?.address);
    assert.equal(agents[0].requestor, requestor);
  }
  const of = (type: string): AuditEvent['entity'] => event.entity?.filter((one) => one.type?.code === type);
  const [data] = of('2') ?? [];
  assert.equal(of('2')?.length, 1);
  if (isSearch) assert.ok(data?.query && data.role?.code === '24' && !data.what && !data.detail);
  else assert.ok(data?.what && ['3', '4', '20'].includes(data.role?.code ?? ''));
  if (profile.includes('.Patient'))
    assert.ok(of('1')?.length === 1 && of('1')?.[0]?.what?.reference?.startsWith('Patient/'));
}

let fresh: FreshDatabase;
let audit: AuditStore;
let server: Server;
let base = '';
let caller: Caller | null = null;
let now = Date.parse('2026-11-20T00:00:00.000Z');

const as = (role: Role): Caller => ({ id: 'auditor', name: '审计员', role, peer: '10.0.0.9' });

before(async () => {
  fresh = await freshDatabase();
  audit = createAuditStore({ database: fresh.database, clock: () => new Date(now) });
  for (const [, , , of] of EVERY_KIND) {
    now += 3_600_000;
    await audit.record(of);
  }
  if (noGuides === false)
    addDefinitions(
      guide('ihe.iti.balp')
        .filter(({ path }) => !path.includes('/example/'))
        .map(({ resource }) => resource),
    );
  const app = express();
  app.use((_request, response, next) => {
    setCaller(response, caller);
    next();
  });
  const search = createAuditSearch(fresh.database);
  app.use('/fhir/AuditEvent', auditEventFace({ search, audit, source: SOURCE, log: quiet, origin: null }));
  server = createServer(app);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  base = `http://127.0.0.1:${String((server.address() as AddressInfo).port)}/fhir`;
});
after(async () => {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

async function ask(
  path: string,
  role: Role | null = 'administrator',
  init: RequestInit = {},
): Promise<{ status: number; body: Answer }> {
  caller = role === null ? null : as(role);
  now += 1_000;
  const answer = await fetch(path.startsWith('http') ? path : `${base}${path}`, init);
  return { status: answer.status, body: (await answer.json()) as Answer };
}
async function found(query: string, role: Role = 'administrator'): Promise<AuditEvent[]> {
  const { status, body } = await ask(`/AuditEvent?${query}`, role);
  assert.equal(status, 200, query);
  return (body.entry ?? [])
    .filter(({ search }) => search?.mode === 'match')
    .map(({ resource }) => resource as AuditEvent);
}

test('every kind of record is an AuditEvent of R4, and of BALP where it says so', { skip: noGuides }, async () => {
  const claimed = new Set<string>();
  const own = await found('date=lt2026-11-25&_count=200');
  assert.equal(own.length, EVERY_KIND.length);
  for (const event of own) {
    assert.deepEqual(auditFaults(event as FhirBody), [], JSON.stringify(event));
    balp(event);
    for (const profile of event.meta?.profile ?? []) claimed.add(profile.replace(/^.*BasicAudit\./, ''));
  }
  assert.deepEqual([...claimed].sort(), ['PatientQuery', 'PatientRead', 'Query'].sort());
});

test('what was done with a person is found by every id that the person has had', async () => {
  const [old, today, other] = [1, 2, 3].map((n) => `00000000-0000-4000-8000-00000000000${String(n)}`);
  await fresh.database.pool.query(
    `insert into person (person_id, replaced_by, created_at, updated_at) values ($2, null, now(), now()), ($1, $2, now(), now())`,
    [old, today],
  );
  for (const person of [old, today, other]) await audit.record(record({ persons: [person ?? ''] }));
  for (const asked of [old, `Patient/${today ?? ''}`])
    assert.equal((await found(`patient=${asked ?? ''}`)).length, 2, asked);
  assert.equal((await found(`patient=${old ?? ''}&patient=${other ?? ''}`)).length, 0, 'both must be there');
});

test('examples of BALP pass the validator that ours pass, and a broken one does not', { skip: noGuides }, () => {
  const examples = guide('ihe.iti.balp').filter(({ path }) => /AuditEvent-ex-auditBasic(Read|Query)/.test(path));
  assert.ok(examples.length >= 8);
  for (const { path, resource } of examples) assert.deepEqual(auditFaults(resource), [], path);
  const event = auditEvent(
    record({ face: 'fhir', operation: 'GET /fhir/Binary/1', persons: ['p1'], objects: ['Binary/1'] }),
    SOURCE,
    'nothing',
  );
  assert.deepEqual(auditFaults(event as FhirBody), []);
  assert.notDeepEqual(auditFaults({ ...event, outcome: '7' } as FhirBody), []);
});

test('records are found by every parameter that the CapabilityStatement names', async () => {
  const [, , , c] = EVERY_KIND.find(([name]) => name === 'WADO-RS') ?? assert.fail();
  for (const [query, least, holds] of [
    ['patient=Patient/p1', 5, (e) => JSON.stringify(e.entity).includes('Patient/p1')],
    ['patient=p2', 1, (e) => JSON.stringify(e.entity).includes('Patient/p2')],
    ['agent=H1PACS', 3, (e) => JSON.stringify(e.agent).includes('H1PACS')],
    ['agent:identifier=c1', 10, (e) => JSON.stringify(e.agent).includes('c1')],
    [`agent-name=${encodeURIComponent('查询平台')}`, 10, (e) => JSON.stringify(e.agent).includes('查询平台')],
    ['action=D', 2, (e) => e.action === 'D'],
    ['action=C,U', 5, (e) => e.action === 'C' || e.action === 'U'],
    ['type=110114', 1, (e) => e.type.code === '110114'],
    ['type=http://dicom.nema.org/resources/ontology/DCM|110104', 6, (e) => e.type.code === '110104'],
    ['subtype=ITI-18', 1, (e) => e.subtype?.[0]?.code === 'ITI-18'],
    ['subtype=urn:ihe:event-type-code|RAD-69', 2, (e) => e.subtype?.[0]?.code === 'RAD-69'],
    ['outcome=8', 1, (e) => e.outcome === '8'],
    ['outcome=4', 4, (e) => e.outcome === '4'],
    ['entity=ImagingStudy/i1', 1, (e) => JSON.stringify(e.entity).includes('ImagingStudy/i1')],
    [
      `entity:identifier=urn:dicom:uid|urn:oid:${c.objects[0] ?? ''}`,
      5,
      (e) => JSON.stringify(e.entity).includes('1.2.3'),
    ],
    ['date=2026-11-20', 10, (e) => e.recorded.startsWith('2026-11-19T') || e.recorded.startsWith('2026-11-20T')],
    ['date=ge2026-11-20T05:00:00Z&date=lt2026-11-20T08:00:00Z', 3, (e) => /T0[567]:/.test(e.recorded)],
  ] as readonly (readonly [string, number, (event: AuditEvent) => boolean])[]) {
    const events = await found(`${query}&_count=200`);
    assert.ok(events.length >= least, `${query} found ${String(events.length)}`);
    for (const event of events) assert.ok(holds(event), `${query}: ${JSON.stringify(event)}`);
  }
  assert.deepEqual(await found('patient=p1&patient=p2').then((events) => events.map(({ type }) => type.code)), [
    '110112',
  ]);
  assert.deepEqual(await found('outcome=12'), []);
  const [first] = await found('subtype=ITI-41');
  assert.deepEqual(
    (await found(`_id=${first?.id ?? ''}`)).map(({ id }) => id),
    [first?.id],
  );
  const listed = capabilityStatement({ version: '1', date: '2026-11-22' }, base).rest?.[0]?.resource?.find(
    ({ type }) => type === 'AuditEvent',
  );
  assert.deepEqual(
    listed?.searchParam?.map(({ name }) => name),
    AUDIT_PARAMETERS.map(([name]) => name),
  );
  assert.ok(listed.searchParam.every(({ definition }) => definition !== undefined));
});

test('pages hold every record once, newest first', async () => {
  const all = (await found('date=lt2026-11-21T18:00:00Z&_count=200')).map(({ id }) => id);
  const seen: (string | undefined)[] = [];
  let next: string | undefined = `${base}/AuditEvent?date=lt2026-11-21T18:00:00Z&_count=7`;
  for (let pages = 0; next !== undefined && pages < 50; pages += 1) {
    const { body } = await ask(next);
    seen.push(...(body.entry ?? []).map(({ resource }) => resource?.id));
    next = body.link?.find(({ relation }) => relation === 'next')?.url;
  }
  assert.deepEqual(seen, all);
  const times = seen.map((id) => Number(id?.split('-')[0]));
  assert.deepEqual(
    times,
    times.slice().sort((a, b) => b - a),
  );
});

test('one record is read by its id; what has no such form or is not there is 404', async () => {
  const [event] = await found('subtype=ITI-43');
  const { status, body } = await ask(`/AuditEvent/${event?.id ?? ''}`);
  assert.equal(status, 200);
  assert.deepEqual(body, event);
  for (const id of ['x', '1-1', '99999999999999999-1', '1700000000000-999999999999999999', "1'--"])
    assert.equal((await ask(`/AuditEvent/${encodeURIComponent(id)}`)).status, 404, id);
  caller = as('administrator');
  const answer = await fetch(`${base}/AuditEvent/${event?.id ?? ''}?_format=xml`);
  assert.match(answer.headers.get('content-type') ?? '', /fhir\+xml/);
  assert.match(await answer.text(), /^<\?xml[^>]*><AuditEvent xmlns="http:\/\/hl7.org\/fhir">.*<entity>/s);
});

test('an operator sees who did what, not the queries and numbers of patients; others see nothing', async () => {
  const query = 'subtype=ITI-18';
  const [whole] = await found(query);
  const [less] = await found(query, 'operator');
  assert.equal(whole?.id, less?.id);
  assert.match(JSON.stringify(whole), /QWRob2NRdWVyeQ|PEFkaG9jUXVlcnkvPg==/);
  assert.match(JSON.stringify(whole), /"value":"P1"/);
  assert.doesNotMatch(JSON.stringify(less), /PEFkaG9jUXVlcnkvPg==|"value":"P1"/);
  for (const role of ['query-platform', 'hospital-feed'] as const)
    for (const path of ['/AuditEvent', `/AuditEvent/${whole?.id ?? ''}`]) {
      const { status, body } = await ask(path, role);
      assert.equal(status, 403);
      assert.equal(body.resourceType, 'OperationOutcome');
    }
  assert.equal((await ask('/AuditEvent', null)).status, 401);
});

test('to read the audit is in the audit: 110101, without what was asked', async () => {
  await found('patient=Patient/secret-person');
  await ask('/AuditEvent', 'query-platform');
  const [refused, read] = await found('agent=auditor&_count=2');
  assert.equal(read?.type.code, '110101');
  assert.equal(read.action, 'R');
  assert.equal(refused?.type.code, '110113');
  assert.doesNotMatch(JSON.stringify(read), /secret-person/);
});

test('what is not understood is told, strictly where that is asked for', async () => {
  const { body } = await ask('/AuditEvent?colour=red&_count=1');
  assert.equal((body.entry?.at(-1)?.resource as OperationOutcome).issue[0]?.severity, 'warning');
  const strict = { headers: { Prefer: 'handling=strict' } };
  assert.equal((await ask('/AuditEvent?colour=red', 'administrator', strict)).status, 400);
  for (const query of [
    'date=yesterday',
    'date=ne2026',
    'patient=a%20b',
    '_count=x',
    '_after=x',
    '_sort=agent',
    '_id=x',
  ])
    assert.equal((await ask(`/AuditEvent?${query}`)).status, 400, query);
  for (const method of ['POST', 'PUT', 'DELETE'])
    assert.equal((await ask('/AuditEvent', 'administrator', { method })).status, 405, method);
  const form = { method: 'POST', headers: { 'Content-Type': 'application/x-www-form-urlencoded' }, body: 'action=D' };
  const posted = await ask('/AuditEvent/_search', 'administrator', form);
  assert.ok((posted.body.entry?.length ?? 0) >= 2);
  const big = { ...form, body: `action=${'D,'.repeat(20_000)}` };
  assert.ok((await ask('/AuditEvent/_search', 'administrator', big)).status >= 400);
});
