/** Answers the presentation contexts of an A-ASSOCIATE-RQ (PS3.8 §9.3.3.2, PS3.7 Annex D): pure, so that it is tested as a table. */
import { lenientUid } from '../../hub/core/identifier.ts';
import { EXPLICIT_LE, IMPLICIT_LE } from '../../mappings/dicom/uids.ts';
import type { AcceptedContext } from './association.ts';
import { CONTEXT_RESULT } from './pdu.ts';
import type { AnsweredContext, AssociateRq, ProposedContext, RoleSelection } from './pdu.ts';
import { purposeOf } from './sop-classes.ts';

export interface Negotiated {
  readonly answers: readonly AnsweredContext[];
  readonly contexts: readonly AcceptedContext[];
  readonly roles: readonly RoleSelection[];
}

export function negotiate(rq: AssociateRq): Negotiated {
  const asked = new Map(rq.user.roles.map((role) => [role.sopClass, role]));
  const roles = new Map<string, RoleSelection>();
  const answers: AnsweredContext[] = [];
  const contexts: AcceptedContext[] = [];
  for (const proposed of rq.contexts) {
    const answer = answerTo(proposed);
    answers.push(answer);
    if (answer.result !== CONTEXT_RESULT.accepted) continue;
    const role = purposeOf(proposed.abstractSyntax) === 'store' ? asked.get(proposed.abstractSyntax) : undefined;
    // Without role selection the requestor is SCU and the acceptor SCP (PS3.7 §D.3.3.4).
    if (role) roles.set(role.sopClass, role);
    contexts.push({
      id: proposed.id,
      abstractSyntax: proposed.abstractSyntax,
      transferSyntax: answer.transferSyntax,
      scu: role?.scp ?? false,
      scp: role?.scu ?? true,
    });
  }
  return { answers, contexts, roles: [...roles.values()] };
}

function answerTo(proposed: ProposedContext): AnsweredContext {
  const refused = (result: number): AnsweredContext => ({ id: proposed.id, result, transferSyntax: IMPLICIT_LE });
  const uid = lenientUid(proposed.abstractSyntax);
  const purpose = uid === null ? null : purposeOf(uid);
  if (purpose === null) return refused(CONTEXT_RESULT.abstractSyntaxNotSupported);
  const transferSyntax =
    purpose === 'query'
      ? // Identifiers are written by the hub: in explicit VR where that is offered, so that no dictionary is needed.
        [EXPLICIT_LE, IMPLICIT_LE].find((syntax) => proposed.transferSyntaxes.includes(syntax))
      : // Data sets are stored as they come, so the first choice of the sender is as good as any.
        proposed.transferSyntaxes.find((syntax) => lenientUid(syntax) !== null);
  if (transferSyntax === undefined) return refused(CONTEXT_RESULT.transferSyntaxesNotSupported);
  return { id: proposed.id, result: CONTEXT_RESULT.accepted, transferSyntax };
}
