/**
 * DSUB over real HTTP and PostgreSQL (IHE ITI TF-2 §3.52, §3.53): subscribing, being told of what ITI-42 registers, and
 * what happens to a consumer that is away.
 */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { DocumentEntry, PatientCx } from '../../hub/core/document.ts';
import { accessDesk } from '../support/access.ts';
import { association, code, documentEntry, folder, submissionSet } from '../support/documents.ts';
import { newPatient, oid } from '../support/registry-hub.ts';
import {
  ANY_FILTER,
  openBroker,
  openConsumer,
  RENEW,
  SET_FILTER,
  toldOf,
  UNSUBSCRIBE,
  until,
} from '../support/subscription-hub.ts';
import type { Consumer, SubscriptionHub } from '../support/subscription-hub.ts';
import { invalid, noSchemas } from '../support/xsd.ts';

let hub: SubscriptionHub;
let patient: PatientCx;
const opened: Consumer[] = [];

before(async () => {
  hub = await openBroker(['127.0.0.1', 'localhost'], {}, new Map([['localhost', 'a-token-for-this-host']]));
});
after(async () => {
  await hub.stop();
  await Promise.all(opened.map((one) => one.close()));
});

async function consumerOf(status = 202): Promise<Consumer> {
  const consumer = await openConsumer(status);
  opened.push(consumer);
  patient = await newPatient(hub);
  return consumer;
}

/** Registers documents by ITI-42 and gives their unique ids. */
async function register(of: PatientCx, ...entries: readonly Partial<DocumentEntry>[]): Promise<string[]> {
  const documents = entries.map((more, at) => documentEntry(`d${String(at)}`, of, oid(), more));
  const answer = await hub.submit([
    ...documents,
    submissionSet('s', of, oid()),
    ...documents.map(({ id }, at) =>
      association(`a${String(at)}`, 'HasMember', 's', id, { submissionSetStatus: 'Original' }),
    ),
  ]);
  assert.equal(answer.status, 'success', answer.text);
  return documents.map(({ uniqueId }) => uniqueId);
}

const ofPatient = (...more: readonly (readonly [string, string])[]): (readonly [string, string])[] => [
  ['PatientId', `'${patient}'`],
  ...more,
];
const quiet = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 300));
const idOf = async (uniqueId: string): Promise<string> => (await hub.byUniqueId(uniqueId))[0]?.id ?? 'none';
const pending = async (): Promise<number> => {
  const { rows } = await hub.database.pool.query<{ n: number }>('select count(*)::int as n from document_notification');
  return rows[0]?.n ?? -1;
};
const UNSUBSCRIBE_BODY = '<w:Unsubscribe xmlns:w="http://docs.oasis-open.org/wsn/b-2"/>';
const end = (address: string, as?: { id: string }) => hub.call(address, UNSUBSCRIBE, UNSUBSCRIBE_BODY, as);

test('a full notification: the entry as the registry holds it, valid, and audited', async () => {
  const consumer = await consumerOf();
  const address = await hub.subscribe({ consumer: consumer.url, slots: ofPatient() });
  const [uniqueId = ''] = await register(patient, { title: [{ text: '胸部CT' }] });
  await consumer.times(1);
  const [text = ''] = consumer.told;
  assert.deepEqual(toldOf(text), {
    topic: 'ihe:FullDocumentEntry',
    kinds: ['ExtrinsicObject'],
    ids: [await idOf(uniqueId)],
  });
  assert.ok(text.includes(uniqueId) && text.includes('胸部CT') && text.includes(address));
  assert.ok(text.includes('>http://docs.oasis-open.org/wsn/bw-2/NotificationConsumer/Notify<'));
  if (noSchemas === false) assert.equal(invalid(text), '');
  await quiet();
  assert.equal(await pending(), 0);
  const audit = hub.audits.find(({ operation, objects }) => operation === 'ITI-53' && objects.includes(uniqueId));
  assert.equal(audit?.outcome, 'success');
  assert.equal(audit.callerId, 'reader');
  assert.deepEqual(audit.detail?.patientIds, [patient]);
  assert.equal((await end(address)).body.name, 'UnsubscribeResponse');
});

