/**
 * Reads examples of IHE guides from their source text (FHIR Shorthand) where nobody publishes what they compile to: as
 * much of the language as the examples of PMIR use. What an element is, is told by the tables below, not by profiles.
 */
import assert from 'node:assert/strict';

type Node = Record<string, unknown>;
export type Instance = Node & { readonly resourceType: string; readonly id: string };

/** Paths without indexes; `name` and `address` are lists of nodes, and texts elsewhere. */
const LISTS =
  /(^|\.)(entry|given|telecom|line|link|focus|destination|relationship|agent|entity|subtype|contact)$|^(name|address)$|^source\.type$/;
const CODES = /(^|\.)(action|outcome|network\.type|endpoint)$/;
const CONCEPTS = /^(agent\.type|relationship)$/;

interface Written {
  readonly instanceOf: string;
  readonly lines: readonly string[];
}

/** Of PMIR's profiles each is named after the resource it constrains. */
const TYPES: readonly (readonly [profile: RegExp, type: string])[] = [
  [/^Audit/, 'AuditEvent'],
  [/^Device$/, 'Device'],
  [/MessageHeader/, 'MessageHeader'],
  [/Bundle/, 'Bundle'],
  [/RelatedPerson/, 'RelatedPerson'],
  [/Subscription(Request)?$/, 'Subscription'],
  [/Patient/, 'Patient'],
];
function typeOf(instanceOf: string): string {
  return TYPES.find(([profile]) => profile.test(instanceOf))?.[1] ?? assert.fail(`${instanceOf} is of no known type`);
}

/** Instances of a text by their names, each a resource; one that another contains stands inside it. */
export function readFsh(text: string): ReadonlyMap<string, Instance> {
  const written = new Map<string, Written>();
  const plain = text.replaceAll(/"""[\s\S]*?"""/g, '""').replaceAll('\r', '');
  for (const block of plain.split(/^(?=Instance:)/m)) {
    if (!block.startsWith('Instance:')) continue;
    const name = /^Instance:\s*(\S+)/.exec(block)?.[1] ?? '';
    const instanceOf = /^InstanceOf:\s*(\S+)/m.exec(block)?.[1] ?? '';
    written.set(name, { instanceOf, lines: block.split('\n').filter((line) => /^\s*\* /.test(line)) });
  }
  const made = new Map<string, Instance>();
  const build = (name: string): Instance => {
    const known = made.get(name);
    if (known !== undefined) return known;
    const { instanceOf, lines } = written.get(name) ?? assert.fail(`there is no instance ${name}`);
    const resource: Instance = { resourceType: typeOf(instanceOf), id: name };
    made.set(name, resource);
    new Builder(resource, build).take(lines);
    return resource;
  };
  for (const name of written.keys()) build(name);
  return made;
}

class Builder {
  readonly #slices = new WeakMap<unknown[], Map<string, number>>();
  readonly #resource: Node;
  readonly #build: (name: string) => Node;

  constructor(resource: Node, build: (name: string) => Node) {
    this.#resource = resource;
    this.#build = build;
  }

  take(lines: readonly string[]): void {
    const context: { node: Node; path: string }[] = [];
    for (const line of lines) {
      const [, indent = '', path = '', value] =
        /^(\s*)\* (\S+)\s*(?:= (.*?))?(?:\s\/\/.*)?\s*$/.exec(line) ?? assert.fail(line);
      context.length = indent.length / 2;
      let place = context.at(-1) ?? { node: this.#resource, path: '' };
      const steps = path.split('.');
      const last = value === undefined ? null : (steps.pop() ?? '');
      for (const step of steps) place = this.#into(place, step);
      if (last === null || value === undefined) context.push(place);
      else this.#set(place, last, value);
    }
  }

  #into({ node, path }: { node: Node; path: string }, step: string): { node: Node; path: string } {
    const name = step.replace(/\[.*$/, '');
    const inner = path === '' ? name : `${path}.${name}`;
    if (!LISTS.test(inner)) return { node: (node[name] ??= {}) as Node, path: inner };
    const list = (node[name] ??= []) as unknown[];
    return { node: (list[this.#index(list, step)] ??= {}) as Node, path: inner };
  }

  #index(list: unknown[], step: string): number {
    const marks = [...step.matchAll(/\[([^\]]*)\]/g)].map(([, mark = '']) => mark);
    if (marks.at(-1) === '+' && marks.length === 1) return list.length;
    const [slice] = marks;
    if (slice === undefined) return 0;
    const known = this.#slices.get(list) ?? new Map<string, number>();
    this.#slices.set(list, known);
    const at = marks.at(-1) === '+' ? list.length : (known.get(slice) ?? list.length);
    known.set(slice, at);
    return at;
  }

  #set({ node, path }: { node: Node; path: string }, step: string, text: string): void {
    const name = step.replace(/\[.*$/, '');
    const whole = path === '' ? name : `${path}.${name}`;
    const value = this.#value(whole, text);
    if (!LISTS.test(whole)) node[name] = value;
    else {
      const list = (node[name] ??= []) as unknown[];
      list[this.#index(list, step)] = value;
    }
  }

  #value(path: string, text: string): unknown {
    const [, system = '', code, display] = /^([^\s"#]*)#(\S+)(?:\s+"(.*)")?$/.exec(text) ?? [];
    if (code !== undefined && (system === '' || CODES.test(path))) return code;
    if (code !== undefined) {
      const coding = { system, code, ...(display === undefined ? {} : { display }) };
      return CONCEPTS.test(path) ? { coding: [coding] } : coding;
    }
    const reference = /^Reference\(\s*(\S+?)\s*\)$/.exec(text)?.[1];
    if (reference !== undefined) return { reference };
    const canonical = /^Canonical\(\s*(\S+?)\s*\)$/.exec(text)?.[1];
    if (canonical !== undefined) return `https://example.org/fhir/${canonical}`;
    if (text === 'true' || text === 'false') return text === 'true';
    if (text.startsWith('"')) return JSON.parse(text.replace(/\s+$/, ''));
    return path.endsWith('.resource') ? this.#build(text) : text;
  }
}
