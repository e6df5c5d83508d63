/**
 * The REST face: routes, rights and request checks are made from openapi/hub.yaml, so that what is described is what
 * happens. Every operation passes the same gate: known caller, right, shape, act, audit, answer.
 */
import { Router } from 'express';
import type { ErrorRequestHandler, Request, RequestHandler, Response } from 'express';
import { middleware } from 'express-openapi-validator';
import type { Document, OperationObject } from '../../../openapi/document.ts';
import { readDocument } from '../../../openapi/document.ts';
import { parseObject } from '../../../mappings/rest/index.ts';
import type { Act, Caller } from '../../core/access.ts';
import { decide } from '../../core/access.ts';
import { groundsOf, refusalOf } from '../../core/access-ports.ts';
import type { AccessDesk, Sight } from '../../core/access-ports.ts';
import { audited } from '../../core/audit.ts';
import type { AuditEvent, AuditTrail } from '../../core/audit.ts';
import type { Intake } from '../../core/envelope.ts';
import type { Log } from '../../core/ports.ts';
import { problem } from '../../core/problem.ts';
import type { SiteProfile } from '../../core/site.ts';
import { callerOf, visitorOf } from '../caller.ts';
import { refuseWrongMethods } from '../wrong-method.ts';
import { plainEncoding, readBytes } from './body.ts';
import { createCheck } from './check.ts';
import { FEEDS, feed } from './feed.ts';
import type { HandlerDeps } from './handlers.ts';
import { createHandlers } from './handlers.ts';
import type { Asked, Disclosure, Handlers, PublicId, Refused } from './operation.ts';
import type { FieldError } from './problem.ts';
import { sendProblem } from './problem.ts';

export interface RestDeps extends HandlerDeps {
  readonly intake: Intake;
  readonly audit: AuditTrail;
  readonly access: AccessDesk;
  readonly log: Log;
}

const MAX_BODY = 64 * 1024;
const FEED_PATH = /^\/api\/v1\/sites\/[^/]+\/.+/;

type OperationId = keyof Handlers | keyof typeof FEEDS;
/** A handler as the router sees it: the contract's checks stand between the two shapes. */
type AnyHandler = (asked: AnyAsked) => Promise<AnyReply>;
type AnyAsked = Asked<Exclude<keyof Handlers, PublicId>>;
type AnyReply =
  | {
      readonly status: number;
      readonly body: object;
      readonly disclosure?: Disclosure;
      readonly cookies?: readonly string[];
      readonly recorded?: true;
    }
  | Refused;

const isFeed = (id: string): id is keyof typeof FEEDS => Object.hasOwn(FEEDS, id);
const routeOf = (path: string): string => path.replace(/\{(\w+)\}/g, ':$1');

/** Who was let do what, or was not; without anything of the request but the operation's own name. */
const recordOf = (
  caller: Caller,
  id: string,
  event: Pick<AuditEvent, 'action' | 'outcome' | 'persons' | 'objects' | 'reason' | 'basis'>,
): AuditEvent => ({
  face: 'rest',
  operation: id,
  ...audited(caller),
  ...event,
});

export function createRestFace(deps: RestDeps): Router {
  const document = readDocument();
  const router = Router();
  const handlers = createHandlers(deps);
  const check = createCheck(document, Object.values(FEEDS));
  const checked = middleware({
    apiSpec: readDocument() as object as Parameters<typeof middleware>[0]['apiSpec'],
    validateRequests: { allErrors: true },
    validateResponses: false,
    // Rights are decided by core/access before this, from the same document.
    validateSecurity: false,
    ignorePaths: FEED_PATH,
  });
  for (const { path, method, operation } of operationsOf(document)) {
    const id = operation.operationId as OperationId;
    const act = isFeed(id)
      ? feeding(deps, check, id)
      : answering(deps, id, operation['x-act'] === 'public', handlers[id] as AnyHandler);
    const shape = isFeed(id) ? [] : [readJson, ...checked];
    router[method](routeOf(path), authorised(deps.audit, operation), ...shape, act);
  }
  refuseWrongMethods(router, (response, found, status) => {
    sendProblem(response, found, [], undefined, status);
  });
  router.use(misshapen(deps.audit));
  return router;
}

