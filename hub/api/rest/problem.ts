/** Problems as RFC 9457 `application/problem+json`: what went wrong, where, and what to do; never what the input said. */
import type { Response } from 'express';
import type { Problem, ProblemCode } from '../../core/problem.ts';
import { PROBLEMS, problemClass } from '../../core/problem.ts';

export const STATUS = {
  malformed: 400,
  'too-large': 413,
  'unsupported-message': 400,
  'unsupported-version': 400,
  'unsupported-media': 415,
  'unknown-sender': 403,
  unauthenticated: 401,
  forbidden: 403,
  'not-found': 404,
  gone: 410,
  'required-missing': 400,
  'invalid-value': 400,
  'unknown-code': 400,
  charset: 400,
  'control-id-reused': 409,
  'patient-mismatch': 409,
  'identity-doubt': 409,
  'report-conflict': 409,
  conflict: 409,
  precondition: 412,
  'limit-exceeded': 413,
  busy: 503,
  unavailable: 503,
  timeout: 504,
  internal: 500,
} as const satisfies Record<ProblemCode, number>;

/** One field at fault. `pointer` is a JSON pointer into the body as a URI fragment (`#/patientId`), or `query/limit`. */
export interface FieldError {
  readonly pointer: string;
  readonly code: string;
  readonly text: string;
}

export interface ProblemDetails {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly detail: string;
  readonly code: ProblemCode;
  readonly where?: string;
  readonly errors?: readonly FieldError[];
  /** Where the refused message is kept. */
  readonly journalId?: string;
}

export function problemDetails(
  problem: Problem,
  errors: readonly FieldError[] = [],
  journalId?: string,
): ProblemDetails {
  return {
    type: `urn:hutong:problem:${problem.code}`,
    title: PROBLEMS[problem.code][1],
    status: STATUS[problem.code],
    detail: problem.text,
    code: problem.code,
    ...(problem.where === undefined ? {} : { where: problem.where }),
    ...(errors.length === 0 ? {} : { errors }),
    ...(journalId === undefined ? {} : { journalId }),
  };
}

export function sendProblem(
  response: Response,
  problem: Problem,
  errors: readonly FieldError[] = [],
  journalId?: string,
  /** Where HTTP knows more than the problem: 405. */
  forced?: number,
): void {
  const told = problemDetails(problem, errors, journalId);
  const details = { ...told, status: forced ?? told.status };
  response.status(details.status).set('Cache-Control', 'no-store').type('application/problem+json');
  // RFC 6750 §3: a 401 names the scheme that would help.
  if (details.status === 401) response.set('WWW-Authenticate', 'Bearer realm="hutong"');
  if (problemClass(problem) === 'transient') response.set('Retry-After', '5');
  response.send(JSON.stringify(details));
}
