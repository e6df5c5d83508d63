/** The log tells no patient: by field name at any depth, by the shape of a value, and in what drivers throw. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { createLog, scrub } from '../../hub/log.ts';

function lines(): { log: ReturnType<typeof createLog>; written: string[] } {
  const written: string[] = [];
  return { log: createLog('debug', { write: (line) => void written.push(line) }), written };
}

const SECRET = 'Zhang-San-张三';

test('patient fields are removed at any depth, whatever their spelling', () => {
  const { log, written } = lines();
  const names = ['patientName', 'PatientID', 'family_name', 'birth-date', 'residentId', 'phone', 'homeAddress', 'pid5'];
  for (const name of names) {
    log.info({ [name]: SECRET }, 'flat');
    log.child({ [name]: SECRET }).warn({ a: [{ b: { c: { [name]: { deep: SECRET } } } }] }, 'deep');
  }
  assert.equal(written.length, names.length * 2);
  assert.doesNotMatch(written.join(''), /Zhang|张三/);
});

test('identity and mobile numbers are removed from any text; ids of the hub stay', () => {
  const { log, written } = lines();
  const kept = { exam: '3f0c2f5e-8a58-5b7a-9c1d-0a1b2c3d4e5f', study: '1.2.840.113619.2.55.3.604688119.971.1200' };
  log.info({ ...kept, note: 'id 11010519491231002X tel 13800138000' }, 'saw 110105194912310021');
  const text = written.join('');
  assert.doesNotMatch(text, /11010519491231002|13800138000/);
  for (const value of Object.values(kept)) assert.ok(text.includes(value), value);
});

test('an error of the database driver is told by its code and constraint, not by its row', () => {
  const { log, written } = lines();
  const error = Object.assign(new Error('duplicate key value violates unique constraint "person_key"'), {
    code: '23505',
    constraint: 'person_key',
    detail: `Key (name)=(${SECRET}) already exists.`,
  });
  log.error({ error }, 'failed');
  log.error(new Error('outer', { cause: error }), 'failed');
  const text = written.join('');
  assert.match(text, /"code":"23505","constraint":"person_key"/);
  assert.doesNotMatch(text, /Zhang|张三/);
});

test('bytes are told by their number, and what is endless is cut', () => {
  assert.deepEqual(scrub({ chunk: Buffer.from(SECRET) }), { chunk: `[${Buffer.byteLength(SECRET)} bytes]` });
  const loop: Record<string, unknown> = {};
  loop.self = loop;
  assert.match(JSON.stringify(scrub(loop)), /\[deeper\]/);
  assert.ok(JSON.stringify(scrub({ a: 'x'.repeat(1e6), b: Array.from({ length: 1e4 }, () => 'y') })).length < 10_000);
});

test('whatever object carries it, a value under a patient field does not come through', () => {
  const value = fc.constantFrom('Zq8Marker');
  const name = fc.constantFrom('patientName', 'mrn', 'birthDate', 'idCardNo', 'phone_number');
  const tree = fc.letrec((tie) => ({
    node: fc.oneof(
      { maxDepth: 5 },
      fc.tuple(name, value).map(([key, secret]) => ({ [key]: secret })),
      fc.record({ n: fc.integer(), inner: tie('node') }),
      fc.array(tie('node'), { maxLength: 3 }),
    ),
  })).node;
  fc.assert(
    fc.property(tree, (object) => {
      const { log, written } = lines();
      log.info({ object }, 'tree');
      assert.doesNotMatch(written.join(''), /Zq8Marker/);
    }),
    { numRuns: 200 },
  );
});
