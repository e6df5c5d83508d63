/** Laws of consent: refusals win ties, the narrower rule wins, order is no matter, time and exceptions hold. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  askConsents,
  EMERGENCY_POLICY,
  needsGuardian,
  opensInEmergency,
  type ConsentQuestion,
  type ConsentRule,
  type StandingConsent,
} from '../../hub/core/consent.ts';
import { presentRules } from '../../hub/core/consent-ports.ts';

const CODES = ['A', 'B', 'C', 'U'] as const;
const INSTANTS = ['2026-01-01T00:00:00.000Z', '2026-02-01T00:00:00.000Z', '2026-03-01T00:00:00.000Z'] as const;
const some = <T>(from: readonly T[]): fc.Arbitrary<T[]> => fc.uniqueArray(fc.constantFrom(...from), { maxLength: 2 });

const rule = fc.record({
  effect: fc.constantFrom('permit' as const, 'deny' as const),
  recipients: some(CODES),
  sources: some(CODES),
  purposes: some(['TREATMENT', 'CONSULTATION', 'EMERGENCY'] as const),
  classes: some(['ImagingStudy', 'DiagnosticReport']),
  labels: some(['hiv', 'psychiatry']),
  from: fc.constantFrom(null, ...INSTANTS),
  until: fc.constantFrom(null, ...INSTANTS),
  exceptionOf: fc.constant(null),
});
/** Some rules are exceptions of earlier ones. */
const rules = fc
  .array(fc.tuple(rule, fc.nat()), { maxLength: 5 })
  .map((all) =>
    all.map(([one, n], at): ConsentRule => ({ ...one, exceptionOf: at === 0 || n % 3 !== 0 ? null : n % at })),
  );
const consents = fc
  .array(rules, { maxLength: 4 })
  .map((all) => all.map((one, at): StandingConsent => ({ consentId: `c${String(at)}`, version: 1, rules: one })));
const lineage = fc.uniqueArray(fc.constantFrom(...CODES), { maxLength: 3 });
const question: fc.Arbitrary<ConsentQuestion> = fc.record({
  recipient: lineage,
  source: lineage,
  purpose: fc.constantFrom('TREATMENT' as const, 'CONSULTATION' as const, 'EMERGENCY' as const),
  class: fc.constantFrom(null, 'ImagingStudy', 'DiagnosticReport'),
  labels: some(['hiv', 'psychiatry']),
  at: fc.constantFrom('2026-01-15T00:00:00.000Z', '2026-02-15T00:00:00.000Z', '2026-04-01T00:00:00.000Z'),
});

const effectOf = (all: readonly StandingConsent[], asked: ConsentQuestion): string => askConsents(all, asked).effect;
const ALL: ConsentRule = {
  effect: 'deny',
  recipients: [],
  sources: [],
  purposes: [],
  classes: [],
  labels: [],
  from: null,
  until: null,
  exceptionOf: null,
};
const one = (...given: readonly Partial<ConsentRule>[]): StandingConsent => ({
  consentId: 'one',
  version: 1,
  rules: given.map((part) => ({ ...ALL, ...part })),
});
const ASKED: ConsentQuestion = {
  recipient: ['A', 'U'],
  source: ['B'],
  purpose: 'TREATMENT',
  class: 'ImagingStudy',
  labels: [],
  at: '2026-02-15T00:00:00.000Z',
};

test('the order in which consents are read is no matter', () => {
  fc.assert(
    fc.property(consents, question, (all, asked) => {
      assert.equal(effectOf(all, asked), effectOf([...all].reverse(), asked));
    }),
  );
});

test('what does not fit changes nothing, and the same said twice says the same', () => {
  fc.assert(
    fc.property(consents, question, (all, asked) => {
      const before = effectOf(all, asked);
      const elsewhere = { ...one({ recipients: ['Z'], effect: 'permit' }), consentId: 'z' };
      const over = { ...one({ until: '2026-01-01T00:00:00.000Z' }), consentId: 'y' };
      assert.equal(effectOf([...all, elsewhere, over], asked), before);
      assert.equal(effectOf([...all, ...all.map((c) => ({ ...c, consentId: `again ${c.consentId}` }))], asked), before);
    }),
  );
});

