/**
 * Every example of the guides MHD, PDQm and PIXm, and every message of other implementers for them: requests are sent to
 * the face and taken or refused as the guide says; resources are read as such. Prints what became of each.
 */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { Bundle, DocumentReference, List, OperationOutcome, Parameters } from 'fhir/r4.js';
import type { FhirBody } from '../../hub/core/fhir.ts';
import { siteId } from '../../hub/core/identifier.ts';
import { fromXml } from '../../mappings/fhir/from-xml.ts';
import { listKindOf } from '../../mappings/fhir/mhd-list.ts';
import { profileFaults, type MhdKind, type MhdProfile } from '../../mappings/fhir/mhd-rules.ts';
import { structureFaults } from '../../mappings/fhir/structure.ts';
import { toXml } from '../../mappings/fhir/xml.ts';
import { parseXml } from '../../mappings/xds/xml.ts';
import { index } from '../support/affinity.ts';
import { freshDatabase, type FreshDatabase } from '../support/database.ts';
import { faultsOf } from '../support/fhir-validation.ts';
import {
  openStore,
  personResources,
  personView,
  patientView,
  READER,
  save,
  serveFhir,
  siteResources,
  type Served,
} from '../support/fhir.ts';
import { as } from '../support/mhd.ts';
import { guide, noGuides, noSamples, useGuides } from '../support/ihe-guides.ts';
import { iheSamples } from '../support/ihe-samples.ts';

let fresh: FreshDatabase;
let served: Served;
const person = personView({
  records: [
    patientView({
      identifiers: [
        { authority: '1.3.6.1.4.1.21367.13.20.1000', value: 'IHERED-994', type: 'MR' },
        { authority: '1.3.6.1.4.1.21367.13.20.2000', value: 'IHEGREEN-994', type: 'MR' },
        { authority: '1.3.6.1.4.1.21367.13.20.3000', value: 'IHEBLUE-994', type: 'MR' },
      ],
    }),
  ],
});
/** What stands before: the document that examples append to and replace. */
let known = '';

before(async () => {
  useGuides();
  fresh = await freshDatabase();
  await save(fresh.database, [...siteResources(), ...personResources(person)]);
  await index(fresh.database, [person.personId]);
  served = await serveFhir(openStore(fresh.database));
});
after(async () => {
  await served.close();
  await fresh.drop();
});

const FEED = { ...READER, role: 'hospital-feed' as const, site: siteId('h1') };

