/** Visits from the ADT of two hospitals to PDVQ (ITI-22), over MLLP: told, moved, ended, called off, and whose they are. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { Message } from '../../mappings/hl7v2/index.ts';
import { feedHub, H1, type FeedHub } from '../support/feed-hub.ts';

let hub: FeedHub;
before(async () => {
  hub = await feedHub();
});
after(() => hub.close());

const VISITS = '2.999.156.8.1';
const ACCOUNTS = '2.999.156.9.1';
const NAMES = ['赵一甲', '钱二乙', '孙三丙', '李四丁', '周五戊', '吴六己', '郑七庚', '王八辛', '冯九壬', '陈十癸'];
const known = new Map<string, string>();

const segment = (name: string, fields: Readonly<Record<number, string>>): string => {
  const last = Math.max(...Object.keys(fields).map(Number));
  return [name, ...Array.from({ length: last }, (_, at) => fields[at + 1] ?? '')].join('|');
};
const pid = (value: string, account = ''): string => {
  const name = known.get(value) ?? NAMES[known.size] ?? '';
  known.set(value, name);
  return segment('PID', {
    1: '1',
    3: `${value}^^^&${H1}&ISO^PI`,
    5: name,
    8: 'F',
    ...(account === '' ? {} : { 18: account }),
  });
};
const adt = async (event: string, ...segments: readonly string[]): Promise<void> => {
  const answer = await hub.hl7('RIS|H1', `ADT^${event}`, `EVN|${event}|20260101`, ...segments);
  assert.equal(answer.first('MSA')?.text(1), 'AA');
};
const pv1 = (fields: Readonly<Record<number, string>>): string => segment('PV1', { 2: 'I', ...fields });

const ask = (criteria: string, more: { tag?: string; rcp?: string; dsc?: string } = {}): Promise<Message> =>
  hub.hl7(
    'PLATFORM|REGION',
    'QBP^ZV1^QBP_Q21',
    `QPD|IHE PDVQ Query|${more.tag ?? 'T'}|${criteria}`,
    `RCP|I|${more.rcp ?? '10^RD'}`,
    ...(more.dsc === undefined ? [] : [`DSC|${more.dsc}|I`]),
  );
/** `P1 V1`: local number and visit of each pair; the visit is `-` where there is none. */
const pairs = (answer: Message): readonly string[] => {
  const names = answer.segments.map(({ name }) => name).filter((name) => name === 'PID' || name === 'PV1');
  assert.deepEqual(
    names,
    answer.all('PID').flatMap(() => ['PID', 'PV1']),
    'they alternate',
  );
  return answer.all('PID').map((one, at) => {
    const local = one
      .repetitions(3)
      .filter(({ field }) => field.text(4, 2) === H1)
      .map(({ field }) => field.text(1));
    return `${local.sort().join('+')} ${answer.all('PV1')[at]?.text(19) || '-'}`;
  });
};
const found = async (criteria: string): Promise<readonly string[]> => {
  const answer = await ask(criteria);
  assert.equal(answer.first('MSA')?.text(1), 'AA', answer.serialise());
  return pairs(answer);
};

test('an admission is found by its number, place, doctors, service, class and account; PID and PV1 tell it', async () => {
  await adt(
    'A01',
    pid('P1', 'ACC1'),
    pv1({
      3: 'ICU^3^12^H1',
      7: 'D7^王^建国',
      8: 'D8',
      9: 'D9^李医生',
      10: 'CARD',
      17: 'D17^周',
      19: 'V1',
      44: '20260301080000+0800',
    }),
  );
  await adt('A04', pid('P2'), pv1({ 2: 'O', 3: 'OPD^1', 7: 'D7^王^建国', 19: `V2^^^&${VISITS}&ISO^VN` }));
  const [name = ''] = NAMES;
  for (const criteria of [
    '@PV1.19.1^V1',
    `@PV1.19^V1~@PV1.19.4.2^${VISITS}~@PV1.19.4.3^ISO`,
    '@PV1.3.1^ICU~@PV1.3.2^3~@PV1.3.3^12~@PV1.3.4^h1',
    '@PV1.3^ICU~@PV1.2.1^I',
    '@PV1.7.1^D7~@PV1.2^I',
    '@PV1.7.2.1^王~@PV1.7.3^建国~@PV1.3.1^ICU',
    '@PV1.8^D8',
    '@PV1.9.2^李医生',
    '@PV1.17.1^D17',
    '@PV1.10.1^card',
    `@PID.18.1^ACC1~@PID.18.4.2^${ACCOUNTS}`,
    `@PID.5.1^${name}`,
    `@PID.5.1^${name}~@PV1.3.1^ICU`,
    `@PID.3.1^P1~@PID.3.4.2^${H1}~@PV1.2.1^I`,
  ])
    assert.deepEqual(await found(criteria), ['P1 V1'], criteria);
  assert.deepEqual(await found('@PV1.7.1^D7'), ['P1 V1', 'P2 V2'], 'every visit of a doctor');
  const answer = await ask('@PV1.19.1^V1');
  assert.equal(answer.msh.rawField(9), 'RSP^ZV2^RSP_ZV2');
  assert.equal(answer.first('PID')?.rawField(18), `ACC1^^^&${ACCOUNTS}&ISO^AN`);
  assert.equal(
    answer.first('PV1')?.raw,
    segment('PV1', {
      ...{ 1: '1', 2: 'I', 3: 'ICU^3^12^H1', 7: 'D7^王^建国', 8: 'D8', 9: 'D9^李医生', 10: 'CARD', 17: 'D17^周' },
      ...{ 19: `V1^^^&${VISITS}&ISO^VN`, 44: '20260301080000+0800' },
    }),
  );
});

