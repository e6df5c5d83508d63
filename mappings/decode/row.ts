/** Rows of a decoded message as they are gathered: bounded in number and length, masked, and marked where something was found. */
import type { DecodedMessage, DecodedRow } from '../../hub/core/decoded.ts';
import type { Finding } from '../../hub/core/problem.ts';
import { masked, type Sight } from './mask.ts';

const MAX_ROWS = 3_000;
const MAX_VALUE = 2_000;

export interface Place {
  readonly where: string;
  readonly name?: string;
  readonly nameZh?: string;
  readonly depth: number;
}

export class Rows {
  readonly #rows: DecodedRow[] = [];
  readonly #findings: readonly Finding[];
  readonly #unmask: boolean;
  truncated = false;

  constructor(findings: readonly Finding[], unmask: boolean) {
    this.#findings = findings;
    this.#unmask = unmask;
  }

  /** Nothing more can be added; whoever asks has more, so it is said that something is missing. */
  get full(): boolean {
    if (this.#rows.length < MAX_ROWS) return false;
    this.truncated = true;
    return true;
  }

  add({ where, name = '', nameZh = '', depth }: Place, value: string, sight: Sight): void {
    if (this.full) return;
    if (value.length > MAX_VALUE) this.truncated = true;
    const shown = masked(value.slice(0, MAX_VALUE), this.#unmask ? 'plain' : sight);
    const findings = this.#findings.flatMap((finding, at) => (isAt(finding.where, where) ? [at] : []));
    this.#rows.push({ where, name, nameZh, ...shown, depth, findings });
  }

  message(format: DecodedMessage['format'], charset: string | null): DecodedMessage {
    return { format, charset, rows: this.#rows, findings: this.#findings, truncated: this.truncated };
  }
}

/** `PID-3.4` is found in `PID-3[2].4` as well, and the first repetition or component may go without its number. */
const isAt = (found: string, where: string): boolean => found === where || plainer(found) === plainer(where);
const plainer = (where: string): string => where.replace(/\[1\]/g, '').replace(/\.1(?=$)/, '');
