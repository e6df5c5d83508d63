/**
 * What a hospital's own system is believed about a patient's will: by leave of a security administrator, of that hospital's
 * patients, for that hospital, with a paper; so that who makes clients opens nothing by one.
 */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { Consent, OperationOutcome } from 'fhir/r4.js';
import { siteId } from '../../hub/core/identifier.ts';
import { drawToken, hashToken } from '../../hub/security/token.ts';
import { SYSTEMS } from '../../mappings/fhir/context.ts';
import { patientOf, signedIn } from '../support/people.ts';
import type { Answer, RestServer } from '../support/rest-server.ts';
import { startRest } from '../support/rest-server.ts';

let hub: RestServer;
let institution: string;
const [OURS, THEIRS] = ['11111111-1111-8111-8111-111111111111', '22222222-2222-8222-8222-222222222222'] as const;
const NOBODY = '33333333-3333-8333-8333-333333333333';
const [FORM, PAPER] = ['urn:hutong:consent-form:2026-1', 'https://h1.test/papers/7'];

before(async () => {
  hub = await startRest();
  institution = await hub.letFeedRecord(OURS);
  await patientOf(hub.fresh.database, THEIRS, 'HOSPITAL2');
  await hub.fresh.database.pool.query(
    `insert into institution (code, name_zh, state, parent) values ('BRANCH1', '一院分院', 'approved', $1)`,
    [institution],
  );
  hub.people.set('ours', signedIn('ours', 'physician', institution));
  hub.people.set('theirs', signedIn('theirs', 'physician', 'HOSPITAL2'));
  hub.people.set('security', signedIn('security', 'security-administrator'));
  hub.people.set('system', signedIn('system', 'system-administrator'));
});
after(() => hub.close());

const as = (person: string, method: string, path: string, body?: object): Promise<Answer> =>
  hub.call(method, path, { headers: { 'X-Test-Person': person }, ...(body === undefined ? {} : { body }) });
const feed = (path: string, body: object): Promise<Answer> =>
  hub.call('POST', `/api/v1/${path}`, { as: 'hospital-feed', body });
const field = ({ json }: Answer, name: string): string => String(json[name]);
const pointer = ({ json }: Answer): string | undefined =>
  (json['errors'] as { pointer: string }[] | undefined)?.[0]?.pointer;
const consent = (rules: readonly object[], more: object = {}): object => ({
  personId: OURS,
  form: FORM,
  rules,
  ...more,
});
const permit = (...recipients: string[]): object => ({ effect: 'permit', recipients });

test('a client that a system administrator makes records nothing until a security administrator lets it', async () => {
  const made = await as('system', 'POST', '/api/v1/clients', { name: '门诊授权台', role: 'hospital-feed', site: 'h1' });
  assert.deepEqual([made.status, made.json['recordsConsents']], [201, false], made.text);
  const token = field(made, 'token');
  const own = (path: string, body: object): Promise<Answer> => hub.call('POST', path, { token, body });
  const tries: readonly (readonly [string, object])[] = [
    ['/api/v1/consents', consent([permit(institution)], { evidence: PAPER })],
    ['/api/v1/present-codes', { personId: OURS, form: FORM, evidence: PAPER }],
    ['/api/v1/present-codes/redeem', { code: 'x'.repeat(22) }],
    ['/fhir/Consent', { resourceType: 'Consent' }],
  ];
  for (const [path, body] of tries) assert.equal((await own(path, body)).status, 403, path);
  const right = `/api/v1/clients/${field(made, 'id')}/consent-right`;
  const grant = { granted: true, reason: '门诊授权台已验收' };
  for (const who of ['system', 'ours']) assert.equal((await as(who, 'PUT', right, grant)).status, 403, who);
  assert.equal((await hub.call('PUT', right, { token, body: grant })).status, 403);
  const let_ = await as('security', 'PUT', right, grant);
  assert.deepEqual([let_.status, let_.json['recordsConsents']], [200, true], let_.text);
  const [told] = (await hub.audit.list({ action: 'administer' }, { limit: 1 })).items;
  assert.deepEqual(
    [told?.operation, told?.callerId, told?.objects, told?.reason],
    ['letClientRecordConsents', 'security', [`client/${field(made, 'id')}`], `may record consents: ${grant.reason}`],
  );
  const recorded = await own('/api/v1/consents', consent([permit(institution)], { evidence: PAPER }));
  assert.deepEqual([recorded.status, recorded.json['evidence']], [201, PAPER], recorded.text);
  assert.equal((await as('security', 'PUT', right, { ...grant, granted: false })).status, 200);
  assert.equal((await own('/api/v1/consents', consent([permit(institution)], { evidence: PAPER }))).status, 403);
});

test('a reading system that is bound to a hospital needs the same leave; a platform of nobody has it by its role', async () => {
  const token = drawToken();
  const bound = { name: 'h1 reader', role: 'query-platform', site: siteId('h1'), createdBy: 'test' } as const;
  await hub.clients.add(bound, hashToken(token));
  const body = consent([permit(institution)], { evidence: PAPER });
  assert.equal((await hub.call('POST', '/api/v1/consents', { token, body })).status, 403);
  const platform = await hub.clients.byTokenHash(hashToken(hub.token['query-platform']));
  const right = `/api/v1/clients/${platform?.id ?? ''}/consent-right`;
  assert.equal((await as('security', 'PUT', right, { granted: true, reason: 'x' })).status, 409);
  assert.equal((await hub.call('POST', '/api/v1/consents', { as: 'query-platform', body })).status, 201);
});

