/** PIXm and PDQm over HTTP: every case of ITI TF-2 §3.83.4.2.2 and §3.78.4.1.3 with its status, its code and its words. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { CapabilityStatement, OperationOutcome, Parameters, Patient } from 'fhir/r4.js';
import type { FhirBody } from '../../hub/core/fhir.ts';
import { index } from '../support/affinity.ts';
import { freshDatabase, type FreshDatabase } from '../support/database.ts';
import { bundle, refused } from '../support/fhir-client.ts';
import { faultsOf } from '../support/fhir-validation.ts';
import {
  derive,
  openStore,
  patientView,
  personResources,
  personView,
  save,
  serveFhir,
  siteResources,
  type Served,
} from '../support/fhir.ts';
import { as } from '../support/mhd.ts';
import { noGuides, useGuides } from '../support/ihe-guides.ts';

let fresh: FreshDatabase;
let served: Served;
const merged = derive.id('record', 'h1', 'P0');
const person = personView({
  records: [
    patientView(),
    patientView({
      recordId: derive.id('record', 'h3', 'X9'),
      authority: '2.999.156.1.3',
      localId: 'X9',
      identifiers: [],
    }),
    patientView({
      recordId: merged,
      localId: 'P0',
      residentId: null,
      identifiers: [],
      mergedInto: derive.id('record', 'h1', 'P1'),
    }),
  ],
});
const other = personView({
  personId: derive.id('person', '2'),
  records: [patientView({ localId: 'P2', residentId: null, identifiers: [], sex: 'female', birthDate: '1975-06-01' })],
});

before(async () => {
  useGuides();
  fresh = await freshDatabase();
  await save(fresh.database, [...siteResources(), ...personResources(person), ...personResources(other)]);
  await index(fresh.database, [person.personId, other.personId]);
  served = await serveFhir(openStore(fresh.database));
});
after(async () => {
  await served.close();
  await fresh.drop();
});

const pix = (query: string): string => `/Patient/$ihe-pix?${query}`;
const H1 = 'urn:oid:2.999.156.1.1';
const H3 = 'urn:oid:2.999.156.1.3';
const OWN = 'urn:oid:2.999.156.1';

async function answer(query: string): Promise<string[]> {
  const body = await served.json<Parameters>(pix(query));
  assert.deepEqual(faultsOf(body as FhirBody), [], query);
  return (body.parameter ?? [])
    .map(({ name, valueIdentifier, valueReference }) =>
      name === 'targetId'
        ? (valueReference?.reference ?? '')
        : `${valueIdentifier?.system ?? ''}|${valueIdentifier?.value ?? ''}`,
    )
    .sort();
}

test('corresponding identifiers: all, some, none, and never the one that was asked with', async () => {
  const self = `Patient/${person.personId}`;
  const resident = 'urn:oid:2.16.156.10011.1.3|210102198003151239';
  const all = [self, resident, `${OWN}|${person.personId}`, `${H1}|P1`, `${H3}|X9`];
  const without = (one: string): string[] => all.filter((each) => each !== one).sort();
  assert.deepEqual(await answer(`sourceIdentifier=${H1}|P1`), without(`${H1}|P1`));
  assert.deepEqual(await answer(`sourceIdentifier=${OWN}|${person.personId}`), without(`${OWN}|${person.personId}`));
  assert.deepEqual(await answer(`sourceIdentifier=${resident}`), without(resident));
  assert.deepEqual(await answer(`sourceIdentifier=${H1}|P1&targetSystem=${H3}`), [self, `${H3}|X9`].sort());
  assert.deepEqual(
    await answer(`sourceIdentifier=${H1}|P1&targetSystem=${H3}&targetSystem=${OWN}`),
    [self, `${H3}|X9`, `${OWN}|${person.personId}`].sort(),
  );
  assert.deepEqual(
    await answer(`sourceIdentifier=${H1}|P2&targetSystem=${H3}`),
    [],
    'known, with no id there: 200 and nothing',
  );
  assert.deepEqual(await answer(`sourceIdentifier=${served.base}|${self}`), without(self), 'by the resource itself');
  assert.deepEqual(await answer(`sourceIdentifier=${H1}|P1&targetSystem=${served.base}`), [self]);
  assert.deepEqual(served.audited.at(-1)?.persons, [person.personId]);
  assert.ok(!JSON.stringify(served.audited).includes('P1"'), 'no identifier in the audit');
});

test('each failure has the status, the code and the words of the guide', async () => {
  for (const [query, status, code, words] of [
    [`sourceIdentifier=${H1}|NOBODY`, 404, 'not-found', 'sourceIdentifier Patient Identifier not found'],
    [`sourceIdentifier=${H1}|P0`, 404, 'not-found', 'sourceIdentifier Patient Identifier not found'],
    [`sourceIdentifier=${H1}|`, 404, 'not-found', 'sourceIdentifier Patient Identifier not found'],
    ['sourceIdentifier=urn:oid:9.9.9|P1', 400, 'code-invalid', 'sourceIdentifier Assigning Authority not found'],
    ['sourceIdentifier=P1', 400, 'code-invalid', 'sourceIdentifier Assigning Authority not found'],
    ['sourceIdentifier=|P1', 400, 'code-invalid', 'sourceIdentifier Assigning Authority not found'],
    [`sourceIdentifier=${H1}|P1&targetSystem=urn:oid:9.9.9`, 403, 'code-invalid', 'targetSystem not found'],
    [
      `sourceIdentifier=${H1}|P1&targetSystem=${H3}&targetSystem=urn:oid:9.9.9`,
      403,
      'code-invalid',
      'targetSystem not found',
    ],
    ['', 400, 'required', 'exactly one sourceIdentifier is taken'],
    [`sourceIdentifier=${H1}|P1&sourceIdentifier=${H1}|P2`, 400, 'invalid', 'exactly one sourceIdentifier is taken'],
  ] as const) {
    const response = await served.get(pix(query));
    const body = (await response.json()) as OperationOutcome;
    assert.deepEqual(faultsOf(body as FhirBody), []);
    assert.deepEqual(
      [response.status, body.issue[0]?.severity, body.issue[0]?.code, body.issue[0]?.diagnostics],
      [status, 'error', code, words],
      query,
    );
  }
  assert.match(
    await (await served.get(pix(`sourceIdentifier=${H1}|P1&_format=application/fhir+xml`))).text(),
    /^<\?xml.*<Parameters/,
  );
  assert.equal(
    await refused(await served.get(pix(`sourceIdentifier=${H1}|P1&_format=text/csv`)), 406),
    'not-supported',
  );
  const junk = await fetch(`${served.base}/Patient/$ihe-pix`, {
    method: 'POST',
    headers: { 'content-type': 'application/fhir+json' },
    body: '{"resourceType":"Parameters","parameter":[null,{"name":7}]}',
  });
  assert.equal(await refused(junk, 400), 'structure');
});

test('patients by demographics: each parameter and combination, GET and POST, :exact, and nothing', async () => {
  for (const [query, wanted] of [
    ['family=张&gender=male', [person.personId]],
    ['birthdate=1980-03-15&family=张', [person.personId]],
    ['birthdate=ge1975&birthdate=lt1976', [other.personId]],
    ['family:exact=Zhang&given:exact=San', [other.personId, person.personId]],
    ['family:exact=zhang', []],
    [`identifier=${H1}|P1&identifier=${H3}|X9`, [person.personId]],
    [`identifier=${H1}|P1,${H1}|P2`, [other.personId, person.personId]],
    ['identifier=X9', [person.personId]],
    ['telecom=13800000000&active=true', [other.personId, person.personId]],
    ['address:exact=' + encodeURIComponent('中山路 1 号'), [other.personId, person.personId]],
    ['address-postalcode:exact=350001&gender=female', [other.personId]],
    ['address-city=福州', []],
    ['mothersMaidenName:exact=X', []],
    [`_id=${other.personId}`, [other.personId]],
    ['family=NOBODY', []],
  ] as const) {
    const found = await bundle(served, `/Patient?${query}`);
    assert.deepEqual(
      found.entry
        .filter(({ search }) => search?.mode === 'match')
        .map(({ resource }) => resource?.id)
        .sort(),
      [...wanted].sort(),
      query,
    );
    assert.equal(found.total, wanted.length, query);
    const form = await fetch(`${served.base}/Patient/_search`, {
      method: 'POST',
      headers: { 'content-type': 'application/x-www-form-urlencoded', accept: 'application/fhir+xml' },
      body: query,
    });
    assert.match(await form.text(), new RegExp(`<total value="${String(wanted.length)}"/>`), query);
  }
});

test('domains: only their identifiers are returned, and an unknown one is told', async () => {
  const found = await bundle(served, `/Patient?family=张&identifier=${H3}|`);
  assert.equal(found.total, 1);
  const patient = as<Patient>(found.entry[0]?.resource);
  assert.deepEqual(
    patient.identifier?.map(({ system }) => system),
    [H3],
  );
  assert.equal(patient.meta?.tag?.[0]?.code, 'SUBSETTED');
  assert.equal((await bundle(served, `/Patient?family=张&identifier=${H3}|,${H1}|`)).total, 2);
  const response = await served.get(`/Patient?family=张&identifier=urn:oid:9.9.9|`);
  const body = (await response.json()) as OperationOutcome;
  assert.deepEqual(
    [response.status, body.issue[0]?.severity, body.issue[0]?.code, body.issue[0]?.diagnostics],
    [404, 'warning', 'not-found', 'targetSystem not found'],
  );
});

test('the statement names the actors that this is, and patients are what PDQm wants', { skip: noGuides }, async () => {
  const statement = await served.json<CapabilityStatement>('/metadata');
  assert.deepEqual(faultsOf(statement as FhirBody), []);
  assert.ok(
    statement.instantiates?.includes('https://profiles.ihe.net/ITI/MHD/CapabilityStatement/IHE.MHD.DocumentResponder'),
  );
  assert.ok(statement.rest?.[0]?.interaction?.some(({ code }) => code === 'transaction'));
  const patients = statement.rest?.[0]?.resource?.find(({ type }) => type === 'Patient');
  assert.equal(patients?.operation?.[0]?.name, 'ihe-pix');
  const body = await served.json<Patient>(`/Patient/${person.personId}`);
  for (const name of ['PDQm/StructureDefinition/IHE.PDQm.Patient', 'PIXm/StructureDefinition/IHE.PIXm.Patient'])
    assert.deepEqual(
      faultsOf({ ...body, meta: { profile: [`https://profiles.ihe.net/ITI/${name}`] } } as FhirBody),
      [],
      name,
    );
});
