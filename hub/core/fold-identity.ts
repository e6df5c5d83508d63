/**
 * What hospitals say of two of their numbers: merge, move, link and unlink, as registers that join in any order. The
 * registrations stand; only where they lead changes. What cannot be meant is refused with its reason (DEMANDS 28).
 */
import type { Derivation, HubId, SiteId } from './identifier.ts';
import { contradictionOf, MERGED, TIE, type Assertion, type PatientState } from './patient.ts';
import { fail, ok, problem, type Finding } from './problem.ts';
import type { LinkRecord, MergeRecord, MoveRecord, PatientRef } from './record.ts';
import { assertFields, stamp, type Registers } from './register.ts';
import { blank, canonical, recordIdOf, withPatient, type Folded, type Slice } from './slice.ts';

const DOUBT = 'What is registered of these two speaks against one person; retry to join them all the same.';

const NOT_ITS_MERGE = 'The hospital itself merged these two of its numbers: it takes that back, or an operator does.';

export interface Tie {
  readonly other: HubId;
  readonly said: 'same' | 'apart';
}

/** What the hospital last said of this registration and others, beyond its merge. */
export const tiesOf = (facts: Registers): readonly Tie[] =>
  Object.entries(facts).flatMap(([field, [, said]]) =>
    field.startsWith(TIE) && (said === 'same' || said === 'apart')
      ? [{ other: field.slice(TIE.length) as HubId, said }]
      : [],
  );

/** Others about whom a word was taken back: nothing is said of these two any more. */
export const untiedOf = (facts: Registers): readonly HubId[] =>
  Object.entries(facts).flatMap(([field, [, said]]) =>
    field.startsWith(TIE) && said === null ? [field.slice(TIE.length) as HubId] : [],
  );

const stampOf = (by: Assertion): string => stamp(by.quality, by.at, 0, by.tie);

interface Two {
  readonly survivor: PatientState;
  readonly victim: PatientState;
}

function load(
  slice: Slice,
  sites: readonly [SiteId, SiteId],
  refs: readonly [PatientRef, PatientRef],
  derive: Derivation,
): Two {
  const of = (ref: PatientRef, site: SiteId): PatientState => {
    const id = recordIdOf(site, ref, derive);
    return slice.patients.get(id) ?? blank(id, site, ref);
  };
  return { survivor: of(refs[0], sites[0]), victim: of(refs[1], sites[1]) };
}

/** The survivor's side follows; exams stay where they were made, readers follow the alias. */
export function foldMerge(slice: Slice, record: MergeRecord, by: Assertion, derive: Derivation): Folded {
  const { survivor, victim } = load(slice, [record.site, record.site], [record.survivor, record.victim], derive);
  if (survivor.recordId === victim.recordId)
    return fail(problem('invalid-value', 'MRG-1', 'A patient cannot be merged into itself.'));
  if (survivor.authority !== victim.authority)
    return fail(
      problem('invalid-value', 'MRG-1.4', 'The two numbers are of different issuers: a link says so, a merge cannot.'),
    );
  if (isStale(victim, survivor.recordId, by)) return ignored(slice);
  if (leadsThrough(slice, survivor.recordId, victim.recordId))
    return fail(problem('conflict', 'MRG-1', 'These two were merged before, the other way round.'));
  if (victim.mergedInto !== null) {
    const same = canonical(slice, victim.recordId) === canonical(slice, survivor.recordId);
    // Led there already, directly or through others: nothing to add.
    if (same) return ok({ slice, findings: [] });
    return fail(problem('conflict', 'MRG-1', 'This patient was merged into another one before.'));
  }
  return follow(slice, { survivor, victim }, by);
}

/** The number was filed under the wrong patient: it leaves whomever it followed and follows another (HL7 A43). */
export function foldMove(slice: Slice, record: MoveRecord, by: Assertion, derive: Derivation): Folded {
  const { survivor, victim } = load(slice, [record.site, record.site], [record.to, record.moved], derive);
  if (survivor.recordId === victim.recordId)
    return fail(problem('invalid-value', 'MRG-1', 'A number cannot be moved to itself.'));
  if (isStale(victim, survivor.recordId, by)) return ignored(slice);
  if (leadsThrough(slice, survivor.recordId, victim.recordId))
    return fail(problem('conflict', 'MRG-1', 'The patient that the number is moved to follows this very number.'));
  return follow(slice, { survivor, victim }, by);
}

