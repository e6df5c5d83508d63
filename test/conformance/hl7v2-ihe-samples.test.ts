/**
 * HL7 v2 messages of other implementers (ITI-9, 10, 21, 22, 64 and what is of none) over real MLLP into the query face
 * and the feed: what is asked is answered as ITI TF-2 demands, what is told is mapped, answers are what they claim to be.
 */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { createPatientQueries } from '../../hub/flow/patient-queries.ts';
import { createAffinityPatients } from '../../hub/store/affinity-patients.ts';
import { createVisitIndex } from '../../hub/store/visit.ts';
import { identifierSystems } from '../../mappings/fhir/index.ts';
import { mapHl7, parseMessage, splitBatch, type Message } from '../../mappings/hl7v2/index.ts';
import { index } from '../support/affinity.ts';
import { freshDatabase, type FreshDatabase } from '../support/database.ts';
import { openStore, personResources, save, siteResources } from '../support/fhir.ts';
import { CONNECTATHON, SAMPLE_DOMAINS, samplePatient } from '../support/ihe-patient.ts';
import { iheSamples, noIheSamples, type Sample } from '../support/ihe-samples.ts';
import { demoSites, RawPeer, startRig, type Rig } from '../wire/hl7v2-fixture.ts';

const DOMAIN = '2.999.156.1';

let fresh: FreshDatabase;
let rig: Rig;
before(async () => {
  fresh = await freshDatabase();
  await save(fresh.database, [...siteResources(), ...personResources(samplePatient)]);
  await index(fresh.database, [samplePatient.personId]);
  const queries = createPatientQueries({
    store: openStore(fresh.database).store,
    patients: createAffinityPatients({ database: fresh.database, affinityDomainOid: DOMAIN }),
    domains: identifierSystems([DOMAIN, ...SAMPLE_DOMAINS]),
    affinityDomainOid: DOMAIN,
    visits: createVisitIndex(fresh.database),
  });
  // Whoever a sample says it is, it is taken for the platform here, which may both tell and ask.
  const sites = await demoSites();
  rig = await startRig({ queries, sites: { ...sites, byHl7Sender: () => sites.byId('region') } });
});
after(async () => {
  await rig.channel.stop(0);
  await fresh.drop();
});

/** Sends, and a query that anybody may be refused for behind it: what comes before its answer answers the sample. */
async function send(bytes: Buffer): Promise<Message | null> {
  const peer = await RawPeer.open(rig.port);
  peer.send(bytes);
  peer.send('MSH|^~\\&|LAST|LAST|HUB|PROV|20260302090000||QBP^Q23^QBP_Q21|LAST|P|2.5\r');
  const lastIsIn = (): boolean => peer.frames.some((one) => one.includes('|LAST\r'));
  for (let count = 1; !lastIsIn() && count <= 2; count++) await peer.answers(count);
  assert.ok(lastIsIn(), 'the connection serves the next message');
  const [first = ''] = peer.frames;
  peer.socket.destroy();
  if (first.includes('|LAST\r')) return null;
  const parsed = parseMessage(first, 'UTF-8');
  assert.ok(parsed.ok);
  return parsed.value;
}

/** MSH-9, MSA-1, and of an error its code and place: `RSP^K22^RSP_K21 AE 103 QPD^1^3^2^1`. */
function told(answer: Message | null): string {
  if (answer === null) return 'no answer';
  const err = answer.first('ERR');
  const fault = err === undefined ? [] : [err.text(3), err.rawField(2)];
  return [answer.msh.rawField(9), answer.first('MSA')?.text(1) ?? '', ...fault].join(' ');
}

const NO_VERSION = /^ACK (AR|CR) 203 MSH\^1\^12\^1$/;
/** By the name of the sample; the reasons stand with the claims. */
const ANSWERS: readonly (readonly [files: RegExp, answer: RegExp])[] = [
  [/^ipf_inline__Test(Secure)?Iti\d+\w*_unk\.hl7$/, NO_VERSION],
  [/TestIti64_003/, NO_VERSION],
  [/adt-a31/, /^ACK\^A31\^ACK AA$/],
  [/PDQ_ID_Query\.hl7/, /^RSP\^K22\^RSP_K21 AE 102 QPD\^1\^3\^5\^1$/],
  [/PDQ_Maximal_Query\.hl7/, /^RSP\^K22\^RSP_K21 AA$/],
  [/Continuations_003_QBP_Q22|FragmentationUtils_002/, /^RSP\^K22\^RSP_K21 AE 103 QPD\^1\^3\^2\^1$/],
  [/Continuations_004_QCN_J01/, /^ACK\^J01\^ACK AA$/],
  // MSH-15 is ER: an accept acknowledgement is wanted of errors alone (v2.5 §2.9.3).
  [/TestIti21_078_QCN_J01|TestDispatch_002_ADT_A01/, /^no answer$/],
  [/Response\.hl7$|RSP_K22\.hl7$/, /^ACK\^K22\^ACK AR 200 MSH\^1\^9\^1$/],
  [/AbstractMllpTest/, /^ACK AE 101 MSH\^1\^10\^1$/],
  [/TestCancelMessages_002/, /^RSP\^K22\^RSP_K21 AE 101 MSH\^1\^12\^1$/],
  [/TestDispatch_003_QBP_Q23/, /^RSP\^K23\^RSP_K23 AA$/],
  [/TestDispatch_004/, /^ACK\^A43\^ACK AA$/],
  [/TestFragmentationUtils_003/, /^ACK AE 101 MSH\^1\^10\^1$/],
];
/** Records of what was told, where anything was. */
const RECORDS: readonly (readonly [files: RegExp, kinds: string])[] = [
  [/adt-a31/, 'patient'],
  [/TestDispatch_002/, 'patient,visit'],
  [/TestDispatch_004/, 'move'],
];