test('what does not hold of one visit finds nobody, though other visits of the patient hold it', async () => {
  await adt('A01', pid('P3'), pv1({ 3: 'SURG^1', 19: 'V3', 44: '20260101' }));
  await adt('A01', pid('P3'), pv1({ 3: 'ORTHO^1', 19: 'V4', 44: '20260201' }));
  for (const criteria of [
    '@PV1.19.1^V3~@PV1.3.1^ORTHO',
    '@PV1.19.1^V3~@PV1.19.4.2^9.9',
    '@PV1.19.1^V99',
    '@PV1.19.1^V1~@PID.5.1^钱二乙',
  ]) {
    const answer = await ask(criteria);
    assert.deepEqual([answer.first('MSA')?.text(1), answer.first('QAK')?.text(2)], ['AA', 'NF'], criteria);
    assert.equal(answer.first('PID'), undefined);
  }
  assert.deepEqual(await found('@PID.5.1^孙三丙'), ['P3 V4', 'P3 V3'], 'a pair a visit, the newest first');
  assert.deepEqual(await found('@PID.5.1^孙三丙~@PV1.19.1^V3'), ['P3 V3']);
});

test('a transfer, a discharge and its cancellation: a ward is asked for who is there', async () => {
  await adt('A01', pid('P4'), pv1({ 3: 'WARD7^1', 19: 'V5' }));
  await adt('A02', pid('P4'), pv1({ 3: 'WARD8^2', 19: 'V5' }));
  assert.deepEqual(await found('@PV1.3.1^WARD7~@PID.8^F'), []);
  assert.deepEqual(await found('@PV1.3.1^WARD8'), ['P4 V5']);
  await adt('A03', pid('P4'), pv1({ 19: 'V5', 36: '01', 45: '20260305120000+0800' }));
  assert.deepEqual(await found('@PV1.3.1^WARD8'), []);
  const gone = await ask('@PV1.19.1^V5');
  assert.deepEqual(
    [36, 45].map((field) => gone.first('PV1')?.text(field)),
    ['01', '20260305120000+0800'],
  );
  assert.deepEqual(await found('@PID.5.1^李四丁~@PV1.3.1^WARD8'), ['P4 V5'], 'a patient’s past is told');
  await adt('A13', pid('P4'), pv1({ 19: 'V5', 45: '20260305120000+0800' }));
  assert.deepEqual(await found('@PV1.3.1^WARD8'), ['P4 V5']);
});

test('an admission that is called off is no visit; told anew it is one', async () => {
  await adt('A05', pid('P5'), pv1({ 2: 'I', 3: 'WARD9', 19: 'V6' }));
  assert.deepEqual(await found('@PV1.19.1^V6'), ['P5 V6']);
  await adt('A11', pid('P5'), pv1({ 19: 'V6' }));
  assert.deepEqual(await found('@PV1.19.1^V6'), []);
  await adt('A08', pid('P5'), pv1({ 3: 'WARD9', 19: 'V6' }));
  assert.deepEqual(await found('@PV1.3.1^WARD9'), []);
  assert.deepEqual(await found('@PID.5.1^周五戊'), ['P5 -'], 'who has no visit is a pair without one');
  await adt('A01', pid('P5'), pv1({ 3: 'WARD9', 19: 'V6' }));
  assert.deepEqual(await found('@PV1.3.1^WARD9'), ['P5 V6']);
  await adt('A38', pid('P5'), pv1({ 19: 'V6' }));
  assert.deepEqual(await found('@PV1.3.1^WARD9'), []);
});

