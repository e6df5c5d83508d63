/**
 * Persons over registrations: what a set of registrations is called, which doubts about it wait for somebody, and what of
 * several registrations is shown of their person. Which registrations are one person is the matcher's and people's word.
 */
import type { Derivation, HubId } from './identifier.ts';
import type { Pair, Ruling } from './match/comparison.ts';
import { isFormer, type PatientView } from './view.ts';

/** A registration with what its linking depends on besides comparisons. */
export interface Member {
  readonly recordId: HubId;
  /** When the hub first knew it: never changes. */
  readonly since: string;
  readonly personId: HubId;
  readonly mergedInto: HubId | null;
}

/** The person that a registration is when it is alone; what stands in documents that name it. Never anybody else's. */
export const ownPerson = (recordId: HubId, derive: Derivation): HubId => derive.id('person', recordId);

/**
 * A person is called after its oldest registration: an arrival never renames it, a merge keeps the older name, and a split
 * gives each side the name it had, or would have had, alone.
 */
export function personIdOf(group: readonly Member[], derive: Derivation): HubId {
  const [oldest] = [...group].sort(byAge);
  if (oldest === undefined) throw new Error('a person has a registration');
  return ownPerson(oldest.recordId, derive);
}

function byAge(a: Member, b: Member): number {
  if (a.since === b.since) return a.recordId < b.recordId ? -1 : 1;
  return a.since < b.since ? -1 : 1;
}

export const pairKey = (a: string, b: string): string => (a < b ? `${a}|${b}` : `${b}|${a}`);

/**
 * One word a pair: people stand above hospitals. `said` are the hospitals' merges, links and unlinks; the hospital's own
 * later unlink stands above its merge.
 */
export function rulingsOver(decided: readonly Ruling[], said: readonly Ruling[]): readonly Ruling[] {
  const words = new Map<string, Ruling>();
  const apart = said.filter((one) => one.decision === 'not-same');
  for (const one of [...said.filter((other) => other.decision === 'same'), ...apart, ...decided])
    words.set(pairKey(one.a, one.b), one);
  return [...words.values()].sort((a, b) => (pairKey(a.a, a.b) < pairKey(b.a, b.b) ? -1 : 1));
}

export interface Overruling {
  readonly overruled: (a: string, b: string) => boolean;
  /** Their two numbers are known to be one person's. */
  readonly confirmed: (a: string, b: string) => boolean;
}

/**
 * Whether a hard rule between two was overruled already: somebody ruled one, or one that it is linked to, the same as
 * the other, or one that is linked to that, and knew how the two differ. Else everyone who resembles one side of a merge
 * would wait for a person. Two resident IDs are confirmed only where two people did so: who ruled before one of them was
 * there knew of no conflict, and a hospital's merge is one clerk's word. What was ruled or merged stays joined, with those
 * of the number that was known (of a merge the survivor's), and others of the other number stay out.
 */
export function overruling(
  pairs: readonly Pair[],
  rulings: readonly Ruling[],
  numberOf: (id: string) => string | null,
): Overruling {
  const same = rulings.filter((one) => one.decision === 'same');
  const everybody = joinedBy(same);
  const knowing = (number: string): ReadonlySet<string>[] =>
    everybody.filter((group) => same.some((one) => group.has(one.a) && one.numbers?.includes(number) === true));
  const links = pairs.filter(({ comparison }) => comparison.outcome === 'link' && comparison.veto === null);
  const linked = new Set(links.map((pair) => pairKey(pair.a, pair.b)));
  const near = (id: string, group: ReadonlySet<string>): string[] =>
    [...group].filter((member) => member === id || linked.has(pairKey(id, member)));
  const differ = (a: string, b: string): readonly [string, string] | null => {
    const [m, n] = [numberOf(a), numberOf(b)];
    return m === null || n === null || m === n ? null : [m, n];
  };
  // Each on a side of its own: two that resemble one and the same member are not told apart by any ruling.
  const sides = (x: readonly string[], y: readonly string[]): boolean =>
    x.some((one) => y.some((other) => one !== other));
  const confirmed = (a: string, b: string): boolean => {
    const numbers = differ(a, b);
    if (numbers === null) return false;
    const [m, n] = numbers;
    return knowing(pairKey(m, n)).some((group) =>
      sides(
        near(a, group).filter((id) => numberOf(id) === m),
        near(b, group).filter((id) => numberOf(id) === n),
      ),
    );
  };
  // The one was ruled on itself, whatever its number is now; the other carries a number that the ruling knew.
  const staysWith = (ruled: string, other: string): boolean =>
    knowing(numberOf(other) ?? '').some((group) => group.has(ruled) && sides([ruled], near(other, group)));
  const overruled = (a: string, b: string): boolean =>
    differ(a, b) === null
      ? everybody.some((group) => sides(near(a, group), near(b, group)))
      : confirmed(a, b) || staysWith(a, b) || staysWith(b, a);
  return { overruled, confirmed };
}

