/**
 * Slots of a rim:AdhocQuery as typed parameters. Each getter tells what it expects and notes what is wrong; a query is
 * valid when all its getters have been called and nothing was noted (ITI TF-2 §3.18.4.1.2.3.5 and §3.18.4.1.3).
 */
import type { AndOr, DtmRange } from '../../hub/core/document-ports.ts';
import type { RegistryErrorCode, RegistryProblem } from '../../hub/core/document.ts';
import { RIM } from './ebrim-names.ts';
import { decodeValue, parseDtm } from './stored-query-value.ts';
import { childNamed, childrenNamed } from './xml.ts';
import type { XmlElement } from './xml.ts';

/** A query is small; one with more values than this is refused before anything is asked. */
const VALUES = 5_000;

export interface Need {
  readonly required?: boolean;
}

export class Parameters {
  readonly problems: RegistryProblem[] = [];
  /** By name: one group a Slot; null where a Value is not of the form that the profile gives. */
  readonly #slots = new Map<string, (readonly string[] | null)[]>();

  constructor(query: XmlElement) {
    let count = 0;
    for (const slot of childrenNamed(query, RIM, 'Slot')) {
      const name = slot.attributes.get('name')?.trim() ?? '';
      const list = childNamed(slot, RIM, 'ValueList');
      const decoded = list ? childrenNamed(list, RIM, 'Value').map(({ text }) => decodeValue(text)) : [];
      const group = decoded.some((values) => values === null) ? null : decoded.flatMap((values) => values ?? []);
      count += group?.length ?? 1;
      const groups = this.#slots.get(name) ?? [];
      this.#slots.set(name, groups);
      groups.push(group);
    }
    if (count > VALUES)
      this.note('XDSRegistryError', `The query has more than ${String(VALUES)} values; ask in several queries.`);
  }

  note(code: RegistryErrorCode, context: string, location?: string): void {
    this.problems.push({
      code,
      severity: 'error',
      context,
      ...(location === undefined ? {} : { location }),
    });
  }

  has(name: string): boolean {
    return this.#groups(name).some((group) => group === null || group.length > 0);
  }

  /** Several values mean any of them; the Slot may not be repeated. */
  many(name: string, need: Need = {}): readonly string[] {
    const groups = this.#groups(name);
    if (groups.length > 1) this.note('XDSStoredQueryParamNumber', `${name} may stand in one Slot only.`, name);
    return this.#checked(name, groups, need).flat();
  }

  /** The Slot may be repeated: any value of each (ITI TF-2 §3.18.4.1.2.3.5). */
  andOr(name: string, need: Need = {}): AndOr<string> {
    return this.#checked(name, this.#groups(name), need);
  }

  one(name: string, need: Need = {}): string | undefined {
    const values = this.#checked(name, this.#groups(name), need).flat();
    if (values.length > 1) this.note('XDSStoredQueryParamNumber', `${name} takes a single value.`, name);
    return values[0];
  }

  /** Each value through `parse`; a value that it refuses is noted. */
  parsed<T>(name: string, values: readonly string[], parse: (text: string) => T | null, what: string): readonly T[] {
    return values.flatMap((value) => {
      const made = parse(value);
      if (made === null) this.note('XDSRegistryError', `A value of ${name} is not ${what}.`, name);
      return made === null ? [] : [made];
    });
  }

  range(stem: string): DtmRange | undefined {
    const bound = (name: string): string | undefined => {
      const value = this.one(name);
      return value === undefined
        ? undefined
        : this.parsed(name, [value], parseDtm, 'a time YYYY[MM[DD[hh[mm[ss]]]]]')[0];
    };
    const from = bound(`${stem}From`);
    const to = bound(`${stem}To`);
    if (from === undefined && to === undefined) return undefined;
    return { ...(from === undefined ? {} : { from }), ...(to === undefined ? {} : { to }) };
  }

  #groups(name: string): readonly (readonly string[] | null)[] {
    return this.#slots.get(name) ?? [];
  }

  #checked(name: string, groups: readonly (readonly string[] | null)[], need: Need): readonly (readonly string[])[] {
    if (groups.includes(null))
      this.note(
        'XDSRegistryError',
        `A value of ${name} is neither a quoted string, a number nor a list of them.`,
        name,
      );
    else if (need.required === true && !this.has(name))
      this.note('XDSStoredQueryMissingParam', `${name} is required.`, name);
    return groups.flatMap((group) => (group === null || group.length === 0 ? [] : [group]));
  }
}
