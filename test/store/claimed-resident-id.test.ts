/** A resident ID that a stranger claims finds its owner alone, in every search, until somebody has settled whose it is. */
import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { Derivation, siteId } from '../../hub/core/identifier.ts';
import { createMatching } from '../../hub/core/match/matcher.ts';
import { createIngest, type Ingest } from '../../hub/flow/ingest.ts';
import type { PatientRecord } from '../../hub/core/record.ts';
import type { Database } from '../../hub/store/database.ts';
import { createExamSearch } from '../../hub/store/exam-search.ts';
import { createIndexReader } from '../../hub/store/index-reader.ts';
import { createIndexWriter } from '../../hub/store/index-writer.ts';
import { createJournal } from '../../hub/store/journal.ts';
import type { Intake } from '../../hub/core/envelope.ts';
import { projectExam, projectPerson } from '../../mappings/fhir/index.ts';
import { romanise } from '../../mappings/romanise.ts';
import { freshDatabase, quiet } from '../support/database.ts';
import { openProjection } from '../support/fhir.ts';
import { DERIVE } from '../support/scenario.ts';
import { siteProfile } from '../support/site.ts';

const RESIDENT = '210102198003151239';
const NI = '2.16.156.10011.1.3';
const h1 = siteProfile('h1');
let database: Database;
let journal: Intake;
let ingest: Ingest;
let sequence = 0;

before(async () => {
  ({ database } = await freshDatabase());
  const context = {
    derive: DERIVE,
    examIndexOid: '2.999.1',
    affinityDomainOid: '2.999.2',
    repositoryOid: '2.999.3',
    site: () => h1,
  };
  const store = createIndexWriter({
    database,
    derive: DERIVE,
    matching: createMatching(romanise),
    indexDerive: new Derivation(new Uint8Array(32).fill(9)),
    site: () => h1,
    clock: () => new Date(),
    settleMs: () => 1000,
    projection: { person: (view) => projectPerson(view, context), exam: (view) => projectExam(view, context) },
  });
  journal = createJournal({ database, clock: () => new Date(), log: quiet, arrived: () => undefined });
  ingest = createIngest({
    store,
    documents: { put: () => Promise.reject(new Error('no document in this test')) },
    site: () => h1,
    map: (entry) => ({
      ok: true,
      records: [JSON.parse(Buffer.from(entry.bytes).toString()) as PatientRecord],
      findings: [],
    }),
    derive: DERIVE,
    log: quiet,
    ownerOf: () => null,
  });
});

async function register(localId: string, name: string, birthDate: string): Promise<void> {
  sequence += 1;
  const record = {
    kind: 'patient',
    site: siteId('h1'),
    at: `2026-03-01T08:00:${String(sequence).padStart(2, '0')}.000Z`,
    patient: { authority: '2.999.156.1.1', value: localId },
    fields: {
      names: [{ text: name, representation: 'ideographic' }],
      birthDate,
      identifiers: [{ authority: NI, value: RESIDENT, type: 'NI' }],
    },
  };
  const accepted = await journal.accept({
    channel: 'hl7v2',
    site: siteId('h1'),
    sender: 'RIS|H1',
    peer: '127.0.0.1',
    controlId: `c${String(sequence)}`,
    messageType: 'TEST',
    contentType: 'application/json',
    bytes: Buffer.from(JSON.stringify(record)),
    patientKey: localId,
    answer: Buffer.from('ack'),
  });
  assert.equal(accepted.kind, 'accepted');
  await ingest.drain();
}
const personOf = async (localId: string): Promise<string> => {
  const { rows } = await database.pool.query<{ person_id: string }>(
    'select person_id from patient_record where local_id = $1',
    [localId],
  );
  return rows[0]?.person_id ?? '';
};
const byResident = (): Promise<readonly string[]> =>
  openProjection(database).search({
    type: 'Patient',
    criteria: [{ kind: 'tokens', any: [`identifier=urn:oid:${NI}|${RESIDENT}`], negate: false, selective: true }],
    sort: [],
    limit: 10,
  });

test('the owner is found, the claimant is not, and nothing shows the number as the claimant’s', async () => {
  await register('OWNER', '张三', '1980-03-15');
  await register('STRANGER', '李四', '1999-01-01');
  const [owner, stranger] = [await personOf('OWNER'), await personOf('STRANGER')];
  assert.notEqual(owner, stranger);
  assert.deepEqual(await byResident(), [owner]);
  const exams = createExamSearch({ database, derive: DERIVE });
  assert.deepEqual((await exams.byPatient({ value: RESIDENT }, { limit: 10 })).personIds, [owner]);
  const view = await createIndexReader({ database, derive: DERIVE }).person(stranger);
  assert.ok(view && !JSON.stringify(view).includes(RESIDENT));
  const local = await exams.byPatient({ value: 'STRANGER', authority: '2.999.156.1.1' }, { limit: 10 });
  assert.deepEqual(local.personIds, [stranger], 'by its own number the claimant is found as before');
});

test('once the registrations agree, both are the one person whom the number finds', async () => {
  // One at a time: both at once would be another patient under this number, which is refused.
  await register('STRANGER', '张三', '1999-01-01');
  await register('STRANGER', '张三', '1980-03-15');
  const owner = await personOf('OWNER');
  assert.equal(await personOf('STRANGER'), owner);
  assert.ok((await byResident()).includes(owner));
  assert.match(
    JSON.stringify(await createIndexReader({ database, derive: DERIVE }).person(owner)),
    /210102198003151239/,
  );
});
