/**
 * FHIR R4 Consent as the hub's rules. What this hub cannot hold to (a consent by data element, by person, by action) is
 * refused and not left out: a refusal that is half understood is no refusal.
 */
import type { Coding, Consent, ConsentProvision, ConsentProvisionActor, Reference, RelatedPerson } from 'fhir/r4.js';
import type { Purpose } from '../../hub/core/access.ts';
import type { ConsentEffect, ConsentGiver, ConsentRule } from '../../hub/core/consent.ts';
import { CONSENT_STATUSES, type ConsentContent, type ConsentStatus } from '../../hub/core/consent-ports.ts';
import type { Sensitivity } from '../../hub/core/subject.ts';
import { ACT_CODE, LABEL_CODES, PARTICIPATION, PURPOSE_CODES, RESOURCE_TYPES } from './consent.ts';
import { SYSTEMS } from './context.ts';

/** What is wrong, with the FHIRPath of where. */
export interface ConsentFault {
  readonly where: string;
  readonly text: string;
}
export interface ToldConsent {
  readonly personId: string;
  readonly status: ConsentStatus;
  readonly content: ConsentContent;
}
export type Told =
  { readonly ok: true; readonly value: ToldConsent } | { readonly ok: false; readonly faults: readonly ConsentFault[] };

const ELEMENTS = new Set(
  `resourceType id meta language text contained extension identifier status scope category patient dateTime performer
   organization sourceAttachment policy policyRule verification provision`.split(/\s+/),
);
const PROVISION_ELEMENTS = new Set('id type period actor securityLabel purpose class provision'.split(' '));
const CLASSES = new Set(['ImagingStudy', 'DiagnosticReport', 'DocumentReference', 'ServiceRequest']);
const MOST_RULES = 50;
const MOST_VALUES = 200;
const DEEPEST = 4;

/** Everything that is wrong is told at once; where something is, what was read is of no use. */
type Wrong = (where: string, text: string) => void;

/** `base`: of the FHIR face, so that a whole URL of a patient of this hub is understood. `now`: for a consent without a date. */
export function toldConsent(resource: unknown, context: { readonly base: string; readonly now: string }): Told {
  if (typeof resource !== 'object' || resource === null || (resource as Partial<Consent>).resourceType !== 'Consent')
    return { ok: false, faults: [{ where: 'Consent', text: 'a Consent is taken here' }] };
  const faults: ConsentFault[] = [];
  const value = read(resource, context, (where, text) => {
    if (faults.length < 20) faults.push({ where, text });
  });
  return faults.length > 0 ? { ok: false, faults } : { ok: true, value };
}

function read(
  consent: Partial<Consent>,
  { base, now }: { readonly base: string; readonly now: string },
  wrong: Wrong,
): ToldConsent {
  only(consent, ELEMENTS, 'Consent', wrong);
  const status = CONSENT_STATUSES.find((one) => one === consent.status);
  if (status === undefined) wrong('Consent.status', 'active, inactive (withdrawn) or entered-in-error');
  if (!list(consent.scope?.coding, 'Consent.scope.coding', wrong).some(({ code }) => code === 'patient-privacy'))
    wrong('Consent.scope', 'consents of privacy are kept here: patient-privacy');
  const personId = patientId(consent.patient?.reference, base);
  if (personId === '') wrong('Consent.patient', 'a Patient of this hub, by reference');
  const form: unknown = list(consent.policy, 'Consent.policy', wrong)[0]?.uri;
  if (typeof form !== 'string' || !/^[a-z][a-z0-9+.-]*:[\x21-\x7e]{1,200}$/i.test(form))
    wrong('Consent.policy.uri', 'the text that the patient was shown, as a URI with its version');
  const evidence: unknown = consent.sourceAttachment?.url ?? null;
  if (evidence !== null && !(typeof evidence === 'string' && /^[\x21-\x7e]{1,500}$/.test(evidence)))
    wrong('Consent.sourceAttachment.url', 'a URL; the paper itself is kept as a document');
  const [organization] = list(consent.organization, 'Consent.organization', wrong);
  const content: ConsentContent = {
    rules: rulesOf(consent, wrong),
    ...giverOf(consent, base, personId, wrong),
    givenAt: instant(consent.dateTime, 'Consent.dateTime', false, wrong) ?? now,
    channel: 'fhir',
    form: String(form),
    institution: organization === undefined ? null : institutionOf(organization, 'Consent.organization', wrong),
    evidence: typeof evidence === 'string' ? evidence : null,
  };
  return { personId, status: status ?? 'active', content };
}

