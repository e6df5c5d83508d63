/** ITI-44 at the registry: announcing, merging, and who may not; and what is malformed at any of its transactions. */
import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import type { PatientCx } from '../../hub/core/document.ts';
import { lockNames } from '../../hub/store/document-around.ts';
import { writeSubmission } from '../../mappings/xds/ebrim-write.ts';
import { association } from '../support/documents.ts';
import { caseAt } from '../support/registry-case.ts';
import { ACTIONS, DOMAIN, envelope, newPatient, openRegistry } from '../support/registry-hub.ts';
import type { Answer, As, RegistryHub } from '../support/registry-hub.ts';

let hub: RegistryHub;
let strict: RegistryHub;
let patient: PatientCx;
const { oneDocument, accepted, refused } = caseAt(
  () => hub,
  () => patient,
);
before(async () => {
  hub = await openRegistry();
  strict = await openRegistry('strict of h1');
  patient = await newPatient(hub);
});

const ID = (id: string, root = DOMAIN): string => `<id root="${root}" extension="${id}"/>`;
const message = (name: string, ids: string, prior = ''): string =>
  `<${name} xmlns="urn:hl7-org:v3" ITSVersion="XML_1.0"><id root="1.2.3" extension="77"/><creationTime value="20260101"/>` +
  `<interactionId root="2.16.840.1.113883.1.6" extension="${name}"/><processingCode code="T"/><processingModeCode code="T"/><acceptAckCode code="AL"/>` +
  '<receiver typeCode="RCV"><device classCode="DEV" determinerCode="INSTANCE"><id root="1.2.4"/></device></receiver>' +
  '<sender typeCode="SND"><device classCode="DEV" determinerCode="INSTANCE"><id root="1.2.5"/></device></sender>' +
  '<controlActProcess classCode="CACT" moodCode="EVN"><subject typeCode="SUBJ"><registrationEvent classCode="REG" moodCode="EVN">' +
  `<subject1 typeCode="SBJ"><patient classCode="PAT">${ids}</patient></subject1>${prior}</registrationEvent></subject></controlActProcess></${name}>`;
const prior = (ids: string): string =>
  `<replacementOf typeCode="RPLC"><priorRegistration classCode="REG" moodCode="EVN"><subject1 typeCode="SBJ"><priorRegisteredRole classCode="PAT">${ids}</priorRegisteredRole></subject1></priorRegistration></replacementOf>`;
const cxOf = (id: string): PatientCx => `${id}^^^&${DOMAIN}&ISO` as PatientCx;
const send = (name: string, ids: string, more = '', as: As = {}): Promise<Answer> =>
  hub.send(`urn:hl7-org:v3:${name}`, message(name, ids, more), as);
const ack = (answer: Answer): string => /<typeCode code="(\w+)"/.exec(answer.text)?.[1] ?? answer.status;

test('ITI-44: add and revise announce an id, which submissions may name; merge ends it', async () => {
  assert.equal(ack(await send('PRPA_IN201301UV02', ID('V1') + ID('other', '1.2.3'))), 'CA');
  const answer = await send('PRPA_IN201302UV02', ID('V2'));
  assert.equal(ack(answer), 'CA');
  assert.match(answer.text, /<targetMessage><id root="1.2.3" extension="77"\/><\/targetMessage>/);
  assert.match(answer.text, /<receiver typeCode="RCV"><device[^>]*><id root="1.2.5"\/>/);
  patient = cxOf('V1');
  const entry = await accepted(oneDocument());
  assert.equal(ack(await send('PRPA_IN201304UV02', ID('V2'), prior(ID('V1')))), 'CA');
  await refused(oneDocument(), 'XDSUnknownPatientId');
  assert.deepEqual(
    (await hub.objects([entry.id])).map(({ patientId }) => patientId),
    [cxOf('V2')],
  );
  patient = await newPatient(hub);
});

test('ITI-44: no id of the domain, a merge into itself or without a prior id, are told so', async () => {
  assert.equal(ack(await send('PRPA_IN201301UV02', ID('x', '1.2.3'))), 'CE');
  assert.equal(ack(await send('PRPA_IN201304UV02', ID('V9'))), 'CE');
  assert.equal(ack(await send('PRPA_IN201304UV02', ID('V9'), prior(ID('V9')))), 'CE');
  assert.equal(ack(await send('PRPA_IN201301UV02', '<id root="2.999.156.1" extension="a^b&amp;c"/>')), 'CE');
  assert.deepEqual(await hub.patients.known([cxOf('V9')]), new Set());
});

