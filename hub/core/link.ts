/**
 * Which registrations are one person. This release links by valid resident ID and by the hospital's own merges, nothing
 * weaker; whatever contradicts goes to a person, never into a merge. The decision is a function of the set of
 * registrations, not of the order in which they came.
 */
import type { Derivation, HubId } from './identifier.ts';
import { parseResidentId } from './identifier.ts';
import { comparableName, compatibleDates, nameOf, opposite, residentIdOf, type PatientState } from './patient.ts';
import type { Sex } from './record.ts';
import { value } from './register.ts';
import type { PatientView } from './view.ts';

export interface LinkDecision {
  readonly recordId: HubId;
  readonly personId: HubId;
}

export interface Doubt {
  /** Same resident ID, yet these fields speak against one person. */
  readonly reason: 'sex' | 'birthDate' | 'name';
  readonly recordIds: readonly HubId[];
}

/**
 * Decides for a closed group: every registration with one resident ID, and those merged into or from them.
 * Registrations merged by their hospital follow their survivor.
 */
export function linkGroup(
  group: readonly PatientState[],
  derive: Derivation,
): { links: readonly LinkDecision[]; doubts: readonly Doubt[] } {
  const byId = new Map(group.map((state) => [state.recordId, state]));
  const survivors = group
    .filter((state) => survivor(state, byId).recordId === state.recordId)
    .sort((a, b) => (a.recordId < b.recordId ? -1 : 1));
  const personOf = new Map<HubId, HubId>();
  const doubts: Doubt[] = [];
  const anchors = new Map<string, PatientState>();
  for (const state of survivors) {
    const resident = residentIdOf(state.facts);
    const own = derive.id('person', state.recordId);
    if (resident === null) {
      personOf.set(state.recordId, own);
      continue;
    }
    const anchor = anchors.get(resident);
    const against = againstId(state, resident) ?? (anchor === undefined ? null : againstAnchor(state, anchor));
    if (against !== null) {
      // A newborn under the mother's ID, a borrowed card: a person of its own until somebody decides.
      personOf.set(state.recordId, own);
      doubts.push({
        reason: against,
        recordIds: anchor === undefined ? [state.recordId] : [anchor.recordId, state.recordId],
      });
      continue;
    }
    anchors.set(resident, anchor ?? state);
    personOf.set(state.recordId, residentPerson(resident, derive));
  }
  const links = group.map((state) => ({
    recordId: state.recordId,
    personId: personOf.get(survivor(state, byId).recordId) ?? derive.id('person', state.recordId),
  }));
  return { links, doubts };
}

/** The person whom linking gives the number to. */
export const residentPerson = (resident: string, derive: Derivation): HubId =>
  derive.id('person', 'resident', resident);

/**
 * A registration as readers see it. A resident ID that linking did not give to its person is a claim that somebody has
 * still to settle, no identifier: who looks for its owner must not be shown the claimant as well.
 */
export function settledView(view: PatientView, personId: HubId, derive: Derivation): PatientView {
  if (view.residentId === null || personId === residentPerson(view.residentId, derive)) return view;
  return { ...view, residentId: null, identifiers: view.identifiers.filter(({ type }) => type !== 'NI') };
}

/** Follows the hospital's merges; a circle (refused on entry) would end at its first repeated registration. */
export function survivor(state: PatientState, byId: ReadonlyMap<HubId, PatientState>): PatientState {
  const seen = new Set<HubId>();
  let at = state;
  while (at.mergedInto !== null && !seen.has(at.recordId)) {
    seen.add(at.recordId);
    const next = byId.get(at.mergedInto);
    if (next === undefined) return at;
    at = next;
  }
  return at;
}

/** The number itself tells birth date and sex (GB 11643): a registration that contradicts both is not its owner. */
function againstId(state: PatientState, resident: string): Doubt['reason'] | null {
  const parsed = parseResidentId(resident);
  if (!parsed.ok) return null;
  const born = value<string>(state.facts, 'birthDate');
  const sex = value<Sex>(state.facts, 'sex');
  const bornDiffers = born !== null && !compatibleDates(born, parsed.birthDate);
  // One difference is a clerk's slip and is told as a finding; a birth years away is another person.
  if (bornDiffers && Math.abs(Number(born.slice(0, 4)) - Number(parsed.birthDate.slice(0, 4))) > 2) return 'birthDate';
  if (bornDiffers && opposite(sex, parsed.sex)) return 'sex';
  return null;
}

function againstAnchor(state: PatientState, anchor: PatientState): Doubt['reason'] | null {
  const mine = nameOf(state.facts);
  const theirs = nameOf(anchor.facts);
  if (
    mine !== null &&
    theirs !== null &&
    mine.representation === theirs.representation &&
    comparableName(mine.text) !== comparableName(theirs.text)
  )
    return 'name';
  if (opposite(value<Sex>(state.facts, 'sex'), value<Sex>(anchor.facts, 'sex'))) return 'sex';
  const a = value<string>(state.facts, 'birthDate');
  const b = value<string>(anchor.facts, 'birthDate');
  return a !== null && b !== null && !compatibleDates(a, b) ? 'birthDate' : null;
}
