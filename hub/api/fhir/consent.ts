/**
 * Consent as a FHIR resource with a store of its own: created, read, revised, withdrawn (`inactive`), searched. Nothing is
 * deleted: what a patient once said stays on the record. Mounted at `/fhir/Consent`.
 */
import express, { type Request, type Response, type Router } from 'express';
import type { Bundle, BundleEntry } from 'fhir/r4.js';
import { decide, type Caller } from '../../core/access.ts';
import { audited, type AuditEvent, type AuditTrail } from '../../core/audit.ts';
import type { ConsentRecord } from '../../core/consent-ports.ts';
import type { Log } from '../../core/ports.ts';
import type { Problem, ProblemCode } from '../../core/problem.ts';
import { mayReadConsents, type ConsentActs } from '../../flow/consents.ts';
import { consentResource } from '../../../mappings/fhir/consent.ts';
import { toldConsent, type ToldConsent } from '../../../mappings/fhir/told-consent.ts';
import { callerOf } from '../caller.ts';
import { STATUS } from '../rest/problem.ts';
import { readBody } from './body.ts';
import { parseConsentSearch, type ConsentQuestion } from './consent-search.ts';
import { contentType, negotiate, write, type Format } from './format.ts';
import { etag, httpDate, NOBODY, outcome, refusal, type Fault, type Parsed, type Reply } from './reply.ts';

export interface ConsentFaceDeps {
  readonly consents: ConsentActs;
  readonly audit: AuditTrail;
  readonly log: Log;
  readonly clock: () => Date;
  /** As in the FHIR face: the hub's address as callers see it; null: as the request names it. */
  readonly origin: string | null;
}

const BODY_LIMIT = 256 * 1024;
const FORM_LIMIT = 16 * 1024;

type Answer = (asked: { readonly request: Request; readonly caller: Caller; readonly base: string }) => Promise<Reply>;

export function consentFace(deps: ConsentFaceDeps): Router {
  const router = express.Router({ caseSensitive: true });
  const form = express.text({ type: 'application/x-www-form-urlencoded', limit: FORM_LIMIT });
  const serve =
    (action: 'read' | 'search' | 'change', answer: Answer) => async (request: Request, response: Response) => {
      const format = negotiate(request.get('accept'), urlOf(request).searchParams.get('_format'));
      const reply = format.ok ? await admitted(deps, request, response, action, answer) : refusal(format.fault);
      send(response, reply, format.ok ? format.value : 'json');
    };
  const find = serve('search', (asked) => searched(deps, asked));
  router.get('/', find);
  router.post('/_search', form, find);
  router.post(
    '/',
    serve('change', (asked) => created(deps, asked)),
  );
  router.get(
    '/:id',
    serve('read', async ({ request, caller }) => one(await deps.consents.read(caller, idOf(request)))),
  );
  router.put(
    '/:id',
    serve('change', (asked) => updated(deps, asked)),
  );
  router.get(
    '/:id/_history',
    serve('read', (asked) => history(deps, asked)),
  );
  router.get(
    '/:id/_history/:version',
    serve('read', async ({ request, caller }) => {
      const version = /^[1-9]\d{0,5}$/.exec(String(request.params['version']))?.[0] ?? '0';
      return one(await deps.consents.version(caller, idOf(request), Number(version)));
    }),
  );
  router.all('/{*rest}', (_request, response) => {
    const text = 'consents are created, read, updated and searched; to withdraw one, update it with status inactive';
    send(
      response,
      refusal({ status: 405, code: 'not-supported', text, headers: { Allow: 'GET, HEAD, POST, PUT' } }),
      'json',
    );
  });
  router.use((error: unknown, _request: Request, response: Response, _next: unknown) => {
    deps.log.error({ kind: error instanceof Error ? error.name : 'unknown' }, 'a Consent request failed');
    if (response.headersSent) response.destroy();
    else
      send(
        response,
        refusal({ status: 500, code: 'exception', text: 'the hub failed to answer; try again later' }),
        'json',
      );
  });
  return router;
}

const urlOf = (request: Request): URL => new URL(request.originalUrl, 'http://hub.invalid');
const idOf = (request: Request): string => String(request.params['id']);

