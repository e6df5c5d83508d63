/**
 * In a frame of another site a browser may keep storage from the viewer, and reading it throws. What is chosen then lasts as
 * long as the page: nothing of the viewer needs more.
 */

class Passing implements Storage {
  readonly #kept = new Map<string, string>();

  get length(): number {
    return this.#kept.size;
  }

  key = (at: number): string | null => [...this.#kept.keys()][at] ?? null;
  getItem = (name: string): string | null => this.#kept.get(name) ?? null;
  setItem = (name: string, value: string): void => void this.#kept.set(name, value);
  removeItem = (name: string): void => void this.#kept.delete(name);
  clear = (): void => this.#kept.clear();
}

/** Before anything else runs. */
export function ensureStorage(): void {
  for (const name of ['localStorage', 'sessionStorage'] as const)
    try {
      window[name].getItem('hutong');
    } catch {
      Object.defineProperty(window, name, { value: new Passing() }); // denied for this document
    }
}