const METHODS = ['get', 'post', 'put', 'patch', 'delete'] as const;

function operationsOf(document: Document) {
  return Object.entries(document.paths).flatMap(([path, item]) =>
    METHODS.flatMap((method) => {
      const operation = item[method];
      return operation === undefined ? [] : [{ path, method, operation }];
    }),
  );
}

function actOf(operation: OperationObject, request: Request): Act | null {
  const kind = operation['x-act'];
  if (kind === 'any' || kind === 'public') return null;
  return kind === 'feed' ? { kind, site: String(request.params.site) } : { kind };
}

function authorised(audit: AuditTrail, operation: OperationObject): RequestHandler {
  return async (request, response, next) => {
    const caller = callerOf(response);
    if (operation['x-act'] === 'public') {
      next();
      return;
    }
    if (caller === null) {
      sendProblem(response, problem('unauthenticated'));
      return;
    }
    const act = actOf(operation, request);
    const decision = act === null ? ({ allowed: true } as const) : decide(caller, act);
    if (decision.allowed) {
      response.locals['operation'] = operation.operationId;
      next();
      return;
    }
    const event = { action: 'refuse', outcome: 'refused', persons: [], objects: [], reason: decision.reason } as const;
    await audit.record(recordOf(caller, operation.operationId, event));
    sendProblem(response, problem('forbidden', undefined, decision.reason));
  };
}

/** Bodies of acts are small; they are read as strictly as messages are. */
const readJson: RequestHandler = async (request, response, next) => {
  // The contract names GET alone; Node leaves the body of the answer out (RFC 9110 §9.3.2).
  if (request.method === 'HEAD') request.method = 'GET';
  const encoding = plainEncoding(request);
  const bytes = request.method === 'GET' || !encoding.ok ? null : await readBytes(request, MAX_BODY);
  const text = bytes?.ok === true ? bytes.value.toString('utf8') : '';
  const body = text === '' ? null : parseObject(text);
  const refusal = [encoding, bytes, body].find((step) => step?.ok === false);
  if (refusal?.ok === false) {
    // What is left of a body is not read; the connection cannot be used again.
    response.set('Connection', 'close');
    sendProblem(response, refusal.problem);
    return;
  }
  if (body?.ok === true) request.body = body.value;
  next();
};

function feeding(deps: RestDeps, check: ReturnType<typeof createCheck>, id: keyof typeof FEEDS): RequestHandler {
  return async (request, response) => {
    const site: SiteProfile | null = deps.sites.byId(String(request.params.site));
    const caller = callerOf(response);
    if (site === null || caller === null) {
      sendProblem(response, problem('not-found', 'site', 'There is no such site.'));
      return;
    }
    await feed({ intake: deps.intake, audit: deps.audit, check, log: deps.log }, request, response, {
      kind: FEEDS[id],
      site,
      caller,
    });
  };
}

/** What is known of an act whose handler tells nothing of whose data it was about: none, then. */
const plain = ({ method }: Pick<Request, 'method'>): Pick<AuditEvent, 'action' | 'persons' | 'objects'> => ({
  action: method === 'GET' ? 'read' : 'change',
  persons: [],
  objects: [],
});

/** `isPublic`: operations of signing on tell the audit themselves what they were, whoever came. */
function answering(deps: RestDeps, id: string, isPublic: boolean, handler: AnyHandler): RequestHandler {
  return async (request: Request, response: Response) => {
    const caller = callerOf(response);
    const { query, params: path, body } = request as { query: object; params: object; body?: unknown };
    const sight = caller === null ? null : await deps.access.sight(caller);
    const reply = await handler({ caller, sight, visitor: visitorOf(request), query, path, body } as AnyAsked);
    if (reply.cookies !== undefined) response.append('Set-Cookie', [...reply.cookies]);
    if ('problem' in reply) {
      const told =
        caller !== null && !isPublic && (await refused(deps.audit, caller, id, sight, reply, plain(request)));
      sendProblem(
        response,
        told === 'way'
          ? problem('forbidden', undefined, WAY)
          : told === 'reason'
            ? problem('forbidden', 'reason', REASON)
            : reply.problem,
        told === 'reason' ? [{ pointer: '#/reason', code: 'reason-required', text: REASON }] : told ? [] : reply.errors,
        undefined,
        told ? undefined : reply.status,
      );
      return;
    }
    // What was read is recorded before it is given (SECURITY L3-AU1, L3-AU4).
    if (caller !== null && !isPublic && reply.recorded !== true)
      await deps.audit.record(
        recordOf(caller, id, {
          outcome: 'success',
          ...(reply.disclosure ?? plain(request)),
          ...(sight === null ? {} : groundsOf(sight.told())),
        }),
      );
    response.status(reply.status).json(reply.body);
  };
}

