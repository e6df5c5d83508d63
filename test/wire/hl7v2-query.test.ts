/** PIX and PDQ over MLLP against a real index: each row of the error matrices of ITI TF-2 §3.9, §3.21 and §3.22. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { createPatientQueries } from '../../hub/flow/patient-queries.ts';
import { createAffinityPatients } from '../../hub/store/affinity-patients.ts';
import { createVisitIndex } from '../../hub/store/visit.ts';
import { identifierSystems } from '../../mappings/fhir/index.ts';
import { parseMessage, type Message } from '../../mappings/hl7v2/index.ts';
import { index } from '../support/affinity.ts';
import { freshDatabase, type FreshDatabase } from '../support/database.ts';
import { derive, openStore, patientView, personResources, personView, save, siteResources } from '../support/fhir.ts';
import { demoSites, RawPeer, startRig, type Rig } from './hl7v2-fixture.ts';

const H1 = '2.999.156.1.1';
const H3 = '2.999.156.1.3';
const DOMAIN = '2.999.156.1';
const RESIDENT = '2.16.156.10011.1.3';

const zhang = personView({
  records: [
    patientView(),
    patientView({ recordId: derive.id('record', 'h3', 'X9'), authority: H3, localId: 'X9', identifiers: [] }),
    patientView({
      recordId: derive.id('record', 'h1', 'P0'),
      localId: 'P0',
      residentId: null,
      identifiers: [],
      mergedInto: derive.id('record', 'h1', 'P1'),
    }),
  ],
});
const alone = personView({
  personId: derive.id('person', '2'),
  records: [
    patientView({
      recordId: derive.id('record', 'h1', 'P2'),
      localId: 'P2',
      names: [{ text: '李^四|~&\\珅', representation: 'ideographic' }],
      residentId: null,
      identifiers: [],
      sex: 'female',
      birthDate: '1975-06-01',
    }),
  ],
});
const many = Array.from({ length: 7 }, (_, at) =>
  personView({
    personId: derive.id('person', `many${String(at)}`),
    records: [
      patientView({
        recordId: derive.id('record', 'h3', `M${String(at)}`),
        authority: H3,
        localId: `M${String(at)}`,
        names: [{ text: '王伟', family: '王', given: '伟', representation: 'ideographic' }],
        residentId: null,
        identifiers: [],
        birthDate: `198${String(at)}-01-02`,
        phone: null,
      }),
    ],
  }),
);

let fresh: FreshDatabase;
let rig: Rig;
before(async () => {
  fresh = await freshDatabase();
  const persons = [zhang, alone, ...many];
  await save(fresh.database, [...siteResources(), ...persons.flatMap((person) => personResources(person))]);
  await index(
    fresh.database,
    persons.map(({ personId }) => personId),
  );
  const queries = createPatientQueries({
    store: openStore(fresh.database).store,
    patients: createAffinityPatients({ database: fresh.database, affinityDomainOid: DOMAIN }),
    domains: identifierSystems([DOMAIN, H1, '2.999.156.1.2', H3]),
    affinityDomainOid: DOMAIN,
    visits: createVisitIndex(fresh.database),
  });
  rig = await startRig({ queries, sites: await demoSites() });
});
after(async () => {
  await rig.channel.stop(0);
  await fresh.drop();
});

let count = 0;
interface Sent {
  readonly sender?: string;
  readonly version?: string;
}

async function ask(
  type: string,
  rest: readonly string[],
  { sender = 'PLATFORM|REGION', version = '2.5' }: Sent = {},
): Promise<Message> {
  const peer = await RawPeer.open(rig.port);
  const msh = `MSH|^~\\&|${sender}|HUB|PROV|20260302090000||${type}|Q${String(++count)}|P|${version}||||||UNICODE UTF-8`;
  peer.send(`${[msh, ...rest].join('\r')}\r`);
  const [text = ''] = await peer.answers(1);
  peer.socket.destroy();
  const parsed = parseMessage(text, 'UTF-8');
  assert.ok(parsed.ok, text);
  return parsed.value;
}

const pix = (cx: string, targets = '', as: Sent = {}): Promise<Message> =>
  ask('QBP^Q23^QBP_Q21', [`QPD|IHE PIX Query|TAG1|${cx}|${targets}`, 'RCP|I'], as);
const pdq = (
  criteria: string,
  more: { domains?: string; rcp?: string; dsc?: string; tag?: string } = {},
  as: Sent = {},
): Promise<Message> =>
  ask(
    'QBP^Q22^QBP_Q21',
    [
      `QPD|IHE PDQ Query|${more.tag ?? 'TAG2'}|${criteria}|||||${more.domains ?? ''}`,
      `RCP|I|${more.rcp ?? ''}`,
      ...(more.dsc === undefined ? [] : [`DSC|${more.dsc}|I`]),
    ],
    as,
  );

const cxOf = (value: string, oid: string): string => `${value}^^^&${oid}&ISO`;
const status = (answer: Message): string[] => [
  answer.msh.rawField(9),
  answer.first('MSA')?.text(1) ?? '',
  answer.first('QAK')?.text(2) ?? '',
];
/** ERR-2 and the code of ERR-3, with ERR-4. */
const fault = (answer: Message): string[] => {
  const err = answer.first('ERR');
  return [err?.rawField(2) ?? '', err?.text(3) ?? '', err?.text(4) ?? ''];
};
const numbers = (answer: Message, at = 0): string[] =>
  (answer.all('PID')[at]?.repetitions(3) ?? []).map(({ field }) => `${field.text(1)} ${field.text(4, 2)}`).sort();