async function admitted(
  deps: ConsentFaceDeps,
  request: Request,
  response: Response,
  action: 'read' | 'search' | 'change',
  answer: Answer,
): Promise<Reply> {
  const caller = callerOf(response);
  if (caller === null) {
    const headers = { 'WWW-Authenticate': 'Bearer realm="hutong"' };
    return refusal({ status: 401, code: 'login', text: 'a caller is required', headers });
  }
  const decision = decide(caller, { kind: 'record-consent' });
  if (action === 'change' ? !decision.allowed : !mayReadConsents(caller)) {
    const reason = decision.allowed ? '' : decision.reason;
    await deps.audit.record({ ...eventOf(request, caller, NOBODY), action: 'refuse', outcome: 'refused', reason });
    return refusal({ status: 403, code: 'forbidden', text: reason });
  }
  const origin = deps.origin ?? `${request.protocol}://${request.get('host') ?? 'localhost'}`;
  const reply = await answer({ request, caller, base: `${origin}/fhir` });
  const end = { action, outcome: reply.status < 400 ? 'success' : 'failure' } as const;
  await deps.audit.record({ ...eventOf(request, caller, reply.touched), ...end });
  return reply;
}

/** Of the parameters their names only: values may name a patient. */
function eventOf(request: Request, caller: Caller, touched: Reply['touched']): Omit<AuditEvent, 'action' | 'outcome'> {
  const names = [...new Set(urlOf(request).searchParams.keys())].slice(0, 40).map((name) => name.slice(0, 60));
  return {
    ...audited(caller),
    face: 'fhir',
    operation: `${request.method} ${request.baseUrl}${names.length === 0 ? '' : `?${names.join('&')}`}`,
    persons: touched.persons,
    objects: touched.objects,
  };
}

const touchedBy = (records: readonly ConsentRecord[]): Reply['touched'] => ({
  persons: [...new Set(records.map(({ personId }) => personId))],
  objects: [...new Set(records.map(({ consentId }) => `consent/${consentId}`))],
});

function one(record: ConsentRecord | null, status = 200, headers: Readonly<Record<string, string>> = {}): Reply {
  if (record === null) return refusal({ status: 404, code: 'not-found', text: 'there is no resource under this id' });
  const { version, recordedAt } = record;
  return {
    status,
    body: consentResource(record),
    headers: { ETag: etag(version), 'Last-Modified': httpDate(recordedAt), ...headers },
    touched: touchedBy([record]),
  };
}

async function told(deps: ConsentFaceDeps, request: Request, base: string): Promise<Parsed<ToldConsent> | Reply> {
  const body = await readBody(request, BODY_LIMIT);
  if (!body.ok) return body;
  const read = toldConsent(body.value.resource, { base, now: deps.clock().toISOString() });
  if (read.ok) return read;
  // R4 §3.1.0.8: what is well formed and against the rules is 422.
  const issues = read.faults.map(({ where, text }) => ({ code: 'business-rule' as const, text, expression: where }));
  return { status: 422, body: outcome('error', issues), headers: {}, touched: NOBODY };
}

const created = async (deps: ConsentFaceDeps, { request, caller, base }: Parameters<Answer>[0]): Promise<Reply> => {
  const consent = await told(deps, request, base);
  if ('status' in consent) return consent;
  if (!consent.ok) return refusal(consent.fault);
  if (consent.value.status !== 'active')
    return refusal({
      status: 422,
      code: 'business-rule',
      text: 'a new consent is active',
      expression: 'Consent.status',
    });
  const made = await deps.consents.record(caller, consent.value.personId, consent.value.content);
  if (!made.ok) return refusal(faultOf(made.problem));
  const { consentId, version } = made.value;
  return one(made.value, 201, { Location: `${base}/Consent/${consentId}/_history/${String(version)}` });
};

async function updated(deps: ConsentFaceDeps, { request, caller, base }: Parameters<Answer>[0]): Promise<Reply> {
  const match = request.get('if-match');
  const version = match === undefined ? null : Number(/^(?:W\/)?"(\d{1,6})"$/.exec(match)?.[1] ?? -1);
  const consent = await told(deps, request, base);
  if ('status' in consent) return consent;
  if (!consent.ok) return refusal(consent.fault);
  const { personId, status, content } = consent.value;
  const named = await deps.consents.read(caller, idOf(request));
  if (named === null)
    return refusal({ status: 404, code: 'not-found', text: 'the hub draws the ids of consents: create it by POST' });
  // What is withdrawn keeps the words that it had: to withdraw needs no agreement about them.
  const change = {
    status,
    reason: null,
    ...(status === 'active' ? { content: { ...content, channel: named.channel } } : {}),
  };
  const expected = { personId: await today(deps, caller, personId, named), ...(version === null ? {} : { version }) };
  const made = await deps.consents.revise(caller, idOf(request), change, expected);
  return made.ok ? one(made.value) : refusal(faultOf(made.problem));
}