const REASON = 'This account is under a flag and says why before it reads: POST /api/v1/access-reasons.';
const WAY = 'No relation to this patient is known; POST /api/v1/break-glass is the way in an emergency.';

/** What of what is withheld a caller may be told: how to come in, or to say why. */
type Told = 'way' | 'reason' | false;

/** Records what came to nothing, and why. `way`: the caller knows of the person already. */
async function refused(
  audit: AuditTrail,
  caller: Caller,
  id: string,
  sight: Sight | null,
  { problem: { code, text } }: Refused,
  asked: Pick<AuditEvent, 'action' | 'persons' | 'objects'>,
): Promise<Told> {
  const refusal = code === 'not-found' && sight !== null ? refusalOf(sight.told()) : null;
  if (refusal !== null && sight !== null) return withheld(audit, caller, id, sight);
  // A right that hangs on what was asked for is decided by the handler; its refusal is recorded as any other.
  const event =
    code === 'forbidden'
      ? ({ action: 'refuse', outcome: 'refused', persons: [], objects: [], reason: text } as const)
      : ({ ...asked, outcome: 'failure', reason: code } as const);
  await audit.record(recordOf(caller, id, event));
  return false;
}

/**
 * What is not this caller's to see is answered as if it did not exist, and recorded as what it is. Who has asked for the
 * person by an identifier knows of them already and is told the way; who would see but for a reason, to give one.
 */
async function withheld(audit: AuditTrail, caller: Caller, id: string, sight: Sight): Promise<Told> {
  const refusal = refusalOf(sight.told());
  if (refusal === null) return false;
  await audit.record(recordOf(caller, id, { action: 'refuse', outcome: 'refused', ...refusal }));
  if (refusal.reason.split(' ').includes('reason-required')) return 'reason';
  return (await sight.mayBeTold()) && 'way';
}

interface ValidatorError {
  readonly status: number;
  readonly errors: readonly { readonly path: string; readonly message: string; readonly errorCode?: string }[];
}

const isValidatorError = (error: unknown): error is ValidatorError =>
  typeof error === 'object' && error !== null && 'errors' in error && Array.isArray(error.errors) && 'status' in error;

function fieldOf({ path, message, errorCode }: ValidatorError['errors'][number]): FieldError {
  // The name of an unknown parameter is the caller's text, and is not said again.
  if (message.startsWith('Unknown query'))
    return { pointer: 'query', code: 'unknown', text: 'A parameter is not known.' };
  const pointer = path.replace(/^\/body/, '#').replace(/^\/(query|headers|params)\//, '$1/');
  return {
    pointer,
    code: (errorCode ?? 'invalid').split('.')[0] ?? 'invalid',
    text: message.startsWith('must') ? `This field ${message}.` : message,
  };
}

/** What the request validator found, as a problem that names each field. */
const misshapen =
  (audit: AuditTrail): ErrorRequestHandler =>
  async (error: unknown, request, response, next) => {
    if (!isValidatorError(error) || error.status !== 400) {
      next(error);
      return;
    }
    const caller = callerOf(response);
    const id: unknown = response.locals['operation'];
    if (caller !== null && typeof id === 'string')
      await audit.record(recordOf(caller, id, { ...plain(request), outcome: 'failure', reason: 'invalid-value' }));
    const errors = error.errors.map(fieldOf);
    const missing = errors.some(({ code }) => code === 'required');
    sendProblem(response, problem(missing ? 'required-missing' : 'invalid-value', errors[0]?.pointer), errors);
  };