test('a minimal notification: references, one message a document', async () => {
  const consumer = await consumerOf(200);
  await hub.subscribe({ consumer: consumer.url, slots: ofPatient(), topic: 'x:MinimalDocumentEntry' }, { id: 'b' });
  const uniqueIds = await register(patient, {}, {});
  await consumer.times(1);
  const told = toldOf(consumer.told[0] ?? '');
  assert.equal(told.topic, 'ihe:MinimalDocumentEntry');
  assert.deepEqual(told.kinds, ['ObjectRef', 'ObjectRef']);
  assert.deepEqual([...told.ids].sort(), (await Promise.all(uniqueIds.map(idOf))).sort());
  if (noSchemas === false) assert.equal(invalid(consumer.told[0] ?? ''), '');
});

test('only documents that fit every parameter are told of, and of them only those of the patient', async () => {
  const consumer = await consumerOf();
  const DCM = '1.2.840.10008.2.6.1';
  const slots = ofPatient(
    ['ClassCode', "('IMG^^2.999.5','LAB^^2.999.5')"],
    ['EventCodeList', `('CT^^${DCM}')`],
    ['EventCodeList', `('CHEST^^${DCM}','HEAD^^${DCM}')`],
    ['AuthorPerson', "('%Li^L_i%')"],
  );
  await hub.subscribe({ consumer: consumer.url, slots }, { id: 'c' });
  const fitting = {
    classCode: code('IMG'),
    eventCodes: [code('CT', DCM), code('HEAD', DCM)],
    authors: [{ person: '^Li^Lei', institutions: [], roles: [], specialties: [], telecoms: [] }],
  };
  const [, yes = ''] = await register(
    patient,
    { ...fitting, classCode: code('OTHER') },
    fitting,
    { ...fitting, eventCodes: [code('CT', DCM)] },
    { ...fitting, authors: [] },
  );
  await register(await newPatient(hub), fitting);
  await consumer.times(1);
  await quiet();
  assert.equal(consumer.told.length, 1);
  assert.deepEqual(toldOf(consumer.told[0] ?? '').ids, [await idOf(yes)]);
});

test('two consumers are told alike; who unsubscribed is not; and documents of any patient', async () => {
  const [one, two, any] = [await consumerOf(), await consumerOf(), await consumerOf()];
  const slots = ofPatient();
  const address = await hub.subscribe({ consumer: one.url, slots }, { id: 'd' });
  await hub.subscribe({ consumer: two.url, slots }, { id: 'd' });
  const filter = { filter: ANY_FILTER, slots: [['TypeCode', "('DSUB-ANY^^2.999.5')"] as const] };
  await hub.subscribe({ consumer: any.url, ...filter }, { id: 'd' });
  await register(patient, {});
  await Promise.all([one.times(1), two.times(1)]);
  assert.equal((await end(address, { id: 'd' })).http, 200);
  await register(patient, { typeCode: code('DSUB-ANY') });
  await Promise.all([two.times(2), any.times(1)]);
  assert.equal(one.told.length, 1);
  const again = await end(address, { id: 'd' });
  assert.ok(again.text.includes('ResourceUnknownFault'), again.text);
});

test('a consumer that was away gets everything once it is back, in order', async () => {
  const consumer = await consumerOf(503);
  await hub.subscribe({ consumer: consumer.url, slots: ofPatient() }, { id: 'e' });
  const [first = ''] = await register(patient, {});
  const [second = ''] = await register(patient, {});
  await consumer.times(2);
  consumer.status = 0;
  await consumer.times(3);
  consumer.status = 302;
  await consumer.times(4);
  const failed = consumer.told.length;
  assert.ok(
    consumer.told.every((text) => text.includes(first)),
    'nothing overtakes the one that waits',
  );
  consumer.status = 204;
  await consumer.times(failed + 2);
  await quiet();
  assert.ok(consumer.told.at(-2)?.includes(first) === true && consumer.told.at(-1)?.includes(second) === true);
  const audits = hub.audits.filter(({ operation, objects }) => operation === 'ITI-53' && objects.includes(first));
  assert.deepEqual(audits.at(-1)?.outcome, 'success');
  assert.equal(audits[0]?.outcome, 'failure');
});