test('ITI-9: all other identifiers, those of one domain, never the one that was asked with', async () => {
  const all = await pix(cxOf('P1', H1));
  assert.deepEqual(status(all), ['RSP^K23^RSP_K23', 'AA', 'OK']);
  assert.deepEqual(numbers(all), [`210102198003151239 ${RESIDENT}`, `X9 ${H3}`, `${zhang.personId} ${DOMAIN}`].sort());
  assert.equal(all.first('PID')?.rawField(5), '~^^^^^^S', 'no name is told');
  assert.equal(all.first('QPD')?.raw, `QPD|IHE PIX Query|TAG1|${cxOf('P1', H1)}|`, 'the query is echoed');
  assert.equal(all.first('QAK')?.text(1), 'TAG1');
  assert.deepEqual(numbers(await pix(cxOf('P1', H1), cxOf('', H3))), [`X9 ${H3}`]);
  assert.deepEqual(
    numbers(await pix(cxOf(zhang.personId, DOMAIN), `^^^H3~${cxOf('', H1)}`)),
    [`P1 ${H1}`, `X9 ${H3}`],
    'a namespace of the sender',
  );
});

test('ITI-9: known and without an identifier there is NF without PID', async () => {
  const none = await pix(cxOf('P2', H1), cxOf('', H3));
  assert.deepEqual(status(none), ['RSP^K23^RSP_K23', 'AA', 'NF']);
  assert.equal(none.first('PID'), undefined);
  assert.equal(none.first('ERR'), undefined);
});

test('ITI-9: each failure has its place in ERR-2, 204 and AE', async () => {
  for (const [cx, targets, place] of [
    [cxOf('NOBODY', H1), '', 'QPD^1^3^1^1'],
    [cxOf('P0', H1), '', 'QPD^1^3^1^1'],
    [cxOf('P1', '9.9.9'), '', 'QPD^1^3^1^4'],
    ['P1', '', 'QPD^1^3^1^4'],
    [cxOf('P1', H1), cxOf('', '9.9.9'), 'QPD^1^4^1'],
    [cxOf('P1', H1), `${cxOf('', H3)}~${cxOf('', '9.9.9')}`, 'QPD^1^4^2'],
  ] as const) {
    const answer = await pix(cx, targets);
    assert.deepEqual(status(answer), ['RSP^K23^RSP_K23', 'AE', 'AE'], place);
    assert.deepEqual(fault(answer), [place, '204', 'E']);
    assert.equal(answer.first('PID'), undefined);
    assert.ok(answer.first('QPD'));
  }
  assert.deepEqual(fault(await pix('')), ['QPD^1^3^1', '101', 'E']);
});

test('a sender without the right to ask is refused, and that is in the audit', async () => {
  const answer = await pix(cxOf('P1', H1), '', { sender: 'RIS|H1' });
  assert.deepEqual(status(answer), ['RSP^K23^RSP_K23', 'AR', 'AR']);
  assert.equal(answer.first('PID'), undefined);
  const last = rig.audits.at(-1);
  assert.deepEqual(
    [last?.action, last?.outcome, last?.callerId, last?.reason],
    ['refuse', 'refused', 'hl7v2:h1', 'forbidden'],
  );
});

