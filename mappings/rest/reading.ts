/** One REST message under the names of the contract, with its findings; every value is text, read only when asked for. */
import { unmappedSent } from '../../hub/core/code-mapping.ts';
import type { Finding, UnmappedSent } from '../../hub/core/problem.ts';
import type { Coded, SourceTime } from '../../hub/core/record.ts';
import type { SiteProfile } from '../../hub/core/site.ts';
import { readTime, type TimeBelief } from '../hl7v2/time.ts';
import { FIELDS } from './fields.ts';
import type { JsonObject } from './json.ts';

export type Kind = keyof typeof FIELDS;

const MAX_FINDINGS = 200;
/** Ways of writing times that Chinese interfaces use beside ISO 8601 and yyyyMMddHHmmss (CODES §7). */
const FORMATS = [
  'yyyy/M/d H:mm:ss',
  'yyyy/M/d H:mm',
  'yyyy/M/d',
  'yyyy-M-d H:mm:ss',
  'yyyy-M-d',
  'yyyy.MM.dd',
  'yyyy年M月d日',
] as const;

const namesOf = new Map<Kind, ReadonlyMap<string, string>>();

function nameTable(kind: Kind): ReadonlyMap<string, string> {
  let table = namesOf.get(kind);
  if (table === undefined) {
    table = new Map(
      Object.entries(FIELDS[kind]).flatMap(([field, others]) =>
        [field, ...others.split(' ')].map((name) => [name, field] as const),
      ),
    );
    namesOf.set(kind, table);
  }
  return table;
}

export interface Canonical {
  readonly fields: JsonObject;
  /** Names that the contract does not know, and names that tell a field a second time. */
  readonly unknown: readonly string[];
  readonly doubled: readonly string[];
}

/** The same message with every alias replaced by its field's own name. The own name wins over an alias. */
export function canonical(kind: Kind, body: JsonObject): Canonical {
  const table = nameTable(kind);
  const fields = new Map<string, unknown>();
  const unknown: string[] = [];
  const doubled: string[] = [];
  const own = (name: string): boolean => table.get(name) === name;
  const entries = Object.entries(body);
  for (const [name, value] of [...entries.filter(([name]) => own(name)), ...entries.filter(([name]) => !own(name))]) {
    const field = table.get(name);
    if (field === undefined) unknown.push(name);
    else if (!fields.has(field)) fields.set(field, value);
    else if (fields.get(field) !== value) doubled.push(field);
  }
  return { fields: Object.fromEntries(fields), unknown, doubled };
}

export class Reading {
  readonly site: SiteProfile;
  readonly receivedAt: SourceTime;
  readonly #fields: JsonObject;
  readonly #findings: Finding[] = [];
  readonly belief: TimeBelief;

  constructor(kind: Kind, body: JsonObject, site: SiteProfile, receivedAt: SourceTime) {
    const { fields, unknown, doubled } = canonical(kind, body);
    this.#fields = fields;
    this.site = site;
    this.receivedAt = receivedAt;
    this.belief = { timeZone: site.timeZone, dateFormats: [...site.hl7v2.dateFormats, ...FORMATS] };
    // The names of unknown fields are the sender's text: they are counted, not quoted.
    if (unknown.length > 0)
      this.find(
        'ignored-segment',
        'body',
        `${String(unknown.length)} field(s) are not in the contract; they stay with the message only`,
      );
    for (const field of doubled)
      this.find(
        'conflict',
        field,
        'two names of this field tell two values; the contract’s own name, else the first, was taken',
      );
  }

  get findings(): readonly Finding[] {
    return this.#findings;
  }

  find(code: Finding['code'], where: string, text: string, unmapped?: UnmappedSent): void {
    if (this.#findings.length < MAX_FINDINGS)
      this.#findings.push({ code, where, text, ...(unmapped === undefined ? {} : { unmapped }) });
  }

  /** null: told to be empty (JSON null); undefined: not told. A blank text says nothing. */
  value(field: string): string | null | undefined {
    const raw = this.#fields[field];
    if (raw === null) return null;
    if (typeof raw === 'boolean' || typeof raw === 'number') return String(raw);
    const text = typeof raw === 'string' ? raw.normalize('NFC').trim() : '';
    return text === '' ? undefined : text;
  }

  text(field: string): string | undefined {
    return this.value(field) ?? undefined;
  }

  object(field: string): JsonObject | undefined {
    const raw = this.#fields[field];
    return typeof raw === 'object' && raw !== null && !Array.isArray(raw) ? (raw as JsonObject) : undefined;
  }

  /** Says that a field of grade `degrade` is missing. */
  wanted(...fields: readonly string[]): void {
    for (const field of fields)
      if (this.value(field) === undefined)
        this.find('degraded', field, 'this field is missing; the message was taken without it');
  }

  time(field: string): SourceTime | undefined {
    const text = this.text(field);
    if (text === undefined) return undefined;
    const time = readTime(text, this.belief);
    if (time === null) this.find('invalid-value', field, 'this is no date and time; it was left out');
    return time ?? undefined;
  }

  /** A yes or no in any of the ways that interfaces say it (CODES §4: 1/0, 是/否, 阳性/阴性). */
  flag(field: string): boolean | undefined {
    const text = this.text(field)?.toLowerCase();
    if (text === undefined) return undefined;
    if (['true', '1', 'y', 'yes', '是', '阳性', '异常', '作废'].includes(text)) return true;
    if (['false', '0', 'n', 'no', '否', '阴性', '正常'].includes(text)) return false;
    this.find('invalid-value', field, 'this says neither yes nor no; it was left out');
    return undefined;
  }

  count(field: string): number | undefined {
    const text = this.text(field);
    if (text === undefined) return undefined;
    if (/^\d{1,7}$/.test(text)) return Number(text);
    this.find('invalid-value', field, 'this is no count; it was left out');
    return undefined;
  }

  /** A code through the site's table; without an entry it is kept as sent, and found. `display` may stand for a code. */
  coded(table: string, field: string, displayField?: string): Coded | null | undefined {
    const code = this.value(field);
    const display = displayField === undefined ? undefined : this.text(displayField);
    const key = code ?? display;
    if (code === null && display === undefined) return null;
    if (key === undefined) return undefined;
    const mapped =
      this.site.codes.lookup(table, key) ?? (display === undefined ? null : this.site.codes.lookup(table, display));
    const source = { code: key, ...(display === undefined ? {} : { display }) };
    if (mapped !== null) return { ...mapped, source };
    const where = code === undefined && displayField !== undefined ? displayField : field;
    const told = `this code is not in the table ${table} of ${this.site.id}; it was kept as sent`;
    this.find('unmapped-code', where, told, unmappedSent(table, key, display));
    return { code: key, system: `${this.site.id}:${table}`, ...(display === undefined ? {} : { display }) };
  }

  /** A code that must become one of the hub's own words; else undefined, and found. */
  word<T extends string>(table: string, field: string, national: (code: string) => T | null): T | undefined {
    const text = this.text(field);
    if (text === undefined) return undefined;
    const known = national(this.site.codes.lookup(table, text)?.code ?? text);
    if (known === null) {
      const told = `this code is not in the table ${table} of ${this.site.id}; it was left out`;
      this.find('unmapped-code', field, told, unmappedSent(table, text));
    }
    return known ?? undefined;
  }
}
