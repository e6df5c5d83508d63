/**
 * C-FIND as provider (PS3.4 §C.4.1): asks the index as QIDO-RS does, records who saw whom, and sends the matches.
 * A query that matches more than the limit is told so after the matches it got: never a list that only looks whole.
 */
import { fail, ok, problem } from '../../hub/core/problem.ts';
import type { Result } from '../../hub/core/problem.ts';
import type { DicomMatch } from '../../hub/core/ports.ts';
import type { Request } from './association.ts';
import { responseTo } from './command.ts';
import type { Command } from './command.ts';
import { audited, seesAll } from './query-context.ts';
import type { QueryContext } from './query-context.ts';
import { readIdentifier, writeMatch } from './query-identifier.ts';
import type { Identifier } from './query-identifier.ts';
import type { QueryModel } from './sop-classes.ts';
import { STATUS, queryFailure } from './status.ts';

/** Responses between looks at the socket, where a C-CANCEL may wait. */
const BURST = 16;
const AUDITED_QUERY = 32_768;

export async function serveFind(request: Request, model: QueryModel, bytes: Buffer, at: QueryContext): Promise<void> {
  const { command, context } = request;
  const asked = readIdentifier(bytes, context.transferSyntax, model.root);
  if (!asked.ok) return answer(request, at, queryFailure(asked.problem));
  const bounded = isBounded(asked.value);
  if (!bounded.ok) return answer(request, at, queryFailure(bounded.problem));
  const matches = await find(asked.value, at);
  // Before the first byte leaves (SECURITY L3-AU4).
  await audited(at, {
    action: 'search',
    outcome: 'success',
    operation: `C-FIND ${asked.value.level}`,
    persons: [...new Set(matches.map((match) => match.personId))],
    objects: [...new Set(matches.flatMap((match) => (match.studyUid === null ? [] : [match.studyUid])))],
    // PS3.15 A.5.3.10: the identifier as it was sent, under the SOP class of its model.
    detail: {
      query: { id: context.abstractSyntax, content: bytes.subarray(0, AUDITED_QUERY).toString('base64') },
    },
  });
  const status = asked.value.unsupported ? STATUS.pendingUnsupportedKeys : STATUS.pending;
  for (const [number, match] of matches.slice(0, at.limits.matches).entries()) {
    if (number % BURST === 0) await new Promise((resolve) => setImmediate(resolve));
    if (at.cancelled.aborted) return answer(request, at, { status: STATUS.cancelled });
    const identifier = writeMatch(match, asked.value, at.aeTitle, context.transferSyntax);
    await at.association.send(context, responseTo(command, status, { dataSetType: 0 }), identifier);
  }
  if (matches.length > at.limits.matches) {
    const errorComment = `More than ${String(at.limits.matches)} matches; narrow the query`;
    return answer(request, at, { status: STATUS.outOfResources, errorComment });
  }
  return answer(request, at, { status: STATUS.success });
}

/** One more than the limit is read, so that "more" is known; one statement, so that the list is of one moment. */
async function find(asked: Identifier, at: QueryContext): Promise<readonly DicomMatch[]> {
  const own = seesAll(at.site) ? {} : { InstitutionSite: at.site.id };
  const found = await at.index.find({
    level: asked.level,
    match: { ...asked.match, ...own },
    fuzzy: false,
    limit: at.limits.matches + 1,
    offset: 0,
  });
  if (seesAll(at.site)) return found;
  // What the index says of a study's site is looked at again here: the query is only as good as its SQL.
  return found.filter(({ studyUid, attributes }) => studyUid === null || attributes.InstitutionSite === at.site.id);
}

/** PS3.4 §C.4.1.2.1: below the root level the keys above are given; one UID anywhere in the chain is enough here. */
function isBounded(asked: Identifier): Result<null> {
  const { level, match } = asked;
  if (level === 'PATIENT' || level === 'STUDY') return ok(null);
  if (['StudyInstanceUID', 'SeriesInstanceUID', 'SOPInstanceUID'].some((key) => match[key] !== undefined))
    return ok(null);
  const text = `A query at level ${level} needs the Study Instance UID.`;
  return fail(problem('required-missing', '(0020,000D)', text));
}

async function answer(
  request: Request,
  at: QueryContext,
  outcome: Partial<Command> & { status: number },
): Promise<void> {
  if (at.association.ended) return;
  await at.association.send(request.context, responseTo(request.command, outcome.status, outcome));
}