test('ITI-21: demographics find, alone and together; numbers, names, birth, sex, address and phone are told', async () => {
  const found = await pdq('@PID.5.1.1^张三~@PID.7^19800315~@PID.8^M');
  assert.deepEqual(status(found), ['RSP^K22^RSP_K21', 'AA', 'OK']);
  assert.deepEqual(
    ['4', '5', '6'].map((field) => found.first('QAK')?.text(Number(field))),
    ['1', '1', '0'],
  );
  const [pid] = found.all('PID');
  assert.deepEqual(
    numbers(found),
    [`210102198003151239 ${RESIDENT}`, `P1 ${H1}`, `X9 ${H3}`, `${zhang.personId} ${DOMAIN}`].sort(),
  );
  assert.ok(pid);
  assert.equal(pid.rawField(5), '张^三^^^^^L^I~Zhang^San^^^^^L^A');
  assert.deepEqual(
    [7, 8, 11, 13].map((field) => pid.rawField(field)),
    ['19800315', 'M', '中山路 1 号^^^^350001', '13800000000'],
  );
  for (const criteria of [
    '@PID.5.1^张~@PID.5.2^三',
    '@PID.5.1^zhang~@PID.5.2^SAN',
    '@PID.5.1^张*~@PID.7.1^1980-03-15',
    '@PID.3.1^X9~@PID.3.4.2^2.999.156.1.3',
    '@PID.3^X9~@PID.3.4.1^H3',
    `@PID.3.1^${zhang.personId}~@PID.3.4^${DOMAIN}`,
    '@PID.3.1^210102198003151239',
    '@PID.13.1^13800000000~@PID.8^1~@PID.7^19800315',
    '@PID.11.1^中山路~@PID.7^19800315',
  ])
    assert.equal((await pdq(criteria)).first('PID')?.text(7), '19800315', criteria);
});

test('ITI-21: what a name holds of delimiters survives the wire', async () => {
  const found = await pdq('@PID.7^19750601');
  assert.equal(found.first('PID')?.field(5).text(1), '李^四|~&\\珅');
});

test('ITI-21: nobody is NF, and a criterion that does not hold finds nobody', async () => {
  for (const criteria of [
    '@PID.5.1^王五',
    '@PID.5.1^张三~@PID.8^F',
    '@PID.3.1^X9~@PID.3.4.2^2.999.156.1.1',
    '@PID.5.1^张三四*',
  ]) {
    const answer = await pdq(criteria);
    assert.deepEqual(status(answer), ['RSP^K22^RSP_K21', 'AA', 'NF'], criteria);
    assert.equal(answer.first('PID'), undefined);
  }
});

test('ITI-21: only numbers of the domains asked for, and who has none there is not told; an unknown domain is an error', async () => {
  const asked = await pdq('@PID.5.1^张三', { domains: cxOf('', H3) });
  assert.deepEqual(numbers(asked), [`X9 ${H3}`]);
  assert.deepEqual(status(await pdq('@PID.7^19750601', { domains: cxOf('', H3) })), ['RSP^K22^RSP_K21', 'AA', 'NF']);
  assert.deepEqual(numbers(await pdq('@PID.7^19750601', { domains: cxOf('', DOMAIN) })), [
    `${alone.personId} ${DOMAIN}`,
  ]);
  const unknown = await pdq('@PID.5.1^张三', { domains: `${cxOf('', H3)}~${cxOf('', '9.9.9')}` });
  assert.deepEqual(status(unknown), ['RSP^K22^RSP_K21', 'AE', 'AE']);
  assert.deepEqual(fault(unknown), ['QPD^1^8^2', '204', 'E']);
});

test('ITI-21: a query that asks for everybody, or by what is not understood, is refused', async () => {
  for (const [criteria, place, code] of [
    ['', 'QPD^1^3^1', '101'],
    ['@PID.8^F', 'QPD^1^3^1', '101'],
    ['@PID.5.1^*', 'QPD^1^3^1', '101'],
    ['@PID.5.1^张三~@PID.19.1^A1', 'QPD^1^3^2^1', '103'],
    ['@PID.5.1^张三~@PV1.3.1^ICU', 'QPD^1^3^2^1', '103'],
    ['@PID.7^19801332', 'QPD^1^3^1^2', '102'],
    ['@PID.5.1^张三~@PID.8^Q', 'QPD^1^3^2^2', '103'],
  ] as const) {
    const answer = await pdq(criteria);
    assert.deepEqual(status(answer).slice(1), ['AE', 'AE'], criteria);
    assert.deepEqual(fault(answer).slice(0, 2), [place, code], criteria);
  }
  assert.deepEqual(fault(await pdq('@PID.5.1^张三', { rcp: '10^LI' })).slice(0, 2), ['RCP^1^2^1', '102']);
});

