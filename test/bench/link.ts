/**
 * The matcher on sets of persons that others made, and on the project's own cohort: pairwise precision, recall and F1 beside their truth, which is read
 * only to print these. Weights and thresholds are learned from the rows alone, with the settings of `npm run link`.
 */
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { linkBatch } from '../../hub/batch/link.ts';
import { CsvParser } from '../../mappings/batch/csv.ts';
import { readFields } from '../../mappings/batch/row.ts';
import { measureCohort } from './link-cohort.ts';
import { show, type Figure } from './measure.ts';

interface DataSet {
  readonly name: string;
  readonly files: readonly string[];
  readonly fields: Readonly<Record<string, string>>;
  /** Every pair of rows that are one person, by the makers' word. */
  readonly truth: (rows: readonly (readonly string[])[], folder: string) => Set<string>;
  readonly target?: number;
}

const FEBRL = {
  rec_id: 'record_id',
  given_name: 'given_name',
  surname: 'family_name',
  street_number: 'address',
  address_1: 'address',
  address_2: 'address',
  suburb: 'locality',
  postcode: 'postal_code',
  state: 'ignore',
  date_of_birth: 'birth_date',
  soc_sec_id: 'identifier',
};

/** `rec-17-org` and `rec-17-dup-0` are person 17. */
const febrlTruth: DataSet['truth'] = (rows) => samePerson(rows, (row) => row[0]?.split('-')[1] ?? '');

const SETS: readonly DataSet[] = [
  {
    name: 'FEBRL 4, a against b',
    files: ['febrl/dataset4a.csv', 'febrl/dataset4b.csv'],
    fields: FEBRL,
    truth: febrlTruth,
    target: 0.995,
  },
  { name: 'FEBRL 1, duplicates', files: ['febrl/dataset1.csv'], fields: FEBRL, truth: febrlTruth, target: 0.99 },
  {
    name: 'OpenCR Uganda, duplicates',
    files: ['opencr/uganda_data_v21_20201501.csv'],
    fields: {
      rec_id: 'record_id',
      sex: 'sex',
      date_of_birth: 'birth_date',
      given_name: 'given_name',
      surname: 'family_name',
      phone_number: 'phone',
      uganda_nin: 'identifier',
      art_number: 'identifier',
    },
    truth: (_, folder) =>
      new Set(
        readRows(join(folder, 'opencr/uganda_data_v21_20201501_true_links.csv')).map(([a = '', b = '']) =>
          pairOf(a, b),
        ),
      ),
  },
  {
    name: 'splink fake_1000, duplicates',
    files: ['splink/fake_1000.csv'],
    fields: {
      unique_id: 'record_id',
      first_name: 'given_name',
      surname: 'family_name',
      dob: 'birth_date',
      city: 'locality',
      email: 'identifier',
      cluster: 'ignore',
    },
    truth: (rows) => samePerson(rows, (row) => row.at(-1) ?? ''),
  },
];

const pairOf = (a: string, b: string): string =>
  a.trim() < b.trim() ? `${a.trim()}\n${b.trim()}` : `${b.trim()}\n${a.trim()}`;

function samePerson(rows: readonly (readonly string[])[], personOf: (row: readonly string[]) => string): Set<string> {
  const persons = new Map<string, string[]>();
  for (const row of rows) persons.set(personOf(row), [...(persons.get(personOf(row)) ?? []), row[0] ?? '']);
  const pairs = new Set<string>();
  for (const ids of persons.values())
    for (const [at, a] of ids.entries()) for (const b of ids.slice(at + 1)) pairs.add(pairOf(a, b));
  return pairs;
}

/** The rows without their header. */
function readRows(file: string): string[][] {
  const parser = new CsvParser();
  const rows: string[][] = [];
  for (const part of [parser.push(readFileSync(file, 'utf8')), parser.end()]) {
    if (!part.ok) throw new Error(part.problem.text);
    rows.push(...part.value);
  }
  return rows.slice(1);
}

async function measure(set: DataSet, folder: string, work: string): Promise<Figure> {
  const files = set.files.map((file) => join(folder, file));
  const fields = readFields(JSON.stringify(set.fields));
  if (!fields.ok) throw new Error(fields.problem.text);
  const out = join(work, 'links.csv');
  const { rules } = await linkBatch({
    files,
    fields: fields.value,
    out,
    tell: (line) => show(`  ${set.name}: ${line}`),
  });
  const truth = set.truth(files.flatMap(readRows), folder);
  const judged = readRows(out);
  const count = (outcomes: readonly string[]): { precision: number; recall: number; f1: number } => {
    const pairs = judged.filter((row) => outcomes.includes(row[3] ?? '')).map(([a = '', b = '']) => pairOf(a, b));
    const right = pairs.filter((pair) => truth.has(pair)).length;
    const [precision, recall] = [right / Math.max(1, pairs.length), right / Math.max(1, truth.size)];
    return { precision, recall, f1: (2 * precision * recall) / Math.max(1e-9, precision + recall) };
  };
  const { precision, recall, f1 } = count(['link']);
  const reviewed = judged.filter((row) => row[3] === 'review').length;
  const settings = `link from ${rules.thresholds.link.toFixed(1)} bits, ${String(reviewed)} pairs to review (recall with them ${count(['link', 'review']).recall.toFixed(4)})`;
  return {
    what: set.name,
    measured: `F1 ${f1.toFixed(4)}, precision ${precision.toFixed(4)}, recall ${recall.toFixed(4)}; ${settings}`,
    ...(set.target === undefined ? {} : { ratio: { of: 'truth', value: f1, target: set.target } }),
  };
}

export async function run(): Promise<readonly Figure[]> {
  const folder = join(process.env.HUB_TEST_DATA ?? '', 'mpi');
  const work = mkdtempSync(join(tmpdir(), 'link-'));
  try {
    const figures: Figure[] = [];
    if (process.env.HUB_TEST_DATA === undefined || !existsSync(folder))
      figures.push({ what: 'linkage of others’ sets', measured: 'not measured: HUB_TEST_DATA has no mpi folder' });
    else for (const set of SETS) figures.push(await measure(set, folder, work));
    figures.push(...(await measureCohort(work)));
    return figures;
  } finally {
    rmSync(work, { recursive: true });
  }
}
