/** The check of assertions as a test asks it: an envelope in, what is believed or the refusal out, at a time of its choice. */
import assert from 'node:assert/strict';
import type { TrustedIssuer } from '../../hub/core/assertion.ts';
import { createAssertionCheck } from '../../hub/security/assertion.ts';
import type { AssertionCheck, Believed, Statement } from '../../hub/security/assertion.ts';
import type { SecurityFaultCode, SecurityRefusal } from '../../mappings/xds/security-header.ts';
import { openXml, XML_LIMITS } from '../../mappings/xds/xml.ts';

export type Judged = Believed | SecurityRefusal | null;

export interface Checker {
  readonly check: AssertionCheck;
  /** Moves the clock. */
  at(time: number): void;
  inspect(envelope: string | Buffer): Judged;
  /** Inspects, and takes into use what is believed. */
  use(envelope: string | Buffer): Promise<Statement | SecurityRefusal | null>;
}

export function checker(issuers: readonly TrustedIssuer[], now: number, skewMs = 60_000): Checker {
  const used = new Set<string>();
  let time = now;
  const check = createAssertionCheck({
    issuers,
    ledger: {
      firstUse: (key) => {
        const before = used.size;
        return Promise.resolve(used.add(Buffer.from(key).toString('hex')).size > before);
      },
    },
    clock: () => new Date(time),
    skewMs,
  });
  const inspect = (envelope: string | Buffer): Judged => {
    const opened = openXml(Buffer.from(envelope), XML_LIMITS, (open) => check.inspect(open));
    if (opened.ok) return opened.value;
    throw new Error(`not readable: ${opened.problem.text}`);
  };
  return {
    check,
    at: (moment) => {
      time = moment;
    },
    inspect,
    async use(envelope) {
      const judged = inspect(envelope);
      return judged === null || 'reason' in judged ? judged : check.use(judged);
    },
  };
}

export function believed(judged: Judged): Believed {
  assert.ok(judged, 'no assertion was seen');
  assert.ok(!('reason' in judged), 'reason' in judged ? `${judged.code}: ${judged.reason}` : '');
  return judged;
}

export function refused(judged: Statement | SecurityRefusal | null, code: SecurityFaultCode, reason: RegExp): void {
  assert.ok(judged && 'reason' in judged, 'it was believed');
  assert.equal(judged.code, code, judged.reason);
  assert.match(judged.reason, reason);
}
