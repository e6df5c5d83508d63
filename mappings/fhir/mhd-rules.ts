/** What the MHD profiles demand of a DocumentReference or a List beyond R4 (MHD 4.2.3, StructureDefinitions), by element. */
import type { FhirBody } from '../../hub/core/fhir.ts';
import { MHD_EXTENSIONS } from './mhd-terms.ts';
import type { StructureFault } from './structure.ts';

export type MhdProfile = 'Minimal' | 'Comprehensive' | 'UnContained.Comprehensive';

type Rule = readonly [path: string, min: number, max: number];
const MANY = Number.POSITIVE_INFINITY;

const DOCUMENT: readonly Rule[] = [
  ['modifierExtension', 0, 0],
  ['masterIdentifier', 1, 1],
  ['masterIdentifier.system', 1, 1],
  ['masterIdentifier.value', 1, 1],
  ['docStatus', 0, 0],
  ['category', 0, 1],
  ['content', 1, 1],
  ['content.attachment.contentType', 1, 1],
  ['content.attachment.data', 0, 0],
  ['content.attachment.url', 1, 1],
];
const DOCUMENT_COMPREHENSIVE: readonly Rule[] = [
  ['type', 1, 1],
  ['category', 1, 1],
  ['subject', 1, 1],
  ['securityLabel', 1, MANY],
  ['content.attachment.language', 1, 1],
  ['content.attachment.creation', 1, 1],
  ['content.format', 1, 1],
  ['context.facilityType', 1, 1],
  ['context.practiceSetting', 1, 1],
  ['context.sourcePatientInfo', 1, 1],
];
const LIST: readonly Rule[] = [
  ['modifierExtension', 0, 0],
  ['encounter', 0, 0],
  ['orderedBy', 0, 0],
  ['note', 0, 1],
  ['entry.flag', 0, 0],
  ['entry.deleted', 0, 0],
  ['entry.date', 0, 0],
  ['emptyReason', 0, 0],
];
const SUBMISSION_SET: readonly Rule[] = [
  ...LIST,
  ['date', 1, 1],
  [`extension(${MHD_EXTENSIONS.sourceId}).valueIdentifier.value`, 1, 1],
];
const DESIGNATED = `extension(${MHD_EXTENSIONS.designationType})`;
const SUBMISSION_SET_COMPREHENSIVE: readonly Rule[] = [
  ['subject', 1, 1],
  [DESIGNATED, 1, 1],
];
const FOLDER: readonly Rule[] = [...LIST, ['source', 0, 0]];
const FOLDER_COMPREHENSIVE: readonly Rule[] = [
  ['subject', 1, 1],
  ['title', 1, 1],
  [DESIGNATED, 1, MANY],
];
/** ITI-105: the bytes are in the resource, and the recipient makes the rest. */
const SIMPLIFIED: readonly Rule[] = [
  ['modifierExtension', 0, 0],
  ['masterIdentifier', 1, 1],
  ['masterIdentifier.value', 1, 1],
  ['identifier', 0, 0],
  ['docStatus', 0, 0],
  ['category', 0, 1],
  ['subject', 1, 1],
  ['content', 1, 1],
  ['content.attachment.contentType', 1, 1],
  ['content.attachment.data', 1, 1],
  ['content.attachment.url', 0, 0],
];

/** References that the Comprehensive profile wants contained (StructureDefinition, `aggregation: contained`). */
const CONTAINED: readonly string[] = ['author', 'authenticator', 'context.sourcePatientInfo', 'source'];

export type MhdKind = 'document' | 'submission-set' | 'folder' | 'simplified';
const RULES: Readonly<Record<MhdKind, readonly [minimal: readonly Rule[], comprehensive: readonly Rule[]]>> = {
  document: [DOCUMENT, DOCUMENT_COMPREHENSIVE],
  'submission-set': [SUBMISSION_SET, SUBMISSION_SET_COMPREHENSIVE],
  folder: [FOLDER, FOLDER_COMPREHENSIVE],
  simplified: [SIMPLIFIED, []],
};

export function profileFaults(body: FhirBody, kind: MhdKind, profile: MhdProfile, at: string): StructureFault[] {
  const [minimal, comprehensive] = RULES[kind];
  const rules = profile === 'Minimal' ? minimal : [...minimal, ...comprehensive];
  const faults = rules.flatMap(([path, min, max]) => {
    const count = valuesAt(body, path).length;
    if (count >= min && count <= max) return [];
    const text = count < min ? 'the profile requires this element' : 'the profile does not allow this element so often';
    return [{ path: `${at}.${shown(path)}`, text }];
  });
  if (profile !== 'Comprehensive' || kind === 'simplified' || kind === 'folder') return faults;
  for (const path of CONTAINED)
    for (const value of valuesAt(body, path)) {
      const reference = (value as { reference?: unknown }).reference;
      if (typeof reference === 'string' && !reference.startsWith('#'))
        faults.push({ path: `${at}.${path}`, text: 'the Comprehensive profile wants this reference contained' });
    }
  return faults;
}

const shown = (path: string): string => path.replace(/extension\(([^)]*)\)/, `extension('$1')`);

function valuesAt(node: unknown, path: string): unknown[] {
  const match = /^(?:extension\(([^)]*)\)|([^.]+))(?:\.(.*))?$/.exec(path);
  if (typeof node !== 'object' || node === null || !match) return [];
  const [, url, name, rest] = match;
  const value = (node as Readonly<Record<string, unknown>>)[url === undefined ? (name ?? '') : 'extension'];
  const all = value === undefined ? [] : Array.isArray(value) ? (value as unknown[]) : [value];
  const found = url === undefined ? all : all.filter((one) => (one as { url?: unknown }).url === url);
  return rest === undefined ? found : found.flatMap((one) => valuesAt(one, rest));
}
