/**
 * One request at the DICOMweb door: who calls, whether he may, and the record of it that is durable before the first
 * byte leaves. Nothing here writes patient data anywhere but the audit's own fields.
 */
import type { Request, Response } from 'express';
import { decide } from '../../core/access.ts';
import type { Act, Caller } from '../../core/access.ts';
import { audited as auditedCaller } from '../../core/audit.ts';
import type { AuditDetail, AuditEvent } from '../../core/audit.ts';
import { lenientUid } from '../../core/identifier.ts';
import type { Uid } from '../../core/identifier.ts';
import { Failure, problem } from '../../core/problem.ts';
import { callerOf } from '../caller.ts';
import { answerFailure } from './answer.ts';
import type { DicomwebDeps } from './deps.ts';

export interface Exchange {
  readonly request: Request;
  readonly response: Response;
  readonly caller: Caller;
  /** In the face's own words, without patient data: `WADO-RS series`. */
  readonly operation: string;
  /** Service root as the caller reached it: `http://host/dicomweb`. */
  readonly base: string;
  /** Resolves when durable; call it before answering with anybody's data. */
  audited(action: AuditEvent['action'], persons: readonly string[], objects: readonly string[]): Promise<void>;
}

/** Wraps a handler: caller, right, audit of refusals, and one place where failures become answers. */
export function exchange(
  deps: Pick<DicomwebDeps, 'audit' | 'log'>,
  operation: string,
  act: (request: Request, caller: Caller) => Act,
  handle: (exchange: Exchange) => Promise<void>,
): (request: Request, response: Response) => Promise<void> {
  return async (request, response) => {
    try {
      const caller = await admitted(deps, operation, act, request, response);
      const base = baseOf(request);
      const detail = (action: AuditEvent['action']): AuditDetail => ({
        endpoint: base,
        ...(action === 'search' ? { query: { content: Buffer.from(request.originalUrl).toString('base64') } } : {}),
      });
      const audited: Exchange['audited'] = (action, persons, objects) =>
        deps.audit.record({
          ...who(caller),
          action,
          outcome: 'success',
          operation,
          persons,
          objects,
          detail: detail(action),
        });
      await handle({ request, response, caller, operation, base, audited });
    } catch (error) {
      answerFailure(response, error, deps.log, operation);
    }
  };
}

async function admitted(
  deps: Pick<DicomwebDeps, 'audit'>,
  operation: string,
  act: (request: Request, caller: Caller) => Act,
  request: Request,
  response: Response,
): Promise<Caller> {
  const caller = callerOf(response);
  const objects = Object.values(request.params).flatMap((value) =>
    typeof value === 'string' && lenientUid(value) !== null ? [value] : [],
  );
  const refuse = async (reason: string, code: 'unauthenticated' | 'forbidden'): Promise<never> => {
    const identity = caller ? who(caller) : nobody(request);
    await deps.audit.record({
      ...identity,
      action: 'refuse',
      outcome: 'refused',
      operation,
      persons: [],
      objects,
      reason,
    });
    throw new Failure(problem(code, undefined, code === 'forbidden' ? `Refused: ${reason}.` : undefined));
  };
  if (caller === null) return refuse('no caller', 'unauthenticated');
  const decision = decide(caller, act(request, caller));
  return decision.allowed ? caller : refuse(decision.reason, 'forbidden');
}

const who = (caller: Caller): Pick<AuditEvent, 'face'> & ReturnType<typeof auditedCaller> => ({
  face: 'dicomweb',
  ...auditedCaller(caller),
});

const nobody = (request: Request): ReturnType<typeof who> => ({
  face: 'dicomweb',
  callerId: '',
  callerName: '',
  callerRole: '',
  peer: request.socket.remoteAddress ?? '',
});

/** The Host header is foreign text that comes back in URLs: only what a host can be is taken. */
function baseOf(request: Request): string {
  const host = request.get('host') ?? '';
  const safe = /^([A-Za-z0-9.-]{1,253}|\[[0-9A-Fa-f:.]{2,45}\])(:\d{1,5})?$/.test(host) ? host : 'localhost';
  return `${request.protocol}://${safe}${request.baseUrl}`;
}

/** A UID of the path or the query; anything that is not digits and dots names nothing, and never reaches a store. */
export function uidParameter(request: Request, name: 'study' | 'series' | 'instance'): Uid {
  const text = request.params[name];
  const uid = typeof text === 'string' ? lenientUid(text) : null;
  if (uid === null) throw new Failure(problem('invalid-value', name, `The ${name} in the path is not a DICOM UID.`));
  return uid;
}