test('an answer is silent only where no rule fits, and names a rule of that effect that fits by itself', () => {
  fc.assert(
    fc.property(consents, question, (all, asked) => {
      const answer = askConsents(all, asked);
      if (answer.effect === 'silent') {
        for (const { rules: own, consentId, version } of all)
          for (const part of own.filter(({ exceptionOf }) => exceptionOf === null))
            assert.equal(effectOf([{ consentId, version, rules: [part] }], asked), 'silent');
        return;
      }
      const named = all.find(({ consentId }) => consentId === answer.consentId)?.rules[answer.rule];
      assert.equal(named?.effect, answer.effect);
      assert.ok((named.from ?? '') <= asked.at && asked.at < (named.until ?? '~'));
      assert.equal(
        effectOf([{ consentId: 'x', version: 1, rules: [{ ...named, exceptionOf: null }] }], asked),
        answer.effect,
      );
    }),
  );
});

test('to withdraw a permission never opens; to withdraw a refusal never closes', () => {
  fc.assert(
    fc.property(fc.array(rule, { minLength: 1, maxLength: 5 }), question, (given, asked) => {
      const all = given.map((part, at) => ({ consentId: `c${String(at)}`, version: 1, rules: [part] }));
      const before = effectOf(all, asked);
      for (const [at, { effect }] of given.entries()) {
        const after = effectOf(
          all.filter((_one, place) => place !== at),
          asked,
        );
        if (effect === 'permit' && after === 'permit') assert.notEqual(before, 'deny', 'a permission had closed');
        if (effect === 'deny' && after === 'deny') assert.notEqual(before, 'permit', 'a refusal had opened');
      }
    }),
  );
});

test('rules as wide as each other: the refusal wins', () => {
  fc.assert(
    fc.property(rule, question, (given, asked) => {
      // A permission reaches labelled records only by name, so the two differ there.
      fc.pre(
        asked.labels.length === 0 && given.labels.length === 0 && asked.source?.length !== 0 && asked.class !== null,
      );
      const both = [
        { consentId: 'p', version: 1, rules: [{ ...given, effect: 'permit' as const }] },
        { consentId: 'd', version: 1, rules: [{ ...given, effect: 'deny' as const }] },
      ];
      assert.notEqual(effectOf(both, asked), 'permit');
    }),
  );
});

test('the narrower rule wins, in each dimension, whichever way it says', () => {
  const narrower: readonly Partial<ConsentRule>[] = [
    { recipients: ['A'] },
    { recipients: ['U'] },
    { sources: ['B'] },
    { purposes: ['TREATMENT'] },
    { classes: ['ImagingStudy'] },
    { from: '2026-02-01T00:00:00.000Z', until: '2026-03-01T00:00:00.000Z' },
  ];
  for (const part of narrower)
    for (const [wide, narrow] of [
      ['deny', 'permit'],
      ['permit', 'deny'],
    ] as const) {
      const all = [one({ effect: wide }), { ...one({ effect: narrow, ...part }), consentId: 'two' }];
      assert.equal(effectOf(all, ASKED), narrow, JSON.stringify(part));
    }
  const nearer = [one({ recipients: ['U'] }), { ...one({ effect: 'permit', recipients: ['A'] }), consentId: 'two' }];
  assert.equal(effectOf(nearer, ASKED), 'permit', 'a hospital is nearer than its consortium');
  const crossed = [one({ sources: ['B'] }), { ...one({ effect: 'permit', recipients: ['A'] }), consentId: 'two' }];
  assert.equal(effectOf(crossed, ASKED), 'deny', 'each narrower in another way: the refusal wins');
});

