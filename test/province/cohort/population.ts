/**
 * Everybody of the cohort. A resident number is one person's alone (Resident Identity Cards Law of 2003, art. 3): who
 * would get a number that one before them has gets the next free one of the day, as the police of the division gives it.
 */
import { BLOCK, householdBlock } from './household.ts';
import type { CohortPerson } from './person.ts';
import { residentNumber } from './resident-numbers.ts';

export class Population {
  readonly #seed: number;
  /** Persons whose number is another than drawn. */
  readonly #given = new Map<number, string>();

  constructor(seed: number, persons: number) {
    this.#seed = seed;
    const taken = new Set<number>();
    for (let at = 0; at * BLOCK < persons; at++)
      for (const { number, residentId } of householdBlock(seed, at)) {
        if (residentId === null) continue;
        const free = nextFree(residentId, taken);
        taken.add(compact(free));
        if (free !== residentId) this.#given.set(number, free);
      }
  }

  /** The six persons of one draw. */
  block(at: number): readonly CohortPerson[] {
    return householdBlock(this.#seed, at).map((person) => {
      const residentId = this.#given.get(person.number);
      return residentId === undefined ? person : { ...person, residentId };
    });
  }

  person(number: number): CohortPerson {
    const found = this.block(Math.floor(number / BLOCK))[number % BLOCK];
    if (!found) throw new Error('a block of households is short of persons');
    return found;
  }
}

/** The next of the same division, day and sex that nobody has; odd numbers are men's. */
function nextFree(residentId: string, taken: ReadonlySet<number>): string {
  let free = residentId;
  for (let sequence = Number(residentId.slice(14, 17)); taken.has(compact(free));) {
    sequence = (sequence + 2) % 1000;
    const born = `${residentId.slice(6, 10)}-${residentId.slice(10, 12)}-${residentId.slice(12, 14)}`;
    free = residentNumber(residentId.slice(0, 6), born, sequence);
  }
  return free;
}

const DAY_MS = 86_400_000;

/** Division, day and sequence without loss in one number: days since 1900 need 16 bits, a sequence ten. */
function compact(residentId: string): number {
  const day = Date.UTC(
    Number(residentId.slice(6, 10)),
    Number(residentId.slice(10, 12)) - 1,
    Number(residentId.slice(12, 14)),
  );
  const days = (day - Date.UTC(1900, 0, 1)) / DAY_MS;
  return (Number(residentId.slice(0, 6)) * 2 ** 16 + days) * 1024 + Number(residentId.slice(14, 17));
}