/** The guide's patients and documents lie on some server: here they are this hub's. */
const localised = (resource: unknown): string =>
  JSON.stringify(resource)
    .replaceAll(/(https?:\/\/[^"]*\/)?Patient\/(ex-patient|fdoc-patient)"/g, `Patient/${person.personId}"`)
    .replaceAll(/"(reference|url)":"DocumentReference\/ex-[A-Za-z]+"/g, `"$1":"DocumentReference/${known}"`);

async function post(path: string, body: string, type = 'application/fhir+json'): Promise<Response> {
  served.caller = FEED;
  return fetch(`${served.base}${path}`, { method: 'POST', headers: { 'content-type': type }, body });
}

/** The validator asks bdl-8 (no version in fullUrl) of entries that have none; the guide's own answers have none. */
const answerFaults = (body: unknown): string[] =>
  faultsOf(body as FhirBody)
    .flatMap((fault) => fault.split('; '))
    .filter((fault) => !fault.startsWith('Constraint bdl-8'));

async function outcomeOf(response: Response): Promise<string> {
  const body = (await response.json()) as Bundle | OperationOutcome;
  assert.deepEqual(answerFaults(body), []);
  if (body.resourceType !== 'OperationOutcome') return String(response.status);
  const [issue] = body.issue;
  return `${String(response.status)} ${issue?.details?.text ?? issue?.diagnostics ?? ''} at ${issue?.expression?.[0] ?? ''}`;
}

/** The examples as others hold them have the verdicts that are claimed for them. */
const claimed = new Map(
  ['FHIR-IG-examples', 'MHD'].flatMap((folder) =>
    iheSamples(folder).map(({ name, verdict }) => [name.replace(/^.*\//, ''), verdict] as const),
  ),
);
function isClaimed(path: string, outcome: string): void {
  const verdict = claimed.get(path.replace(/^.*\//, ''));
  if (verdict !== undefined) assert.equal(/^20\d/.test(outcome) ? 'accepted' : 'refused', verdict, path);
}

const rows: string[] = [];
const told = (name: string, outcome: string): void => {
  rows.push(`${name.replace(/^package\/example\//, '').padEnd(74)} ${outcome}`);
};
after(() => {
  for (const row of rows) console.log(row);
});

/** By the name of the example; what is not here is taken. */
const PROVIDE: Readonly<Record<string, string>> = {
  // No patient at all, or one with a name alone: an affinity domain knows patients by identifiers.
  'Bundle-ex-minimalProvideDocumentBundleSimple': '422 XDSUnknownPatientId at Bundle.entry[0].resource.subject',
  'Bundle-ex-minimalProvideDocumentBundleSimpleContained':
    '422 XDSUnknownPatientId at Bundle.entry[0].resource.subject',
  // Its attachment says another size than its Binary has (§3.65.4.1.2.1: "shall populate accurate").
  'Bundle-ex-comprehensiveProvideDocumentBundleReplace':
    '422 XDSNonIdenticalSize at Bundle.entry[2].resource.content[0].attachment.size',
  // Two DocumentReferences with one masterIdentifier (ITI TF-2 §3.41.4.1.3).
  'Bundle-ex-comprehensiveProvideDocumentBundleMultiple':
    '422 XDSRepositoryDuplicateUniqueIdInMessage at Bundle.entry[2].resource.masterIdentifier',
  // It bears no profile, and is meant as a stand-in.
  'Bundle-ex-dummyBundleDocAndBinary':
    '400 one of the ProvideBundle profiles of MHD is required at Bundle.meta.profile',
};

test('ITI-65: every bundle of the guide, in JSON and in XML', { skip: noGuides }, async () => {
  const examples = guide('ihe.iti.mhd').filter(
    ({ path, resource }) => path.includes('/example/') && (resource as Partial<Bundle>).type === 'transaction',
  );
  assert.ok(examples.length >= 10);
  const simple = examples.find(({ path }) => path.includes('comprehensiveProvideDocumentBundleSimple'));
  const first = await post('', localised(simple?.resource));
  assert.equal(first.status, 200);
  const answer = (await first.json()) as Bundle;
  assert.deepEqual(answerFaults(answer), []);
  known = answer.entry?.[1]?.response?.location?.replace('DocumentReference/', '') ?? '';
  told('comprehensiveProvideDocumentBundleSimple', '200');
  isClaimed(simple?.path ?? '', String(first.status));
  for (const { path, resource } of examples) {
    if (path === simple?.path) continue;
    const name = path.replace(/^.*\/|\.json$/g, '');
    const wanted = PROVIDE[name] ?? '200';
    const outcome = await outcomeOf(await post('', localised(resource)));
    told(path, outcome);
    assert.equal(outcome, wanted, path);
    isClaimed(path, outcome);
    if (name.includes('BundleDocument')) continue;
    // Once more as XML, as another submission: the same verdict, though each list is new.
    const again = JSON.parse(localised(resource).replaceAll(/(urn:oid:[0-9.]+)\.463(\d\d)"/g, '$1.999$2"')) as FhirBody;
    const xml = await post('', toXml(again), 'application/fhir+xml');
    assert.equal(await outcomeOf(xml), wanted, `${path} as XML`);
  }
});

test('ITI-65: the bundles of other implementers', { skip: noSamples }, async () => {
  const verdicts: Readonly<Record<string, string>> = {
    // Swiss bundles, for patients of other servers.
    'mag__ch-mhd-bundle-sample.json': '422 XDSUnknownPatientId at Bundle.entry[1].resource.subject',
    'mag__mhdch.json': '422 XDSUnknownPatientId at Bundle.entry[1].resource.subject',
    'ipf__mhd_test.json': '200',
    // An expectation of a test, with placeholders where values stand.
    'xr2f__fhir-register-validation-template.json': '400',
    // A DocumentReference to be put, by the drafts of another guide (RMD).
    'mag__update-request-1.json': '400 a transaction Bundle is taken here at Bundle',
  };
  for (const { name, verdict, ...sample } of iheSamples('MHD')) {
    const text = sample.text();
    if (name.endsWith('.fsh')) {
      assert.equal(verdict, 'no-input');
      told(name, 'source text of the guide: its examples are run as published');
      continue;
    }
    if (name.endsWith('.xml')) {
      told(name, xmlResponse(text));
      assert.equal(verdict, 'read');
      continue;
    }
    // It is the guide's simple example with more authors: here another submission set.
    const body = localised(JSON.parse(text)).replaceAll('41281.46346"', '41281.77346"');
    const outcome = await outcomeOf(await post('', body));
    told(name, outcome);
    assert.ok(outcome.startsWith(verdicts[name] ?? '200'), `${name}: ${outcome}`);
    isClaimed(name, outcome);
    if (!name.startsWith('mag__') || name.includes('update')) continue;
    const here = body.replaceAll(/"[^"]*\/Patient\/[A-Za-z0-9]+"/g, `"Patient/${person.personId}"`);
    const ours = await outcomeOf(await post('', here));
    told(`${name}, for a patient of this hub`, ours);
    assert.equal(ours, '200');
  }
});

/** Answers of other servers: read as FHIR, each entry as what it is. */
function xmlResponse(text: string): string {
  const root = parseXml(Buffer.from(text));
  assert.ok(root.ok);
  const bundle = as<Bundle>(fromXml(root.value));
  assert.equal(bundle.resourceType, 'Bundle');
  const faults = structureFaults(bundle, 'Bundle', () => false);
  return faults.length === 0 ? 'read as R4' : `not R4: ${faults[0]?.path ?? ''} ${faults[0]?.text ?? ''}`;
}

const PROFILE =
  /IHE\.MHD\.(Minimal|Comprehensive|UnContained\.Comprehensive|SimplifiedPublish)\.(DocumentReference|SubmissionSet|Folder)$/;

/** Examples that break their own profile, and where. */
const BROKEN: Readonly<Record<string, RegExp>> = {};

test('ITI-65 to 67: every DocumentReference and List of the guide is what its profile says', { skip: noGuides }, () => {
  let count = 0;
  for (const { path, resource } of guide('ihe.iti.mhd')) {
    const bodies = path.includes('/example/') ? contentsOf(resource) : [];
    for (const body of bodies) {
      const [, profile = '', form = ''] = PROFILE.exec(body.meta?.profile?.[0] ?? '') ?? [];
      if (form === '') continue;
      count += 1;
      const kind: MhdKind =
        profile === 'SimplifiedPublish'
          ? 'simplified'
          : form === 'Folder'
            ? 'folder'
            : form === 'SubmissionSet'
              ? 'submission-set'
              : 'document';
      const level = (profile === 'SimplifiedPublish' ? 'Minimal' : profile) as MhdProfile;
      const faults = [
        ...structureFaults(body, body.resourceType, () => false),
        ...profileFaults(body as FhirBody, kind, level, body.resourceType),
      ].map((fault) => `${fault.path}: ${fault.text}`);
      const list = body.resourceType === 'List' ? listKindOf(body) : 'document';
      assert.notEqual(list, null, path);
      told(path, faults.length === 0 ? `is a ${profile} ${form}` : faults.join('; '));
      const broken = BROKEN[path.replace(/^.*\/|\.json$/g, '')];
      if (broken) assert.match(faults.join(), broken, path);
      else assert.deepEqual(faults, [], path);
    }
  }
  assert.ok(count >= 15, String(count));
});

type Body = DocumentReference | List;
const contentsOf = (resource: FhirBody): Body[] => {
  if (resource.resourceType === 'DocumentReference' || resource.resourceType === 'List') return [resource as Body];
  const { type, entry = [] } = resource as Partial<Bundle>;
  return type === 'searchset' ? entry.map((one) => as<Body>(one.resource)) : [];
};

test('ITI-105: the simplified example is taken, and found again', { skip: noGuides }, async () => {
  const example = guide('ihe.iti.mhd').find(({ path }) => path.endsWith('ex-DocumentReferenceSimplifiedPublish.json'));
  const response = await post('/DocumentReference', localised(example?.resource));
  assert.equal(response.status, 201);
  const body = (await response.json()) as DocumentReference;
  assert.deepEqual(faultsOf(body as FhirBody), []);
  assert.match(response.headers.get('location') ?? '', new RegExp(`/DocumentReference/${body.id ?? '?'}/_history/1$`));
  told('DocumentReference-ex-DocumentReferenceSimplifiedPublish (ITI-105)', '201');
  const bytes = await served.get(`/Binary/${body.id ?? ''}`);
  assert.equal(bytes.status, 403, 'who may send may not read');
  served.caller = READER;
  assert.equal(await (await served.get(`/Binary/${body.id ?? ''}`)).text(), 'Hello World');
});

test('ITI-83: every request of the guide has the answer of the guide', { skip: noGuides }, async () => {
  const files = guide('ihe.iti.pixm');
  const named = (name: string): Parameters =>
    as<Parameters>(files.find(({ path }) => path.endsWith(`${name}.json`))?.resource);
  for (const name of ['red-all', 'red-to-blue']) {
    const request = named(`pixm-request-mohralice-${name}`);
    const pairs = (request.parameter ?? []).map((one): [string, string] => [one.name, one.valueString ?? '']);
    const query = new URLSearchParams(pairs);
    query.delete('_format');
    served.caller = READER;
    const response = await served.get(`/Patient/$ihe-pix?${query.toString()}`);
    assert.equal(response.status, 200);
    isClaimed(`Parameters-pixm-request-mohralice-${name}.json`, '200');
    const answer = (await response.json()) as Parameters;
    assert.deepEqual(faultsOf({ ...answer, meta: named(`pixm-response-mohralice-${name}`).meta } as FhirBody), []);
    const identifiers = (one: Parameters): string[] =>
      (one.parameter ?? []).flatMap(({ valueIdentifier }) =>
        valueIdentifier ? [`${valueIdentifier.system ?? ''}|${valueIdentifier.value ?? ''}`] : [],
      );
    const wanted = identifiers(named(`pixm-response-mohralice-${name}`));
    // The guide's red-to-blue asks for two domains and shows one: with both known here, both are answered.
    for (const one of wanted) assert.ok(identifiers(answer).includes(one), one);
    assert.ok(!identifiers(answer).some((one) => one.endsWith('|IHERED-994')), 'the source itself is not answered');
    assert.ok(
      answer.parameter?.some(
        ({ name: key, valueReference }) =>
          key === 'targetId' && valueReference?.reference === `Patient/${person.personId}`,
      ),
    );
    told(`Parameters-pixm-request-mohralice-${name}`, `200 ${String(identifiers(answer).length)} identifiers`);
    const posted = await fetch(`${served.base}/Patient/$ihe-pix`, {
      method: 'POST',
      headers: { 'content-type': 'application/fhir+json' },
      body: JSON.stringify({ ...request, parameter: request.parameter?.filter((one) => one.name !== '_format') }),
    });
    assert.deepEqual(await posted.json(), answer);
  }
  served.caller = READER;
  const missing = await served.get('/Patient/$ihe-pix?sourceIdentifier=urn:oid:1.3.6.1.4.1.21367.13.20.1000|NOBODY');
  const example = as<OperationOutcome>(
    files.find(({ path }) => path.endsWith('pixm-response-error-not-found.json'))?.resource,
  );
  const outcome = (await missing.json()) as OperationOutcome;
  assert.equal(missing.status, 404);
  assert.equal(outcome.issue[0]?.code, example.issue[0]?.code);
  assert.equal(outcome.issue[0]?.diagnostics, example.issue[0]?.details?.text);
  told('OperationOutcome-pixm-response-error-not-found', '404, the same words');
});

test('PDQm and PIXm: every Patient of the guides is read as R4', { skip: noGuides }, () => {
  for (const name of ['ihe.iti.pdqm', 'ihe.iti.pixm'])
    for (const { path, resource } of guide(name)) {
      const { type, entry = [] } = resource as Partial<Bundle>;
      if (!path.includes('/example/') || (resource.resourceType !== 'Patient' && type !== 'searchset')) continue;
      const patients = type === 'searchset' ? entry.map((one) => one.resource as FhirBody) : [resource];
      for (const patient of patients) {
        if (patient.resourceType !== 'Patient') continue;
        assert.deepEqual(
          structureFaults(patient, 'Patient', () => false),
          [],
          path,
        );
        assert.deepEqual(fromXml(rootOf(toXml(patient))), withoutText(patient), path);
      }
      told(path, 'read as R4');
    }
});

function rootOf(xml: string) {
  const root = parseXml(Buffer.from(xml));
  assert.ok(root.ok);
  return root.value;
}
const withoutText = (body: FhirBody): object => {
  const { text: _text, ...rest } = body as FhirBody & { text?: unknown };
  return rest;
};
