/**
 * Writes the cohort as files for `npm run link`: the registrations, who each is of (`.truth.csv`), and the meaning of
 * the columns (`.fields.json`). Usage: `node --import tsx test/province/cohort-main.ts --persons 700000 --records
 * 1000000 --seed 1 --out cohort.csv`.
 */
import { once } from 'node:events';
import { createWriteStream, writeFileSync } from 'node:fs';
import type { WriteStream } from 'node:fs';
import { parseArgs } from 'node:util';
import { cohort } from './cohort/cohort.ts';
import type { CohortRecord } from './cohort/cohort.ts';

/** Each column and what `npm run link` is told about it. */
export const COHORT_FIELDS = {
  record_id: 'record_id',
  full_name: 'full_name',
  birth_date: 'birth_date',
  sex: 'sex',
  resident_id: 'resident_id',
  identifier: 'identifier',
  phone: 'phone',
  address: 'address',
  locality: 'locality',
  postal_code: 'postal_code',
  site: 'ignore',
  local_id: 'ignore',
} as const;

const quoted = (text: string): string => (/[",\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);

const csv = (values: readonly string[]): string => `${values.map(quoted).join(',')}\n`;

/** The values in the order of the columns. */
export function cohortRow({ recordId, site, localId, registration: of }: CohortRecord): string {
  const place = [of.phone, of.address, of.locality, of.postalCode];
  return csv([recordId, of.fullName, of.birthDate, of.sex, of.residentId, of.identifier, ...place, site, localId]);
}

const truthRow = ({ recordId, personId, registration }: CohortRecord): string =>
  csv([recordId, personId, registration.made.join(' ')]);

async function write(stream: WriteStream, text: string): Promise<void> {
  if (!stream.write(text)) await once(stream, 'drain');
}

export async function writeCohort(
  out: string,
  size: { readonly seed: number; readonly persons: number; readonly records: number },
): Promise<void> {
  const base = out.replace(/\.csv$/, '');
  const rows = createWriteStream(out);
  const truth = createWriteStream(`${base}.truth.csv`);
  writeFileSync(`${base}.fields.json`, `${JSON.stringify(COHORT_FIELDS, null, 2)}\n`);
  let row = csv(Object.keys(COHORT_FIELDS));
  let told = 'record_id,person_id,made\n';
  for (const record of cohort(size)) {
    row += cohortRow(record);
    told += truthRow(record);
    if (row.length < 65_536) continue;
    await write(rows, row);
    await write(truth, told);
    row = '';
    told = '';
  }
  await Promise.all([
    new Promise((resolve) => rows.end(row, () => resolve(null))),
    new Promise((resolve) => truth.end(told, () => resolve(null))),
  ]);
}

const atLeastOne = (name: string, text: string): number => {
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < 1) throw new Error(`--${name} takes a whole number from 1`);
  return value;
};

if (process.argv[1]?.endsWith('cohort-main.ts') === true) {
  const { values } = parseArgs({
    options: {
      persons: { type: 'string', default: '7000' },
      records: { type: 'string', default: '10000' },
      seed: { type: 'string', default: '1' },
      out: { type: 'string' },
    },
  });
  if (values.out === undefined) throw new Error('--out names the file to write');
  await writeCohort(values.out, {
    seed: atLeastOne('seed', values.seed),
    persons: atLeastOne('persons', values.persons),
    records: atLeastOne('records', values.records),
  });
}
