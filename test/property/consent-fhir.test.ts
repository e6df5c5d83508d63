/** FHIR Consent there and back: what is rendered validates, is understood, and judges as before; the rest is refused. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { PURPOSES } from '../../hub/core/access.ts';
import { askConsents, type ConsentRule } from '../../hub/core/consent.ts';
import type { ConsentRecord } from '../../hub/core/consent-ports.ts';
import type { HubId } from '../../hub/core/identifier.ts';
import { SENSITIVITIES } from '../../hub/core/subject.ts';
import { consentResource } from '../../mappings/fhir/consent.ts';
import { fromXml } from '../../mappings/fhir/from-xml.ts';
import { toldConsent } from '../../mappings/fhir/told-consent.ts';
import { toXml } from '../../mappings/fhir/xml.ts';
import { parseXml } from '../../mappings/xds/xml.ts';
import { faultsOf } from '../support/fhir-validation.ts';

const CONTEXT = { base: 'https://hub.example/fhir', now: '2026-11-26T00:00:00.000Z' };
const PERSON = '0d3f1c9e-1111-8111-8111-0123456789ab' as HubId;
const some = <T>(from: readonly T[]): fc.Arbitrary<T[]> => fc.uniqueArray(fc.constantFrom(...from), { maxLength: 2 });
const rule = fc.record({
  effect: fc.constantFrom('permit' as const, 'deny' as const),
  recipients: some(['12100000400003456N', 'consortium/0d3f1c9e-1111-4111-8111-0123456789ab', 'B']),
  sources: some(['A', 'B']),
  purposes: some(PURPOSES),
  classes: some(['ImagingStudy', 'DiagnosticReport']),
  labels: some(SENSITIVITIES),
  from: fc.constantFrom(null, '2026-01-01T00:00:00.000Z'),
  until: fc.constantFrom(null, '2026-12-31T16:00:00.000Z'),
});
const rules = fc.array(fc.tuple(rule, fc.nat()), { minLength: 1, maxLength: 5 }).map((all) => {
  const made: ConsentRule[] = [];
  const depth: number[] = [];
  for (const [one, n] of all) {
    const parent = made.length > 0 && n % 2 === 0 ? n % made.length : null;
    const deep = parent === null ? 1 : (depth[parent] ?? 1) + 1;
    made.push({ ...one, exceptionOf: deep > 3 ? null : parent });
    depth.push(deep > 3 ? 1 : deep);
  }
  return made;
});

const record = (said: readonly ConsentRule[], more: Partial<ConsentRecord> = {}): ConsentRecord => ({
  consentId: 'aaaaaaaa-1111-4111-8111-0123456789ab' as HubId,
  version: 2,
  status: 'active',
  personId: PERSON,
  rules: said,
  giver: 'patient',
  giverName: null,
  giverRelation: null,
  givenAt: '2026-11-25T01:02:03.000Z',
  channel: 'fhir',
  form: 'urn:hutong:consent-form:2026-1',
  institution: '12100000400003456N',
  evidence: 'https://hub.example/fhir/DocumentReference/1',
  recordedAt: '2026-11-25T01:02:04.000Z',
  recordedBy: { id: '1', name: 'x', role: 'operator' },
  reason: null,
  ...more,
});

test('rendered and read again, in JSON and XML, it says what it said', () => {
  fc.assert(
    fc.property(rules, fc.constantFrom(...PURPOSES), (said, purpose) => {
      const resource = consentResource(record(said));
      assert.deepEqual(faultsOf(resource), []);
      const root = parseXml(Buffer.from(toXml(resource)), { bytes: 1e6, depth: 64, elements: 10_000 });
      for (const form of [JSON.parse(JSON.stringify(resource)) as unknown, root.ok ? fromXml(root.value) : null]) {
        const told = toldConsent(form, CONTEXT);
        assert.ok(told.ok, JSON.stringify(told));
        const { content, personId, status } = told.value;
        assert.deepEqual(
          [personId, status, content.form, content.institution],
          [PERSON, 'active', record(said).form, '12100000400003456N'],
        );
        const sorted = (all: readonly ConsentRule[]): string[] =>
          all
            .map((one) => JSON.stringify({ ...one, exceptionOf: one.exceptionOf !== null }, Object.keys(one).sort()))
            .sort();
        assert.deepEqual(sorted(content.rules), sorted(said));
        const at = '2026-06-01T00:00:00.000Z';
        const question = { recipient: ['B'], source: ['A'], purpose, class: null, labels: [], at };
        const judged = (all: readonly ConsentRule[]): string =>
          askConsents([{ consentId: 'c', version: 1, rules: all }], question).effect;
        assert.equal(judged(content.rules), judged(said));
      }
    }),
    { numRuns: 60 },
  );
});

test('a guardian, a representative and a withdrawn consent validate and come back', () => {
  const plain: ConsentRule[] = [
    {
      effect: 'deny',
      recipients: [],
      sources: [],
      purposes: [],
      classes: [],
      labels: [],
      from: null,
      until: null,
      exceptionOf: null,
    },
  ];
  for (const more of [
    { giver: 'guardian', giverName: '张大大', giverRelation: 'FTH' },
    { giver: 'representative', giverName: null, giverRelation: 'DPOWATT' },
    { status: 'inactive' },
    { status: 'entered-in-error' },
    { institution: null, evidence: null },
  ] as const) {
    const resource = consentResource(record(plain, more));
    assert.deepEqual(faultsOf(resource), [], JSON.stringify(more));
    const told = toldConsent(resource, CONTEXT);
    assert.ok(told.ok, JSON.stringify(told));
    const { giver, giverName, giverRelation } = told.value.content;
    const expected = { giver: 'patient', giverName: null, giverRelation: null, ...('giver' in more ? more : {}) };
    assert.deepEqual({ giver, giverName, giverRelation }, expected);
  }
});

const good = (): Record<string, unknown> => ({
  resourceType: 'Consent',
  status: 'active',
  scope: { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/consentscope', code: 'patient-privacy' }] },
  category: [{ coding: [{ system: 'http://loinc.org', code: '59284-0' }] }],
  patient: { reference: `${CONTEXT.base}/Patient/${PERSON}` },
  policy: [{ uri: 'urn:form:1' }],
  provision: { type: 'deny', period: { start: '2026-01-01', end: '2026-01-31' } },
});

test('days are of China and an end counts whole', () => {
  const told = toldConsent(good(), CONTEXT);
  assert.ok(told.ok);
  const [rule0] = told.value.content.rules;
  assert.deepEqual([rule0?.from, rule0?.until], ['2025-12-31T16:00:00.000Z', '2026-01-31T16:00:00.000Z']);
  assert.equal(told.value.content.givenAt, CONTEXT.now);
});

test('what the hub cannot hold to is refused with its place, and never left out', () => {
  const institution = { role: { coding: [{ code: 'IRCP' }] }, reference: { reference: 'Organization/1' } };
  const cases: readonly (readonly [object, string])[] = [
    [{ provision: { type: 'deny', data: [{ meaning: 'instance' }] } }, 'Consent.provision.data'],
    [{ provision: { type: 'deny', dataPeriod: { start: '2020' } } }, 'Consent.provision.dataPeriod'],
    [{ provision: { type: 'permit', action: [{}] } }, 'Consent.provision.action'],
    [{ provision: { type: 'deny', extension: [{ url: 'http://x' }] } }, 'Consent.provision.extension'],
    [{ modifierExtension: [{ url: 'http://x' }] }, 'Consent.modifierExtension'],
    [{ implicitRules: 'http://x' }, 'Consent.implicitRules'],
    [{ provision: { type: 'deny', actor: [institution] } }, 'Consent.provision.actor[0].role'],
    [{ provision: { type: 'deny', purpose: [{ system: 'http://x', code: 'TREAT' }] } }, 'Consent.provision.purpose'],
    [{ provision: { type: 'deny', securityLabel: [{ code: 'R' }] } }, 'Consent.provision.securityLabel'],
    [{ provision: { type: 'deny', provision: [{}] } }, 'Consent.provision.provision[0].type'],
    [{ provision: { type: 'deny', period: { start: '2026-02-01', end: '2026-01-01' } } }, 'Consent.provision.period'],
    [{ provision: { type: 'deny', period: { start: 'soon' } } }, 'Consent.provision.period.start'],
    [{ provision: {} }, 'Consent.provision'],
    [{ provision: [] }, 'Consent.provision'],
    [{ status: 'proposed' }, 'Consent.status'],
    [{ scope: { coding: [{ code: 'research' }] } }, 'Consent.scope'],
    [{ patient: { reference: 'https://elsewhere.example/Patient/1' } }, 'Consent.patient'],
    [{ performer: [{ reference: 'Practitioner/1' }] }, 'Consent.performer'],
    [{ policy: [] }, 'Consent.policy.uri'],
    [{ policy: 7 }, 'Consent.policy'],
  ];
  for (const [change, where] of cases) {
    const told = toldConsent({ ...good(), ...change }, CONTEXT);
    assert.ok(!told.ok && told.faults.some((fault) => fault.where === where), `${where}: ${JSON.stringify(told)}`);
  }
  const deep = (n: number): object => (n === 0 ? { type: 'deny' } : { type: 'deny', provision: [deep(n - 1)] });
  assert.equal(toldConsent({ ...good(), provision: deep(2000) }, CONTEXT).ok, false);
  for (const nothing of [
    null,
    7,
    'x',
    [],
    { resourceType: 'Patient' },
    { resourceType: 'Consent', provision: 7, contained: [1], performer: {} },
  ])
    assert.equal(toldConsent(nothing, CONTEXT).ok, false);
});