test('an exception stands above what it is an exception of, and only within it', () => {
  const but = one({ recipients: ['A', 'C'] }, { effect: 'permit', recipients: ['A'], exceptionOf: 0 });
  assert.equal(effectOf([but], ASKED), 'permit');
  assert.equal(effectOf([but], { ...ASKED, recipient: ['C'] }), 'deny');
  const nowhere = one({ recipients: ['C'] }, { effect: 'permit', exceptionOf: 0 });
  assert.equal(effectOf([nowhere], ASKED), 'silent', 'what it is an exception of does not hold');
  assert.equal(effectOf([nowhere], { ...ASKED, recipient: ['C'] }), 'permit');
});

test('a sensitive record is opened by name alone, and closed by any of its labels', () => {
  const asked = { ...ASKED, labels: ['hiv', 'psychiatry'] };
  assert.equal(effectOf([one({ effect: 'permit' })], asked), 'silent');
  assert.equal(effectOf([one({ effect: 'permit', labels: ['hiv'] })], asked), 'silent');
  assert.equal(effectOf([one({ effect: 'permit', labels: ['hiv', 'psychiatry'] })], asked), 'permit');
  assert.equal(effectOf([one({ labels: ['hiv'] })], asked), 'deny');
  assert.equal(effectOf([one({ labels: ['hiv'] })], ASKED), 'silent');
});

test('what is not known: a refusal binds, a permission does not', () => {
  const unknown = { ...ASKED, source: [], class: null };
  assert.equal(effectOf([one({ sources: ['B'] })], unknown), 'deny');
  assert.equal(effectOf([one({ classes: ['ImagingStudy'] })], unknown), 'deny');
  assert.equal(effectOf([one({ effect: 'permit', sources: ['B'] })], unknown), 'silent');
  assert.equal(
    effectOf([one({ sources: ['B'] })], { ...ASKED, source: null }),
    'silent',
    'of no hospital in particular',
  );
  assert.equal(effectOf([one({})], { ...ASKED, source: null }), 'deny');
});

test('the patient present opens for the doctor before them what was refused to all, for the time alone', () => {
  const from = '2026-02-15T00:00:00.000Z';
  const present = {
    consentId: 'now',
    version: 1,
    rules: presentRules({ sources: [], labels: [] }, 'A', from, '2026-02-15T12:00:00.000Z'),
  };
  for (const refusal of [one({}), one({ recipients: ['U'] }), one({ recipients: ['A'] })]) {
    assert.equal(effectOf([refusal, present], ASKED), 'permit');
    assert.equal(effectOf([refusal, present], { ...ASKED, at: '2026-02-15T12:00:00.000Z' }), 'deny');
  }
  assert.equal(effectOf([one({}), present], { ...ASKED, recipient: ['C'] }), 'deny');
  assert.equal(effectOf([one({}), present], { ...ASKED, labels: ['hiv'] }), 'deny');
  assert.equal(
    effectOf([one({ recipients: ['A'], sources: ['B'] }), present], ASKED),
    'deny',
    'a refusal of this very source',
  );
});

test('an emergency opens what was refused, where the policy says so', () => {
  const refused = askConsents([one({})], { ...ASKED, purpose: 'EMERGENCY' });
  assert.equal(refused.effect, 'deny');
  assert.equal(opensInEmergency(refused, ['hiv']), true);
  assert.equal(opensInEmergency(refused, [], { ...EMERGENCY_POLICY, refusals: false }), false);
  assert.equal(opensInEmergency({ effect: 'silent' }, ['vip'], { ...EMERGENCY_POLICY, closedLabels: ['vip'] }), false);
});

test('a guardian consents for whom is younger than fourteen, to the day', () => {
  const cases: readonly (readonly [string | null, boolean])[] = [
    ['2012-11-26', false],
    ['2012-11-27', true],
    ['2012-11', true],
    ['2012', true],
    ['2011', false],
    ['2012-02-29', false],
    ['1950-01-01', false],
    [null, false],
    ['unknown', false],
  ];
  for (const [born, needs] of cases) assert.equal(needsGuardian(born, '2026-11-26'), needs, String(born));
});
