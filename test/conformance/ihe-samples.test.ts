/**
 * Every sample that others wrote is claimed: each folder has tests that take its files, each file one verdict with its
 * reason, and no claim is about nothing. Prints the table of counts.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { CLAIMS, type Verdict } from '../support/ihe-claims.ts';
import { iheSamples, noIheSamples, sampleFolders } from '../support/ihe-samples.ts';

const VERDICTS: readonly Verdict[] = ['accepted', 'refused', 'read', 'no-input'];

test('every folder of samples has an owner, and every owner a folder', { skip: noIheSamples }, () => {
  assert.deepEqual(Object.keys(CLAIMS).sort(), sampleFolders());
});

for (const [folder, { tests, claims }] of Object.entries(CLAIMS))
  test(`${folder}: each file has one verdict, and a test that takes it`, { skip: noIheSamples }, (t) => {
    const samples = iheSamples(folder);
    assert.ok(samples.length > 0);
    for (const { files, why } of claims)
      assert.ok(
        samples.some(({ name }) => files.test(name)),
        `nothing is claimed by ${String(files)} (${why})`,
      );
    for (const owner of tests) {
      const text = readFileSync(join(import.meta.dirname, '..', owner), 'utf8');
      assert.ok(text.includes('iheSamples(') && text.includes(`'${folder}'`), `${owner} does not take ${folder}`);
    }
    const counts = VERDICTS.map(
      (verdict) => `${verdict} ${String(samples.filter((one) => one.verdict === verdict).length).padStart(3)}`,
    );
    t.diagnostic(`${folder.padEnd(16)} files ${String(samples.length).padStart(3)}  ${counts.join('  ')}`);
    for (const { files, verdict, why } of claims)
      t.diagnostic(`  ${verdict}: ${String(samples.filter(({ name }) => files.test(name)).length)}, ${why}`);
  });
