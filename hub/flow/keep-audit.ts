/**
 * Keeps the audit provable: states and signs what is new, brings anchors outside the database, and proves the chain every
 * night: what came since the last proof, and one month of before in turn.
 */
import type { Anchor, AnchorCopies, AnchorDesk } from '../core/audit-anchor.ts';
import type { Verification, VerificationLog, VerifyScope } from '../core/audit-anchor.ts';
import type { AuditWatch } from '../core/audit-rules.ts';
import type { Log } from '../core/ports.ts';
import { codeOf } from '../core/problem.ts';
import { createTurns, isTold, type Turns } from './turns.ts';

const PAGE = 500;
const DAY_MS = 86_400_000;

/** An anchor of what is new, and every copy brought up to the newest; answers the anchor, where there was something. */
export async function anchorOut(deps: {
  readonly desk: AnchorDesk;
  readonly copies: readonly AnchorCopies[];
}): Promise<Anchor | null> {
  const made = await deps.desk.anchor();
  const faults: unknown[] = [];
  // A destination that is away keeps none of the others from what is new, and gets what it missed when it is back.
  for (const copies of deps.copies) await bringUp(deps.desk, copies).catch((error: unknown) => faults.push(error));
  if (faults.length > 0) throw faults[0];
  return made;
}

async function bringUp(desk: AnchorDesk, copies: AnchorCopies): Promise<void> {
  let number = await copies.newest();
  for (let page = PAGE; page === PAGE;) {
    const missing = await desk.after(number, PAGE);
    for (const anchor of missing) {
      await copies.put(anchor);
      number = anchor.number;
    }
    page = missing.length;
  }
}

export interface KeepAuditDeps {
  readonly desk: AnchorDesk;
  readonly copies: readonly AnchorCopies[];
  readonly runs: VerificationLog;
  readonly verify: (scope: VerifyScope) => Promise<Verification>;
  /** Months that are kept, oldest first. */
  readonly months: () => Promise<readonly string[]>;
  readonly clock: () => Date;
  readonly log: Log;
  readonly anchorMs: number;
  /** Hour of the night, UTC, from which a day's proof is due. */
  readonly verifyHour: number;
}

export interface KeepAudit {
  start(): void;
  stop(): Promise<void>;
  /** The proof of this night, where it is due and nobody has begun it. */
  prove(): Promise<Verification | null>;
  counts(): Readonly<Record<'anchors' | 'failed_anchors' | 'failed_proofs', number>>;
}

export function createKeepAudit(deps: KeepAuditDeps): KeepAudit {
  const { desk, copies, runs, clock, log } = deps;
  const counts = { anchors: 0, failed_anchors: 0, failed_proofs: 0 };
  let failures = 0;

  async function prove(): Promise<Verification | null> {
    const due = dueSince(clock(), deps.verifyHour);
    const scope = await since(runs);
    const id = await runs.begin('nightly', scope, due);
    if (id === null) return null;
    const fresh = await deps.verify(scope);
    const month = await inTurn(deps, clock());
    const past = month === null ? null : await deps.verify({ month });
    const whole = past === null ? fresh : joined(fresh, past);
    await runs.end(id, whole);
    if (!whole.intact)
      log.error(
        { findings: whole.findingCount, first: whole.findings[0]?.kind },
        'the audit was bent: see /api/v1/audit/verify',
      );
    return whole;
  }

  async function turn(): Promise<number> {
    try {
      if ((await anchorOut({ desk, copies })) !== null) counts.anchors += 1;
      failures = 0;
    } catch (error) {
      failures += 1;
      counts.failed_anchors += 1;
      if (isTold(failures))
        log.error({ code: codeOf(error), failures }, 'an anchor of the audit could not be made or kept');
    }
    await prove().catch((error: unknown) => {
      counts.failed_proofs += 1;
      log.error({ code: codeOf(error) }, 'the nightly proof of the audit failed');
    });
    return deps.anchorMs;
  }

  const turns = createTurns(turn);
  return {
    start() {
      turns.start();
    },
    stop: () => turns.stop(),
    prove,
    counts: () => ({ ...counts }),
  };
}

/**
 * A proof that an auditor asks for, of all that is kept; it goes on after this has answered its id. null: one was asked for
 * less than a minute ago, since each reads the whole audit.
 */
export async function proveNow(deps: Pick<KeepAuditDeps, 'runs' | 'verify' | 'clock' | 'log'>): Promise<string | null> {
  const { runs, verify, clock, log } = deps;
  const id = await runs.begin('command', {}, new Date(clock().getTime() - 60_000).toISOString());
  if (id === null) return null;
  verify({})
    .then((outcome) => runs.end(id, outcome))
    .catch((error: unknown) => {
      log.error({ code: codeOf(error) }, 'a proof of the audit that was asked for failed');
    });
  return id;
}

/** The newest moment at which a proof became due. */
function dueSince(now: Date, hour: number): string {
  const today = Date.UTC(now.getUTCFullYear(), now.getUTCMonth(), now.getUTCDate(), hour);
  return new Date(today <= now.getTime() ? today : today - DAY_MS).toISOString();
}

/** After the newest run that found everything in order. */
async function since(runs: VerificationLog): Promise<VerifyScope> {
  const good = (await runs.list(30)).find(({ intact, month }) => intact === true && month === null);
  return good === undefined || good.upToAnchor === 0 ? {} : { fromAnchor: good.upToAnchor };
}

/** One month a night, by the number of the day, so that each has its turn. */
async function inTurn(deps: KeepAuditDeps, now: Date): Promise<string | null> {
  const months = await deps.months();
  return months[Math.floor(now.getTime() / DAY_MS) % Math.max(1, months.length)] ?? null;
}

const joined = (one: Verification, other: Verification): Verification => ({
  ...one,
  intact: one.intact && other.intact,
  records: one.records + other.records,
  findingCount: one.findingCount + other.findingCount,
  findings: [...one.findings, ...other.findings],
});

const WATCHED = 500;
const WATCH_MS = 2_000;
const WATCH_REST_MS = 60_000;

/** Reads new records as they come and flags odd access; nobody waits for it. */
export function watchTurns(deps: { readonly watch: AuditWatch; readonly log: Log }): Turns {
  return createTurns(async () => {
    try {
      return (await deps.watch.read(WATCHED)) === WATCHED ? 0 : WATCH_MS;
    } catch (error) {
      deps.log.warn({ code: codeOf(error) }, 'the audit could not be watched for odd access');
      return WATCH_REST_MS;
    }
  });
}