test('of the hospital’s own patients alone: another’s is told as nobody', async () => {
  const words = (personId: string): Promise<Answer> =>
    feed('consents', consent([permit(institution)], { personId, evidence: PAPER }));
  const code = (personId: string): Promise<Answer> => feed('present-codes', { personId, form: FORM, evidence: PAPER });
  for (const ask of [words, code]) {
    const [theirs, nobody] = [await ask(THEIRS), await ask(NOBODY)];
    assert.equal(theirs.status, 404, theirs.text);
    assert.equal(theirs.text, nobody.text);
  }
});

test('what opens names the paper and the hospital itself or a part of it; a refusal needs neither', async () => {
  const refused: readonly (readonly [readonly object[], object, string])[] = [
    [[permit(institution)], {}, '#/evidence'],
    [[permit()], { evidence: PAPER }, '#/rules/0/recipients'],
    [[permit('HOSPITAL2')], { evidence: PAPER }, '#/rules/0/recipients'],
    [
      [{ effect: 'deny' }, { ...permit(institution, 'HOSPITAL2'), exceptionOf: 0 }],
      { evidence: PAPER },
      '#/rules/1/recipients',
    ],
  ];
  for (const [rules, more, at] of refused) {
    const answer = await feed('consents', consent(rules, more));
    assert.deepEqual([answer.status, pointer(answer)], [400, at], answer.text);
  }
  for (const [rules, more] of [
    [[{ effect: 'deny' }], {}],
    [[permit('BRANCH1')], { evidence: PAPER }],
  ] as const)
    assert.equal((await feed('consents', consent(rules, more))).status, 201);
});

test('the same as FHIR, and a revision opens no more than a new consent', async () => {
  const actor = (code: string): NonNullable<NonNullable<Consent['provision']>['actor']> => [
    {
      role: { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/v3-ParticipationType', code: 'IRCP' }] },
      reference: { identifier: { system: SYSTEMS.institution, value: code } },
    },
  ];
  const body = (code: string, more: Partial<Consent> = {}): Consent => ({
    resourceType: 'Consent',
    status: 'active',
    scope: { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/consentscope', code: 'patient-privacy' }] },
    category: [{ coding: [{ system: 'http://loinc.org', code: '59284-0' }] }],
    patient: { reference: `Patient/${OURS}` },
    policy: [{ uri: FORM }],
    policyRule: { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/v3-ActCode', code: 'OPTIN' }] },
    sourceAttachment: { url: PAPER },
    provision: { actor: actor(code) },
    ...more,
  });
  const send = (method: string, path: string, resource: Consent): Promise<Answer> =>
    hub.call(method, `/fhir/Consent${path}`, {
      as: 'hospital-feed',
      body: resource,
      headers: { 'Content-Type': 'application/fhir+json' },
    });
  const parsed = ({ text }: Answer): Consent => JSON.parse(text) as Consent;
  const wide = await send('POST', '', body('HOSPITAL2'));
  assert.equal(wide.status, 422, wide.text);
  const made = await send('POST', '', body(institution));
  assert.equal(made.status, 201, made.text);
  const path = `/${parsed(made).id ?? ''}`;
  assert.equal((await send('PUT', path, body('HOSPITAL2'))).status, 422);
  const { sourceAttachment: _paper, ...bare } = body(institution);
  const unproved = await send('PUT', path, bare);
  assert.equal(unproved.status, 422);
  const { issue } = JSON.parse(unproved.text) as OperationOutcome;
  assert.deepEqual(issue[0]?.expression, ['Consent.evidence']);
  // The patient goes elsewhere: to close what was opened waits for nothing.
  const { pool } = hub.fresh.database;
  await pool.query(`update patient_record set site = 'elsewhere' where person_id = $1`, [OURS]);
  assert.equal((await send('PUT', path, body(institution))).status, 403, 'new words');
  assert.equal((await send('PUT', path, body(institution, { status: 'inactive' }))).status, 200);
  const denied = await hub.call('POST', '/api/v1/consents', {
    as: 'query-platform',
    body: consent([{ effect: 'deny' }], { institution }),
  });
  assert.equal((await feed(`consents/${field(denied, 'consentId')}/withdraw`, {})).status, 403, 'it would open');
  await pool.query(`update patient_record set site = $2 where person_id = $1`, [
    OURS,
    `site-of-${institution.toLowerCase()}`,
  ]);
  assert.equal((await feed(`consents/${field(denied, 'consentId')}/withdraw`, {})).status, 200);
});

test('a code that the desk draws is for the hospital’s own doctors, and never for the desk', async () => {
  const draw = (): Promise<Answer> => feed('present-codes', { personId: OURS, form: FORM, evidence: PAPER });
  assert.deepEqual(
    [
      (await feed('present-codes', { personId: OURS, form: FORM })).status,
      pointer(await feed('present-codes', { personId: OURS, form: FORM })),
    ],
    [400, '#/evidence'],
  );
  const drawn = await draw();
  assert.equal(drawn.status, 201, drawn.text);
  const code = field(drawn, 'code');
  assert.equal((await feed('present-codes/redeem', { code })).status, 404, 'who drew it');
  assert.equal((await as('theirs', 'POST', '/api/v1/present-codes/redeem', { code })).status, 404, 'another hospital');
  const opened = await as('ours', 'POST', '/api/v1/present-codes/redeem', { code });
  assert.deepEqual([opened.status, opened.json['evidence']], [201, PAPER], opened.text);
});

test('an institution that is suspended is believed nothing', { timeout: 10_000 }, async () => {
  const { pool } = hub.fresh.database;
  await pool.query(`update institution set state = 'suspended' where code = $1`, [institution]);
  const ask = (): Promise<Answer> => feed('consents', consent([permit(institution)], { evidence: PAPER }));
  // A look at the institutions stands for a second (hub/store/access-facts.ts).
  let answer = await ask();
  while (answer.status === 201) answer = await ask();
  assert.equal(answer.status, 404, answer.text);
});