test('ITI-21: a long answer comes in pieces, each once; it ends without a pointer', async () => {
  const seen: string[] = [];
  let dsc: string | undefined;
  for (let piece = 0; piece < 4; piece++) {
    const answer = await pdq('@PID.5.1^王伟', { rcp: '3^RD', tag: 'LONG', ...(dsc === undefined ? {} : { dsc }) });
    assert.deepEqual(status(answer), ['RSP^K22^RSP_K21', 'AA', 'OK']);
    const told = answer.all('PID').map((pid) => pid.text(7));
    seen.push(...told);
    const left = 7 - seen.length;
    assert.deepEqual(
      [4, 5, 6].map((field) => answer.first('QAK')?.text(field)),
      ['7', String(told.length), String(left)],
    );
    dsc = answer.first('DSC')?.text(1);
    assert.equal(dsc !== undefined, left > 0);
    if (left === 0) break;
  }
  assert.equal(new Set(seen).size, 7);
});

test('ITI-21: a pointer is its asker’s and its query’s alone, and a cancelled query has none', async () => {
  const first = await pdq('@PID.5.1^王伟', { rcp: '2^RD', tag: 'C1' });
  const dsc = first.first('DSC')?.text(1) ?? '';
  assert.notEqual(dsc, '');
  const lost = ['AE', ['DSC^1^1^1', '204']] as const;
  const outcome = (answer: Message): unknown => [answer.first('MSA')?.text(1), fault(answer).slice(0, 2)];
  assert.deepEqual(outcome(await pdq('@PID.5.1^王伟', { dsc, tag: 'C2' })), lost, 'another query');
  assert.deepEqual(outcome(await pdq('@PID.5.1^王伟', { dsc: 'x', tag: 'C1' })), lost, 'no pointer of ours');
  const other = await ask('QCN^J01', ['QID|C2|IHE PDQ Query']);
  assert.deepEqual([other.msh.text(9, 1), other.first('MSA')?.text(1)], ['ACK', 'AA']);
  assert.equal((await pdq('@PID.5.1^王伟', { dsc, rcp: '2^RD', tag: 'C1' })).all('PID').length, 2, 'of another query');
  const cancelled = await ask('QCN^J01^QCN_J01', ['QID|C1|IHE PDQ Query']);
  assert.deepEqual([cancelled.msh.text(9, 1), cancelled.first('MSA')?.text(1)], ['ACK', 'AA']);
  assert.deepEqual(outcome(await pdq('@PID.5.1^王伟', { dsc, tag: 'C1' })), lost);
  assert.equal((await ask('QCN^J01', ['QID||x'])).first('MSA')?.text(1), 'AE');
});

const pdvq = (criteria: string, more: { domains?: string } = {}, as: Sent = {}): Promise<Message> =>
  ask('QBP^ZV1^QBP_Q21', [`QPD|IHE PDVQ Query|V1|${criteria}|||||${more.domains ?? ''}`, 'RCP|I|10^RD'], as);

test('ITI-22: demographics alone find whoever fits; of who has no visit PV1 says so', async () => {
  const found = await pdvq('@PID.5.1^张三');
  assert.deepEqual(status(found), ['RSP^ZV2^RSP_ZV2', 'AA', 'OK']);
  assert.deepEqual(
    found.segments.map(({ name }) => name),
    ['MSH', 'MSA', 'QAK', 'QPD', 'PID', 'PV1'],
  );
  assert.equal(found.first('PV1')?.raw, 'PV1|1|N');
  assert.deepEqual(numbers(await pdvq('@PID.5.1^张三', { domains: cxOf('', H3) })), [`X9 ${H3}`]);
});