/** Elements that are not known may change what the others mean. */
function only(node: object, known: ReadonlySet<string>, where: string, wrong: Wrong): void {
  const strange = Object.keys(node).find((name) => !known.has(name));
  if (strange !== undefined)
    wrong(
      `${where}.${strange.replace(/[^A-Za-z_]/g, '').slice(0, 60)}`,
      'the hub cannot hold to this, so the consent is not taken',
    );
}

/** What its type says is a list is one only once it was looked at. */
function list<T>(value: readonly T[] | undefined, where: string, wrong: Wrong): readonly T[] {
  if (value === undefined || (isList(value) && value.length <= MOST_VALUES && value.every(isObject)))
    return value ?? [];
  wrong(where, `a list of at most ${String(MOST_VALUES)}`);
  return [];
}
const isList = (value: unknown): boolean => Array.isArray(value);
const isObject = (one: unknown): boolean => typeof one === 'object' && one !== null && !Array.isArray(one);

/** Empty where it is none of this hub. */
function patientId(reference: unknown, base: string): string {
  const relative = typeof reference === 'string' ? reference.replace(`${base}/`, '') : '';
  return /^Patient\/([0-9a-f-]{36})$/.exec(relative)?.[1] ?? '';
}

type Giver = Pick<ConsentContent, 'giver' | 'giverName' | 'giverRelation'>;
const THE_PATIENT: Giver = { giver: 'patient', giverName: null, giverRelation: null };

function giverOf(consent: Partial<Consent>, base: string, personId: string, wrong: Wrong): Giver {
  const [performer, more] = list(consent.performer, 'Consent.performer', wrong);
  if (more !== undefined) wrong('Consent.performer', 'one who gives it');
  const reference: unknown = performer === undefined ? `Patient/${personId}` : performer.reference;
  if (typeof reference === 'string' && patientId(reference, base) === personId) return THE_PATIENT;
  const contained = list(consent.contained, 'Consent.contained', wrong) as readonly Partial<RelatedPerson>[];
  const related = contained.find(({ id }) => `#${id ?? ''}` === reference);
  if (related?.resourceType !== 'RelatedPerson') {
    wrong('Consent.performer', 'the patient, or a contained RelatedPerson');
    return THE_PATIENT;
  }
  const code: unknown = related.relationship?.[0]?.coding?.[0]?.code ?? 'GUARD';
  const name: unknown = related.name?.[0]?.text ?? null;
  if (typeof code !== 'string' || !/^[A-Z0-9]{1,20}$/.test(code))
    wrong('Consent.contained.relationship', 'a v3 RoleCode');
  if (name !== null && (typeof name !== 'string' || name.length > 200))
    wrong('Consent.contained.name', 'a text of at most 200 characters');
  return {
    giver: giverByRole(String(code)),
    giverName: typeof name === 'string' ? name : null,
    giverRelation: String(code),
  };
}

/** Parents and guardians are guardians; who has a power of attorney represents. */
const giverByRole = (code: string): ConsentGiver =>
  /^(GUARD|PRN|MTH|FTH|NMTH|NFTH|ADOPTP|ADOPTM|ADOPTF|GRPRN|GRMTH|GRFTH)$/.test(code) ? 'guardian' : 'representative';

