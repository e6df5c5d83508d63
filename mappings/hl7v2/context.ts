/** What every mapping function shares: the message, its site, and the findings gathered on the way. */
import { unmappedSent } from '../../hub/core/code-mapping.ts';
import type { Coded, SourceTime } from '../../hub/core/record.ts';
import type { Finding, UnmappedSent } from '../../hub/core/problem.ts';
import type { SiteProfile } from '../../hub/core/site.ts';
import type { Field, Message, Segment } from './message.ts';
import { readTime, type TimeBelief } from './time.ts';

const MAX_FINDINGS = 500;

export class Context {
  readonly message: Message;
  readonly site: SiteProfile;
  readonly belief: TimeBelief;
  readonly receivedAt: SourceTime;
  readonly #findings: Finding[] = [];

  constructor(message: Message, site: SiteProfile, receivedAt: SourceTime) {
    this.message = message;
    this.site = site;
    this.receivedAt = receivedAt;
    this.belief = { timeZone: site.timeZone, dateFormats: site.hl7v2.dateFormats };
  }

  get findings(): readonly Finding[] {
    return this.#findings;
  }

  find(code: Finding['code'], where: string, text: string, unmapped?: UnmappedSent): void {
    const known = this.#findings.some(
      (finding) => finding.code === code && finding.where === where && finding.unmapped?.code === unmapped?.code,
    );
    if (known || this.#findings.length >= MAX_FINDINGS) return;
    this.#findings.push({ code, where, text, ...(unmapped === undefined ? {} : { unmapped }) });
  }

  /** A time, or undefined where it is absent, or (with a finding) unreadable. */
  time(segment: Segment | undefined, field: number, component = 1): SourceTime | undefined {
    const text = segment?.text(field, component) ?? '';
    if (segment === undefined || text === '') return undefined;
    const time = readTime(text, this.belief);
    if (time === null)
      this.find('invalid-value', whereOf(segment, field, component), 'this is no date and time; it was left out');
    return time ?? undefined;
  }

  /**
   * A coded field through the site's table; a code without an entry is kept as it is, and found. CWE: code, text and
   * system in components 1 to 3 (v2.5.1 §2.A.13), a sender's own system where none is named.
   */
  coded(table: string, segment: Segment | undefined, field: number, from = 1): Coded | undefined {
    return segment === undefined
      ? undefined
      : this.codedField(table, segment.field(field), whereOf(segment, field), from);
  }

  codedField(table: string, field: Field, where: string, from = 1): Coded | undefined {
    const [code, display, system] = [field.text(from), field.text(from + 1), field.text(from + 2)];
    const key = code || display;
    if (key === '') return undefined;
    const mapped =
      this.site.codes.lookup(table, key) ?? (display === '' ? null : this.site.codes.lookup(table, display));
    const source = { code: key, ...(system === '' ? {} : { system }), ...(display === '' ? {} : { display }) };
    if (mapped !== null) return { ...mapped, source };
    const text = `this code is not in the table ${table} of ${this.site.id}; it was kept as sent`;
    this.find('unmapped-code', where, text, unmappedSent(table, key, display));
    return { code: key, system: system || `${this.site.id}:${table}`, ...(display === '' ? {} : { display }) };
  }
}

export const whereOf = (segment: Segment, field: number, component?: number): string =>
  `${segment.name}-${String(field)}${component === undefined || component === 1 ? '' : `.${String(component)}`}`;

/** Drops absent keys, so that a record asserts only what the message says. */
export function present<T extends object>(fields: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  const entries = Object.entries(fields).filter(([, value]) => value !== undefined);
  return Object.fromEntries(entries) as { [K in keyof T]?: Exclude<T[K], undefined> };
}
