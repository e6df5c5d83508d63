/**
 * The published examples of BALP, MHD, PDQm and PIXm as other implementers hold them: records, answers and resources are
 * held against their profiles and the hub's own rules here, requests are sent by the tests of their transactions. The
 * guides' source texts compile to these examples, which is checked name by name.
 */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { Bundle } from 'fhir/r4.js';
import type { FhirBody } from '../../hub/core/fhir.ts';
import { fromXml } from '../../mappings/fhir/from-xml.ts';
import { parseXml } from '../../mappings/xds/xml.ts';
import { auditFaults } from '../support/audit-events.ts';
import { freshDatabase, type FreshDatabase } from '../support/database.ts';
import { addDefinitions, faultsOf } from '../support/fhir-validation.ts';
import { openStore, READER, serveFhir, type Served } from '../support/fhir.ts';
import { guide, noGuides, useGuides } from '../support/ihe-guides.ts';
import { iheSamples, noIheSamples, type Sample } from '../support/ihe-samples.ts';

const skip = noIheSamples === false ? noGuides : noIheSamples;
let fresh: FreshDatabase;
let served: Served;
before(async () => {
  if (skip !== false) return;
  useGuides();
  addDefinitions(guide('ihe.iti.balp').flatMap(({ path, resource }) => (path.includes('/example/') ? [] : [resource])));
  fresh = await freshDatabase();
  served = await serveFhir(openStore(fresh.database));
});
after(async () => {
  if (skip !== false) return;
  await served.close();
  await fresh.drop();
});

const examples = iheSamples('FHIR-IG-examples');
const bodyOf = (sample: Sample): FhirBody => JSON.parse(sample.text()) as FhirBody;
const of = (type: RegExp): readonly Sample[] => examples.filter(({ name }) => type.test(name));

/** What the validator finds in examples, and why that is none of our rules; what is not here has nothing. */
const FAULTS: readonly (readonly [files: RegExp, faults: RegExp, why: string])[] = [
  [
    /SAML-(QDI-)?Comp\.json$/,
    /^Incorrect number .* slice 'user'/,
    'a type of two codings, of which the pattern of the slice names one',
  ],
  [
    /PixmFeed-update/,
    /^Incorrect number .* slice '(anyUpdate|iti104)'/,
    'slices that tell by a value set, which it counts wrongly',
  ],
  [
    /Bundle-(Find|ex-find|ex-Query)/,
    /^Unsupported slicing discriminator type: profile$/,
    'it cannot tell slices by a profile: each entry is held against its own',
  ],
  [
    /Bundle-ex-response/,
    /^(Constraint bdl-8 not met: [^;]*(; )?)+$/,
    'the rule is asked of entries without fullUrl too',
  ],
  [
    /Bundle-ex-match-output(-error|-multiple|-warning)?\.json$/,
    /^Incorrect number .* slice 'MatchGrade'/,
    'a slice of entry.search, which it counts among the entries',
  ],
];

/** Each resource is what it says; a fault is one that is known. */
function holds(samples: readonly Sample[], faults: (body: FhirBody) => string[]): void {
  assert.ok(samples.length > 0);
  for (const sample of samples) {
    const body = bodyOf(sample) as FhirBody & Partial<Bundle>;
    const found = faults(body);
    for (const { resource } of body.entry ?? [])
      if (resource) assert.deepEqual(faultsOf(resource as FhirBody), [], sample.name);
    const known = FAULTS.find(([files]) => files.test(sample.name));
    if (known === undefined) assert.deepEqual(found, [], sample.name);
    else {
      assert.ok(found.length > 0, `${sample.name} has no fault any more (${known[2]})`);
      for (const fault of found) assert.match(fault, known[1], sample.name);
    }
  }
}

test('audit records are what their profiles of BALP, MHD, PDQm and PIXm ask for', { skip }, async () => {
  holds(of(/\/AuditEvent-/), auditFaults);
});

