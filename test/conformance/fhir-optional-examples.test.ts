/**
 * Examples of what the guides leave optional, with what the hub answers today: ITI-93 (PMIR), ITI-104 (Patient
 * feed) and ITI-106 ($generate-metadata). Whoever builds one changes its line in TODAY.
 */
import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import type { OperationOutcome } from 'fhir/r4.js';
import { siteId } from '../../hub/core/identifier.ts';
import { freshDatabase, type FreshDatabase } from '../support/database.ts';
import { faultsOf } from '../support/fhir-validation.ts';
import { openStore, READER, serveFhir, type Served } from '../support/fhir.ts';
import { guide, noGuides, noSamples, samples } from '../support/ihe-guides.ts';
import { iheSamples } from '../support/ihe-samples.ts';

type Kind = 'ITI-93' | 'ITI-104' | 'ITI-106';

/** What each transaction is answered with; all examples of one kind alike. */
const TODAY: Readonly<Record<Kind, { readonly status: number; readonly code: string }>> = {
  'ITI-93': { status: 501, code: 'not-supported' },
  'ITI-104': { status: 405, code: 'not-supported' },
  'ITI-106': { status: 501, code: 'not-supported' },
};

const REQUEST: Readonly<Record<Kind, readonly [method: string, path: string]>> = {
  'ITI-93': ['POST', '/$process-message'],
  'ITI-104': ['PUT', '/Patient?identifier=urn:oid:1.3.6.1.4.1.21367.13.20.1000%7CIHERED-994'],
  'ITI-106': ['POST', '/DocumentReference/$generate-metadata'],
};

interface Example {
  readonly name: string;
  readonly kind: Kind;
  readonly body: string;
  readonly type: string;
}

const fromGuide = (name: string, kind: Kind, wanted: RegExp): Example[] =>
  guide(name)
    .filter(({ path }) => path.includes('/example/') && wanted.test(path))
    .map(({ path, resource }) => ({ name: path, kind, body: JSON.stringify(resource), type: 'application/fhir+json' }));

const filesIn = (folder: string, kind: Kind, wanted: RegExp): Example[] =>
  existsSync(folder)
    ? readdirSync(folder)
        .filter((name) => wanted.test(name))
        .sort()
        .map((name) => ({
          name,
          kind,
          body: readFileSync(join(folder, name), 'utf8'),
          type: `application/fhir+${name.endsWith('.xml') ? 'xml' : 'json'}`,
        }))
    : [];

/** The examples as others hold them have the verdicts that are claimed for them. */
const claimed = new Map(
  ['FHIR-IG-examples', 'ITI-104', 'PIXm'].flatMap((folder) =>
    iheSamples(folder).map(({ name, verdict }) => [name.replace(/^.*\//, ''), verdict] as const),
  ),
);

let fresh: FreshDatabase;
let served: Served;
before(async () => {
  fresh = await freshDatabase();
  served = await serveFhir(openStore(fresh.database));
});
after(async () => {
  await served.close();
  await fresh.drop();
});

async function run({ name, kind, body, type }: Example): Promise<void> {
  const [method, path] = REQUEST[kind];
  const wanted = TODAY[kind];
  served.caller = { ...READER, role: 'hospital-feed' as const, site: siteId('h1') };
  const response = await fetch(`${served.base}${path}`, { method, headers: { 'content-type': type }, body });
  const outcome = (await response.json()) as OperationOutcome;
  console.log(`${kind.padEnd(8)} ${name.padEnd(60)} ${String(response.status)} ${outcome.issue[0]?.code ?? ''}`);
  assert.deepEqual([response.status, outcome.issue[0]?.code], [wanted.status, wanted.code], name);
  const verdict = claimed.get(name.replace(/^.*\//, ''));
  if (verdict !== undefined) assert.equal(response.status < 400 ? 'accepted' : 'refused', verdict, name);
  assert.deepEqual(faultsOf(outcome), [], name);
}

test('examples of the guides', { skip: noGuides }, async () => {
  const examples = [
    ...fromGuide('ihe.iti.mhd', 'ITI-106', /Parameters-ex-input-/),
    ...fromGuide('ihe.iti.pixm', 'ITI-104', /\/Patient-/),
  ];
  for (const kind of ['ITI-106', 'ITI-104'])
    assert.ok(examples.filter((example) => example.kind === kind).length >= 2, kind);
  for (const example of examples) await run(example);
});

test('messages of other implementers', { skip: noSamples }, async () => {
  const examples = [
    ...filesIn(join(samples(''), '../fhir/iti-pmir'), 'ITI-93', /\.(xml|json)$/),
    ...filesIn(samples('ITI-104'), 'ITI-104', /\.json$/),
    ...filesIn(samples('PIXm'), 'ITI-104', /Patient-.*\.json$/),
  ];
  assert.ok(examples.length >= 5);
  for (const example of examples) await run(example);
});