test('a consumer that refuses a message is not asked for ever, and the next message has its turn', async () => {
  const consumer = await consumerOf(400);
  await hub.subscribe({ consumer: consumer.url, slots: ofPatient() }, { id: 'f' });
  const [first = ''] = await register(patient, {});
  await consumer.times(3);
  await quiet();
  assert.equal(consumer.told.length, 3);
  consumer.status = 202;
  const [second = ''] = await register(patient, {});
  await consumer.times(4);
  assert.ok(consumer.told[3]?.includes(second) === true && !consumer.told[3].includes(first));
});

test('a subscription ends in its time, unless it is renewed; a registration is not kept waiting by any of it', async () => {
  const [short, long] = [await consumerOf(), await consumerOf()];
  const slots = ofPatient();
  const time = until(new Date(Date.now() + 1_500).toISOString());
  const ending = await hub.subscribe({ consumer: short.url, slots, time }, { id: 'g' });
  const renewed = await hub.subscribe({ consumer: long.url, slots, time: until('PT1.5S') }, { id: 'g' });
  const renewal =
    '<w:Renew xmlns:w="http://docs.oasis-open.org/wsn/b-2"><w:TerminationTime>P1D</w:TerminationTime></w:Renew>';
  const reply = await hub.call(renewed, RENEW, renewal, { id: 'g' });
  assert.equal(reply.body.name, 'RenewResponse', reply.text);
  await new Promise((resolve) => setTimeout(resolve, 1_600));
  await register(patient, {});
  await long.times(1);
  await quiet();
  assert.equal(short.told.length, 0);
  const { rows } = await hub.database.pool.query('select id from document_subscription where id = $1', [
    ending.split('/').at(-1),
  ]);
  assert.equal(rows.length, 0, 'it was pruned');
});

test('a registration that is refused tells nobody', async () => {
  const consumer = await consumerOf();
  await hub.subscribe({ consumer: consumer.url, slots: ofPatient() }, { id: 'h' });
  const answer = await hub.submit([
    documentEntry('d', patient, oid()),
    submissionSet('s', patient, oid()),
    association('a', 'HasMember', 's', 'd', { submissionSetStatus: 'Original' }),
    association('r', 'RPLC', 'd', 'urn:uuid:00000000-0000-4000-8000-000000000000'),
  ]);
  assert.equal(answer.status, 'failure');
  await quiet();
  assert.equal(consumer.told.length, 0);
});

test('a subscription of a patient that was merged away goes on with the survivor', async () => {
  const consumer = await consumerOf();
  const survivor = await newPatient(hub);
  await hub.subscribe({ consumer: consumer.url, slots: ofPatient() }, { id: 'i' });
  await hub.patients.merge(survivor, patient);
  const [uniqueId = ''] = await register(survivor, {});
  await consumer.times(1);
  assert.ok(consumer.told[0]?.includes(uniqueId));
});

test('what was removed before it was told is not told', async () => {
  const consumer = await consumerOf(503);
  await hub.subscribe({ consumer: consumer.url, slots: ofPatient() }, { id: 'j' });
  const [uniqueId = ''] = await register(patient, {});
  await consumer.times(1);
  const entry = await idOf(uniqueId);
  await hub.database.pool.query('delete from registry_object where id = $1', [entry.slice('urn:uuid:'.length)]);
  consumer.status = 202;
  const before = consumer.told.length;
  await quiet();
  assert.ok(consumer.told.length <= before + 1);
  const { rows } = await hub.database.pool.query('select from document_notification where $1 = any (entry_ids)', [
    entry.slice('urn:uuid:'.length),
  ]);
  assert.equal(rows.length, 0);
});

test('the subscriptions of a revoked client are told nothing more', async () => {
  const consumer = await consumerOf();
  const { rows } = await hub.database.pool.query<{ id: string }>(
    `insert into client (name, role, created_by, token_hash, revoked_at)
     values ('gone', 'query-platform', 'test', decode(repeat('00', 32), 'hex'), now()) returning id`,
  );
  await hub.subscribe({ consumer: consumer.url, slots: ofPatient() }, { id: rows[0]?.id ?? '' });
  await register(patient, {});
  await quiet();
  assert.equal(consumer.told.length, 0);
});

