/**
 * Examples of what the guides leave optional, with what the hub answers today: ITI-93 (PMIR), ITI-104 (Patient feed) and
 * ITI-106 ($generate-metadata).
 */
import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import type { Bundle, OperationOutcome, Patient } from 'fhir/r4.js';
import { siteId } from '../../hub/core/identifier.ts';
import { freshDatabase, type FreshDatabase } from '../support/database.ts';
import { faultsOf } from '../support/fhir-validation.ts';
import { openStore, READER, serveFhir, type Served } from '../support/fhir.ts';
import { guide, noGuides, noSamples, samples } from '../support/ihe-guides.ts';
import { iheSamples } from '../support/ihe-samples.ts';

type Kind = 'ITI-93' | 'ITI-104' | 'ITI-106';

interface Verdict {
  readonly status: number;
  /** Code of the outcome's first issue, or the type of what came instead. */
  readonly said: string;
}

/** What each transaction is answered with, an example of its own line apart. */
const TODAY: Readonly<Record<Kind, Verdict>> = {
  // Numbers of domains that are not the sending site's.
  'ITI-93': { status: 422, said: 'invalid' },
  'ITI-104': { status: 403, said: 'forbidden' },
  'ITI-106': { status: 501, said: 'not-supported' },
};

const OTHERWISE: Readonly<Record<string, Verdict>> = {
  // A Bundle, where ITI-104 is about one Patient.
  'mag__patientfeed.json': { status: 422, said: 'invalid' },
  // Merged into a Patient by reference, and no such resource is here.
  'MohrMaidenResolvedByMohrMalice-Red.json': { status: 422, said: 'invalid' },
  // Its identifier names no system.
  'ex-patient.json': { status: 422, said: 'invalid' },
};

const REQUEST: Readonly<Record<Kind, readonly [method: string, path: string]>> = {
  'ITI-93': ['POST', '/$process-message'],
  'ITI-104': ['PUT', '/Patient'],
  'ITI-106': ['POST', '/DocumentReference/$generate-metadata'],
};

/** ITI-104 names the patient by an identifier that its body holds (PIXm §3.104.4.1.2.1). */
function query(kind: Kind, body: string): string {
  if (kind !== 'ITI-104') return '';
  const [first] = (JSON.parse(body) as Partial<Patient>).identifier ?? [];
  return `?identifier=${encodeURIComponent(`${first?.system ?? 'urn:oid:2.999'}|${first?.value ?? 'none'}`)}`;
}

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
  // The same example bears one name in its guide and another among the samples.
  const wanted = OTHERWISE[name.replace(/^.*Patient-/, '')] ?? TODAY[kind];
  served.caller = { ...READER, role: 'hospital-feed' as const, site: siteId('h1') };
  const response = await fetch(`${served.base}${path}${query(kind, body)}`, {
    method,
    headers: { 'content-type': type },
    body,
  });
  const answer = (await response.json()) as OperationOutcome | Bundle;
  const said = answer.resourceType === 'OperationOutcome' ? (answer.issue[0]?.code ?? '') : answer.resourceType;
  console.log(`${kind.padEnd(8)} ${name.padEnd(60)} ${String(response.status)} ${said}`);
  assert.deepEqual([response.status, said], [wanted.status, wanted.said], name);
  const verdict = claimed.get(name.replace(/^.*\//, ''));
  if (verdict !== undefined) assert.equal(response.status < 400 ? 'accepted' : 'refused', verdict, name);
  if (answer.resourceType === 'OperationOutcome') assert.deepEqual(faultsOf(answer), [], name);
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