test('ITI-44: only the source of the domain feeds it', async () => {
  assert.equal(ack(await send('PRPA_IN201301UV02', ID('W1'), '', { role: 'hospital-feed', site: 'h1' })), 'CE');
  assert.deepEqual(await hub.patients.known([cxOf('W1')]), new Set());
  assert.equal(ack(await send('PRPA_IN201301UV02', ID('W1'), '', { role: 'hospital-feed', site: 'region' })), 'CA');
  assert.equal((await send('PRPA_IN201301UV02', ID('W2'), '', { role: 'query-platform' })).http, 403);
});

const submission = (): string => writeSubmission(oneDocument());

test('§12: blanks around a CX are trimmed, a stray ObjectRef is ignored', async () => {
  const padded = submission()
    .replaceAll('&amp;ISO"', '&amp;ISO "')
    .replace('</rim:RegistryObjectList>', '<rim:ObjectRef id="urn:uuid:1"/></rim:RegistryObjectList>');
  const answer = await hub.send(ACTIONS['ITI-42'], padded);
  assert.deepEqual([answer.status, answer.codes], ['success', []], answer.text);
});

test('§2: an order that rim.xsd forbids is taken leniently and refused strictly', async () => {
  const turned = submission().replace(
    /(<rim:ExtrinsicObject[^>]*>)([\s\S]*?)(<rim:Name>[\s\S]*?<\/rim:Name>)/,
    '$1$3$2',
  );
  assert.equal((await hub.send(ACTIONS['ITI-42'], turned, { invalid: true })).status, 'success');
  await strict.patients.add(patient);
  const answer = await strict.send(ACTIONS['ITI-42'], turned, { invalid: true, site: 'h1' });
  assert.deepEqual([answer.status, answer.codes], ['failure', ['XDSRegistryMetadataError']]);
  assert.equal((await strict.send(ACTIONS['ITI-42'], submission(), { site: 'h1' })).status, 'success');
  // Which of the two is the data of the site that sends.
  assert.equal((await strict.send(ACTIONS['ITI-42'], turned, { invalid: true, site: 'h2' })).status, 'success');
});

test('§2: unknown slots, schemes, nodes and types are refused; extra metadata that is not kept is told', async () => {
  const rows = await hub.rows();
  const slot = (name: string): string =>
    `<rim:Slot name="${name}"><rim:ValueList><rim:Value>x</rim:Value></rim:ValueList></rim:Slot>`;
  const wrong: readonly [string, string][] = [
    [submission().replace(/(<rim:ExtrinsicObject[^>]*>)/, `$1${slot('mySlot')}`), 'XDSRegistryError'],
    [
      submission().replace(/(<rim:ExtrinsicObject[^>]*>)/, `$1${slot('urn:a')}${slot('urn:a')}`),
      'XDSRegistryMetadataError',
    ],
    [
      submission().replace('41a5887f-8865-4c09-adf7-e362475b143a', '41a5887f-8865-4c09-adf7-e362475b1430'),
      'XDSRegistryMetadataError',
    ],
    [
      submission().replace('58a6f841-87b3-4a3e-92fd-a8ffeff98427', '58a6f841-87b3-4a3e-92fd-a8ffeff98420'),
      'XDSRegistryMetadataError',
    ],
    [
      submission().replace('7edca82f-054d-47f2-a032-9b2a5b5186c1', '7edca82f-054d-47f2-a032-9b2a5b5186c0'),
      'XDSRegistryMetadataError',
    ],
    [
      submission().replace('a54d6aa5-d40d-43f9-88c5-b4633d873bdd', 'a54d6aa5-d40d-43f9-88c5-b4633d873bd0'),
      'XDSRegistryMetadataError',
    ],
    [submission().replace('AssociationType:HasMember', 'AssociationType:Mine'), 'XDSRegistryMetadataError'],
    [
      submission().replace('classifiedObject="Document01"', 'classifiedObject="Document02"'),
      'XDSRegistryMetadataError',
    ],
  ];
  for (const [body, code] of wrong) {
    const answer = await hub.send(ACTIONS['ITI-42'], body);
    assert.equal(answer.status, 'failure');
    assert.ok(answer.codes.includes(code), answer.text);
  }
  assert.equal(await hub.rows(), rows);
  const inside = submission().replace(
    /(<rim:Classification[^>]*nodeRepresentation="IMAGES"[^>]*>)/,
    `$1${slot('urn:a')}`,
  );
  const told = await hub.send(ACTIONS['ITI-42'], inside);
  assert.deepEqual([told.status, told.codes], ['success', ['XDSExtraMetadataNotSaved']], told.text);
  assert.deepEqual(
    told.errors.map(({ severity }) => severity),
    ['warning'],
  );
});

