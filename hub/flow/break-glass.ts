/**
 * Emergency access as an act: what the doctor asked for stands with its row, and nothing beside it can take it back. Where
 * the audit is away just then the case is told to it as soon as it is there again.
 */
import { audited, type AuditTrail } from '../core/audit.ts';
import type { Caller } from '../core/access.ts';
import type { BreakGlassCase, BreakGlassCases, BreakGlassRequest } from '../core/break-glass.ts';
import type { Log } from '../core/ports.ts';
import { codeOf, ok, type Result } from '../core/problem.ts';

export interface BreakGlassDeps {
  readonly cases: BreakGlassCases;
  readonly audit: AuditTrail;
  readonly log: Log;
}

export async function breakGlass(
  deps: BreakGlassDeps,
  request: BreakGlassRequest,
  by: Caller,
): Promise<Result<{ readonly found: BreakGlassCase; readonly isNew: boolean }>> {
  const opened = await deps.cases.open(request, by);
  if (!opened.ok) return opened;
  const { found, isNew } = opened.value;
  const { grantId, reason, institution } = found;
  if (isNew)
    deps.log.warn({ grantId, reason, account: found.accountId, institution }, 'the glass was broken: emergency access');
  // Also where it is asked for again while it stands: every time is an act.
  await recordCase(deps, found, by).catch((error: unknown) => {
    deps.log.error({ grantId, code: codeOf(error) }, 'the audit is away: the emergency is told to it later');
  });
  return ok({ found, isNew });
}

/** Cases that the audit has still to be told of; how many were told. */
export async function auditCases(deps: BreakGlassDeps): Promise<number> {
  const owed = await deps.cases.unaudited(50);
  for (const one of owed) {
    const doctor = { id: one.accountId, name: one.accountName, role: 'physician', peer: 'later' } as const;
    await recordCase(deps, one, doctor);
  }
  return owed.length;
}

async function recordCase({ cases, audit }: BreakGlassDeps, one: BreakGlassCase, by: Caller): Promise<void> {
  await audit.record({
    ...audited(by),
    action: 'change',
    outcome: 'success',
    face: 'rest',
    operation: 'breakGlass',
    persons: [one.personId],
    objects: [`break-glass/${one.grantId}`],
    // The words of the doctor may tell of the patient: they stay with the case.
    reason: `emergency access: ${one.reason}`,
  });
  await cases.audited(one.grantId);
}
