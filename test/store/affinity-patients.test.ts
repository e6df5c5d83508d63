/** The patients of the affinity domain on PostgreSQL: who is known, what a merge does to documents, and the ITI-8 feed. */
import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import type { PatientCx } from '../../hub/core/document.ts';
import { siteId } from '../../hub/core/identifier.ts';
import type { SiteProfile } from '../../hub/core/site.ts';
import { createIngest } from '../../hub/flow/ingest.ts';
import { createMatching } from '../../hub/core/match/matcher.ts';
import { createIndexWriter } from '../../hub/store/index-writer.ts';
import { createJournal } from '../../hub/store/journal.ts';
import { inspectHl7 } from '../../mappings/hl7v2/index.ts';
import { map } from '../../mappings/index.ts';
import { quiet } from '../support/database.ts';
import { association } from '../support/documents.ts';
import { caseAt } from '../support/registry-case.ts';
import { DOMAIN, newPatient, oid, openRegistry } from '../support/registry-hub.ts';
import type { RegistryHub } from '../support/registry-hub.ts';
import { DERIVE } from '../support/scenario.ts';
import { siteProfile } from '../support/site.ts';
import { iheSamples, noIheSamples } from '../support/ihe-samples.ts';

let hub: RegistryHub;
let patient: PatientCx;
const { oneDocument, accepted, refused } = caseAt(
  () => hub,
  () => patient,
);
before(async () => {
  hub = await openRegistry();
});

const cxOf = (local: string, domain = DOMAIN): PatientCx => `${local}^^^&${domain}&ISO` as PatientCx;
const region = (domain = DOMAIN): SiteProfile =>
  siteProfile('region', { patientIds: { defaultAuthority: domain, authorities: {}, types: { NI: 'NI' } } });

/** One HL7 message through journal, mapping and ingest, as the listener hands it over; why it was not taken, or null. */
async function feed(message: string | Buffer, domain = DOMAIN, site = region(domain)): Promise<string | null> {
  const bytes = Buffer.from(message);
  const { database } = hub;
  const clock = (): Date => new Date();
  const projection = { person: () => [], exam: () => [] };
  const store = createIndexWriter({
    matching: createMatching(() => []),
    database,
    derive: DERIVE,
    indexDerive: DERIVE,
    site: () => site,
    clock,
    settleMs: () => 1000,
    projection,
    affinityDomainOid: domain,
  });
  const journal = createJournal({ database, clock, log: quiet, arrived: () => undefined });
  const ingest = createIngest({
    store,
    documents: { put: () => Promise.reject(new Error('no document in this test')) },
    site: () => site,
    map,
    derive: DERIVE,
    log: quiet,
    ownerOf: (authority) => (authority === DOMAIN ? siteId('region') : null),
  });
  const seen = inspectHl7(bytes, site);
  if (!seen.ok) return seen.problem.code;
  await journal.accept({
    channel: 'hl7v2',
    site: site.id,
    sender: 'PLATFORM|REGION',
    peer: '127.0.0.1',
    controlId: oid(),
    messageType: 'ADT',
    contentType: 'application/hl7-v2',
    bytes,
    patientKey: 'one',
    answer: Buffer.from('ack'),
  });
  await ingest.drain();
  const { rows } = await database.pool.query<{ code: string }>(
    `select problem ->> 'code' as code from review where state = 'open' and kind = 'message' order by opened_at desc limit 1`,
  );
  await database.pool.query('delete from review');
  return rows[0]?.code ?? null;
}

const adt = (event: string, ...segments: readonly string[]): string =>
  [
    `MSH|^~\\&|PLATFORM|REGION|HUTONG|PROVINCE|20260302093000||ADT^${event}|${oid()}|P|2.3.1`,
    `EVN|${event}|20260302093000`,
    ...segments,
  ].join('\r') + '\r';

const known = async (id: PatientCx): Promise<boolean> => (await hub.patients.known([id])).has(id);

test('ids are known when announced, and not when merged away; chains and reversals end where the last word says', async () => {
  const [a, b, c] = [await newPatient(hub), await newPatient(hub), await newPatient(hub)];
  assert.deepEqual(await hub.patients.known([a, cxOf('nobody')]), new Set([a]));
  await hub.patients.merge(b, a);
  await hub.patients.merge(c, b);
  assert.deepEqual(await hub.patients.known([a, b, c]), new Set([c]));
  patient = c;
  const survivorOf = async (id: PatientCx): Promise<unknown> =>
    (await hub.database.pool.query('select survivor from affinity_patient where patient_id = $1', [id])).rows[0];
  assert.deepEqual(await survivorOf(a), { survivor: c });
  await hub.patients.merge(a, c);
  assert.deepEqual(await hub.patients.known([a, b, c]), new Set([a]));
  assert.deepEqual(await survivorOf(b), { survivor: a });
  await hub.patients.add(c);
  assert.equal(await known(c), false, 'announcing again does not undo a merge');
});