test('parameters of the consumer come back as headers, and a host that has a token gets it, alone', async () => {
  const [with_, without] = [await consumerOf(), await consumerOf()];
  const parameters =
    '<x:Key xmlns:x="urn:x" kind="a&amp;b">s3cret-parameter</x:Key><y:Tree xmlns:y="urn:y"><y:Leaf>1</y:Leaf></y:Tree>';
  const local = with_.url.replace('127.0.0.1', 'localhost');
  await hub.subscribe({ consumer: local, slots: ofPatient(), parameters }, { id: 'k' });
  await hub.subscribe({ consumer: without.url, slots: ofPatient() }, { id: 'k' });
  await register(patient, {});
  await Promise.all([with_.times(1), without.times(1)]);
  assert.deepEqual([with_.credentials, without.credentials], [['Bearer a-token-for-this-host'], [undefined]]);
  const [text = ''] = with_.told;
  if (noSchemas === false) assert.equal(invalid(text), '');
  const header = /<env:Header>.*<\/env:Header>/.exec(text)?.[0] ?? '';
  const own = 'xmlns:n1="urn:x" xmlns:n2="http://www.w3.org/2005/08/addressing"';
  assert.ok(
    header.includes(`<n1:Key ${own} kind="a&amp;b" n2:IsReferenceParameter="true">s3cret-parameter</n1:Key>`),
    header,
  );
  assert.ok(header.includes('<n1:Leaf>1</n1:Leaf>'), header);
  const { rows } = await hub.database.pool.query('select s::text from document_subscription s');
  const kept = JSON.stringify([rows, hub.audits, hub.logged]);
  for (const secret of ['s3cret-parameter', 'a-token-for-this-host', '/notify?to=a'])
    assert.ok(!kept.includes(secret), secret);
});

test('a metadata update is news to whom its new version fits', async () => {
  const [all, few] = [await consumerOf(), await consumerOf()];
  await hub.subscribe({ consumer: all.url, slots: ofPatient() }, { id: 'l' });
  await hub.subscribe({ consumer: few.url, slots: ofPatient(['TypeCode', "('UPDATED^^2.999.5')"]) }, { id: 'l' });
  const [uniqueId = ''] = await register(patient, {});
  await all.times(1);
  const [first] = await hub.byUniqueId(uniqueId);
  assert.ok(first?.kind === 'document');
  const update = (typeCode: string, previous: string) =>
    hub.submit(
      [
        submissionSet('s', patient, oid()),
        { ...first, id: 'new' as typeof first.id, typeCode: code(typeCode) },
        association('a', 'HasMember', 's', 'new', {
          submissionSetStatus: 'Original',
          extra: [{ name: 'PreviousVersion', values: [previous] }],
        }),
      ],
      'ITI-57',
    );
  assert.equal((await update('UPDATED', '1')).status, 'success');
  await Promise.all([all.times(2), few.times(1)]);
  const versions = (await hub.byUniqueId(uniqueId)).map(({ id, version }) => [version, id]);
  assert.deepEqual(toldOf(few.told[0] ?? '').ids, [versions.find(([version]) => version === 2)?.[1]]);
  assert.equal((await update('UPDATED', '1')).status, 'failure');
  await quiet();
  assert.deepEqual([all.told.length, few.told.length], [2, 1]);
});

test('a submission set, with or without documents, to whom its source, author and recipient fit', async () => {
  const [yes, no] = [await consumerOf(), await consumerOf()];
  const asked = { topic: 'ihe:SubmissionSetMetadata', filter: SET_FILTER };
  const recipient = ['IntendedRecipient', "('%^Ward 3^%')"] as const;
  const fits = { consumer: yes.url, ...asked, slots: ofPatient(recipient, ['SourceId', "('2.999.8','2.999.9')"]) };
  await hub.subscribe(fits, { id: 'm' });
  await hub.subscribe({ consumer: no.url, ...asked, slots: ofPatient(['SourceId', "('2.999.8')"]) }, { id: 'm' });
  const set = submissionSet('s', patient, oid(), { sourceId: '2.999.9', intendedRecipients: ['Clinic|^Ward 3^'] });
  const folderOnly = await hub.submit([set, folder('f', patient, oid()), association('a', 'HasMember', 's', 'f')]);
  assert.equal(folderOnly.status, 'success', folderOnly.text);
  await yes.times(1);
  const [text = ''] = yes.told;
  if (noSchemas === false) assert.equal(invalid(text), '');
  const told = toldOf(text);
  assert.deepEqual([told.topic, told.kinds], ['ihe:SubmissionSetMetadata', ['RegistryPackage']]);
  assert.deepEqual(told.ids, [await idOf(set.uniqueId)]);
  const audit = hub.audits.findLast(
    ({ operation, detail }) => operation === 'ITI-53' && detail?.submissionSet === set.uniqueId,
  );
  assert.equal(audit?.outcome, 'success');
  await register(patient, {});
  await quiet();
  assert.deepEqual([yes.told.length, no.told.length], [1, 0]);
});