test('A28 and A31 tell of no visit; a visit without number is called by its account', async () => {
  await adt('A28', pid('P6'), pv1({ 19: 'V7' }));
  await adt('A31', pid('P6'), pv1({ 2: 'N', 19: 'V7' }));
  assert.deepEqual(await found('@PV1.19.1^V7'), []);
  await adt('A04', pid('P6', 'ACC6'), pv1({ 2: 'O', 3: 'OPD6' }));
  const answer = await ask('@PID.18^ACC6');
  assert.deepEqual(pairs(answer), ['P6 -']);
  assert.equal(answer.first('PV1')?.text(3), 'OPD6');
});

test('visits follow their registrations: A24, A40, both taken back by A37, and A47', async () => {
  await adt('A01', pid('P7'), pv1({ 3: 'W20', 19: 'V8' }));
  await adt('A01', pid('P8'), pv1({ 3: 'W21', 19: 'V9' }));
  const mrg = (value: string): string => `MRG|${value}^^^&${H1}&ISO^PI`;
  await adt('A24', pid('P7'), pid('P8'));
  assert.deepEqual(await found('@PV1.19.1^V9'), ['P7+P8 V9'], 'linked');
  assert.deepEqual((await found('@PID.3.1^P7')).toSorted(), ['P7+P8 V8', 'P7+P8 V9']);
  await adt('A37', pid('P7'), pid('P8'));
  assert.deepEqual(await found('@PID.3.1^P7'), ['P7 V8'], 'parted');
  await adt('A40', pid('P7'), mrg('P8'));
  assert.deepEqual((await found('@PID.3.1^P7')).toSorted(), ['P7 V8', 'P7 V9'], 'under who survives');
  assert.deepEqual(await found('@PV1.19.1^V9'), ['P7 V9']);
  await adt('A37', pid('P7'), pid('P8'));
  assert.deepEqual(await found('@PV1.19.1^V9'), ['P8 V9'], 'taken back');
  await adt('A47', pid('P9'), mrg('P7'));
  assert.deepEqual(await found('@PV1.19.1^V8'), ['P9 V8'], 'under the number that it was changed to');
});

test('one number of two patients is two visits', async () => {
  await adt('A01', pid('P10'), pv1({ 19: '1', 3: 'W30' }));
  await adt('A01', pid('P1', 'ACC1'), pv1({ 19: '1', 3: 'W31' }));
  assert.deepEqual((await found('@PV1.19.1^1')).toSorted(), ['P1 1', 'P10 1']);
});

test('a long answer comes in pieces of pairs, and ends', async () => {
  for (const at of [1, 2, 3, 4, 5]) await adt('A04', pid('P10'), pv1({ 2: 'O', 3: 'W40', 19: `L${String(at)}` }));
  const seen: string[] = [];
  let dsc: string | undefined;
  do {
    const answer = await ask('@PV1.3.1^W40', { tag: 'LONG', rcp: '2^RD', ...(dsc === undefined ? {} : { dsc }) });
    assert.equal(answer.first('QAK')?.text(4), '5');
    seen.push(...pairs(answer));
    dsc = answer.first('DSC')?.text(1);
  } while (dsc !== undefined);
  assert.deepEqual(
    seen.toSorted(),
    [1, 2, 3, 4, 5].map((at) => `P10 L${String(at)}`),
  );
  const first = await ask('@PV1.3.1^W40', { tag: 'ENDED', rcp: '2^RD' });
  await hub.hl7('PLATFORM|REGION', 'QCN^J01^QCN_J01', 'QID|ENDED|IHE PDVQ Query');
  const lost = await ask('@PV1.3.1^W40', { tag: 'ENDED', rcp: '2^RD', dsc: first.first('DSC')?.text(1) ?? '' });
  assert.deepEqual([lost.first('MSA')?.text(1), lost.first('ERR')?.rawField(2)], ['AE', 'DSC^1^1^1']);
});

test('ITI-21 finds by account as well, a patient once', async () => {
  await adt('A04', pid('P10', 'ACC10'), pv1({ 2: 'O', 19: 'L6' }));
  await adt('A04', pid('P10', 'ACC10'), pv1({ 2: 'O', 19: 'L7' }));
  const answer = await hub.hl7('PLATFORM|REGION', 'QBP^Q22^QBP_Q21', 'QPD|IHE PDQ Query|A|@PID.18.1^ACC10', 'RCP|I');
  assert.deepEqual(
    answer.segments.map(({ name }) => name),
    ['MSH', 'MSA', 'QAK', 'QPD', 'PID'],
  );
});