function joinedBy(same: readonly Ruling[]): readonly ReadonlySet<string>[] {
  const ruled = new Map<string, Set<string>>();
  const groupOf = (id: string): Set<string> => ruled.get(id) ?? new Set([id]);
  for (const { a, b } of same) {
    const joined = new Set([...groupOf(a), ...groupOf(b)]);
    for (const id of joined) ruled.set(id, joined);
  }
  return [...new Set(ruled.values())];
}

/** Two registrations that are one person by somebody's or a hospital's word although their resident IDs conflict, which nobody confirmed. */
export interface Conflict {
  readonly a: HubId;
  readonly b: HubId;
  readonly numbers: string;
}

/** Of every two numbers inside the person one conflict, between the oldest that carry them: an arrival never renames it. */
export function conflictsWithin(
  group: readonly Member[],
  numberOf: (id: string) => string | null,
  confirmed: (a: string, b: string) => boolean,
): readonly Conflict[] {
  const carriers = new Map<string, HubId[]>();
  for (const { recordId } of [...group].sort(byAge)) {
    const number = numberOf(recordId);
    if (number !== null) carriers.set(number, [...(carriers.get(number) ?? []), recordId]);
  }
  const numbers = [...carriers].sort(([m], [n]) => (m < n ? -1 : 1));
  return numbers.flatMap(([m, mine], at) =>
    numbers.slice(at + 1).flatMap(([n, theirs]): Conflict[] => {
      const [a, b] = [mine[0], theirs[0]];
      if (a === undefined || b === undefined || mine.some((one) => theirs.some((other) => confirmed(one, other))))
        return [];
      return [{ a, b, numbers: pairKey(m, n) }];
    }),
  );
}

/**
 * What waits for a person: of every two persons that some comparison would join or doubts, the heaviest pair, unless
 * somebody has ruled on them. `personOf` knows every registration in the pairs.
 */
export function doubtsOf(
  pairs: readonly Pair[],
  rulings: readonly Ruling[],
  personOf: (recordId: string) => string | null,
): readonly Pair[] {
  const ruledApart = new Set<string>();
  for (const { a, b, decision } of rulings) {
    const [x, y] = [personOf(a), personOf(b)];
    if (decision === 'not-same' && x !== null && y !== null) ruledApart.add(pairKey(x, y));
  }
  const heaviest = new Map<string, Pair>();
  for (const pair of pairs) {
    if (pair.comparison.outcome === 'none') continue;
    const [x, y] = [personOf(pair.a), personOf(pair.b)];
    if (x === null || y === null || x === y) continue;
    const persons = pairKey(x, y);
    if (ruledApart.has(persons)) continue;
    const known = heaviest.get(persons);
    if (known === undefined || isHeavier(pair, known)) heaviest.set(persons, pair);
  }
  return [...heaviest.values()];
}

/** With more others than this nobody decides one by one. */
const CROWD = 20;

/**
 * Doubts that people can clear, and of those persons that resemble a crowd one registration each: the smallest of the
 * crowd, so that it is one question whoever of it asks. `judged` are the persons whose doubts are all here.
 */