test('a slot value of a megabyte, thousands of slots and associations: a Failure, and nothing stored', async () => {
  const rows = await hub.rows();
  const huge = submission().replace(
    '<rim:Value>20260102030405</rim:Value>',
    `<rim:Value>${'1'.repeat(1 << 20)}</rim:Value>`,
  );
  const many = Array.from(
    { length: 5_000 },
    (_, at) => `<rim:Slot name="urn:x:${String(at)}"><rim:ValueList/></rim:Slot>`,
  );
  const wide = submission().replace(/(<rim:ExtrinsicObject[^>]*>)/, `$1${many.join('')}`);
  for (const body of [huge, wide])
    assert.equal((await hub.send(ACTIONS['ITI-42'], body, { invalid: true })).status, 'failure');
  const crowd = Array.from({ length: 8_000 }, (_, at) =>
    association(`x${String(at)}`, 'HasMember', 'SubmissionSet01', `y${String(at)}`),
  );
  const began = Date.now();
  const answer = await hub.submit(oneDocument({}, crowd));
  assert.equal(answer.status, 'failure');
  assert.ok(answer.errors.length <= 100, 'and no answer as long as the question');
  assert.ok(Date.now() - began < 20_000);
  assert.equal(await hub.rows(), rows);
});

test('whatever a message names, it takes few of the locks that all transactions of the server share', async () => {
  const names = Array.from({ length: 20_000 }, (_, at) => `urn:uuid:${String(at)}`);
  const held = await hub.database.transaction(async (connection) => {
    await lockNames(connection, names);
    const { rows } = await connection.query<{ n: number }>(
      "select count(*)::int as n from pg_locks where locktype = 'advisory' and pid = pg_backend_pid()",
    );
    return rows[0]?.n ?? 0;
  });
  assert.ok(held > 0 && held <= 1_024, String(held));
});

test('what is no ebRS message is a fault: DOCTYPE, cut off, another body, another action; the next request is served', async () => {
  const type = `application/soap+xml; charset=UTF-8; action="${ACTIONS['ITI-42']}"`;
  const caller = JSON.stringify({ id: 'c', name: 'test', role: 'administrator', peer: '127.0.0.1' });
  const good = envelope(ACTIONS['ITI-42'], submission());
  for (const body of [
    good.replace('<s:Envelope', '<!DOCTYPE s [<!ENTITY x "y">]><s:Envelope'),
    good.slice(0, good.length / 2),
    good.replaceAll('SubmitObjectsRequest', 'OtherRequest'),
    envelope('urn:ihe:iti:2007:Nothing', submission()),
    '',
    '\u0000',
  ]) {
    const response = await fetch(hub.url, {
      method: 'POST',
      headers: { 'Content-Type': type, 'x-caller': caller },
      body,
    });
    assert.ok(response.status >= 400 && response.status < 600);
    assert.match(await response.text(), /<env:Fault>/);
  }
  assert.equal((await hub.send(ACTIONS['ITI-42'], submission())).status, 'success');
});

test("a database that fails is a Failure in the registry's words, without the message of the driver", async () => {
  const lost = await openRegistry();
  const id = await newPatient(lost);
  await lost.database.pool.query(
    'alter table registry_object add constraint nobody check (unique_id is null) not valid',
  );
  const body = writeSubmission(
    oneDocument({ patientId: id }).map((one) => ('patientId' in one ? { ...one, patientId: id } : one)),
  );
  const answer = await lost.send(ACTIONS['ITI-42'], body);
  assert.deepEqual([answer.http, answer.status, answer.codes], [200, 'failure', ['XDSRegistryError']]);
  assert.equal(await lost.rows(), 0);
  assert.ok(!lost.logged.join('').includes(id.split('^')[0] ?? ''), 'no patient id in the log');
});