function rulesOf({ policyRule, provision: root }: Partial<Consent>, wrong: Wrong): readonly ConsentRule[] {
  const coding = list(policyRule?.coding, 'Consent.policyRule.coding', wrong);
  const policy = coding.find(({ system }) => system === ACT_CODE)?.code;
  if (policyRule !== undefined && policy !== 'OPTIN' && policy !== 'OPTOUT')
    wrong('Consent.policyRule', 'OPTIN or OPTOUT of v3 ActCode');
  const base = policy === 'OPTIN' ? 'permit' : policy === 'OPTOUT' ? 'deny' : null;
  const rules: ConsentRule[] = [];
  const at = { where: 'Consent.provision', depth: 1, above: NOTHING, exceptionOf: null };
  if (root !== undefined && !isObject(root)) wrong('Consent.provision', 'an object');
  else if (root !== undefined || base !== null)
    collect(root ?? {}, { ...at, effect: effectOf(root?.type, at.where, wrong) ?? base }, rules, wrong);
  if (rules.length === 0) wrong('Consent.provision', 'it permits and refuses nothing');
  return rules;
}

function effectOf(type: unknown, where: string, wrong: Wrong): ConsentEffect | null {
  if (type !== undefined && type !== 'permit' && type !== 'deny') wrong(`${where}.type`, 'permit or deny');
  return type === 'permit' || type === 'deny' ? type : null;
}

type Scope = Omit<ConsentRule, 'effect' | 'exceptionOf'>;
const NOTHING: Scope = { recipients: [], sources: [], purposes: [], classes: [], labels: [], from: null, until: null };

interface At {
  /** null: a root that is no rule of its own. */
  readonly effect: ConsentEffect | null;
  readonly where: string;
  readonly depth: number;
  /** What such a root says for those inside it. */
  readonly above: Scope;
  readonly exceptionOf: number | null;
}

function collect(
  node: ConsentProvision,
  { effect, where, depth, above, exceptionOf }: At,
  rules: ConsentRule[],
  wrong: Wrong,
): void {
  if (depth > DEEPEST || rules.length >= MOST_RULES) {
    wrong(where, `at most ${String(MOST_RULES)} provisions, ${String(DEEPEST)} deep`);
    return;
  }
  only(node, PROVISION_ELEMENTS, where, wrong);
  const scope = within(readScope(node, where, wrong), above, where, wrong);
  if (effect === null && depth > 1) wrong(`${where}.type`, 'permit or deny');
  const place = effect === null ? null : rules.push({ ...scope, effect, exceptionOf }) - 1;
  for (const [n, inner] of list(node.provision, `${where}.provision`, wrong).entries()) {
    const path = `${where}.provision[${String(n)}]`;
    const next = { where: path, depth: depth + 1, effect: effectOf(inner.type, path, wrong) };
    collect(inner, { ...next, above: place === null ? scope : NOTHING, exceptionOf: place }, rules, wrong);
  }
}

/** A root that is no rule of its own lends what it says to those inside it that do not say it. */
function within(own: Scope, above: Scope, where: string, wrong: Wrong): Scope {
  const lend = <T>(name: keyof Scope, mine: readonly T[], lent: readonly T[]): readonly T[] => {
    if (mine.length > 0 && lent.length > 0) wrong(`${where}.${name}`, 'say this at one level');
    return mine.length > 0 ? mine : lent;
  };
  return {
    recipients: lend('recipients', own.recipients, above.recipients),
    sources: lend('sources', own.sources, above.sources),
    purposes: lend('purposes', own.purposes, above.purposes),
    classes: lend('classes', own.classes, above.classes),
    labels: lend('labels', own.labels, above.labels),
    from:
      [own.from, above.from]
        .filter((one) => one !== null)
        .sort()
        .at(-1) ?? null,
    until: [own.until, above.until].filter((one) => one !== null).sort()[0] ?? null,
  };
}

