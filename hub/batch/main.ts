/** `npm run link -- --fields fields.json --out links.csv a.csv [b.csv]`: links a province's first load, or a benchmark. */
import { readFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { Failure } from '../core/problem.ts';
import { readFields } from '../../mappings/batch/row.ts';
import { linkBatch } from './link.ts';

const USAGE = 'usage: npm run link -- --fields fields.json --out links.csv a.csv [b.csv]';
const began = Date.now();
const tell = (line: string): void =>
  void process.stderr.write(`${((Date.now() - began) / 1000).toFixed(1).padStart(7)} s  ${line}\n`);

async function main(): Promise<void> {
  const { values, positionals } = parseArgs({
    options: { fields: { type: 'string' }, out: { type: 'string' } },
    allowPositionals: true,
  });
  const { fields: fieldsFile, out } = values;
  if (fieldsFile === undefined || out === undefined || positionals.length < 1 || positionals.length > 2)
    throw new Error(USAGE);
  const fields = readFields(await readFile(fieldsFile, 'utf8'));
  if (!fields.ok) throw new Failure(fields.problem);
  await linkBatch({ files: positionals, fields: fields.value, out, tell });
}

main().catch((error: unknown) => {
  const where = error instanceof Failure && error.problem.where !== undefined ? `${error.problem.where}: ` : '';
  process.stderr.write(`${where}${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
});
