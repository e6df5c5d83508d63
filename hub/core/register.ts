/**
 * Last-writer-wins registers: the state of a thing is a map from field to the value with the greatest stamp. Joining is
 * associative, commutative and idempotent, so messages may arrive in any order, twice, or years late and the index ends
 * in the same state. This is why a message that waits need not hold up the others.
 */

/** Orders assertions: quality of the source, then the source's own time, then rank, then what breaks ties. */
export type Stamp = string;
export type Register = readonly [stamp: Stamp, value: unknown];
export type Registers = Readonly<Record<string, Register>>;

/**
 * `quality`: 1 image header, 2 message of a feed, 3 an operator. A better source is not overwritten by a newer worse one
 * (a pinyin name on a modality never replaces the registered name). `rank` breaks ties of time in favour of the more
 * advanced state; `tie` makes the order total (`arrivalTie`, or a digest of the content).
 */
export function stamp(quality: 1 | 2 | 3, at: string, rank: number, tie: string): Stamp {
  return `${String(quality)}|${at}|${String(rank).padStart(2, '0')}|${tie}`;
}

/**
 * Hospitals tell time to the second, and of two words of one second the one that came later is the later one. The place in
 * the journal is fixed for good, so the state stays a function of the set of journal entries, in whatever order they are
 * applied, retried or replayed.
 */
export const arrivalTie = (journalId: string): string => journalId.padStart(20, '0');

export const qualityOf = (by: Stamp): number => Number(by.slice(0, by.indexOf('|')));

/**
 * Asserts every field that is present (`null` included) under one stamp. `again`: a message that is read once more puts its
 * new reading in the place of its own former one.
 */
export function assertFields(state: Registers, fields: object, by: Stamp, again = false): Registers {
  const next: Record<string, Register> = { ...state };
  for (const [field, value] of Object.entries(fields)) {
    if (value === undefined) continue;
    const present = next[field];
    if (present === undefined || present[0] < by || (again && present[0] === by)) next[field] = [by, value];
  }
  return next;
}

export function join(left: Registers, right: Registers): Registers {
  const next: Record<string, Register> = { ...left };
  for (const [field, register] of Object.entries(right)) {
    const present = next[field];
    if (present === undefined || present[0] < register[0]) next[field] = register;
  }
  return next;
}

/** The value of a field, as the caller who asserted it knows its type; null where nothing or absence was asserted. */
// eslint-disable-next-line @typescript-eslint/no-unnecessary-type-parameters -- the caller names what it asserted
export function value<T>(state: Registers, field: string): T | null {
  return (state[field]?.[1] ?? null) as T | null;
}

/** All present (non-null) fields as a plain object of the caller's shape; the shape is what was asserted under it. */
export function present(state: Registers): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(state)
      .filter(([, register]) => register[1] !== null && register[1] !== undefined)
      .map(([field, register]) => [field, register[1]]),
  );
}
