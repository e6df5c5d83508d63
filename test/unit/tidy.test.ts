/** The rules of the house that neither compiler nor linter sees: the tree, names, sizes, and what must not be in it. */
import assert from 'node:assert/strict';
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { basename, join, relative } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { migrationFiles } from '../../hub/store/migrate.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const LEFT_OUT = new Set(['node_modules', 'var', '.git', 'coverage', 'dist']);
const TOP = ['hub', 'adapters', 'mappings', 'openapi', 'fhir-profiles', 'docker', 'test', '.ci'];
const BANNED_FOLDERS = /^(utils?|common|shared|lib|helpers?|types|misc)$/;
const BANNED_FILES = /(^|-)(utils?|common|helpers?|misc|manager|service|types)\.tsx?$/;
const TEXT = /\.(tsx?|js|cjs|mjs|json|yaml|yml|md|sql|csv|html|css|txt)$|^(Dockerfile|run|LICENSE)$/;

interface Walked {
  readonly folders: readonly string[];
  readonly files: readonly string[];
}

function walk(): Walked {
  const folders: string[] = [];
  const files: string[] = [];
  const waiting = [ROOT];
  for (let at = waiting.pop(); at !== undefined; at = waiting.pop())
    for (const entry of readdirSync(at, { withFileTypes: true })) {
      if (LEFT_OUT.has(entry.name)) continue;
      const path = join(at, entry.name);
      if (entry.isDirectory()) {
        folders.push(relative(ROOT, path));
        waiting.push(path);
      } else files.push(relative(ROOT, path));
    }
  return { folders: folders.sort(), files: files.sort() };
}

const { folders, files } = walk();
const read = (file: string): string => readFileSync(join(ROOT, file), 'utf8');
const code = files.filter((file) => /\.tsx?$/.test(file) && !file.includes('generated/'));

/** Asserts that `wrong` is empty, naming what is in it. */
const none = (wrong: readonly string[], rule: string): void => assert.deepEqual(wrong, [], rule);

test('the top of the tree holds the fixed folders and no others', () => {
  none(
    folders.filter((folder) => !folder.includes('/') && !TOP.includes(folder)),
    'a new top folder needs a decision',
  );
});

test('ARCHITECTURE.md lists the rooms that there are', (context) => {
  if (!existsSync(join(ROOT, 'ARCHITECTURE.md'))) {
    assert.equal(process.env.CI, undefined, 'ARCHITECTURE.md is missing');
    context.skip('ARCHITECTURE.md is not written yet');
    return;
  }
  const listing = /```[a-z]*\n([^`]*?^hub\/ [^`]*)```/m.exec(read('ARCHITECTURE.md'))?.[1] ?? '';
  const listed = [...listing.matchAll(/^([a-z0-9./-]+)\/(?: |$)/gm)].map((match) => match[1] ?? '').sort();
  const rooms = folders.filter(
    (folder) =>
      /^[^./]+(\/[^./]+)?$/.test(folder) && !folder.endsWith('/generated') && TOP.includes(folder.split('/')[0] ?? ''),
  );
  assert.deepEqual(
    listed,
    rooms,
    'a line `room/  what it is` in its first code block for each folder down to two levels',
  );
});

test('a source file has at most 400 lines and opens by saying what it is', () => {
  none(
    code.filter((file) => read(file).trimEnd().split('\n').length > 400),
    'split the file by what its halves are about',
  );
  none(
    code.filter((file) => !/^(#!.*\n)?(\/\*\*|\/\/) ?\S|^\/\*\*\n \* \S/.test(read(file))),
    'a comment of one or two sentences comes first',
  );
});

test('folders and files are named by what they are about', () => {
  none(
    folders.filter((folder) => BANNED_FOLDERS.test(basename(folder))),
    'a thing lives with the noun it is about',
  );
  none(
    code.filter((file) => BANNED_FILES.test(basename(file)) || !/^[a-z0-9.-]+$/.test(basename(file))),
    'kebab-case, and a noun, verb or transaction id',
  );
});

test('every hospital has goldens', () => {
  const sites = folders
    .filter((folder) => /^adapters\/sites\/[^/]+$/.test(folder))
    .map((folder) => basename(folder))
    .filter((site) => !site.startsWith('_'));
  assert.ok(sites.length > 0);
  none(
    sites.filter((site) => !files.some((file) => file.startsWith(`test/golden/${site}/`))),
    'add messages of the site under test/golden/<site>/',
  );
});

test('a released migration never changes', () => {
  const now = migrationFiles();
  const released = read('hub/store/sql/released.txt')
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((line) => line.split(/ +/));
  none(
    released.filter(([hash, file]) => now.get(file ?? '') !== hash).map(([, file]) => file ?? ''),
    'add a new migration instead',
  );
});

test('nothing of the machine it was made on is in it', () => {
  const own = basename(fileURLToPath(import.meta.url));
  const machine = /(^|[\s"'`(=:])\/(work|root|home\/[a-z]+)\//m;
  none(
    files.filter((file) => TEXT.test(basename(file)) && basename(file) !== own && machine.test(read(file))),
    'paths of a machine',
  );
  assert.doesNotMatch(read('package-lock.json'), /"resolved"/, 'the lock file names no registry');
  assert.doesNotMatch(read('.npmrc'), /registry=|_auth/);
});

test('dependencies are pinned exactly', () => {
  const { dependencies, devDependencies } = JSON.parse(read('package.json')) as Record<string, Record<string, string>>;
  none(
    Object.entries({ ...dependencies, ...devDependencies })
      .filter(([, version]) => !/^\d+\.\d+\.\d+(-[a-z0-9.]+)?$/.test(version))
      .map(([name]) => name),
    'npm i -E',
  );
});