export function partCrowds(
  doubts: readonly Pair[],
  personOf: (recordId: string) => string | null,
  judged: ReadonlySet<string>,
): { readonly doubts: readonly Pair[]; readonly crowds: readonly string[] } {
  const around = new Map<string, Pair[]>();
  for (const pair of doubts)
    for (const id of [pair.a, pair.b]) {
      const person = personOf(id);
      if (person === null || !judged.has(person)) continue;
      const known = around.get(person);
      if (known === undefined) around.set(person, [pair]);
      else known.push(pair);
    }
  const crowded = [...around.values()].filter((pairs) => pairs.length > CROWD);
  const inCrowd = new Set(crowded.flat());
  const smallest = (pairs: readonly Pair[]): string[] =>
    pairs
      .flatMap(({ a, b }) => [a, b])
      .sort()
      .slice(0, 1);
  return { doubts: doubts.filter((pair) => !inCrowd.has(pair)), crowds: [...new Set(crowded.flatMap(smallest))] };
}

/** A veto first: it is why somebody must look; then weight, then the ids, so that the choice is one. */
function isHeavier(pair: Pair, other: Pair): boolean {
  const [a, b] = [pair.comparison, other.comparison];
  if ((a.veto === null) !== (b.veto === null)) return a.veto !== null;
  if (a.weight !== b.weight) return a.weight > b.weight;
  return pairKey(pair.a, pair.b) < pairKey(other.a, other.b);
}

/** One attribute as it is shown of the person, and the registration that it is taken from. */
export interface Surviving<T> {
  readonly value: T;
  readonly recordId: HubId;
  readonly rule: string;
}

export type SurvivingAttribute =
  | 'names'
  | 'sex'
  | 'birthDate'
  | 'residentId'
  | 'phone'
  | 'address'
  | 'maritalStatus'
  | 'ethnicGroup'
  | 'nationality'
  | 'deceased';

export type SurvivingPerson = {
  readonly [K in SurvivingAttribute]: Surviving<NonNullable<PatientView[K]>> | null;
};

/**
 * Standing registrations before merged and withdrawn ones, then those with a valid resident ID, then the order given (oldest first).
 * Each attribute is that of the first registration that has it; the rule says why it was the first.
 */
export function inOrderOfTrust(records: readonly PatientView[]): readonly PatientView[] {
  const rank = (record: PatientView): number => (isFormer(record) ? 2 : 0) + (record.residentId ? 0 : 1);
  return [...records].sort((a, b) => rank(a) - rank(b));
}

export function survivingPerson(records: readonly PatientView[]): SurvivingPerson {
  const ordered = inOrderOfTrust(records);
  const first = <K extends SurvivingAttribute>(attribute: K): Surviving<NonNullable<PatientView[K]>> | null => {
    for (const record of ordered) {
      const value = record[attribute];
      if (value === null || (Array.isArray(value) && value.length === 0)) continue;
      return { value, recordId: record.recordId, rule: ruleOf(record) };
    }
    return null;
  };
  return {
    names: first('names'),
    sex: first('sex'),
    birthDate: first('birthDate'),
    residentId: first('residentId'),
    phone: first('phone'),
    address: first('address'),
    maritalStatus: first('maritalStatus'),
    ethnicGroup: first('ethnicGroup'),
    nationality: first('nationality'),
    deceased: first('deceased'),
  };
}

function ruleOf(record: PatientView): string {
  if (isFormer(record)) return 'only registrations that were merged away or taken back say it';
  return record.residentId === null
    ? 'first standing registration that says it; none with a resident ID does'
    : 'first standing registration with a valid resident ID that says it';
}

/** What tells two registrations apart to somebody who may not read them: never enough to know who it is. */
export function mask(view: PatientView): PatientView {
  const hide = (text: string, first: number, last: number): string =>
    text.length <= first + last
      ? '*'.repeat(text.length)
      : text.slice(0, first) + '*'.repeat(text.length - first - last) + text.slice(text.length - last);
  return {
    ...view,
    localId: hide(view.localId, 0, 3),
    names: view.names.map((name) => ({
      text: (Array.from(name.text)[0] ?? '') + '*'.repeat(Math.max(Array.from(name.text).length - 1, 1)),
      representation: name.representation,
    })),
    birthDate: view.birthDate === null ? null : view.birthDate.slice(0, 4),
    identifiers: view.identifiers.map((id) => ({ ...id, value: hide(id.value, 0, 2) })),
    residentId: view.residentId === null ? null : hide(view.residentId, 4, 2),
    phone: view.phone === null ? null : hide(view.phone, 0, 4),
    address: null,
  };
}
