/**
 * Registrations of the synthetic cohort through ingest, on PostgreSQL: whom the live feed joins, held against the truth.
 * Errors, families, twins, newborns, migrants and reused numbers come as often as in the cohort (test/province/cohort).
 */
import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { residentIdentifier } from '../../mappings/hl7v2/identity.ts';
import type { PatientFields } from '../../hub/core/record.ts';
import { siteId, type HubId } from '../../hub/core/identifier.ts';
import { cohort, type CohortRecord } from '../province/cohort/cohort.ts';
import { patientOf, personHub, recordId, type PersonHub } from '../support/person-hub.ts';

const SIZE = { seed: 2026, persons: 300, records: 500 };

let hub: PersonHub;
before(async () => {
  hub = await personHub();
});

const SEXES: Readonly<Record<string, 'male' | 'female'>> = {
  M: 'male',
  '1': 'male',
  男: 'male',
  F: 'female',
  '2': 'female',
  女: 'female',
};

/** As the mapping of HL7 reads it: a number that fails its check is kept and said to. */
function fieldsOf({ registration: of }: CohortRecord): PatientFields {
  const sex = SEXES[of.sex];
  const division = of.locality === '' ? {} : { division: of.locality };
  const postalCode = of.postalCode === '' ? {} : { postalCode: of.postalCode };
  return {
    names: [{ text: of.fullName, representation: /\p{Script=Han}/u.test(of.fullName) ? 'ideographic' : 'alphabetic' }],
    ...(of.birthDate === '' ? {} : { birthDate: of.birthDate.replace(/^(\d{4})(\d{2})(\d{2})$/, '$1-$2-$3') }),
    ...(sex === undefined ? {} : { sex }),
    identifiers: [
      ...(of.residentId === '' ? [] : [residentIdentifier(of.residentId, 'PID-3', () => undefined)]),
      ...(of.identifier === '' ? [] : [{ type: 'HC', authority: '2.999.156.1.9', value: of.identifier }]),
    ],
    ...(of.phone === '' ? {} : { phone: of.phone }),
    ...(of.address === '' ? {} : { address: { text: of.address, ...division, ...postalCode } }),
  };
}

const pairs = (groups: Iterable<readonly string[]>): Set<string> =>
  new Set(
    [...groups].flatMap((group) => {
      const sorted = [...group].sort();
      return sorted.flatMap((a, at) => sorted.slice(at + 1).map((b) => `${a}|${b}`));
    }),
  );

test('no wrong link among the registrations of a cohort; nearly all right ones, or a question', async (context) => {
  // One number of a hospital twice is a second word about one registration: test/store/person-bad-input.test.ts.
  const first = new Map<string, CohortRecord>();
  for (const record of cohort(SIZE)) {
    const key = `${record.site} ${record.localId}`;
    if (!first.has(key)) first.set(key, record);
  }
  const truth = new Map<string, HubId[]>();
  for (const record of first.values()) {
    await hub.accept({
      kind: 'patient',
      site: siteId(record.site),
      at: '2026-03-01T08:00:00.000Z',
      patient: patientOf(record.site, record.localId),
      fields: fieldsOf(record),
    });
    const own = truth.get(record.personId) ?? [];
    truth.set(record.personId, [...own, recordId(record.site, record.localId)]);
  }
  await hub.ingest.drain();
  const [right, linked] = [pairs(truth.values()), pairs(await hub.partition())];
  const { rows } = await hub.database.pool.query<{ record_ids: string[] }>(
    `select record_ids from review where kind = 'identity' and state = 'open'`,
  );
  const personOf = new Map<string, string>();
  for (const [at, group] of (await hub.partition()).entries()) for (const id of group) personOf.set(id, String(at));
  const asked = new Set(
    rows.map(({ record_ids: ids }) =>
      ids
        .map((id) => personOf.get(id) ?? '')
        .sort()
        .join('|'),
    ),
  );
  const isAsked = (pair: string): boolean =>
    asked.has(
      pair
        .split('|')
        .map((id) => personOf.get(id) ?? '')
        .sort()
        .join('|'),
    );
  assert.deepEqual(
    [...linked].filter((pair) => !right.has(pair)),
    [],
    'two persons are one',
  );
  const found = [...right].filter((pair) => linked.has(pair));
  const known = [...right].filter((pair) => linked.has(pair) || isAsked(pair));
  context.diagnostic(
    `${String(first.size)} registrations of ${String(truth.size)} persons: recall ${(found.length / right.size).toFixed(3)} by links, ` +
      `${(known.length / right.size).toFixed(3)} with ${String(rows.length)} questions, of ${String(right.size)} pairs`,
  );
  assert.ok(known.length / right.size >= 0.9, `${String(known.length)} of ${String(right.size)} pairs`);
  const { rowCount } = await hub.database.pool.query('select from patient_record');
  assert.equal(rowCount, first.size, 'every registration stands');
});
