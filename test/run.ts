/**
 * `npm test`: every test file in a process of its own, two at a time, on one shared PostgreSQL; failures in full, and
 * as the last line `N passed, N failed, N skipped`. `npm test -- word` runs the files whose path has the word.
 */
import { spawn } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { TEST_SERVER_DIR, testServer } from './support/server.ts';

interface Outcome {
  passed: number;
  failed: number;
  skipped: number;
}

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const AT_ONCE = 2;
const FILE_LIMIT_MS = 240_000;
const OUTPUT_CAP = 400_000;

const words = process.argv.slice(2);
const files = readdirSync(join(ROOT, 'test'), { recursive: true, withFileTypes: true })
  .filter((entry) => entry.isFile() && entry.name.endsWith('.test.ts'))
  .map((entry) => relative(ROOT, join(entry.parentPath, entry.name)))
  .filter((file) => words.length === 0 || words.some((word) => file.includes(word)))
  .sort();

const running = new Set<number>();

/** Ends a test process and what it started: they share a process group. */
function endGroup(pid: number): void {
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    running.delete(pid); // it ended by itself
  }
}

function count(output: string, what: string): number {
  return Number(new RegExp(`^(?:ℹ|#) ${what} (\\d+)$`, 'm').exec(output)?.[1] ?? 0);
}

function runFile(file: string, databaseUrl: string): Promise<{ outcome: Outcome; output: string; seconds: number }> {
  const began = Date.now();
  return new Promise((done) => {
    const child = spawn(process.execPath, ['--import', 'tsx', '--test-reporter=spec', file], {
      cwd: ROOT,
      env: { ...process.env, HUB_TEST_DATABASE_URL: databaseUrl },
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true,
    });
    const pid = child.pid ?? 0;
    running.add(pid);
    let output = '';
    for (const stream of [child.stdout, child.stderr])
      stream.on('data', (chunk: Buffer) => {
        output = (output + chunk.toString()).slice(-OUTPUT_CAP);
      });
    const late = setTimeout(() => {
      output += `\nended: still running after ${FILE_LIMIT_MS / 1_000} s`;
      endGroup(pid);
    }, FILE_LIMIT_MS);
    child.once('close', (code) => {
      clearTimeout(late);
      running.delete(pid);
      const outcome = {
        passed: count(output, 'pass'),
        failed: count(output, 'fail') + count(output, 'cancelled'),
        skipped: count(output, 'skipped') + count(output, 'todo'),
      };
      // A skipped suite is not among the counted tests; it stands as one.
      if (outcome.passed + outcome.failed + outcome.skipped === 0)
        outcome.skipped = (output.match(/^﹣ /gm) ?? []).length;
      // A file that ends badly, or that tests nothing at all, has failed whatever it counted.
      const ran = outcome.passed + outcome.failed + outcome.skipped;
      if (outcome.failed === 0 && (code !== 0 || ran === 0)) outcome.failed = 1;
      done({ outcome, output, seconds: (Date.now() - began) / 1_000 });
    });
  });
}

const given = process.env.HUB_TEST_DATABASE_URL;
const server = given === undefined || given === '' ? await testServer() : null;
const databaseUrl = server?.url ?? given ?? '';

for (const signal of ['SIGINT', 'SIGTERM'] as const)
  process.once(signal, () => {
    queue.length = 0;
    for (const pid of running) endGroup(pid);
  });

const queue = [...files];
const total: Outcome = { passed: 0, failed: 0, skipped: 0 };
await Promise.all(
  Array.from({ length: AT_ONCE }, async () => {
    for (let file = queue.shift(); file !== undefined; file = queue.shift()) {
      const { outcome, output, seconds } = await runFile(file, databaseUrl);
      total.passed += outcome.passed;
      total.failed += outcome.failed;
      total.skipped += outcome.skipped;
      const mark = outcome.failed > 0 ? 'FAILED' : 'ok';
      const skipped = outcome.skipped > 0 ? `, ${outcome.skipped} skipped` : '';
      console.log(`${mark.padEnd(6)} ${file} (${outcome.passed} passed${skipped}, ${seconds.toFixed(1)} s)`);
      if (outcome.failed > 0) console.log(output.replace(/^/gm, '  | '));
    }
  }),
);

if (server !== null && (await server.close())) await rm(TEST_SERVER_DIR, { recursive: true, force: true });
console.log(`${total.passed} passed, ${total.failed} failed, ${total.skipped} skipped`);
process.exitCode = total.failed > 0 || total.passed === 0 ? 1 : 0;
