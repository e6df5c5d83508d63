/** A batch from files to links: two files, one file, going on after a stop, and what is refused. */
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { LARGEST_BLOCK, Blocks, KeyList } from '../../hub/batch/blocks.ts';
import { linkBatch } from '../../hub/batch/link.ts';
import { readFields } from '../../mappings/batch/row.ts';

const dir = mkdtempSync(join(tmpdir(), 'batch-'));
after(() => {
  rmSync(dir, { recursive: true });
});

const told = readFields(
  JSON.stringify({
    id: 'record_id',
    name: 'full_name',
    born: 'birth_date',
    sex: 'sex',
    rid: 'resident_id',
    tel: 'phone',
  }),
);
assert.ok(told.ok);
const fields = told.value;
const HEADER = 'id,name,born,sex,rid,tel\n';
const SURNAMES = '王李张刘陈杨黄赵吴周徐孙马朱胡郭何林高罗';
const GIVEN = '伟芳娜敏静丽强磊军洋勇艳杰涛明超秀霞平刚桂英华';

/** Persons with plain differences; `change` gives the second registration of the same person its slip. */
function person(n: number, change: boolean): string {
  const name = `${SURNAMES.charAt(n % 20)}${GIVEN.charAt((n * 7) % 23)}${GIVEN.charAt((n * 11) % 23)}`;
  const born = `19${String(40 + (n % 60))}-0${String(1 + (n % 9))}-1${String(n % 10)}`;
  const tel = change && n % 3 === 0 ? '' : `138${String(10_000_000 + n * 7919)}`;
  return `${change ? 'b' : 'a'}${String(n)},${name},${change && n % 5 === 0 ? '' : born},${n % 2 === 0 ? 'M' : 'F'},,${tel}\n`;
}

const rows = (change: boolean): string => Array.from({ length: 300 }, (_, n) => person(n, change)).join('');
const files = { a: join(dir, 'a.csv'), b: join(dir, 'b.csv'), both: join(dir, 'both.csv') };
writeFileSync(files.a, HEADER + rows(false));
writeFileSync(files.b, HEADER + rows(true));
writeFileSync(files.both, HEADER + rows(false) + rows(true));

const lines: string[] = [];
const run = (inputs: readonly string[], out: string): ReturnType<typeof linkBatch> =>
  linkBatch({ files: inputs, fields, out: join(dir, out), tell: (line) => lines.push(line), threads: 1 });

test('the same persons are linked across two files and within one, and nobody else', async () => {
  await run([files.a, files.b], 'two.csv');
  await run([files.both], 'one.csv');
  for (const out of ['two.csv', 'one.csv']) {
    const [header, ...links] = readFileSync(join(dir, out), 'utf8').trim().split('\n');
    assert.equal(header, 'record_a,record_b,score,outcome');
    const linked = links.filter((line) => line.endsWith(',link')).map((line) => line.split(','));
    assert.ok(linked.length > 150, `${out}: ${String(linked.length)} links`);
    for (const [a = '', b = ''] of linked) assert.equal(a.slice(1), b.slice(1));
  }
  assert.ok(!existsSync(join(dir, 'one.csv.work')));
  assert.match(readFileSync(join(dir, 'one.rules.json'), 'utf8'), /"version": "learned-[0-9a-f]{12}"/);
  const report = JSON.parse(readFileSync(join(dir, 'one.report.json'), 'utf8')) as Record<string, unknown>;
  assert.equal(report.rows, 600);
  assert.deepEqual(Object.keys(report.cutOff ?? {}), ['blocks', 'places', 'largest']);
  for (const line of lines) assert.doesNotMatch(line, /王|138\d/u, 'progress tells no person');
});

test('a run that was stopped goes on, and ends as one that was not', async () => {
  const whole = readFileSync(join(dir, 'one.csv'), 'utf8');
  // Stopped in the last step: the output cannot be written where a folder stands.
  mkdirSync(join(dir, 'stopped.csv'));
  await assert.rejects(run([files.both], 'stopped.csv'));
  assert.ok(existsSync(join(dir, 'stopped.csv.work', 'pass-0')));
  rmSync(join(dir, 'stopped.csv'), { recursive: true });
  lines.length = 0;
  await run([files.both], 'stopped.csv');
  assert.equal(readFileSync(join(dir, 'stopped.csv'), 'utf8'), whole);
  assert.ok(lines.some((line) => line.includes('earlier run')));
  assert.ok(!lines.some((line) => line.startsWith('compared')), 'no pass is judged twice');
});

test('a record id twice in one file, and a file that is no CSV, are refused', async () => {
  writeFileSync(join(dir, 'twice.csv'), HEADER + person(1, false) + person(1, false));
  await assert.rejects(run([join(dir, 'twice.csv')], 'x.csv'), /twice/);
  writeFileSync(join(dir, 'wrong.csv'), `${HEADER}a"b\n`);
  await assert.rejects(run([join(dir, 'wrong.csv')], 'x.csv'), /Not CSV/);
});

test('a pair is offered once, however many keys it shares; a crowd under one key is left out and told', () => {
  const keys = new KeyList();
  for (const key of ['x', 'y']) for (const row of [5, 3, 9]) keys.add(row, key);
  for (let row = 0; row <= LARGEST_BLOCK; row++) keys.add(row, 'crowd');
  const blocks = new Blocks(keys.sorted(), 0);
  assert.deepEqual(blocks.cutOff, { blocks: 1, places: LARGEST_BLOCK + 1, largest: LARGEST_BLOCK + 1 });
  assert.equal(blocks.offered, 6);
  const words = [...blocks.pairs(() => true)];
  assert.deepEqual(words, [5, 3, 9, 3, 9, 5]);
  assert.deepEqual([...new Blocks(keys.sorted(), 4).pairs(() => true)], [5, 3, 9, 3]);
});
