/**
 * One request at the DICOMweb door: who calls, whether he may, and the record of it that is durable before the first
 * byte leaves. Nothing here writes patient data anywhere but the audit's own fields.
 */
import type { Request, Response } from 'express';
import { decide } from '../../core/access.ts';
import type { Act, Caller } from '../../core/access.ts';
import { groundsOf, refusalOf } from '../../core/access-ports.ts';
import type { Sight } from '../../core/access-ports.ts';
import { audited as auditedCaller } from '../../core/audit.ts';
import type { AuditDetail, AuditEvent } from '../../core/audit.ts';
import { SearchTimeout } from '../../core/fhir.ts';
import { lenientUid } from '../../core/identifier.ts';
import type { Uid } from '../../core/identifier.ts';
import type { DicomIndex, IndexReader } from '../../core/ports.ts';
import { Failure, problem } from '../../core/problem.ts';
import { sightedDicom, sightedReader } from '../../flow/sighted-index.ts';
import { callerNow, callerOf } from '../caller.ts';
import { answerFailure } from './answer.ts';
import type { DicomwebDeps } from './deps.ts';

export interface Exchange {
  readonly request: Request;
  readonly response: Response;
  readonly caller: Caller;
  /** In the face's own words, without patient data: `WADO-RS series`. */
  readonly operation: string;
  /** The index as this caller may see it. */
  readonly index: DicomIndex;
  readonly reader: IndexReader;
  /** Service root as the caller reached it: `http://host/dicomweb`. */
  readonly base: string;
  /** Resolves when durable; call it before answering with anybody's data. */
  audited(action: AuditEvent['action'], persons: readonly string[], objects: readonly string[]): Promise<void>;
  /** Whether the caller's session and his right to the study still stand, asked anew: for answers that last. */
  stands(): Promise<boolean>;
}

/** Wraps a handler: caller, right, audit of refusals, and one place where failures become answers. */
export function exchange(
  deps: Pick<DicomwebDeps, 'audit' | 'log' | 'access' | 'index' | 'reader'>,
  operation: string,
  act: (request: Request, caller: Caller) => Act,
  handle: (exchange: Exchange) => Promise<void>,
): (request: Request, response: Response) => Promise<void> {
  return async (request, response) => {
    let told: Told | null = null;
    try {
      const caller = await admitted(deps, operation, act, request, response);
      const sight = await deps.access.sight(caller);
      told = { caller, sight };
      const base = baseOf(request);
      const detail = (action: AuditEvent['action']): AuditDetail => ({
        endpoint: base,
        ...(action === 'search' ? { query: { content: Buffer.from(request.originalUrl).toString('base64') } } : {}),
      });
      const record: Exchange['audited'] = (action, persons, objects) =>
        deps.audit.record({
          ...who(caller),
          action,
          outcome: 'success',
          operation,
          persons,
          objects,
          detail: detail(action),
          ...groundsOf(sight.told()),
        });
      const index = sightedDicom(deps.index, sight);
      const reader = sightedReader(deps.reader, sight);
      const stands = (): Promise<boolean> => standsNow(deps, act, request, response);
      await handle({ request, response, caller, operation, index, reader, base, audited: record, stands });
    } catch (thrown) {
      const error = thrown instanceof SearchTimeout ? new Failure(problem('limit-exceeded', undefined, WIDE)) : thrown;
      if (told !== null && (await withheld(deps, operation, told, error))) {
        answerFailure(response, new Failure(problem('forbidden', undefined, WAY)), deps.log, operation);
        return;
      }
      answerFailure(response, error, deps.log, operation);
    }
  };
}

interface Told {
  readonly caller: Caller;
  readonly sight: Sight;
}

const WIDE = 'The search is too wide for what may be seen of it; narrow it by a patient or a study.';
const WAY = 'Refused: no relation to this patient is known; POST /api/v1/break-glass is the way in an emergency.';

/**
 * What was asked for by its name and is not this caller's to see is answered as if it did not exist, and recorded as what
 * it is. True: the caller knows of the person already and is told the way.
 */
async function withheld(
  deps: Pick<DicomwebDeps, 'audit'>,
  operation: string,
  { caller, sight }: Told,
  error: unknown,
): Promise<boolean> {
  const refusal = refusalOf(sight.told());
  if (!(error instanceof Failure) || error.problem.code !== 'not-found' || refusal === null) return false;
  await deps.audit.record({
    ...who(caller),
    action: 'refuse',
    outcome: 'refused',
    operation,
    ...refusal,
  });
  return sight.mayBeTold();
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

async function standsNow(
  deps: Pick<DicomwebDeps, 'access'>,
  act: (request: Request, caller: Caller) => Act,
  request: Request,
  response: Response,
): Promise<boolean> {
  const caller = await callerNow(response);
  if (caller === null || !decide(caller, act(request, caller)).allowed) return false;
  const sight = await deps.access.sight(caller);
  const study = uidParameter(request, 'study');
  return sight.whole || (await sight.studies([study])).has(study);
}

const who = (caller: Caller): Pick<AuditEvent, 'face'> & ReturnType<typeof auditedCaller> => ({
  face: 'dicomweb',
  ...auditedCaller(caller),
});

const nobody = (request: Request): Pick<AuditEvent, 'face' | 'callerId' | 'callerName' | 'callerRole' | 'peer'> => ({
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
