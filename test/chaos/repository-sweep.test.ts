/**
 * kill -9 of a repository between storing a document and registering it: what it left is removed once its day is long over,
 * and nothing that is registered, and nothing that may still be in flight, is ever touched.
 */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { after, before, test } from 'node:test';
import { Failure, problem } from '../../hub/core/problem.ts';
import { createRepositorySweep } from '../../hub/flow/sweep-repository.ts';
import type { RepositorySweepDeps } from '../../hub/flow/sweep-repository.ts';
import { createDocumentObjects } from '../../hub/store/document-removal.ts';
import { recordingLog } from '../support/dimse-hub.ts';
import { retrieve, said, startRepositoryHub } from '../support/repository-hub.ts';
import type { RepositoryHub } from '../support/repository-hub.ts';
import { provide, sent } from '../support/submission.ts';

const DAY_MS = 86_400_000;
const NOW = Date.UTC(2026, 10, 20, 12);
let now = NOW;
let hub: RepositoryHub;
const log = recordingLog();

before(async () => {
  hub = await startRepositoryHub(() => ({ clock: () => new Date(now) }));
});
after(() => hub.close());

const bench = (change: Partial<RepositorySweepDeps> = {}): ReturnType<typeof createRepositorySweep> =>
  createRepositorySweep({
    objects: hub.objects,
    documents: createDocumentObjects(hub.database),
    clock: () => new Date(now),
    log,
    ...change,
  });

/** A process that stores a document as ITI-41 does, says under which key, and is killed before it registers it. */
async function killedAfterStoring(root: string, at: number): Promise<string> {
  const program = `
    import { FileObjectStore } from './hub/archive/object-store-file.ts';
    import { DocumentIntake } from './hub/flow/receive-documents.ts';
    const intake = new DocumentIntake({
      objects: new FileObjectStore(${JSON.stringify(root)}), log: console,
      clock: () => new Date(${String(at)}), maxBytes: 1e6,
    });
    async function* body() { yield { ok: true, value: Buffer.from('never registered') }; }
    const kept = await intake.take(body());
    console.log(kept.value.object);
    setInterval(() => undefined, 1000);`;
  const child = spawn(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', program]);
  let errors = '';
  child.stderr.on('data', (chunk: Buffer) => (errors += chunk.toString()));
  const [line] = (await Promise.race([once(child.stdout, 'data'), once(child, 'exit')])) as [unknown];
  assert.ok(Buffer.isBuffer(line), errors);
  child.kill('SIGKILL');
  await once(child, 'exit');
  return line.toString().trim();
}

test('what a killed process stored goes when its day is over; what is registered or young stays', async () => {
  const old = NOW - 4 * DAY_MS;
  now = old;
  const registered = sent('registered long ago');
  assert.equal(said(await provide(hub, [registered])).status, 'success');
  const [lost, young] = [await killedAfterStoring(hub.root, old), await killedAfterStoring(hub.root, NOW - 2 * DAY_MS)];
  assert.match(lost, /^repository\/2026\/11\/16\//);
  now = NOW;
  const sweep = bench();
  assert.equal(await sweep.sweep(), 1);
  assert.equal(await hub.objects.size(lost), null);
  assert.notEqual(await hub.objects.size(young), null, 'its submission may still be in flight');
  const { documents } = await retrieve(hub, [registered.uniqueId]);
  assert.deepEqual(
    documents.map(({ bytes }) => bytes?.toString()),
    ['registered long ago'],
  );
  assert.equal(await sweep.sweep(), 0);
  assert.deepEqual(sweep.counts(), { removed: 1, runs: 2, failed_runs: 0 });
  now = NOW + 2 * DAY_MS;
  assert.equal(await sweep.sweep(), 1, 'and the young one when its day is over');
});

test('a database that does not answer costs no byte, and the next run does the work', async () => {
  const old = await killedAfterStoring(hub.root, now - 10 * DAY_MS);
  let away = true;
  const named = createDocumentObjects(hub.database);
  const sweep = bench({
    documents: {
      named: (objects) => (away ? Promise.reject(new Failure(problem('unavailable'))) : named.named(objects)),
    },
  });
  sweep.start(20);
  while (sweep.counts().failed_runs === 0) await new Promise((resolve) => setTimeout(resolve, 5));
  assert.notEqual(await hub.objects.size(old), null);
  away = false;
  while (sweep.counts().removed === 0) await new Promise((resolve) => setTimeout(resolve, 5));
  await sweep.stop();
  assert.equal(await hub.objects.size(old), null);
});

test('its question is answered by an index', async () => {
  const plan = await hub.database.transaction(async (connection) => {
    await connection.query('set local enable_seqscan = off');
    const { rows } = await connection.query<{ 'QUERY PLAN': string }>(
      `explain select object from repository_document where object like 'repository/%' and object = any (array['repository/a'])`,
    );
    return rows.map((row) => row['QUERY PLAN']).join('\n');
  });
  assert.match(plan, /repository_document_by_object/);
});
