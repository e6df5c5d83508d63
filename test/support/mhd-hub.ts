/** The FHIR face over a real registry with two patients and an exam, for the tests of MHD. */
import assert from 'node:assert/strict';
import type { Bundle } from 'fhir/r4.js';
import { siteId } from '../../hub/core/identifier.ts';
import { index } from './affinity.ts';
import { freshDatabase, type FreshDatabase } from './database.ts';
import type { BundleLike } from './fhir-client.ts';
import {
  derive,
  examResources,
  examView,
  openStore,
  patientView,
  personResources,
  personView,
  READER,
  save,
  serveFhir,
  siteResources,
  type Served,
} from './fhir.ts';
import { useGuides } from './ihe-guides.ts';
import { provideBundle, type Given } from './mhd.ts';

export const person = personView();
export const other = personView({
  personId: derive.id('person', '2'),
  records: [patientView({ localId: 'P2', residentId: null, identifiers: [] })],
});
export const subject = `Patient/${person.personId}`;
export const FEED = { ...READER, id: 'feed', role: 'hospital-feed' as const, site: siteId('h1') };

let next = 0;
/** Another OID each time. */
export const uid = (): string => `1.2.999.${String((next += 1))}`;

export interface MhdHub {
  readonly fresh: FreshDatabase;
  readonly served: Served;
  /** Sends as a hospital's feed. */
  post(body: unknown, type?: string): Promise<Response>;
  /** Locations of what was taken. */
  provided(given: Partial<Given> & Pick<Given, 'documents'>): Promise<string[]>;
  close(): Promise<void>;
}

export async function openMhd(): Promise<MhdHub> {
  useGuides();
  const fresh = await freshDatabase();
  await save(fresh.database, [
    ...siteResources(),
    ...personResources(person),
    ...personResources(other),
    ...examResources(examView()),
  ]);
  await index(fresh.database, [person.personId, other.personId]);
  const served = await serveFhir(openStore(fresh.database));
  const post = async (body: unknown, type = 'application/fhir+json'): Promise<Response> => {
    served.caller = FEED;
    const text = typeof body === 'string' ? body : JSON.stringify(body);
    const response = await fetch(served.base, { method: 'POST', headers: { 'content-type': type }, body: text });
    served.caller = READER;
    return response;
  };
  return {
    fresh,
    served,
    post,
    async provided(given) {
      const response = await post(provideBundle({ subject, setId: uid(), ...given }));
      const body = (await response.json()) as Bundle;
      assert.equal(response.status, 200, JSON.stringify(body));
      return (body.entry ?? []).map((entry) => entry.response?.location ?? '');
    },
    async close() {
      await served.close();
      await fresh.drop();
    },
  };
}

export const matched = ({ entry }: BundleLike): string[] =>
  entry.filter((one) => one.search?.mode === 'match').map((one) => one.resource?.id ?? '');
