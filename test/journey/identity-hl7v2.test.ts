/** What hospitals say of numbers by MLLP, to persons as PIX tells them: A24, A37, A43, A40 and A47, and links of the platform. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { feedHub, H1, H3, type FeedHub } from '../support/feed-hub.ts';

let hub: FeedHub;
before(async () => {
  hub = await feedHub();
});
after(() => hub.close());

const RIS1 = 'RIS|H1';
const PLATFORM = 'PLATFORM|REGION';
const NAMES = ['赵一', '钱二', '孙三', '李四', '周五', '吴六', '郑七', '王八一'];
let people = 0;
/** Registers a person of its own under the number: nothing speaks for or against its being another. */
async function register(value: string): Promise<void> {
  const at = people++;
  const pid = `PID|1||${value}^^^&${H1}&ISO^PI||${NAMES[at % NAMES.length] ?? ''}${'甲乙丙丁'[at % 4] ?? ''}${String.fromCharCode(0x4e8c + at)}|||M`;
  assert.equal(await said(RIS1, 'ADT^A04^ADT_A01', 'EVN||20260101', pid), 'AA');
}
const said = async (sender: string, type: string, ...segments: readonly string[]): Promise<string> =>
  (await hub.hl7(sender, type, ...segments)).first('MSA')?.text(1) ?? '';
const pid = (value: string, authority = H1): string => `PID|||${value}^^^&${authority}&ISO^PI`;
const mrg = (value: string): string => `MRG|${value}^^^&${H1}&ISO^PI`;

test('A24 links two numbers and both go on; A37 parts them', async () => {
  await register('L1');
  await register('L2');
  assert.deepEqual(await hub.pix('L1', H1), []);
  assert.equal(await said(RIS1, 'ADT^A24', 'EVN||20260101', pid('L1'), pid('L2')), 'AA');
  assert.deepEqual(await hub.pix('L1', H1), [`L2 ${H1}`]);
  assert.deepEqual(await hub.pix('L2', H1), [`L1 ${H1}`]);
  assert.equal(await said(RIS1, 'ADT^A37', 'EVN||20260101', pid('L1'), pid('L2')), 'AA');
  assert.deepEqual(await hub.pix('L1', H1), []);
  assert.deepEqual(await hub.pix('L2', H1), []);
});

test('A40 merges: the number that ended leads nowhere; A37 takes it back', async () => {
  await register('M1');
  await register('M2');
  assert.equal(await said(RIS1, 'ADT^A40^ADT_A39', 'EVN||20260101', pid('M1'), mrg('M2')), 'AA');
  assert.equal(await hub.pix('M2', H1), null);
  assert.deepEqual(await hub.pix('M1', H1), []);
  assert.equal(await said(RIS1, 'ADT^A37', 'EVN||20260101', pid('M1'), pid('M2')), 'AA');
  assert.deepEqual(await hub.pix('M2', H1), []);
});

test('A47 changes a number into another; the old one leads nowhere', async () => {
  await register('C1');
  assert.equal(await said(RIS1, 'ADT^A47', 'EVN||20260101', pid('C9'), mrg('C1')), 'AA');
  assert.equal(await hub.pix('C1', H1), null);
  assert.deepEqual(await hub.pix('C9', H1), []);
});

test('A43 moves a number from the wrong patient to the right one', async () => {
  await register('W1');
  await register('W2');
  await register('W3');
  assert.equal(await said(RIS1, 'ADT^A24', 'EVN||20260101', pid('W2'), pid('W3')), 'AA');
  assert.equal(await said(RIS1, 'ADT^A43', 'EVN||20260101', pid('W2'), mrg('W1')), 'AA');
  assert.equal(await hub.pix('W1', H1), null, 'it follows W2 now');
  assert.deepEqual(await hub.pix('W3', H1), [`W2 ${H1}`]);
});

