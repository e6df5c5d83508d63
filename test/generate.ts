/**
 * `npm run generate`: makes every generated file anew, from what is written by hand. With `--check` it does so in a
 * copy and tells which files are out of step; hub/store/schema.sql, which needs a database, is compared by its test.
 */
import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdtempSync, readFileSync, readdirSync, rmSync, symlinkSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { openDatabase } from '../hub/store/database.ts';
import { migrate } from '../hub/store/migrate.ts';
import { testServer } from './support/server.ts';
import { describeSchema } from './support/schema.ts';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
/** Each writes its own files below the folder in which it stands. */
const SCRIPTS = ['openapi/generate.ts', 'fhir-profiles/generate.ts'];
const COPIED = ['hub', 'adapters', 'mappings', 'openapi', 'fhir-profiles'];
const CONFIGS = ['package.json', 'tsconfig.json', '.prettierrc.json'];

async function generate(root: string): Promise<void> {
  for (const script of SCRIPTS) {
    const { status, stderr } = spawnSync(process.execPath, ['--import', 'tsx', script], {
      cwd: root,
      encoding: 'utf8',
    });
    if (status !== 0) throw new Error(`${script} failed:\n${stderr}`);
  }
  const { dictionarySource } = await import('../mappings/dicom/generate-dictionary.ts');
  await writeFile(join(root, 'mappings/dicom/generated/dictionary.ts'), dictionarySource());
}

async function generateSchema(): Promise<void> {
  const server = await testServer();
  const name = `hutong_schema_${process.pid}`;
  const admin = openDatabase(server.url, { max: 1, name: 'generate' });
  const url = new URL(server.url);
  url.pathname = name;
  await admin.pool.query(`create database ${name}`);
  const database = openDatabase(url.toString(), { max: 1, name: 'generate' });
  try {
    await migrate(url.toString());
    await writeFile(join(ROOT, 'hub/store/schema.sql'), await describeSchema(database.pool));
  } finally {
    await database.close();
    await admin.pool.query(`drop database ${name} with (force)`);
    await admin.close();
    await server.close();
  }
}

async function outOfStep(): Promise<string[]> {
  const copy = mkdtempSync(join(tmpdir(), 'hutong-generate-'));
  try {
    for (const part of [...COPIED, ...CONFIGS])
      if (existsSync(join(ROOT, part))) cpSync(join(ROOT, part), join(copy, part), { recursive: true });
    symlinkSync(join(ROOT, 'node_modules'), join(copy, 'node_modules'));
    await generate(copy);
    return readdirSync(copy, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile() && !entry.parentPath.includes('node_modules'))
      .map((entry) => relative(copy, join(entry.parentPath, entry.name)))
      .filter((file) => !same(join(ROOT, file), join(copy, file)));
  } finally {
    rmSync(copy, { recursive: true, force: true });
  }
}

const same = (one: string, other: string): boolean => existsSync(one) && readFileSync(one).equals(readFileSync(other));

if (process.argv.includes('--check')) {
  const files = await outOfStep();
  for (const file of files) console.log(`${file} is out of step: run npm run generate`);
  process.exitCode = files.length === 0 ? 0 : 1;
} else {
  await generate(ROOT);
  await generateSchema();
}
