/** Reads a YAML tree strictly: every value is asked for by name and shape, and what nobody asked for is a fault. */

export type Fault = (path: string, text: string) => void;

const isMap = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const at = (path: string, key: string): string => (path === '' ? key : `${path}.${key}`);

/** A check of one text: null where it is right, else what is expected. */
export type Check = (text: string) => string | null;

/** One map of the tree. Getters note what they took; `done` reports the keys that nobody took. */
export class MapReader {
  readonly #map: Readonly<Record<string, unknown>>;
  readonly #path: string;
  readonly #fault: Fault;
  readonly #taken = new Set<string>();

  constructor(value: unknown, path: string, fault: Fault) {
    if (value !== undefined && value !== null && !isMap(value)) fault(path, 'must be a map of keys');
    this.#map = isMap(value) ? value : {};
    this.#path = path;
    this.#fault = fault;
  }

  #take(key: string): unknown {
    this.#taken.add(key);
    return Object.hasOwn(this.#map, key) ? (this.#map[key] ?? undefined) : undefined;
  }

  #checked(value: unknown, path: string, check?: Check): string | undefined {
    if (typeof value !== 'string') {
      this.#fault(path, typeof value === 'number' ? 'must be text: put it in quotes' : 'must be text');
      return undefined;
    }
    const wrong = value === '' ? 'must not be empty' : (check?.(value) ?? null);
    if (wrong !== null) this.#fault(path, wrong);
    return value;
  }

  text(key: string, check?: Check): string | undefined {
    const value = this.#take(key);
    return value === undefined ? undefined : this.#checked(value, at(this.#path, key), check);
  }

  /** '' where it is missing, which was then reported. */
  required(key: string, check?: Check): string {
    if (this.#take(key) === undefined) this.#fault(at(this.#path, key), 'is required');
    return this.text(key, check) ?? '';
  }

  /** The first option stands in where the value is wrong, which was then reported. */
  choice<T extends string>(key: string, options: readonly [T, ...T[]]): T | undefined {
    const value = this.#take(key);
    if (value === undefined) return undefined;
    const found = options.find((option) => option === value);
    if (found === undefined) this.#fault(at(this.#path, key), `must be one of ${options.join(', ')}`);
    return found ?? options[0];
  }

  integer(key: string, least: number, most: number): number | undefined {
    const value = this.#take(key);
    if (value === undefined) return undefined;
    if (typeof value === 'number' && Number.isInteger(value) && value >= least && value <= most) return value;
    this.#fault(at(this.#path, key), `must be a whole number from ${String(least)} to ${String(most)}`);
    return least;
  }

  flag(key: string): boolean | undefined {
    const value = this.#take(key);
    if (value === undefined || typeof value === 'boolean') return value;
    this.#fault(at(this.#path, key), 'must be true or false');
    return undefined;
  }

  texts(key: string, check?: Check): string[] {
    return this.#list(key).flatMap(({ value, path }) => this.#checked(value, path, check) ?? []);
  }

  /** A map of text to text, both checked. */
  table(key: string, checkKey: Check, checkValue: Check): Record<string, string> {
    const value = this.#take(key);
    const path = at(this.#path, key);
    if (value !== undefined && !isMap(value)) this.#fault(path, 'must be a map of keys');
    // No prototype: a key such as __proto__ is data here.
    const table = Object.create(null) as Record<string, string>;
    for (const [name, target] of Object.entries(isMap(value) ? value : {})) {
      const wrong = checkKey(name);
      if (wrong !== null) this.#fault(at(path, name), wrong);
      const text = this.#checked(target, at(path, name), checkValue);
      if (text !== undefined) table[name] = text;
    }
    return table;
  }

  map(key: string): MapReader {
    return new MapReader(this.#take(key), at(this.#path, key), this.#fault);
  }

  /** As `map`; null where the key does not stand there at all. */
  section(key: string): MapReader | null {
    const value = this.#take(key);
    return value === undefined ? null : new MapReader(value, at(this.#path, key), this.#fault);
  }

  maps(key: string): MapReader[] {
    return this.#list(key).map(({ value, path }) => new MapReader(value, path, this.#fault));
  }

  done(): void {
    for (const key of Object.keys(this.#map)) {
      if (!this.#taken.has(key))
        this.#fault(at(this.#path, key), `is not a known key; known here: ${[...this.#taken].join(', ')}`);
    }
  }

  #list(key: string): { value: unknown; path: string }[] {
    const value = this.#take(key);
    const path = at(this.#path, key);
    if (value === undefined) return [];
    if (Array.isArray(value))
      return value.map((item: unknown, index) => ({ value: item, path: `${path}[${String(index)}]` }));
    this.#fault(path, 'must be a list');
    return [];
  }
}
