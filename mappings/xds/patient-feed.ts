/**
 * ITI-44 Patient Identity Feed HL7 V3 (ITI TF-2 §3.44) as a document registry needs it: which ids of the affinity
 * domain are announced and which end, and the acknowledgement MCCI_IN000002UV01.
 */
import type { PatientCx } from '../../hub/core/document.ts';
import { isCx } from '../../hub/core/document-format.ts';
import { fail, ok, problem } from '../../hub/core/problem.ts';
import type { Problem, Result } from '../../hub/core/problem.ts';
import { down, HL7V3, writeAnswer } from './hl7v3.ts';
import type { Answerer } from './hl7v3.ts';
import { childrenNamed } from './xml.ts';
import type { XmlElement } from './xml.ts';

const MESSAGES = { PRPA_IN201301UV02: 'add', PRPA_IN201302UV02: 'revise', PRPA_IN201304UV02: 'merge' } as const;

export const FEED_ACTIONS = Object.keys(MESSAGES).map((name) => `${HL7V3}:${name}`);
export const FEED_RESPONSE = `${HL7V3}:MCCI_IN000002UV01`;

export interface PatientFeed {
  readonly kind: 'add' | 'revise' | 'merge';
  readonly patients: readonly PatientCx[];
  /** Ids that end in the first of `patients`. */
  readonly subsumed: readonly PatientCx[];
}

/** `domain` is the OID of the affinity domain: ids of other authorities are not this registry's (§3.44.4.1.3.2). */
export function readPatientFeed(body: XmlElement, domain: string): Result<PatientFeed> {
  const kind = body.namespace === HL7V3 ? MESSAGES[body.name as keyof typeof MESSAGES] : undefined;
  if (kind === undefined)
    return fail(problem('unsupported-message', 'Body', 'The body is no patient identity feed message.'));
  const events = down([body], 'controlActProcess', 'subject', 'registrationEvent');
  const patients = idsIn(down(events, 'subject1', 'patient'), domain);
  const subsumed = idsIn(down(events, 'replacementOf', 'priorRegistration', 'subject1', 'priorRegisteredRole'), domain);
  const where = 'controlActProcess/subject/registrationEvent';
  if (patients.length === 0)
    return fail(problem('required-missing', `${where}/subject1/patient/id`, 'There is no id of the affinity domain.'));
  if (kind !== 'merge') return ok({ kind, patients, subsumed: [] });
  if (subsumed.length === 0)
    return fail(problem('required-missing', `${where}/replacementOf`, 'There is no prior id of the affinity domain.'));
  if (patients.length > 1 || subsumed.some((id) => id === patients[0]))
    return fail(problem('invalid-value', where, 'A merge needs one surviving id, and others that end.'));
  return ok({ kind, patients, subsumed });
}

function idsIn(roles: readonly XmlElement[], domain: string): PatientCx[] {
  const ids = roles
    .flatMap((role) => childrenNamed(role, HL7V3, 'id'))
    .filter((id) => id.attributes.get('root')?.trim() === domain)
    .map((id) => `${id.attributes.get('extension')?.trim() ?? ''}^^^&${domain}&ISO`)
    .filter((cx) => isCx(cx) && cx.length <= 256);
  return [...new Set(ids)] as PatientCx[];
}

export interface FeedAnswer extends Answerer {
  /** null: accepted. */
  readonly problem: Problem | null;
}

/** MCCI_IN000002UV01 with an accept acknowledgement (§3.44.4.1.3.4, §O.1): CA, or CE with why. */
export const writeFeedAnswer = (request: XmlElement, { problem: wrong, ...by }: FeedAnswer): string =>
  writeAnswer('MCCI_IN000002UV01', request, by, { code: wrong === null ? 'CA' : 'CE', problem: wrong });
