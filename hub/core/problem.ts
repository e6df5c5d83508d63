/**
 * What can go wrong, once: every code with its class (what to do next) and its text. Expected failures are
 * returned as a Problem, never thrown; each face renders every code in its own protocol.
 */

/** transient: retry with backoff. ambiguous: may have been done, retry only what is idempotent. permanent: do not retry. */
export type ProblemClass = 'transient' | 'ambiguous' | 'permanent';

export const PROBLEMS = {
  malformed: ['permanent', 'The input cannot be parsed.'],
  'too-large': ['permanent', 'The input is larger than the limit.'],
  'unsupported-message': ['permanent', 'This message type is not supported.'],
  'unsupported-version': ['permanent', 'This version is not supported.'],
  'unsupported-media': ['permanent', 'This media type or transfer syntax is not supported.'],
  'unknown-sender': ['permanent', 'The sender is not registered.'],
  unauthenticated: ['permanent', 'A caller is required.'],
  forbidden: ['permanent', 'The caller has no right to this.'],
  'not-found': ['permanent', 'There is nothing under this identifier.'],
  gone: ['permanent', 'This was removed or replaced.'],
  'required-missing': ['permanent', 'A required field is missing.'],
  'invalid-value': ['permanent', 'A field has a value that is not allowed.'],
  'unknown-code': ['permanent', 'A code is not in its table.'],
  charset: ['permanent', 'The text does not decode in the declared character set.'],
  'control-id-reused': ['permanent', 'This control id was used before with other content.'],
  'patient-mismatch': ['permanent', 'The patient disagrees with what the index holds for this exam.'],
  'identity-doubt': ['permanent', 'The identity of the person is in doubt.'],
  'report-conflict': ['permanent', 'Another report stands for this exam and this one does not replace it.'],
  conflict: ['permanent', 'The request conflicts with the present state.'],
  precondition: ['permanent', 'A precondition of the request does not hold.'],
  'limit-exceeded': ['permanent', 'A limit on count, depth or time was exceeded.'],
  busy: ['transient', 'The hub is busy; try again later.'],
  unavailable: ['transient', 'A part that is needed does not answer; try again later.'],
  timeout: ['ambiguous', 'The time limit passed before an answer.'],
  internal: ['transient', 'The hub failed; the input is kept and is tried again.'],
} as const satisfies Record<string, readonly [ProblemClass, string]>;

export type ProblemCode = keyof typeof PROBLEMS;

export interface Problem {
  readonly code: ProblemCode;
  /** What was wrong and what to do, in English, without patient data. */
  readonly text: string;
  /** Path in the source's own tongue: `PID-3[2].4`, `Patient.identifier[0]`, `(0010,0020)`. */
  readonly where?: string;
}

export function problem(code: ProblemCode, where?: string, text?: string): Problem {
  const base = { code, text: text ?? PROBLEMS[code][1] };
  return where === undefined ? base : { ...base, where };
}

export const problemClass = (p: Problem): ProblemClass => PROBLEMS[p.code][0];

/** A code that no table of its site maps, as a finding carries it. */
export interface UnmappedSent {
  readonly table: string;
  readonly code: string;
  readonly display?: string;
}

/** Something worth knowing that did not stop the input: an unmapped code, a missing optional field, a doubtful charset. */
export interface Finding {
  readonly code:
    | 'unmapped-code'
    | 'missing-optional'
    | 'degraded'
    | 'charset-suspect'
    | 'invalid-value'
    | 'identifier-suspect'
    | 'demographics-differ'
    | 'stale'
    | 'candidates-cut'
    | 'ignored-segment'
    | 'orphan'
    | 'conflict';
  readonly where: string;
  readonly text: string;
  /** Of an `unmapped-code`: the code as sent, where the site has a table for it and it is no number of a person. */
  readonly unmapped?: UnmappedSent;
}

export type Result<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly problem: Problem };
export const ok = <T>(value: T): Result<T> => ({ ok: true, value });
export const fail = (p: Problem): { ok: false; problem: Problem } => ({ ok: false, problem: p });

/**
 * What a port rejects with when the cause is expected (disk full, nothing under the key): whoever catches it has the
 * Problem to render. Anything else thrown is a bug.
 */
export class Failure extends Error {
  readonly problem: Problem;

  constructor(problem: Problem, cause?: unknown) {
    super(problem.text, cause === undefined ? undefined : { cause });
    this.name = 'Failure';
    this.problem = problem;
  }
}

/**
 * What names an error to the operator without a word of it, which may quote a patient: the code of the system or of the
 * database (`ENOSPC`, SQLSTATE), else what kind of error it is. Log it as `code`: a field `name` is taken for a person's.
 */
export function codeOf(error: unknown): string {
  if (error instanceof Failure) return error.problem.code;
  if (!(error instanceof Error)) return typeof error;
  const code: unknown = Reflect.get(error, 'code');
  return typeof code === 'string' && /^[A-Z0-9_]{1,40}$/.test(code) ? code : error.name;
}