function readScope(node: ConsentProvision, where: string, wrong: Wrong): Scope {
  const recipients: string[] = [];
  const sources: string[] = [];
  const actors: readonly Partial<ConsentProvisionActor>[] = list(node.actor, `${where}.actor`, wrong);
  for (const [n, { role, reference }] of actors.entries()) {
    const path = `${where}.actor[${String(n)}]`;
    const code = list(role?.coding, `${path}.role`, wrong).find(({ system }) => system === PARTICIPATION)?.code;
    if (code !== 'IRCP' && code !== 'PRCP' && code !== 'CST')
      wrong(`${path}.role`, 'IRCP (who would see) or CST (whose data) of v3 ParticipationType');
    (code === 'CST' ? sources : recipients).push(institutionOf(reference, `${path}.reference`, wrong));
  }
  const codes = (name: 'purpose' | 'class' | 'securityLabel'): readonly Coding[] =>
    list(node[name], `${where}.${name}`, wrong);
  const scope: Scope = {
    recipients,
    sources,
    purposes: codes('purpose').flatMap((one) => purposeOf(one, `${where}.purpose`, wrong)),
    classes: codes('class').flatMap((one) => classOf(one, `${where}.class`, wrong)),
    labels: codes('securityLabel').flatMap((one) => labelOf(one, `${where}.securityLabel`, wrong)),
    from: instant(node.period?.start, `${where}.period.start`, false, wrong),
    until: instant(node.period?.end, `${where}.period.end`, true, wrong),
  };
  if (scope.from !== null && scope.until !== null && scope.from >= scope.until)
    wrong(`${where}.period`, 'it ends before it begins');
  return scope;
}

function institutionOf(reference: Reference | undefined, where: string, wrong: Wrong): string {
  const { system, value } = reference?.identifier ?? {};
  const isOurs = system === SYSTEMS.institution || system === SYSTEMS.uscc;
  if (isOurs && typeof value === 'string' && /^[!-~]{1,64}$/.test(value)) return value;
  wrong(where, `an Organization by its identifier, of ${SYSTEMS.institution}`);
  return '';
}

function purposeOf({ system, code }: Coding, where: string, wrong: Wrong): Purpose[] {
  for (const [purpose, known] of Object.entries(PURPOSE_CODES) as [Purpose, readonly [string, string]][])
    if ((known[0] === system && known[1] === code) || (system === SYSTEMS.purpose && code === purpose))
      return [purpose];
  wrong(where, 'not a purpose that this hub tells apart');
  return [];
}

function labelOf({ system, code }: Coding, where: string, wrong: Wrong): Sensitivity[] {
  for (const [label, known] of Object.entries(LABEL_CODES) as [Sensitivity, string][])
    if (system === ACT_CODE && code === known) return [label];
  wrong(where, 'not a label that this hub puts on records');
  return [];
}

function classOf({ system, code }: Coding, where: string, wrong: Wrong): string[] {
  if (system === RESOURCE_TYPES && code !== undefined && CLASSES.has(code)) return [code];
  wrong(where, `one of ${[...CLASSES].join(', ')} of ${RESOURCE_TYPES}`);
  return [];
}

/** A date without a time is of China, and as an end the whole of it counts (R4 Period). */
function instant(value: unknown, where: string, isEnd: boolean, wrong: Wrong): string | null {
  if (value === undefined) return null;
  const text = typeof value === 'string' ? value : '';
  const [, year, month, day] = /^([12]\d{3})(?:-(0[1-9]|1[0-2])(?:-(0[1-9]|[12]\d|3[01]))?)?$/.exec(text) ?? [];
  if (year !== undefined) {
    const more = (isLast: boolean): number => (isEnd && isLast ? 1 : 0);
    const at = Date.UTC(
      Number(year) + more(month === undefined),
      Number(month ?? 1) - 1 + more(month !== undefined && day === undefined),
      Number(day ?? 1) + more(day !== undefined),
    );
    return new Date(at - 8 * 3_600_000).toISOString();
  }
  const at = /^[12]\d{3}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d:\d\d)$/.test(text)
    ? Date.parse(text)
    : Number.NaN;
  if (!Number.isNaN(at)) return new Date(at).toISOString();
  wrong(where, 'a date, or a time with its offset');
  return null;
}
