/** Consents as FHIR R4 Consent, and the codes that they are written in. told-consent.ts reads them. */
import type { Coding, Consent, ConsentProvision, ConsentProvisionActor, Reference, RelatedPerson } from 'fhir/r4.js';
import type { Purpose } from '../../hub/core/access.ts';
import type { ConsentEffect, ConsentRule } from '../../hub/core/consent.ts';
import type { ConsentRecord } from '../../hub/core/consent-ports.ts';
import type { Sensitivity } from '../../hub/core/subject.ts';
import { PROFILES, SYSTEMS } from './context.ts';

const TERMINOLOGY = 'http://terminology.hl7.org/CodeSystem';
export const ACT_CODE = `${TERMINOLOGY}/v3-ActCode`;
const ACT_REASON = `${TERMINOLOGY}/v3-ActReason`;
export const PARTICIPATION = `${TERMINOLOGY}/v3-ParticipationType`;
const ROLE_CODE = `${TERMINOLOGY}/v3-RoleCode`;
export const RESOURCE_TYPES = 'http://hl7.org/fhir/resource-types';

/** HL7's own code where it has one. */
export const PURPOSE_CODES: Readonly<Record<Purpose, readonly [system: string, code: string]>> = {
  TREATMENT: [ACT_REASON, 'TREAT'],
  CONSULTATION: [SYSTEMS.purpose, 'CONSULTATION'],
  RECOGNITION: [SYSTEMS.purpose, 'RECOGNITION'],
  SHARE: [SYSTEMS.purpose, 'SHARE'],
  QC: [ACT_REASON, 'HQUALIMP'],
  REGULATION: [ACT_REASON, 'PUBHLTH'],
  OPS: [ACT_REASON, 'HOPERAT'],
  RESEARCH: [ACT_REASON, 'HRESCH'],
  EMERGENCY: [ACT_REASON, 'ETREAT'],
  PATIENT: [ACT_REASON, 'PATRQT'],
};

/** v3 InformationSensitivityPolicy. */
export const LABEL_CODES: Readonly<Record<Sensitivity, string>> = {
  psychiatry: 'PSY',
  hiv: 'HIV',
  std: 'STD',
  genetics: 'GDIS',
  reproduction: 'SEX',
  addiction: 'ETH',
  vip: 'CEL',
};

const POLICY: Readonly<Record<ConsentEffect, string>> = { permit: 'OPTIN', deny: 'OPTOUT' };
export function consentResource(record: ConsentRecord): Consent {
  const { rules, institution, evidence } = record;
  const roots = rules.flatMap(({ exceptionOf }, at) => (exceptionOf === null ? [at] : []));
  const [only] = roots;
  const single = roots.length === 1 && only !== undefined ? rules[only] : undefined;
  const root =
    single === undefined ? { provision: roots.map((at) => provision(rules, at)) } : scopeOf(rules, only ?? 0);
  const patient = { reference: `Patient/${record.personId}` };
  const giver = giverOf(record, patient);
  return {
    resourceType: 'Consent',
    id: record.consentId,
    meta: { versionId: String(record.version), lastUpdated: record.recordedAt, profile: [PROFILES.Consent] },
    ...(giver.contained === null ? {} : { contained: [giver.contained] }),
    status: record.status,
    scope: { coding: [{ system: `${TERMINOLOGY}/consentscope`, code: 'patient-privacy' }] },
    category: [{ coding: [{ system: SYSTEMS.loinc, code: '59284-0' }] }],
    patient,
    dateTime: record.givenAt,
    performer: [giver.performer],
    ...(institution === null ? {} : { organization: [institutionReference(institution)] }),
    ...(evidence === null ? {} : { sourceAttachment: { url: evidence } }),
    policy: [{ uri: record.form }],
    ...(single === undefined ? {} : { policyRule: { coding: [{ system: ACT_CODE, code: POLICY[single.effect] }] } }),
    ...(Object.keys(root).length === 0 ? {} : { provision: root }),
  };
}

function giverOf(
  { giver, giverName, giverRelation }: ConsentRecord,
  patient: Reference,
): { readonly performer: Reference; readonly contained: RelatedPerson | null } {
  if (giver === 'patient') return { performer: patient, contained: null };
  const code = giverRelation ?? (giver === 'guardian' ? 'GUARD' : 'DPOWATT');
  const contained: RelatedPerson = {
    resourceType: 'RelatedPerson',
    id: 'giver',
    patient,
    relationship: [{ coding: [{ system: ROLE_CODE, code }] }],
    ...(giverName === null ? {} : { name: [{ text: giverName }] }),
  };
  return { performer: { reference: '#giver' }, contained };
}

const provision = (rules: readonly ConsentRule[], at: number): ConsentProvision => ({
  type: rules[at]?.effect ?? 'deny',
  ...scopeOf(rules, at),
});

function scopeOf(rules: readonly ConsentRule[], at: number): ConsentProvision {
  const rule = rules[at];
  if (rule === undefined) return {};
  const { recipients, sources, purposes, classes, labels, from, until } = rule;
  const actor = [...recipients.map((code) => actorOf('IRCP', code)), ...sources.map((code) => actorOf('CST', code))];
  const exceptions = rules.flatMap(({ exceptionOf }, place) => (exceptionOf === at ? [provision(rules, place)] : []));
  return {
    ...(from === null && until === null
      ? {}
      : { period: { ...(from === null ? {} : { start: from }), ...(until === null ? {} : { end: until }) } }),
    ...(actor.length === 0 ? {} : { actor }),
    ...(labels.length === 0 ? {} : { securityLabel: labels.map(labelCoding) }),
    ...(purposes.length === 0 ? {} : { purpose: purposes.map(purposeCoding) }),
    ...(classes.length === 0 ? {} : { class: classes.map((code) => ({ system: RESOURCE_TYPES, code })) }),
    ...(exceptions.length === 0 ? {} : { provision: exceptions }),
  };
}

const actorOf = (role: 'IRCP' | 'CST', code: string): ConsentProvisionActor => ({
  role: { coding: [{ system: PARTICIPATION, code: role }] },
  reference: institutionReference(code),
});
const institutionReference = (value: string): Reference => ({
  type: 'Organization',
  identifier: { system: SYSTEMS.institution, value },
});
const labelCoding = (label: string): Coding => ({ system: ACT_CODE, code: LABEL_CODES[label as Sensitivity] });
function purposeCoding(purpose: Purpose): Coding {
  const [system, code] = PURPOSE_CODES[purpose];
  return { system, code };
}