test('answers of servers, documents, and their entries', { skip }, () => {
  const answers = of(/\/Bundle-/).filter(({ verdict }) => verdict === 'read');
  holds(answers, faultsOf);
  for (const sample of answers) assert.notEqual((bodyOf(sample) as Partial<Bundle>).type, 'transaction');
  holds(of(/\/(OperationOutcome|Parameters-pixm-response)/), faultsOf);
});

test('metadata of documents, patients, and what references end at', { skip }, () => {
  holds(
    examples.filter(({ name, verdict }) => verdict !== 'refused' && /\/(DocumentReference|List|Patient)-/.test(name)),
    faultsOf,
  );
  holds(
    examples.filter(({ verdict }) => verdict === 'no-input'),
    faultsOf,
  );
});

test('requests are what their profiles ask for, and what the hub does not offer it says', { skip }, async () => {
  const requests = examples.filter(({ verdict }) => verdict === 'accepted' || verdict === 'refused');
  for (const { name } of requests) assert.match(name, /\/(Bundle|Parameters|Patient)-/);
  served.caller = READER;
  for (const sample of of(/patchParameters/)) {
    const response = await fetch(`${served.base}/DocumentReference/ex-documentreference`, {
      method: 'PATCH',
      headers: { 'content-type': 'application/fhir+json' },
      body: sample.text(),
    });
    assert.equal(response.status, 405);
    assert.equal(sample.verdict, 'refused');
    assert.deepEqual(faultsOf((await response.json()) as FhirBody), []);
  }
});

test(
  'the examples are those that the guides were published with, which the tests of transactions send',
  { skip },
  () => {
    for (const sample of examples) {
      const [folder = '', ...rest] = sample.name.split('/');
      const published = guide(`ihe.iti.${folder.replace(/-.*$/, '')}`).find(({ path }) => path === rest.join('/'));
      assert.deepEqual(bodyOf(sample), published?.resource, sample.name);
    }
  },
);

/** Instances of a source text that stand for themselves; those within others have no file of their own. */
const instancesOf = (text: string): string[] =>
  text
    .split(/^(?=Instance:)/m)
    .filter((block) => block.startsWith('Instance:') && !/^Usage:\s*#(inline|definition)/m.test(block))
    .map((block) => /^Instance:\s*(\S+)/.exec(block)?.[1] ?? '');

for (const [folder, name] of [
  ['ATNA-BALP', 'balp'],
  ['PDQm', 'pdqm'],
  ['PIXm', 'pixm'],
  ['MHD', 'mhd'],
] as const)
  test(`${folder}: each example in a source text is among those that are run`, { skip }, () => {
    const names = guide(`ihe.iti.${name}`).map(({ path }) => path.replace(/^.*\/[A-Za-z]+-|\.json$/g, ''));
    const texts = iheSamples(folder).filter(({ name: file }) => file.endsWith('.fsh'));
    assert.ok(texts.length > 0);
    for (const sample of texts) {
      assert.equal(sample.verdict, 'no-input');
      for (const one of instancesOf(sample.text())) assert.ok(names.includes(one), `${sample.name}: ${one}`);
    }
  });

test('PIXm: patients and messages are the published ones, in JSON or in XML', { skip }, () => {
  const published = guide('ihe.iti.pixm');
  for (const sample of iheSamples('PIXm').filter(({ name }) => !name.endsWith('.fsh'))) {
    const name = sample.name.replace(/^pixm__|\.\w+$/g, '');
    const example = published.find(({ path }) => path.endsWith(`-${name}.json`) || path.endsWith(`/${name}.json`));
    assert.ok(example, sample.name);
    const root = sample.name.endsWith('.xml') ? parseXml(sample.bytes()) : null;
    const body = root === null ? bodyOf(sample) : root.ok ? fromXml(root.value) : assert.fail(sample.name);
    const { text: _text, meta: _meta, ...wanted } = example.resource as FhirBody & { text?: unknown; meta?: unknown };
    const { text: _own, meta: _its, ...given } = body as typeof wanted & { text?: unknown; meta?: unknown };
    assert.deepEqual(given, wanted, sample.name);
  }
});