test('A40: documents follow the survivor, and submissions may no longer name the id that ended', async () => {
  const gone = await newPatient(hub);
  patient = gone;
  const entry = await accepted(oneDocument());
  const stays = await newPatient(hub);
  await hub.patients.merge(stays, gone);
  assert.deepEqual(
    (await hub.objects([entry.id])).map(({ patientId }) => patientId),
    [stays],
  );
  await refused(oneDocument(), 'XDSUnknownPatientId');
  patient = stays;
  // What was registered for the one can be replaced for the other: they are one patient now.
  await accepted(oneDocument({}, [association('r', 'RPLC', 'Document01', entry.id)]));
  assert.deepEqual(
    (await hub.objects([entry.id])).map(({ status }) => status),
    ['deprecated'],
  );
});

test('ITI-8: A01, A04, A05 and A08 announce ids; A40 merges them', async () => {
  for (const event of ['A01', 'A04', 'A05', 'A08']) {
    const local = `F${event}`;
    assert.equal(await known(cxOf(local)), false);
    assert.equal(await feed(adt(event, `PID|1||${local}^^^&${DOMAIN}&ISO||Li^Na||19800101|F`, 'PV1|1|N')), null);
    assert.equal(await known(cxOf(local)), true, event);
  }
  patient = cxOf('FA01');
  const entry = await accepted(oneDocument());
  const merge = adt('A40', `PID|1||FA04^^^&${DOMAIN}&ISO||Li^Na||19800101|F`, `MRG|FA01^^^&${DOMAIN}&ISO`);
  assert.equal(await feed(merge), null);
  assert.equal(await known(cxOf('FA01')), false);
  assert.equal(await known(cxOf('FA04')), true);
  assert.deepEqual(
    (await hub.objects([entry.id])).map(({ patientId }) => patientId),
    [cxOf('FA04')],
  );
  await refused(oneDocument(), 'XDSUnknownPatientId');
  const persons = await hub.patients.personsOf([cxOf('FA04')]);
  assert.match(persons.get(cxOf('FA04')) ?? '', /^[0-9a-f-]{36}$/, 'the person behind an announced id is told');
});

test('a merge that is told again, or a message about an id that ended, undoes no later merge', async () => {
  const [a, b, c] = [await newPatient(hub), await newPatient(hub), await newPatient(hub)];
  await hub.patients.merge(b, a);
  await hub.patients.merge(c, b);
  await hub.patients.merge(b, a);
  assert.deepEqual(await hub.patients.known([a, b, c]), new Set([c]));
  const pid = (id: string): string => `PID|1||${id}^^^&${DOMAIN}&ISO||LIN^YI||19700101|F`;
  for (const id of ['LATE1', 'LATE2', 'LATE3']) assert.equal(await feed(adt('A04', pid(id))), null);
  assert.equal(await feed(adt('A40', pid('LATE2'), `MRG|LATE1^^^&${DOMAIN}&ISO`)), null);
  assert.equal(await feed(adt('A40', pid('LATE3'), `MRG|LATE2^^^&${DOMAIN}&ISO`)), null);
  await feed(adt('A08', pid('LATE1')));
  assert.deepEqual(
    await hub.patients.known(['LATE1', 'LATE2', 'LATE3'].map((one) => cxOf(one))),
    new Set([cxOf('LATE3')]),
  );
});

test('whatever merges come at once, each id ends where its chain ends', async () => {
  const ids = await Promise.all(Array.from({ length: 6 }, () => newPatient(hub)));
  const pick = (at: number): PatientCx => ids[at % ids.length] ?? cxOf('none');
  for (let round = 0; round < 10; round++) {
    await Promise.all(
      Array.from({ length: 12 }, (_, at) =>
        hub.patients.merge(pick(at * 5 + round), pick(at * 5 + round + 1 + (at % 4))),
      ),
    );
    const { rows } = await hub.database.pool.query<{ wrong: number }>(
      `with recursive up as (
         select patient_id as start, merged_into as at from affinity_patient where merged_into is not null
         union select up.start, a.merged_into from up join affinity_patient a on a.patient_id = up.at
         where a.merged_into is not null)
       select count(*)::int as wrong from affinity_patient p where p.survivor is distinct from
         (select up.at from up where up.start = p.patient_id and not exists
           (select from affinity_patient e where e.patient_id = up.at and e.merged_into is not null))`,
    );
    assert.equal(rows[0]?.wrong, 0, `round ${String(round)}`);
  }
});