test('a subscriber is told of what it may read now: a document of a sensitive exam is as if it were not registered', async () => {
  const guarded = await openBroker(['127.0.0.1'], {}, new Map(), accessDesk);
  try {
    const consumer = await consumerOf();
    const [own, study] = [await newPatient(guarded), oid()];
    const id = (n: number): string => `00000000-0000-5000-8000-00000000000${String(n)}`;
    for (const text of [
      `insert into person (person_id) values ('${id(1)}')`,
      `insert into patient_record (record_id, site, authority, local_id, person_id, facts) values ('${id(2)}', 'h1', 'a', 'P', '${id(1)}', '{}')`,
      `insert into exam (record_id, exam_id, site, facts, cancelled, has_order, has_report, has_images)
       values ('${id(2)}', '${id(3)}', 'h1', '{"orders": []}', false, false, false, true)`,
      `insert into study (record_id, study_uid, study_id, exam_id, site, modalities, series_count, instance_count, availability)
       values ('${id(2)}', '${study}', '${id(4)}', '${id(3)}', 'h1', '{CT}', 1, 1, 'complete')`,
      `insert into exam_label (exam_id, label, source) values ('${id(3)}', 'hiv', 'hand')`,
    ])
      await guarded.database.pool.query(text);
    await guarded.subscribe({ consumer: consumer.url, slots: [['PatientId', `'${own}'`]] });
    const documents = [
      documentEntry('plain', own, oid()),
      documentEntry('sensitive', own, oid(), {
        referenceIds: [`${study}^^^^urn:ihe:iti:xds:2016:studyInstanceUID`],
      }),
    ];
    const answer = await guarded.submit([
      ...documents,
      submissionSet('s', own, oid()),
      ...documents.map((one, at) =>
        association(`a${String(at)}`, 'HasMember', 's', one.id, { submissionSetStatus: 'Original' }),
      ),
    ]);
    assert.equal(answer.status, 'success', answer.text);
    await consumer.times(1);
    await quiet();
    const told = consumer.told.join('');
    const [plain, sensitive] = documents.map(({ uniqueId }) => uniqueId);
    assert.ok(told.includes(plain ?? '?') && !told.includes(sensitive ?? '?'));
    const refused = guarded.audits.find(({ operation, outcome }) => operation === 'ITI-53' && outcome === 'refused');
    assert.deepEqual([refused?.callerId, refused?.reason, refused?.persons], ['reader', 'sensitive', [id(1)]]);

    const bootstraps = await consumerOf();
    const slots = [['PatientId', `'${own}'`]] as const;
    await guarded.subscribe({ consumer: bootstraps.url, slots }, { id: 'first', role: 'administrator' });
    await guarded.database.pool.query(
      `with a as (insert into account (login_name, display_name, state, created_by, last_sign_in_at)
         values ('sec', 'sec', 'active', 'test', now()) returning id)
       insert into account_role (account_id, role) select id, 'security-administrator' from a`,
    );
    const later = documentEntry('later', own, oid(), {
      referenceIds: [`${study}^^^^urn:ihe:iti:xds:2016:studyInstanceUID`],
    });
    const member = association('m', 'HasMember', 's', later.id, { submissionSetStatus: 'Original' });
    assert.equal((await guarded.submit([later, submissionSet('s', own, oid()), member])).status, 'success');
    const refusals = (): number =>
      guarded.audits.filter(({ operation, outcome }) => operation === 'ITI-53' && outcome === 'refused').length;
    while (refusals() < 3) await quiet();
    assert.deepEqual(bootstraps.told, [], 'the way in is no way to records once there is a security administrator');
  } finally {
    await guarded.stop();
  }
});
