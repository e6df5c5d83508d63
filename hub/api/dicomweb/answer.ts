/** How the DICOMweb faces answer what cannot be done: as every face over HTTP, with PS3.18's own statuses. */
import type { Response } from 'express';
import type { Log } from '../../core/ports.ts';
import { codeOf, Failure, problem as problemOf } from '../../core/problem.ts';
import type { Problem } from '../../core/problem.ts';
import { problemDetails } from '../rest/problem.ts';

/** PS3.18 §8.7.3: what cannot be had in an acceptable form is 406; 415 is for what the caller sent. §8.5: too much is 413. */
const statusOf = (problem: Problem, status: number): number =>
  problem.code === 'unsupported-media' ? 406 : problem.code === 'limit-exceeded' ? 413 : status;

export function answerProblem(response: Response, problem: Problem, forced?: number): void {
  const details = problemDetails(problem);
  const status = forced ?? statusOf(problem, details.status);
  for (const name of ['Content-Length', 'Warning', 'Content-Encoding']) response.removeHeader(name);
  if (status === 401) response.setHeader('WWW-Authenticate', 'Bearer realm="hutong"');
  if (status === 503) response.setHeader('Retry-After', '5');
  response.setHeader('Cache-Control', 'no-store');
  response
    .status(status)
    .type('application/problem+json')
    .send(JSON.stringify({ ...details, status }));
}

/** What a handler threw: an expected cause is answered as its problem, a bug as 500 without its words. */
export function answerFailure(response: Response, error: unknown, log: Log, operation: string): void {
  const known = error instanceof Failure ? error.problem : null;
  if (known === null || problemDetails(known).status >= 500) {
    // Only frames of the stack: the message of a foreign error may quote what it did not like.
    const frames =
      error instanceof Error
        ? (error.stack ?? '')
            .split('\n')
            .filter((line) => /^\s+at /.test(line))
            .slice(0, 8)
        : [];
    log.error({ operation, code: known?.code ?? codeOf(error), frames }, 'DICOMweb request broke');
  }
  if (response.headersSent) {
    // Bytes are on their way under a promised length: a broken connection is the only honest sign left.
    response.destroy();
    return;
  }
  answerProblem(response, known ?? problemOf('internal'));
}