const FOLDERS = ['ITI-9', 'ITI-10', 'ITI-21', 'ITI-22', 'ITI-64', 'HL7v2-other'];
for (const folder of FOLDERS)
  for (const sample of iheSamples(folder))
    test(`${folder}/${sample.name} is ${sample.verdict}: ${sample.why}`, { skip: noIheSamples }, async () => {
      const wanted = ANSWERS.filter(([files]) => files.test(sample.name));
      assert.equal(wanted.length, 1, 'one answer is expected');
      const before = rig.intake.accepted.length;
      const answer = await send(sample.bytes());
      assert.match(told(answer), wanted[0]?.[1] ?? /^$/);
      const isTaken = answer === null || answer.first('MSA')?.text(1) === 'AA';
      if (sample.verdict !== 'read') assert.equal(isTaken ? 'accepted' : 'refused', sample.verdict);
      else isAnswer(sample);
      const kinds = RECORDS.find(([files]) => files.test(sample.name))?.[1];
      assert.equal(rig.intake.accepted.length - before, kinds === undefined ? 0 : 1, 'what tells of a patient is kept');
      if (kinds !== undefined) assert.equal(await recordsOf(sample.bytes()), kinds);
    });

async function recordsOf(bytes: Buffer): Promise<string> {
  const site = (await demoSites()).byId('region');
  assert.ok(site);
  const mapped = mapHl7({ bytes, receivedAt: '2026-03-02T00:00:00.000Z' }, site);
  assert.ok(mapped.ok);
  return mapped.records.map(({ kind }) => kind).join();
}

/** ITI TF-2 §3.21.4.2.2: MSA, QAK and QPD of the query, and of each patient a number with its authority and a name. */
function isAnswer(sample: Sample): void {
  const parsed = parseMessage(sample.text(), 'UTF-8');
  assert.ok(parsed.ok);
  const answer = parsed.value;
  assert.deepEqual([answer.msh.rawField(9), answer.first('MSA')?.text(1)], ['RSP^K22^RSP_K21', 'AA']);
  assert.equal(answer.first('QAK')?.text(2), 'OK');
  assert.equal(answer.first('QPD')?.text(1), 'IHE PDQ Query');
  assert.ok(answer.first('QAK')?.text(1));
  for (const pid of answer.all('PID')) {
    for (const { field } of pid.repetitions(3)) assert.ok(field.text(1) && (field.text(4, 2) || field.text(4, 1)));
    assert.ok(pid.repetitions(3).length > 0 && pid.text(5, 1));
  }
}

test(
  'a number is found by its query: the patient of the PIX query, and of the demographics',
  { skip: noIheSamples },
  async () => {
    const named = (folder: string, files: RegExp): Buffer =>
      iheSamples(folder)
        .find(({ name }) => files.test(name))
        ?.bytes() ?? assert.fail();
    const pix = await send(named('HL7v2-other', /TestDispatch_003/));
    assert.ok(pix?.first('PID')?.rawField(3).includes(`C1^^^&${CONNECTATHON}`) === true, pix?.first('PID')?.raw);
    const pdq = await send(named('ITI-21', /PDQ_Maximal_Query\.hl7/));
    assert.equal(pdq?.first('QAK')?.text(2), 'OK');
    assert.deepEqual(
      pdq.all('PID').map((pid) => pid.text(3, 1)),
      ['C1'],
      'in the domain asked for',
    );
  },
);

/** What the authors' tests put in place of `${msh9}` and `${msh12}`. */
const FILLED: readonly (readonly [folder: string, msh9: string, answer: RegExp])[] = [
  ['ITI-9', 'QBP^Q23^QBP_Q21', /^RSP\^K23\^RSP_K23 AE 101 QPD/],
  ['ITI-21', 'QBP^Q22^QBP_Q21', /^RSP\^K22\^RSP_K21 AE 101 QPD/],
  ['ITI-22', 'QBP^ZV1^QBP_Q21', /^RSP\^ZV2\^RSP_ZV2 AE 101 QPD/],
  // The hub takes the event on its feed; the registry's own form of it (ITI-64) has the numbers of documents, and is not offered.
  ['ITI-64', 'ADT^A43^ADT_A43', /^ACK\^A43\^ACK AA$/],
];
for (const [folder, msh9, wanted] of FILLED)
  test(`templates of ${folder}, filled as ${msh9}`, { skip: noIheSamples }, async () => {
    const templates = iheSamples(folder).filter((one) => one.text().includes('${msh9}'));
    assert.ok(templates.length > 0);
    for (const sample of templates) {
      const id = `F${sample.name.replace(/\D/g, '')}`;
      const filled = sample
        .text()
        .replace('${msh9}', msh9)
        .replace('${msh12}', '2.5')
        .replace(/\$\{\w+\}/g, id)
        // Another sample has its control id, and another text.
        .replace('|0000009|', `|${id}|`);
      assert.equal(splitBatch(Buffer.from(filled)).messages.length, 1);
      assert.match(told(await send(Buffer.from(filled))), wanted, sample.name);
    }
  });