test('ITI-22: nobody is NF without a pair; each failure has its place in ERR-2, and AE', async () => {
  for (const criteria of ['@PV1.19.1^NONE', '@PID.5.1^张三~@PV1.3.1^ICU', '@PV1.3.1^ICU', '@PID.18^NONE']) {
    const answer = await pdvq(criteria);
    assert.deepEqual(status(answer), ['RSP^ZV2^RSP_ZV2', 'AA', 'NF'], criteria);
    assert.equal(answer.first('PID'), undefined);
  }
  for (const [criteria, place, code] of [
    ['', 'QPD^1^3^1', '101'],
    ['@PV1.2.1^I', 'QPD^1^3^1', '101'],
    ['@PV1.2.1^I~@PID.8^F', 'QPD^1^3^1', '101'],
    ['@PV1.44^20260101', 'QPD^1^3^1^1', '103'],
    ['@PV1.3.5^X', 'QPD^1^3^1^1', '103'],
    ['@PID.5.1^张三~@PV1.3.1^IC*', 'QPD^1^3^2^2', '102'],
    ['@PV1.19.1^V1~@PV1.19^V2', 'QPD^1^3^2^1', '102'],
    ['@PV1.3.1^ICU~@PV1.3.1^W2', 'QPD^1^3^2^1', '102'],
  ] as const) {
    const answer = await pdvq(criteria);
    assert.deepEqual(status(answer), ['RSP^ZV2^RSP_ZV2', 'AE', 'AE'], criteria);
    assert.deepEqual(fault(answer).slice(0, 2), [place, code], criteria);
  }
  const unknown = await pdvq('@PV1.3.1^ICU', { domains: `${cxOf('', H3)}~${cxOf('', '9.9.9')}` });
  assert.deepEqual(
    [status(unknown), fault(unknown)],
    [
      ['RSP^ZV2^RSP_ZV2', 'AE', 'AE'],
      ['QPD^1^8^2', '204', 'E'],
    ],
  );
});

test('ITI-22: who has no right to ask is refused; the audit knows the transaction', async () => {
  const refused = await pdvq('@PV1.3.1^ICU', {}, { sender: 'RIS|H1' });
  assert.deepEqual(status(refused), ['RSP^ZV2^RSP_ZV2', 'AR', 'AR']);
  await pdvq('@PID.5.1^张三');
  const last = rig.audits.at(-1);
  assert.deepEqual([last?.outcome, last?.persons, last?.detail?.transaction], ['success', [zhang.personId], 'ITI-22']);
});

test('a query is in the audit before it is answered: who, which transaction, whose data, the query; no number in the log', async () => {
  await pdq('@PID.5.1^张三');
  const last = rig.audits.at(-1);
  assert.deepEqual(
    [last?.action, last?.outcome, last?.callerId, last?.callerRole],
    ['search', 'success', 'hl7v2:region', 'query-platform'],
  );
  assert.deepEqual([last?.persons, last?.detail?.transaction], [[zhang.personId], 'ITI-21']);
  assert.match(Buffer.from(last?.detail?.query?.content ?? '', 'base64').toString(), /@PID\.5\.1\^张三/);
  assert.equal(rig.intake.accepted.length, 0, 'a question is no feed');
});

test('what is no query message is told apart: no tag, no QPD, an old version', async () => {
  assert.deepEqual(fault(await ask('QBP^Q22^QBP_Q21', ['RCP|I'])).slice(0, 2), ['QPD^1', '101']);
  assert.deepEqual(fault(await ask('QBP^Q22^QBP_Q21', ['QPD|IHE PDQ Query||@PID.5.1^张三'])).slice(0, 2), [
    'QPD^1^2^1',
    '101',
  ]);
  assert.equal((await pix(cxOf('P1', H1), '', { version: '2.1' })).first('MSA')?.text(1), 'AR');
});

test('ITI-21: what a patient is searched by once is not taken twice: the authority of one number is not that of another', async () => {
  for (const [criteria, place] of [
    [`@PID.3.1^P1~@PID.3.4.2^${H3}~@PID.3.1^X9`, 'QPD^1^3^3^1'],
    [`@PID.3^P1~@PID.3.4.2^${H1}~@PID.3.4.2^${H3}`, 'QPD^1^3^3^1'],
    ['@PID.5.1^张三~@PID.7^19800315~@PID.7.1^19750601', 'QPD^1^3^3^1'],
    ['@PID.5.1^张三~@PID.8^M~@PID.8^F', 'QPD^1^3^3^1'],
  ] as const) {
    const answer = await pdq(criteria);
    assert.deepEqual(status(answer), ['RSP^K22^RSP_K21', 'AE', 'AE'], criteria);
    assert.deepEqual(fault(answer), [place, '102', 'E'], criteria);
    assert.equal(answer.first('PID'), undefined);
  }
  assert.equal(status(await pdq('@PID.5.1^张~@PID.5.2^三'))[1], 'AA', 'parts of a name are asked for together');
});
