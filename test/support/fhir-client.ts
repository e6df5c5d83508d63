/** Asks the served FHIR face and validates every resource that it answers. */
import assert from 'node:assert/strict';
import type { Served } from './fhir.ts';
import { faultsOf } from './fhir-validation.ts';

export interface Resource {
  readonly resourceType: string;
  readonly id: string;
  readonly [field: string]: unknown;
}
export interface Entry {
  readonly fullUrl: string;
  /** Absent where a history tells of a removal. */
  readonly resource?: Resource;
  readonly search?: { readonly mode: string };
  readonly request?: { readonly method: string };
}
export interface BundleLike {
  readonly resourceType: string;
  readonly total?: number;
  readonly link: readonly { readonly relation: string; readonly url: string }[];
  readonly entry: readonly Entry[];
}

export const named = (entries: readonly Entry[]): string[] =>
  entries.map(({ resource }) => `${resource?.resourceType ?? ''}/${resource?.id ?? ''}`);

/** `relation` of a bundle's links as a path under the base. */
export const linked = (served: Served, from: BundleLike, relation: string): string | undefined =>
  from.link.find((link) => link.relation === relation)?.url.replace(served.base, '');

export async function bundle(served: Served, path: string): Promise<BundleLike> {
  const body = await served.json<Omit<BundleLike, 'entry'> & { readonly entry?: readonly Entry[] }>(path);
  assert.equal(body.resourceType, 'Bundle', JSON.stringify(body).slice(0, 400));
  assert.deepEqual(faultsOf(body), [], path);
  const entry = body.entry ?? [];
  for (const { resource } of entry) if (resource) assert.deepEqual(faultsOf(resource), [], path);
  return { ...body, entry };
}

export const found = async (served: Served, path: string): Promise<string[]> =>
  named((await bundle(served, path)).entry.filter((entry) => entry.search?.mode !== 'outcome')).sort();

/** The issue code of a refusal, which must be an OperationOutcome. */
export async function refused(response: Response, status: number): Promise<string> {
  const body = (await response.json()) as { resourceType: string; issue: { code: string; diagnostics: string }[] };
  assert.equal(response.status, status, JSON.stringify(body));
  assert.equal(body.resourceType, 'OperationOutcome');
  assert.deepEqual(faultsOf(body), []);
  return body.issue[0]?.code ?? '';
}