test('ITI-8: an authority of another site announces nothing', async () => {
  const h1 = siteProfile('h1');
  const told = await feed(adt('A04', `PID|1||X1^^^&${DOMAIN}&ISO||Li^Na||19800101|F`, 'PV1|1|N'), DOMAIN, h1);
  assert.notEqual(told, null);
  assert.equal(await known(cxOf('X1')), false);
});

test("every person of the index has an id without anybody's feed; one that another replaced has not", async () => {
  const [one, other] = ['11111111-0000-4000-8000-000000000001', '11111111-0000-4000-8000-000000000002'];
  await hub.database.pool.query('insert into person (person_id) values ($1), ($2)', [one, other]);
  const ids = await hub.patients.idsOf([one]);
  assert.equal(ids.get(one), cxOf(one));
  assert.equal(await known(cxOf(one)), true);
  assert.deepEqual(await hub.patients.personsOf([cxOf(one)]), new Map([[cxOf(one), one]]));
  await hub.database.pool.query('update person set replaced_by = $2 where person_id = $1', [one, other]);
  assert.equal(await known(cxOf(one)), false);
  assert.equal(await known(cxOf('11111111-0000-4000-8000-000000000009')), false);
});

/** What ITI TF-2 §3.8 demands of each: ids of the affinity domain that are known afterwards, those that ended, or a refusal. */
const MPI = '2.16.840.1.113883.3.37.4.1.1.2.1.1';
const SAMPLES: Readonly<Record<string, { domain: string; known?: string; ended?: string; refused?: string }>> = {
  'ipf__A01.hl7': { domain: MPI, known: '306563' },
  'ipf__A01_with_BR.hl7': { domain: MPI, known: '306563' },
  'ipf__A04.hl7': { domain: MPI, known: '305090' },
  'ipf__A08.hl7': { domain: MPI, known: '306567' },
  // A10 (patient arriving) is none of the events of ITI-8.
  'ipf__A10.hl7': { domain: MPI, refused: 'unsupported-message' },
  'ipf__A40.hl7': { domain: MPI, known: '142025', ended: '704686' },
  // The prior id is of another authority: nothing of the affinity domain ends.
  // Its MRG-1 is of another issuer than its PID-3: such a merge is refused (DEMANDS 28).
  'ipf__PIX_FEED_MERGE_Maximal_Request.hl7': { domain: '1.2.3.4.5.1000', refused: 'invalid-value' },
  'ipf__PIX_FEED_REG_Maximal_Request.hl7': { domain: '1.2.3.4.5.1000', known: 'PIX10515W4' },
  'ipf__PIX_FEED_REV_Maximal_Request.hl7': { domain: '1.2.3.4.5.1000', known: 'PIX10515W4' },
  // Without an authority the id is the sender's own (SURFACE: region).
  'ipf__hl7v2message.hl7': { domain: DOMAIN, known: '72001173A' },
  'ipf__iti8-a01-incomplete.hl7': { domain: DOMAIN, refused: 'required-missing' },
  // A template, whose authority is a placeholder: a patient of a domain that is not this one (§3.8.4.1.3).
  'xr2f__msg-01.hl7': { domain: DOMAIN },
};

test('samples of ITI-8 that others wrote', { skip: noIheSamples }, async (t) => {
  for (const { name, verdict, bytes } of iheSamples('ITI-8')) {
    const wanted = SAMPLES[name];
    assert.ok(wanted, `${name} has no outcome yet`);
    assert.equal(wanted.refused === undefined ? 'accepted' : 'refused', verdict, name);
    // Each is a world of its own: two of them give one number to two people.
    await hub.database.pool.query(
      'truncate patient_record, match_record, match_key, match_pair, person, patient_name, affinity_patient',
    );
    const told = await feed(bytes(), wanted.domain);
    t.diagnostic(`${name}: ${told ?? 'applied'}`);
    if (wanted.refused !== undefined) {
      assert.notEqual(told, null, name);
      if (wanted.refused !== '') assert.equal(told, wanted.refused, name);
      continue;
    }
    assert.equal(told, null, name);
    if (wanted.known === undefined) {
      assert.equal((await hub.database.pool.query('select from affinity_patient')).rowCount, 0, name);
      continue;
    }
    const id = cxOf(wanted.known, wanted.domain);
    assert.deepEqual([...(await hub.patients.known([id]))], [id], name);
    if (wanted.ended !== undefined) assert.equal(await known(cxOf(wanted.ended, wanted.domain)), false, name);
  }
});
