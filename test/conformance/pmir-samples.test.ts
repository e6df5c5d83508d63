/**
 * PMIR's examples (ITI-93, ITI-94) as another implementer would send them, to the FHIR face. What the hub answers to each
 * is in TODAY: whoever builds the feed or the subscription changes its line, and the claim of the folder.
 */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { Bundle, OperationOutcome } from 'fhir/r4.js';
import { siteId } from '../../hub/core/identifier.ts';
import { structureFaults } from '../../mappings/fhir/structure.ts';
import { freshDatabase, type FreshDatabase } from '../support/database.ts';
import { faultsOf } from '../support/fhir-validation.ts';
import { openStore, READER, serveFhir, type Served } from '../support/fhir.ts';
import { readFsh, type Instance } from '../support/fsh.ts';
import { as } from '../support/mhd.ts';
import { iheSamples, noIheSamples } from '../support/ihe-samples.ts';

interface Answer {
  readonly status: number;
  readonly code: string;
}
const TODAY: Readonly<Record<'ITI-93' | 'ITI-94', Answer>> = {
  // A site speaks of its own patient numbers only, and these are of none.
  'ITI-93': { status: 422, code: 'invalid' },
  // "resource type not supported" (R4 http.html §3.1.0.8).
  'ITI-94': { status: 404, code: 'not-found' },
};
/** The examples of one file, since each verdict is of a file: a feed of four messages, a subscription and its request. */
const MESSAGES: Readonly<Record<string, readonly string[]>> = {
  'pmir__ex-bundle.fsh': ['ex-PMIRBundleMerge', 'ex-PMIRBundleCreate', 'ex-PMIRBundleUpdate', 'ex-PMIRBundleDelete'],
  'pmir__ex-subscription.fsh': ['ex-subscription', 'ex-subscription-request'],
};

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

test('each file that has messages is there', { skip: noIheSamples }, () => {
  const names = iheSamples('PMIR').map(({ name }) => name);
  for (const name of Object.keys(MESSAGES)) assert.ok(names.includes(name), name);
});

for (const sample of iheSamples('PMIR'))
  test(`${sample.name} is ${sample.verdict}: ${sample.why}`, { skip: noIheSamples }, async (t) => {
    const resources = readFsh(sample.text());
    const messages = MESSAGES[sample.name] ?? [];
    const records = [...resources.values()].filter(({ resourceType }) => resourceType === 'AuditEvent');
    assert.equal(messages.length > 0, records.length === 0);
    for (const record of records) assert.deepEqual(faultsOf(record), [], JSON.stringify(record));
    assert.equal(records.length > 0, sample.verdict === 'read');
    for (const name of messages) {
      const resource = resources.get(name) ?? assert.fail(name);
      const kind = resource.resourceType === 'Bundle' ? 'ITI-93' : 'ITI-94';
      const wanted = TODAY[kind];
      if (kind === 'ITI-93') isFeed(resource, name);
      served.caller = { ...READER, role: 'hospital-feed' as const, site: siteId('h1') };
      const response = await fetch(`${served.base}${kind === 'ITI-93' ? '/$process-message' : '/Subscription'}`, {
        method: 'POST',
        headers: { 'content-type': 'application/fhir+json' },
        body: JSON.stringify(resource),
      });
      const outcome = (await response.json()) as OperationOutcome;
      t.diagnostic(`${name}: ${String(response.status)} ${outcome.issue[0]?.code ?? ''}`);
      assert.deepEqual([response.status, outcome.issue[0]?.code], [wanted.status, wanted.code], name);
      assert.equal(response.status < 400 ? 'accepted' : 'refused', sample.verdict);
      assert.deepEqual(faultsOf(outcome), []);
    }
  });

type FeedEntry = Pick<Bundle, 'entry'> & { resourceType: string; type?: string; eventUri?: string };

/** PMIR §3.93.4.1.2: a MessageHeader of the feed, and the history that it is about; read from the text without loss. */
function isFeed(resource: Instance, name: string): void {
  const bundle = as<Bundle>(resource);
  assert.deepEqual(
    structureFaults(bundle, 'Bundle', (_path, type) => type !== 'Bundle'),
    [],
    name,
  );
  const [header, history] = bundle.entry?.map((entry) => as<FeedEntry>(entry.resource)) ?? [];
  assert.deepEqual([header?.resourceType, history?.resourceType], ['MessageHeader', 'Bundle']);
  assert.deepEqual([header?.eventUri, history?.type], ['urn:ihe:iti:pmir:2019:patient-feed', 'history']);
  const methods = history?.entry?.map(({ request }) => request?.method) ?? [];
  const wanted = { Create: ['POST', 'POST'], Update: ['PUT'], Merge: ['PUT'], Delete: ['DELETE'] };
  assert.deepEqual(methods, wanted[name.replace('ex-PMIRBundle', '') as keyof typeof wanted]);
}