/** A resource that was read before persons were merged names whom it was of then. */
async function today(
  deps: ConsentFaceDeps,
  caller: Caller,
  personId: string,
  { consentId }: ConsentRecord,
): Promise<string> {
  const { items } = await deps.consents.find(caller, { ids: [consentId], persons: [personId] }, { limit: 1 });
  return items[0]?.personId ?? personId;
}

async function history(deps: ConsentFaceDeps, { request, caller, base }: Parameters<Answer>[0]): Promise<Reply> {
  const versions = await deps.consents.versions(caller, idOf(request));
  if (versions.length === 0) return one(null);
  const entry = versions.map((record): BundleEntry => {
    const url = `Consent/${record.consentId}`;
    const isFirst = record.version === 1;
    return {
      fullUrl: `${base}/${url}`,
      resource: consentResource(record),
      request: { method: isFirst ? 'POST' : 'PUT', url: isFirst ? 'Consent' : url },
      response: {
        status: isFirst ? '201 Created' : '200 OK',
        etag: etag(record.version),
        lastModified: record.recordedAt,
      },
    };
  });
  const link = [{ relation: 'self', url: `${base}/Consent/${idOf(request)}/_history` }];
  const body: Bundle = { resourceType: 'Bundle', type: 'history', total: versions.length, link, entry };
  return { status: 200, body, headers: {}, touched: touchedBy(versions) };
}

async function searched(deps: ConsentFaceDeps, { request, caller, base }: Parameters<Answer>[0]): Promise<Reply> {
  const body: unknown = request.body;
  const posted = request.method === 'POST' && typeof body === 'string' ? body : '';
  const pairs = [...urlOf(request).searchParams, ...new URLSearchParams(posted)];
  const strict = /(^|[,;\s])handling\s*=\s*"?strict/.test(request.get('prefer') ?? '');
  const question = parseConsentSearch(pairs, { base, strict });
  if (!question.ok) return refusal(question.fault);
  const { criteria, count, after } = question.value;
  const found = await deps.consents.find(caller, criteria, { limit: count, ...(after === undefined ? {} : { after }) });
  return { status: 200, body: bundleOf(found, question.value, base), headers: {}, touched: touchedBy(found.items) };
}

function bundleOf(
  { items, next, total }: Awaited<ReturnType<ConsentActs['find']>>,
  { used, warnings, after }: ConsentQuestion,
  base: string,
): Bundle {
  const url = (place: string | null | undefined): string => {
    const pairs = [...used, ...(place === null || place === undefined ? [] : [['_after', place] as const])];
    const query = pairs.map(([name, value]) => `${encodeURIComponent(name)}=${encodeURIComponent(value)}`).join('&');
    return `${base}/Consent${query === '' ? '' : `?${query}`}`;
  };
  const entry: BundleEntry[] = items.map((record) => ({
    fullUrl: `${base}/Consent/${record.consentId}`,
    resource: consentResource(record),
    search: { mode: 'match' },
  }));
  if (warnings.length > 0) entry.push({ resource: outcome('warning', warnings), search: { mode: 'outcome' } });
  return {
    resourceType: 'Bundle',
    type: 'searchset',
    ...(total === null ? {} : { total }),
    link: [{ relation: 'self', url: url(after) }, ...(next === null ? [] : [{ relation: 'next', url: url(next) }])],
    ...(entry.length === 0 ? {} : { entry }),
  };
}

const CODES: Partial<Readonly<Record<ProblemCode, Fault['code']>>> = {
  'not-found': 'not-found',
  forbidden: 'forbidden',
  conflict: 'conflict',
  precondition: 'conflict',
};

/** Whose id nobody has is against the rules of the resource, not a missing one. */
function faultOf({ code, text, where }: Problem): Fault {
  const isRule =
    ['invalid-value', 'required-missing', 'patient-mismatch'].includes(code) ||
    (code === 'not-found' && where === 'personId');
  const expression =
    where === undefined ? {} : { expression: where === 'personId' ? 'Consent.patient' : `Consent.${where}` };
  return isRule
    ? { status: 422, code: 'business-rule', text, ...expression }
    : { status: STATUS[code], code: CODES[code] ?? 'exception', text };
}

function send(response: Response, reply: Reply, format: Format): void {
  response
    .status(reply.status)
    .set({ 'Cache-Control': 'no-store', 'X-Content-Type-Options': 'nosniff', ...reply.headers });
  if (reply.body === null) response.end();
  else
    response
      .set({ 'Content-Type': contentType(format), Vary: 'Accept' })
      .send(Buffer.from(write(reply.body, format, false)));
}