test('a link of the platform lands on the registrations of the hospitals whose numbers they are', async () => {
  await register('R1');
  await put3('R3');
  assert.deepEqual(await hub.pix('R1', H1), []);
  assert.equal(await said(PLATFORM, 'ADT^A24', 'EVN||20260101', pid('R1'), pid('R3', H3)), 'AA');
  assert.deepEqual(await hub.pix('R1', H1), [`R3 ${H3}`]);
  assert.deepEqual(await hub.pix('R3', H3), [`R1 ${H1}`]);
  const all = await hub.database.pool.query<{ site: string; local_id: string }>(
    `select site, local_id from patient_record where local_id in ('R1', 'R3') order by local_id`,
  );
  assert.deepEqual(
    all.rows.map(({ site, local_id }) => `${site} ${local_id}`),
    ['h1 R1', 'h3 R3'],
    'the platform registers nobody by it',
  );
  assert.equal(await said(PLATFORM, 'ADT^A37', 'EVN||20260101', pid('R1'), pid('R3', H3)), 'AA');
  assert.deepEqual(await hub.pix('R1', H1), []);
});

/** h3 has no HL7 sender of its own: it registers by FHIR. */
async function put3(value: string): Promise<void> {
  const response = await hub.fetch(`/fhir/Patient?identifier=urn:oid:${H3}%7C${value}`, {
    ...{ method: 'PUT', as: 'h3', headers: { 'content-type': 'application/fhir+json' } },
    body: JSON.stringify({
      resourceType: 'Patient',
      identifier: [{ system: `urn:oid:${H3}`, value }],
      name: [{ text: '冯十二' }],
      gender: 'male',
    }),
  });
  assert.equal(response.status, 201, await response.text());
}

test('who may not speak of a number is refused with a reason, and links nobody', async () => {
  await put3('S3');
  await register('S1');
  const before_ = await hub.reviews();
  assert.equal(await said(RIS1, 'ADT^A24', 'EVN||20260101', pid('S1'), pid('S3', H3)), 'AA');
  assert.match((await hub.reviews()).slice(before_.length).join(), /numbers of another hospital/);
  assert.deepEqual(await hub.pix('S1', H1), []);
  await register('S2');
  assert.equal(await said(RIS1, 'ADT^A40^ADT_A39', 'EVN||20260101', pid('S1'), mrg('S2')), 'AA');
  assert.equal(await said(PLATFORM, 'ADT^A37', 'EVN||20260101', pid('S1'), pid('S2')), 'AA');
  assert.match((await hub.reviews()).slice(before_.length + 1).join(), /itself merged these two/);
  assert.equal(await hub.pix('S2', H1), null);
});

const match = async (identifier: object, more: object = {}): Promise<readonly string[]> => {
  const resource = { resourceType: 'Patient', identifier: [identifier], ...more };
  const response = await hub.fetch('/fhir/Patient/$match', {
    ...{ method: 'POST', role: 'query-platform', headers: { 'content-type': 'application/fhir+json' } },
    body: JSON.stringify({ resourceType: 'Parameters', parameter: [{ name: 'resource', resource }] }),
  });
  const bundle = (await response.json()) as { entry?: { search: { extension: { valueCode: string }[] } }[] };
  assert.equal(response.status, 200, JSON.stringify(bundle));
  return (bundle.entry ?? []).map(({ search }) => search.extension[0]?.valueCode ?? '');
};

test('$match and PDQ find a registration by the hospital number alone', async () => {
  await register('P1');
  await hub.pix('P1', H1);
  const number = { system: `urn:oid:${H1}`, value: 'P1' };
  assert.deepEqual(await match(number), ['certain']);
  assert.deepEqual(await match(number, { name: [{ text: '完全不同' }], gender: 'female' }), ['possible']);
  assert.deepEqual(await match({ system: `urn:oid:${H3}`, value: 'P1' }), []);
  const asked = ['QPD|IHE PDQ Query|TP1|@PID.3.1^P1~@PID.3.4.2^' + H1, 'RCP|I|10^RD'];
  const answer = await hub.hl7(PLATFORM, 'QBP^Q22^QBP_Q21', ...asked);
  assert.deepEqual([answer.first('QAK')?.text(2), answer.all('PID').length], ['OK', 1]);
});
