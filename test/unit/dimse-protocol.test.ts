/** The tables of the DICOM adapter against the standard: states, byte vectors, contexts, admission, statuses. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { admit } from '../../adapters/dicom/admit.ts';
import { decodeCommand, encodeCommand, responseTo } from '../../adapters/dicom/command.ts';
import { negotiate } from '../../adapters/dicom/negotiate.ts';
import type { AssociateRq } from '../../adapters/dicom/pdu.ts';
import { encodeAbort, encodeAssociateRj, encodeData, encodeReleaseRq } from '../../adapters/dicom/pdu-encode.ts';
import { PduStream } from '../../adapters/dicom/pdu-stream.ts';
import { TRANSITIONS, step } from '../../adapters/dicom/state-machine.ts';
import { storeFailure } from '../../adapters/dicom/status.ts';
import { PROBLEMS, problem } from '../../hub/core/problem.ts';
import type { ProblemCode } from '../../hub/core/problem.ts';
import { dicomSite, sitesOf } from '../support/dimse-hub.ts';

const EXPLICIT = '1.2.840.10008.1.2.1';
const IMPLICIT = '1.2.840.10008.1.2';
const J2K = '1.2.840.10008.1.2.4.90';

test('state table: rows of PS3.8 Table 9-10', () => {
  // One line per event as the standard prints it: state and action.
  const row = (event: keyof typeof TRANSITIONS): string =>
    Object.entries(TRANSITIONS[event])
      .map(([state, action]) => `${state}:${action}`)
      .join(' ');
  const eight = (from: readonly number[]): string => from.map((state) => `${String(state)}:AA-8`).join(' ');
  assert.equal(row('associate-rq'), `2:AE-6 ${eight([3, 5, 6, 7, 8, 9, 10, 11, 12])} 13:AA-7`);
  assert.equal(row('associate-ac'), `2:AA-1 3:AA-8 5:AE-3 ${eight([6, 7, 8, 9, 10, 11, 12])} 13:AA-6`);
  assert.equal(row('data'), `2:AA-1 3:AA-8 5:AA-8 6:DT-2 7:AR-6 ${eight([8, 9, 10, 11, 12])} 13:AA-6`);
  assert.equal(row('release-rq'), `2:AA-1 3:AA-8 5:AA-8 6:AR-2 7:AR-8 ${eight([8, 9, 10, 11, 12])} 13:AA-6`);
  assert.equal(row('release-rp'), '2:AA-1 3:AA-8 5:AA-8 6:AA-8 7:AR-3 8:AA-8 9:AA-8 10:AR-10 11:AR-3 12:AA-8 13:AA-6');
  assert.equal(row('data-request'), '6:DT-1 8:AR-7');
  assert.equal(row('release-response'), '8:AR-4 9:AR-9 12:AR-4');
  assert.equal(row('artim-expired'), '2:AA-2 13:AA-2');
  assert.deepEqual(step(7, 'release-rq', 'requestor'), { action: 'AR-8', next: 9 });
  assert.deepEqual(step(7, 'release-rq', 'acceptor'), { action: 'AR-8', next: 10 });
  assert.equal(step(1, 'data', 'acceptor'), null);
});

test('byte vectors of the small PDUs', () => {
  assert.equal(encodeReleaseRq().toString('hex'), '05000000000400000000');
  assert.equal(encodeAbort({ source: 2, reason: 6 }).toString('hex'), '07000000000400000206');
  assert.equal(encodeAssociateRj({ result: 1, source: 1, reason: 7 }).toString('hex'), '03000000000400010107');
  const parts = encodeData(3, false, Buffer.from([1, 2, 3, 4]), 9);
  assert.equal(
    Buffer.concat(parts).toString('hex'),
    '040000000009' + '00000005' + '0300' + '010203' + '040000000007' + '00000003' + '0302' + '04',
  );
});

test('byte vector of a C-ECHO request as DCMTK writes it', () => {
  const bytes = Buffer.from(
    '0000000004000000380000000000020012000000312e322e3834302e31303030382e312e3100' +
      '000000010200000030000000100102000000010000000008020000000101',
    'hex',
  );
  const command = { commandField: 0x30, dataSetType: 0x0101, affectedSopClass: '1.2.840.10008.1.1', messageId: 1 };
  assert.deepEqual({ ...decodeCommand(bytes) }, command);
  assert.deepEqual(encodeCommand(command), bytes);
  const response = responseTo(command, 0);
  assert.equal(response.commandField, 0x8030);
  assert.equal(response.respondedTo, 1);
});

const rq = (more: Partial<AssociateRq> = {}): AssociateRq => ({
  protocolVersion: 1,
  called: 'HUTONG',
  calling: 'H1PACS',
  applicationContext: '1.2.840.10008.3.1.1.1',
  contexts: [],
  user: { maxLength: 0, implementationClassUid: '1.2', implementationVersion: '', roles: [] },
  ...more,
});

test('contexts: storage in the first syntax offered, private classes too, other services refused', () => {
  const ct = '1.2.840.10008.5.1.4.1.1.2';
  const find = '1.2.840.10008.5.1.4.1.2.2.1';
  const answer = negotiate(
    rq({
      contexts: [
        { id: 1, abstractSyntax: ct, transferSyntaxes: [J2K, EXPLICIT] },
        { id: 3, abstractSyntax: '1.3.46.670589.5.0.1', transferSyntaxes: ['1.2.3.4.5'] },
        { id: 5, abstractSyntax: find, transferSyntaxes: [IMPLICIT, EXPLICIT] },
        { id: 7, abstractSyntax: find, transferSyntaxes: [J2K] },
        { id: 9, abstractSyntax: '1.2.840.10008.5.1.4.31', transferSyntaxes: [IMPLICIT] },
        { id: 11, abstractSyntax: '../../etc/passwd', transferSyntaxes: [IMPLICIT] },
        { id: 13, abstractSyntax: ct, transferSyntaxes: ['not a uid'] },
      ],
    }),
  );
  assert.deepEqual(
    answer.answers.map((one) => [one.id, one.result]),
    [
      [1, 0],
      [3, 0],
      [5, 0],
      [7, 4],
      [9, 3],
      [11, 3],
      [13, 4],
    ],
  );
  assert.deepEqual(
    answer.contexts.map((one) => one.transferSyntax),
    [J2K, '1.2.3.4.5', EXPLICIT],
  );
  assert.deepEqual(answer.contexts[0], { id: 1, abstractSyntax: ct, transferSyntax: J2K, scu: false, scp: true });
  assert.deepEqual(answer.roles, []);
});

test('contexts of C-GET: a syntax that the hub can write, wherever in the list it stands', () => {
  const [ct, sr] = ['1.2.840.10008.5.1.4.1.1.2', '1.2.840.10008.5.1.4.1.1.88.11'];
  const [lossless, jls] = ['1.2.840.10008.1.2.4.70', '1.2.840.10008.1.2.4.80'];
  const answer = negotiate(
    rq({
      contexts: [
        { id: 1, abstractSyntax: ct, transferSyntaxes: [lossless, EXPLICIT, IMPLICIT] },
        { id: 3, abstractSyntax: ct, transferSyntaxes: [jls, EXPLICIT] },
        { id: 5, abstractSyntax: sr, transferSyntaxes: [jls, IMPLICIT] },
        { id: 7, abstractSyntax: ct, transferSyntaxes: [lossless] },
      ],
      user: { ...rq().user, roles: [ct, sr].map((sopClass) => ({ sopClass, scu: false, scp: true })) },
    }),
  );
  assert.deepEqual(
    answer.contexts.map((one) => one.transferSyntax),
    [EXPLICIT, jls, IMPLICIT, lossless],
  );
  assert.ok(answer.contexts.every((one) => one.scu && !one.scp));
  assert.equal(answer.roles.length, 2);
});

test('admission: title and place, or title and certificate', () => {
  const certificate = 'ab'.repeat(32);
  const sites = sitesOf(
    dicomSite('h1', 'H1PACS', {
      addresses: ['10.1.0.0/16', '2001:db8::/32'],
      certificates: [certificate.toUpperCase()],
    }),
  );
  const at = (address: string, shown: string | null = null, more: Partial<AssociateRq> = {}): boolean =>
    admit(rq(more), { address, certificate: shown }, 'HUTONG', sites).ok;
  assert.equal(at('10.1.2.3'), true);
  assert.equal(at('::ffff:10.1.2.3'), true);
  assert.equal(at('10.2.2.3'), false);
  assert.equal(at('2001:db8::7'), true);
  assert.equal(at('2001:db9::7'), false);
  assert.equal(at('192.0.2.1', certificate), true);
  assert.equal(at('192.0.2.1', 'cd'.repeat(32)), false);
  assert.equal(at('not an address'), false);
  assert.equal(at('10.1.2.3', null, { calling: 'OTHER' }), false);
  assert.equal(at('10.1.2.3', null, { called: 'OTHER' }), false);
  assert.equal(at('10.1.2.3', null, { protocolVersion: 2 }), false);
  assert.equal(at('10.1.2.3', null, { applicationContext: '1.2.3' }), false);
});

test('no problem becomes a success or a warning, and a tag in it becomes the offending element', () => {
  for (const code of Object.keys(PROBLEMS) as ProblemCode[]) {
    const { status } = storeFailure(problem(code));
    assert.ok(status !== 0 && status >>> 12 !== 0xb, code);
    if (PROBLEMS[code][0] === 'transient') assert.equal(status >>> 8, 0xa7, code);
  }
  assert.deepEqual(storeFailure(problem('required-missing', '(0020,000E)', 'x')).offendingElement, [0x0020000e]);
});

test('a second PDU type of its own, an even context and a doubled context are violations', () => {
  const kinds = (hex: string): string[] => new PduStream().push(Buffer.from(hex, 'hex')).map((event) => event.kind);
  assert.deepEqual(kinds('080000000004' + '00000000'), ['invalid']);
  assert.deepEqual(kinds('050000000005'), ['invalid']);
  assert.deepEqual(kinds('040000000006' + '000000ff0103'), ['data', 'invalid']);
  assert.deepEqual(kinds('040000000006' + '000000010103'), ['data', 'invalid']);
  assert.deepEqual(kinds('040000000006' + '000000020103'), ['data', 'pdv']);
});
