/** Every problem of the hub as a DIMSE status (PS3.7 Annex C, PS3.4 §B.2.3 and §C.4): what the sender's console shows. */
import type { Problem, ProblemCode } from '../../hub/core/problem.ts';
import type { Command } from './command.ts';

export const STATUS = {
  success: 0x0000,
  pending: 0xff00,
  /** Matches go on, and one or more optional keys were not supported for matching. */
  pendingUnsupportedKeys: 0xff01,
  cancelled: 0xfe00,
  outOfResources: 0xa700,
  unableToCountMatches: 0xa701,
  unableToPerformSubOperations: 0xa702,
  moveDestinationUnknown: 0xa801,
  dataSetDoesNotMatch: 0xa900,
  cannotUnderstand: 0xc000,
  /** Sub-operations complete, one or more failed or warned. */
  subOperationsFailed: 0xb000,
  processingFailure: 0x0110,
  invalidInstance: 0x0117,
  sopClassNotSupported: 0x0122,
  notAuthorised: 0x0124,
  unrecognisedOperation: 0x0211,
} as const;

/** C-STORE: PS3.4 Table B.2-1. Low digits of C000 are this software's own; the comment says what it means. */
const STORE = {
  malformed: 0xc000,
  'too-large': 0xa700,
  'unsupported-message': 0x0122,
  'unsupported-version': 0x0122,
  'unsupported-media': 0xc000,
  'unknown-sender': 0x0124,
  unauthenticated: 0x0124,
  forbidden: 0x0124,
  'not-found': 0xc000,
  gone: 0xc000,
  'required-missing': 0xa900,
  'invalid-value': 0xa900,
  'unknown-code': 0xa900,
  charset: 0xc000,
  'control-id-reused': 0xc001,
  'patient-mismatch': 0xc002,
  'identity-doubt': 0xc002,
  'report-conflict': 0xc003,
  conflict: 0xa900,
  precondition: 0xc003,
  'limit-exceeded': 0xa700,
  busy: 0xa700,
  unavailable: 0xa700,
  timeout: 0xa700,
  internal: 0xa700,
} as const satisfies Record<ProblemCode, number>;

/** C-FIND, C-MOVE, C-GET: PS3.4 Tables C.4-1 to C.4-3. */
const QUERY = {
  ...STORE,
  malformed: 0xa900,
  'too-large': 0xa900,
  'unsupported-media': 0xc000,
  'control-id-reused': 0xc000,
  'patient-mismatch': 0xc000,
  'identity-doubt': 0xc000,
  'report-conflict': 0xc000,
  precondition: 0xc000,
} as const satisfies Record<ProblemCode, number>;

export function storeFailure(
  problem: Problem,
): Pick<Command, 'errorComment' | 'offendingElement'> & { status: number } {
  return { status: STORE[problem.code], ...explain(problem) };
}

export function queryFailure(
  problem: Problem,
): Pick<Command, 'errorComment' | 'offendingElement'> & { status: number } {
  return { status: QUERY[problem.code], ...explain(problem) };
}

/** Error Comment (0000,0902) and Offending Element (0000,0901) where the problem names a tag. */
export function explain(problem: Problem): Pick<Command, 'errorComment' | 'offendingElement'> {
  const tag = /\(([0-9A-Fa-f]{4}),([0-9A-Fa-f]{4})\)/.exec(problem.where ?? '');
  const comment = { errorComment: problem.text };
  return tag ? { ...comment, offendingElement: [parseInt(`${tag[1] ?? ''}${tag[2] ?? ''}`, 16)] } : comment;
}