const LONGEST_CHAIN = 16;

/**
 * Whether `through` stands anywhere on the way that the hospital's merges lead from here. A way that is longer than what
 * is loaded may: nobody's registration is worth a circle.
 */
function leadsThrough(slice: Slice, from: HubId, through: HubId): boolean {
  let at = from;
  for (let step = 0; step <= LONGEST_CHAIN; step++) {
    if (at === through) return true;
    const state = slice.patients.get(at);
    // Nobody knows the first one yet, or the way goes on beyond what is loaded.
    if (state === undefined) return at !== from;
    if (state.mergedInto === null) return false;
    at = state.mergedInto;
  }
  return true;
}

function follow(slice: Slice, { survivor, victim }: Two, by: Assertion): Folded {
  const doubt = victim.mergedInto === null ? contradictionOf(survivor, victim) : null;
  if (doubt !== null && !by.forced) return fail(problem('identity-doubt', doubt, DOUBT));
  // An unlink that was said before is taken back by it, whichever of the two arrives first.
  const untied = (state: PatientState, other: PatientState, more: object): PatientState => ({
    ...state,
    facts: assertFields(state.facts, { [TIE + other.recordId]: null, ...more }, stampOf(by)),
  });
  const followed = untied(victim, survivor, { [MERGED]: survivor.recordId });
  const next = withPatient(slice, untied(survivor, victim, {}));
  return ok({ slice: withPatient(next, { ...followed, mergedInto: survivor.recordId }), findings: [] });
}

/** Two numbers are one patient's and both go on (HL7 A24), or are not (A37): then a merge of the two ends as well. */
export function foldLink(slice: Slice, record: LinkRecord, by: Assertion, derive: Derivation): Folded {
  const owners = record.owners ?? [record.site, record.site];
  const { survivor: one, victim: other } = load(slice, owners, [record.one, record.other], derive);
  if (one.recordId === other.recordId)
    return fail(problem('invalid-value', 'PID-3', 'A number cannot be linked to itself, or unlinked from itself.'));
  const doubt = record.linked ? contradictionOf(one, other) : null;
  if (doubt !== null && !by.forced) return fail(problem('identity-doubt', doubt, DOUBT));
  const merged = one.mergedInto === other.recordId || other.mergedInto === one.recordId;
  if (!record.linked && merged && !owners.includes(record.site))
    return fail(problem('conflict', 'PID-3', NOT_ITS_MERGE));
  const said = record.linked ? 'same' : 'apart';
  const told = (state: PatientState, about: PatientState): PatientState => {
    const tied = { ...state, facts: assertFields(state.facts, { [TIE + about.recordId]: said }, stampOf(by)) };
    const ends = !record.linked && state.mergedInto === about.recordId && !isLater(state.facts[MERGED]?.[0], by);
    if (!ends) return tied;
    return { ...tied, facts: assertFields(tied.facts, { [MERGED]: null }, stampOf(by)), mergedInto: null };
  };
  const next = withPatient(withPatient(slice, told(one, other)), told(other, one));
  return ok({ slice: next, findings: [] });
}

/** A later word about the same two, or about where the number leads, has come before: this one is history. */
function isStale(victim: PatientState, survivorId: HubId, by: Assertion): boolean {
  const tie = victim.facts[TIE + survivorId];
  return (tie?.[1] === 'apart' && isLater(tie[0], by)) || isLater(victim.facts[MERGED]?.[0], by);
}

const isLater = (known: string | undefined, by: Assertion): boolean => known !== undefined && known > stampOf(by);

const STALE: Finding = {
  code: 'stale',
  where: 'MRG-1',
  text: 'The hospital has said something later about these numbers; this is kept as history.',
};

const ignored = (slice: Slice): Folded => ok({ slice, findings: [STALE] });
