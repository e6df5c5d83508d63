/** What a patient's or an exam's query costs does not grow with the province: pages touched at 1× and at 100×. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { Criterion } from '../../hub/core/fhir.ts';
import { saveResources } from '../../hub/store/fhir.ts';
import { searchStatement } from '../../hub/store/fhir-query.ts';
import { freshDatabase, type FreshDatabase } from '../support/database.ts';
import {
  derive,
  examResources,
  namedExam,
  patientView,
  personResources,
  personView,
  PROVENANCE,
} from '../support/fhir.ts';

const ONE = 15;
let fresh: FreshDatabase;

before(async () => {
  fresh = await freshDatabase();
});
after(() => fresh.drop());

const nameOf = (n: number): string => String.fromCodePoint(0x4e00 + ((n * 37) % 20_000), 0x4e00 + ((n * 91) % 20_000));

async function fill(from: number, to: number): Promise<void> {
  for (let at = from; at < to; at += 250) {
    const numbers = Array.from({ length: Math.min(250, to - at) }, (_, n) => at + n);
    const resources = numbers.flatMap((n) => {
      const personId = derive.id('person', String(n));
      const names = [{ text: nameOf(n), representation: 'ideographic' as const }];
      const record = patientView({ localId: `P${String(n)}`, residentId: null, identifiers: [], phone: null, names });
      return [
        ...personResources(personView({ personId, records: [record] })),
        ...examResources(namedExam(String(n), personId)),
      ];
    });
    await fresh.database.transaction((connection) => saveResources(connection, [], resources, PROVENANCE));
  }
  await fresh.database.pool.query('vacuum analyze');
}

const token = (any: string): Criterion => ({ kind: 'tokens', any: [any], negate: false, selective: true });
const QUERIES: readonly (readonly [string, (n: number) => Criterion])[] = [
  ['Patient', (n) => token(`identifier=urn:oid:2.999.156.1.1|P${String(n)}`)],
  [
    'Patient',
    (n) => ({
      kind: 'string',
      params: ['name'],
      mode: 'prefix',
      any: [{ norm: nameOf(n), exact: nameOf(n), grams: [] }],
    }),
  ],
  ['ImagingStudy', (n) => token(`patient=Patient/${derive.id('person', String(n))}`)],
  ['ServiceRequest', (n) => token(`identifier=ACC${String(n)}`)],
  ['DiagnosticReport', (n) => token(`identifier=ACC${String(n)}`)],
];

interface Plan {
  readonly 'QUERY PLAN': readonly {
    readonly Plan: { readonly 'Shared Hit Blocks': number; readonly 'Shared Read Blocks': number };
  }[];
}

/** Mean pages of one query over the first persons, the same at either size. */
async function pages(type: string, criterion: (n: number) => Criterion): Promise<number> {
  let sum = 0;
  for (let n = 0; n < ONE; n++) {
    const sort = [{ by: 'updated' as const, descending: true }];
    const { text, values } = searchStatement({ type, criteria: [criterion(n)], sort, limit: 10_001 });
    const { rows } = await fresh.database.pool.query<Plan>(`explain (analyze, buffers, format json) ${text}`, [
      ...values,
    ]);
    const plan = rows[0]?.['QUERY PLAN'][0]?.Plan;
    sum += (plan?.['Shared Hit Blocks'] ?? 0) + (plan?.['Shared Read Blocks'] ?? 0);
  }
  return sum / ONE;
}

test('pages touched by hot queries at 1× and 100×', async (t) => {
  await fill(0, ONE);
  const small: number[] = [];
  for (const [type, criterion] of QUERIES) small.push(await pages(type, criterion));
  await fill(ONE, ONE * 100);
  for (const [at, [type, criterion]] of QUERIES.entries()) {
    const large = await pages(type, criterion);
    t.diagnostic(`${type}: ${String(small[at])} pages at 1×, ${String(large)} at 100×`);
    // At 1× a table is a page or two and is read whole; an index adds a level for every hundredfold. A scan would
    // touch hundreds.
    assert.ok(large <= 12, `${type}: ${String(large)} pages`);
  }
});
