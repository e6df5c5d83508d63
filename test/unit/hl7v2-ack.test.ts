/** Acknowledgements: both modes, every version's ERR, every problem code, in the sender's charset and delimiters. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import iconv from 'iconv-lite';
import { PROBLEMS, problem, type ProblemCode } from '../../hub/core/problem.ts';
import { buildAck, codesFor, encodeAck, locationOf, renderingOf, type AckOutcome } from '../../mappings/hl7v2/ack.ts';
import { readHeader, type Hl7Header } from '../../mappings/hl7v2/header.ts';

function header(
  options: { version?: string; accept?: string; application?: string; charset?: string; marks?: string } = {},
): Hl7Header {
  const { version = '2.5.1', accept = '', application = '', charset = '', marks = '|^~\\&' } = options;
  const f = marks.charAt(0);
  const fields = [
    `MSH${marks}`,
    'RIS',
    'H1',
    'HUB',
    'PROV',
    '20260302',
    '',
    `ADT${marks.charAt(1)}A04`,
    'ID7',
    'P',
    version,
    '',
    '',
    accept,
    application,
    '',
    charset,
  ];
  const read = readHeader(Buffer.from(`${fields.join(f)}\r`));
  assert.ok(read.ok);
  return read.value;
}
const stamp = { controlId: (nth: number) => `OWN${String(nth)}`, time: '20260302090000+0800' };
const accepted: AckOutcome = { kind: 'accepted' };
const refused = (code: ProblemCode, where?: string): AckOutcome => ({ kind: 'refused', problem: problem(code, where) });

test('original mode: AA, AE, AR', () => {
  assert.deepEqual(codesFor(header(), accepted), ['AA']);
  assert.deepEqual(codesFor(header(), refused('required-missing')), ['AE']);
  assert.deepEqual(codesFor(header(), refused('unsupported-version')), ['AR']);
  assert.deepEqual(codesFor(null, refused('malformed')), ['AR']);
});

test('enhanced mode: MSH-15 and MSH-16 decide what is sent', () => {
  const codes = (accept: string, application: string, outcome: AckOutcome): string =>
    codesFor(header({ accept, application }), outcome).join();
  assert.equal(codes('AL', 'NE', accepted), 'CA');
  assert.equal(codes('AL', '', accepted), 'CA');
  assert.equal(codes('NE', 'AL', accepted), 'AA');
  assert.equal(codes('AL', 'AL', accepted), 'CA,AA');
  assert.equal(codes('NE', 'NE', accepted), '');
  assert.equal(codes('ER', 'NE', accepted), '');
  assert.equal(codes('SU', 'NE', accepted), 'CA');
  assert.equal(codes('SU', 'ER', accepted), 'CA');
  const bad = refused('invalid-value');
  assert.equal(codes('AL', 'NE', bad), 'CE');
  assert.equal(codes('AL', 'AL', bad), 'CE');
  assert.equal(codes('SU', 'ER', bad), 'AE');
  assert.equal(codes('NE', 'NE', bad), '');
  assert.equal(codes('er', 'ne', refused('unsupported-message')), 'CR');
});

test('the whole answer, 2.5.1 and 2.3', () => {
  const now = buildAck(header(), refused('required-missing', 'PID-3[2].4'), stamp).text;
  assert.equal(
    now,
    'MSH|^~\\&|HUB|PROV|RIS|H1|20260302090000+0800||ACK^A04^ACK|OWN0|P|2.5.1\r' +
      'MSA|AE|ID7|PID-3[2].4: A required field is missing.\r' +
      'ERR||PID^1^3^2^4|101^Required field missing^HL70357|E|||required-missing|PID-3[2].4: A required field is missing.\r',
  );
  const old = buildAck(header({ version: '2.3' }), refused('required-missing', 'PID-3'), stamp).text;
  assert.match(old, /\|\|ACK\^A04\|OWN0\|P\|2\.3\r/);
  assert.match(old, /\rERR\|PID\^1\^3\^101&Required field missing&HL70357\r$/);
  const late = buildAck(header({ version: '2.8' }), refused('required-missing', 'PID-3'), stamp).text;
  assert.match(late, /\rMSA\|AE\|ID7\rERR/);
});

test('every problem code has its place in table 0357', () => {
  for (const code of Object.keys(PROBLEMS) as ProblemCode[]) {
    const [severity, number] = renderingOf(code);
    const text = buildAck(header(), refused(code, 'MSH-9.2'), stamp).text;
    assert.match(text, new RegExp(`\\rMSA\\|A${severity === 'error' ? 'E' : 'R'}\\|ID7\\|`));
    assert.ok(number >= 100 && number <= 207);
    assert.match(text, /\rERR\|\|MSH\^1\^9\^1\^2\|\d{3}\^[A-Z]/);
  }
  assert.match(
    buildAck(header(), refused('unsupported-message', 'MSH-9.2'), stamp).text,
    /\|201\^Unsupported event code\^/,
  );
  assert.match(
    buildAck(header(), refused('unsupported-message', 'MSH-9'), stamp).text,
    /\|200\^Unsupported message type\^/,
  );
});

test('locations', () => {
  assert.deepEqual(locationOf('PID-3[2].4'), ['PID', '1', '3', '2', '4']);
  assert.deepEqual(locationOf('OBX[7]-5'), ['OBX', '7', '5', '1']);
  assert.deepEqual(locationOf('TXA'), ['TXA', '1']);
  assert.deepEqual(locationOf('Patient.name'), []);
  assert.deepEqual(locationOf(undefined), []);
});

test('the sender sees its own delimiters, charset and MSH-18', () => {
  const text = buildAck(header({ marks: '#*!%$' }), refused('invalid-value', 'PID-7'), stamp).text;
  assert.match(text, /^MSH#\*!%\$#HUB#PROV#RIS#H1#.*##ACK\*A04\*ACK#OWN0#P#2\.5\.1\rMSA#AE#ID7#/);
  const bytes = iconv.encode('MSH|^~\\&|影像|一院|平台||20260302||ADT^A04|1|P|2.4||||||GB 18030-2000\r', 'gb18030');
  const read = readHeader(bytes);
  assert.ok(read.ok);
  const answer = encodeAck(buildAck(read.value, accepted, stamp), 'GB18030');
  assert.equal(
    iconv.decode(answer, 'gb18030').split('\r')[0],
    'MSH|^~\\&|平台||影像|一院|20260302090000+0800||ACK^A04^ACK|OWN0|P|2.4||||||GB 18030-2000',
  );
});
