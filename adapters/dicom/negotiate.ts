/** Answers the presentation contexts of an A-ASSOCIATE-RQ (PS3.8 §9.3.3.2, PS3.7 Annex D): pure, so that it is tested as a table. */
import { lenientUid } from '../../hub/core/identifier.ts';
import {
  EXPLICIT_LE,
  HTJ2K_LOSSLESS,
  IMPLICIT_LE,
  JPEG_LS_LOSSLESS,
  RLE,
  referenceKind,
} from '../../mappings/dicom/uids.ts';
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
    // Where the requestor is SCP only, instances go to it (C-GET): the syntax is what the hub has to write.
    const role = asked.get(proposed.abstractSyntax);
    const answer = answerTo(proposed, role?.scp === true && !role.scu);
    answers.push(answer);
    if (answer.result !== CONTEXT_RESULT.accepted) continue;
    // Without role selection the requestor is SCU and the acceptor SCP (PS3.7 §D.3.3.4).
    const granted = purposeOf(proposed.abstractSyntax) === 'store' ? role : undefined;
    if (granted) roles.set(granted.sopClass, granted);
    contexts.push({
      id: proposed.id,
      abstractSyntax: proposed.abstractSyntax,
      transferSyntax: answer.transferSyntax,
      scu: granted?.scp ?? false,
      scp: granted?.scu ?? true,
    });
  }
  return { answers, contexts, roles: [...roles.values()] };
}

/** What instances in any readable syntax can be converted to without loss; only images to the compressed ones. */
const WRITTEN: ReadonlySet<string> = new Set([EXPLICIT_LE, IMPLICIT_LE]);
const WRITTEN_IMAGES: ReadonlySet<string> = new Set([...WRITTEN, JPEG_LS_LOSSLESS, HTJ2K_LOSSLESS, RLE]);

function answerTo(proposed: ProposedContext, sent: boolean): AnsweredContext {
  const refused = (result: number): AnsweredContext => ({ id: proposed.id, result, transferSyntax: IMPLICIT_LE });
  const uid = lenientUid(proposed.abstractSyntax);
  const purpose = uid === null ? null : purposeOf(uid);
  if (purpose === null) return refused(CONTEXT_RESULT.abstractSyntaxNotSupported);
  const written = referenceKind(proposed.abstractSyntax) === 'IMAGE' ? WRITTEN_IMAGES : WRITTEN;
  const transferSyntax =
    purpose === 'query'
      ? // Identifiers are written by the hub: in explicit VR where that is offered, so that no dictionary is needed.
        [EXPLICIT_LE, IMPLICIT_LE].find((syntax) => proposed.transferSyntaxes.includes(syntax))
      : // Data sets are stored as they come, so the first choice of the sender is as good as any.
        // One that is sent may be stored in another: of several choices, one that the hub can write.
        ((sent ? proposed.transferSyntaxes.find((syntax) => written.has(syntax)) : undefined) ??
        proposed.transferSyntaxes.find((syntax) => lenientUid(syntax) !== null));
  if (transferSyntax === undefined) return refused(CONTEXT_RESULT.transferSyntaxesNotSupported);
  return { id: proposed.id, result: CONTEXT_RESULT.accepted, transferSyntax };
}
