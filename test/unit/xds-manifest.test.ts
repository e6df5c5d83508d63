/** The manifest of a study: deterministic, in a fixed order, another document when anything changes, kept once. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { FileObjectStore } from '../../hub/archive/object-store-file.ts';
import { Derivation } from '../../hub/core/identifier.ts';
import type { Uid } from '../../hub/core/identifier.ts';
import type { ListedStudy } from '../../hub/core/view.ts';
import { createManifest, keepManifest } from '../../hub/flow/manifest.ts';
import type { ManifestInput } from '../../hub/flow/manifest.ts';
import { image, studyOf } from '../support/xds-peer.ts';

const derive = new Derivation(Buffer.alloc(32, 1));
const located = studyOf(
  [
    image('1.2.3', '1.2.3.1', '1.2.3.1.1'),
    image('1.2.3', '1.2.3.1', '1.2.3.1.2'),
    image('1.2.3', '1.2.3.2', '1.2.3.2.1'),
  ],
  '1.2.3',
);
assert.ok(located);
const input: ManifestInput = {
  exam: { ...located.exam, keys: { accession: 'A1', placer: 'P1' } },
  study: located.study,
  repositoryOid: '2.999.156.3',
  aeTitle: 'HUTONG',
  accessionIssuer: '2.999.156.7.1',
  timeZone: 'Asia/Shanghai',
  createdAt: '2026-03-01T16:30:00.000Z',
  derive,
};

const reversed = (study: ListedStudy): ListedStudy => ({
  ...study,
  series: [...study.series].reverse().map((one) => ({ ...one, instances: [...one.instances].reverse() })),
});

describe('manifest', () => {
  test('the same study gives the same bytes, whatever the order of the index', () => {
    const first = createManifest(input);
    const again = createManifest({ ...input, study: reversed(input.study) });
    assert.ok(first && again);
    assert.deepEqual(again, first);
  });

  test('anything that changes the content changes the UID', () => {
    const uids = [
      input,
      { ...input, createdAt: '2026-03-01T16:30:01.000Z' },
      { ...input, repositoryOid: '2.999.156.4' },
      { ...input, exam: { ...input.exam, keys: { accession: 'A2' } } },
      { ...input, study: { ...input.study, series: input.study.series.slice(1) } },
    ].map((one) => createManifest(one)?.sopUid);
    assert.equal(new Set(uids).size, uids.length);
  });

  test('a study without instances has none', () => {
    assert.equal(createManifest({ ...input, study: { ...input.study, series: [] } }), null);
  });

  test(
    'dcmdump reads the evidence and the local time',
    { skip: spawnSync('dcmdump', ['--version']).error ? 'dcmdump is not installed' : false },
    () => {
      const made = createManifest(input);
      assert.ok(made);
      const folder = mkdtempSync(join(tmpdir(), 'manifest-'));
      writeFileSync(join(folder, 'kos.dcm'), made.bytes);
      const dump = spawnSync('dcmdump', [join(folder, 'kos.dcm')], { encoding: 'utf8' });
      rmSync(folder, { recursive: true });
      assert.equal(dump.status, 0, dump.stderr);
      assert.match(dump.stdout, /\(0040,e011\) UI \[2\.999\.156\.3\]/);
      assert.match(dump.stdout, /\(0008,0054\) AE \[HUTONG\]/);
      assert.match(dump.stdout, /\(0008,0023\) DA \[20260302\]/);
      assert.match(dump.stdout, /\(0008,0033\) TM \[003000\]/);
      assert.equal([...dump.stdout.matchAll(/\(0008,1155\)/g)].length, 6);
    },
  );

  test('is kept once, with its SHA-1', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'manifest-'));
    const objects = new FileObjectStore(folder);
    const made = createManifest(input);
    assert.ok(made);
    const kept = await keepManifest(objects, '1.2.3' as Uid, made);
    assert.deepEqual(await keepManifest(objects, '1.2.3' as Uid, made), kept);
    assert.ok((await objects.readAll(kept.object)).equals(made.bytes));
    assert.match(kept.sha1, /^[0-9a-f]{40}$/);
    assert.equal(kept.size, made.bytes.length);
    rmSync(folder, { recursive: true });
  });
});
