/**
 * The audit for those who look after it (IHE ITI-81, BALP): AuditEvents rendered from the store, read and searched. To
 * read the audit is itself recorded before anything is given (PS3.15 A.5.3.3). Mounted at `/fhir/AuditEvent`.
 */
import express, { type Request, type Response, type Router } from 'express';
import type { Bundle, BundleEntry } from 'fhir/r4.js';
import { decide, type Caller } from '../../core/access.ts';
import { audited } from '../../core/audit.ts';
import type { AuditEvent, AuditPlace, AuditRecord, AuditSearch, AuditTrail } from '../../core/audit.ts';
import { SearchTimeout } from '../../core/fhir.ts';
import type { Log } from '../../core/ports.ts';
import type { AuditSource } from '../../../mappings/atna/index.ts';
import { auditEvent, auditEventId, type Withheld } from '../../../mappings/fhir/audit-event.ts';
import { callerOf } from '../caller.ts';
import { parseAuditSearch, placeOf, type AuditQuestion } from './audit-search.ts';
import { contentType, negotiate, write, type Format } from './format.ts';
import { NOBODY, outcome, refusal, type Reply } from './reply.ts';

export interface AuditEventDeps {
  readonly search: AuditSearch;
  readonly audit: AuditTrail;
  readonly source: AuditSource;
  readonly log: Log;
  /** As in the FHIR face: the hub's address as callers see it; null: as the request names it. */
  readonly origin: string | null;
}

const FORM_LIMIT = 16 * 1024;
/** Records read from the store at once, and looked at for one page: codes are derived, so few may match. */
const BATCH = 500;
const MOST_LOOKED_AT = 10_000;

export function auditEventFace(deps: AuditEventDeps): Router {
  const router = express.Router({ caseSensitive: true });
  router.use(express.text({ type: 'application/x-www-form-urlencoded', limit: FORM_LIMIT }));
  const serve =
    (answer: (request: Request, caller: Caller) => Promise<Reply>, action: 'read' | 'search') =>
    async (request: Request, response: Response): Promise<void> => {
      const format = negotiate(request.get('accept'), formatOf(request));
      const reply = format.ok
        ? await admitted(deps, request, response, action, (caller) => answer(request, caller))
        : refusal(format.fault);
      send(response, reply, format.ok ? format.value : 'json');
    };
  const find = serve((request, caller) => searchReply(deps, request, caller), 'search');
  router.get('/', find);
  router.post('/_search', find);
  router.get(
    '/:id',
    serve((request, caller) => readReply(deps, request, caller), 'read'),
  );
  router.all('/{*rest}', (_request, response) => {
    const text = 'the audit is read and searched; nobody writes it';
    send(response, refusal({ status: 405, code: 'not-supported', text, headers: { Allow: 'GET, HEAD' } }), 'json');
  });
  router.use((error: unknown, _request: Request, response: Response, _next: unknown) => {
    deps.log.error({ kind: error instanceof Error ? error.name : 'unknown' }, 'an AuditEvent request failed');
    send(
      response,
      refusal({ status: 500, code: 'exception', text: 'the hub failed to answer; try again later' }),
      'json',
    );
  });
  return router;
}

const formatOf = (request: Request): string | null => urlOf(request).searchParams.get('_format');
const urlOf = (request: Request): URL => new URL(request.originalUrl, 'http://hub.invalid');

async function admitted(
  deps: AuditEventDeps,
  request: Request,
  response: Response,
  action: 'read' | 'search',
  answer: (caller: Caller) => Promise<Reply>,
): Promise<Reply> {
  const caller = callerOf(response);
  if (caller === null)
    return refusal({
      status: 401,
      code: 'login',
      text: 'a caller is required',
      headers: { 'WWW-Authenticate': 'Bearer realm="hutong"' },
    });
  const decision = decide(caller, { kind: 'read-audit' });
  if (!decision.allowed) {
    await deps.audit.record({
      ...eventOf(request, caller),
      action: 'refuse',
      outcome: 'refused',
      reason: decision.reason,
    });
    return refusal({ status: 403, code: 'forbidden', text: decision.reason });
  }
  const reply = await answer(caller);
  await deps.audit.record({ ...eventOf(request, caller), action, outcome: reply.status < 400 ? 'success' : 'failure' });
  return reply;
}

/** Of the parameters their names only: values may name a patient. */
function eventOf(request: Request, caller: Caller): Omit<AuditEvent, 'action' | 'outcome'> {
  const names = [...new Set(urlOf(request).searchParams.keys())].slice(0, 40).map((name) => name.slice(0, 60));
  return {
    ...audited(caller),
    face: 'fhir',
    operation: `${request.method} ${request.baseUrl}${names.length === 0 ? '' : `?${names.join('&')}`}`,
    persons: [],
    objects: ['audit'],
  };
}

/** An operator sees who did what, not the clinical content that a query holds (SECURITY §2 G6). */
const withheldFrom = (caller: Caller): Withheld => (caller.role === 'operator' ? 'queries-and-numbers' : 'nothing');

async function readReply(deps: AuditEventDeps, request: Request, caller: Caller): Promise<Reply> {
  const place = placeOf(String(request.params['id']));
  const record = place === null ? null : await deps.search.read(place);
  if (record === null) return refusal({ status: 404, code: 'not-found', text: 'there is no resource under this id' });
  const body = auditEvent(record, deps.source, withheldFrom(caller));
  return { status: 200, body, headers: { 'Last-Modified': new Date(record.at).toUTCString() }, touched: NOBODY };
}

async function searchReply(deps: AuditEventDeps, request: Request, caller: Caller): Promise<Reply> {
  const form: unknown = request.body;
  const posted = request.method === 'POST' && typeof form === 'string' ? form : '';
  const pairs = [...urlOf(request).searchParams, ...new URLSearchParams(posted)];
  const origin = deps.origin ?? `${request.protocol}://${request.get('host') ?? 'localhost'}`;
  const base = `${origin}/fhir`;
  const strict = /(^|[,;\s])handling\s*=\s*"?strict/.test(request.get('prefer') ?? '');
  const question = parseAuditSearch(pairs, { base, strict });
  if (!question.ok) return refusal(question.fault);
  try {
    const found = await find(deps.search, question.value);
    return bundleOf(found, question.value, (record) => auditEvent(record, deps.source, withheldFrom(caller)), base);
  } catch (error) {
    if (!(error instanceof SearchTimeout)) throw error;
    return refusal({ status: 400, code: 'too-costly', text: 'the search took too long; narrow it by date or patient' });
  }
}

interface Page {
  readonly records: readonly AuditRecord[];
  /** Where the next page begins; null: there is no more. */
  readonly next: AuditPlace | null;
}

async function find(search: AuditSearch, question: AuditQuestion): Promise<Page> {
  const records: AuditRecord[] = [];
  let place = question.after;
  for (let lookedAt = 0; lookedAt < MOST_LOOKED_AT; lookedAt += BATCH) {
    const batch = await search.find(question.criteria, { limit: BATCH, ...(place === null ? {} : { after: place }) });
    for (const record of batch) {
      if (question.matches(record)) {
        if (records.length === question.count) return { records, next: place };
        records.push(record);
      }
      place = { at: record.at, id: record.id };
    }
    if (batch.length < BATCH) return { records, next: null };
  }
  return { records, next: place };
}

function bundleOf(
  { records, next }: Page,
  { used, warnings, after }: AuditQuestion,
  render: (record: AuditRecord) => ReturnType<typeof auditEvent>,
  base: string,
): Reply {
  const url = (place: AuditPlace | null): string => {
    const pairs = [...used, ...(place === null ? [] : [['_after', auditEventId(place)] as const])];
    const query = pairs.map(([name, value]) => `${encodeURIComponent(name)}=${encodeURIComponent(value)}`).join('&');
    return `${base}/AuditEvent${query === '' ? '' : `?${query}`}`;
  };
  const entry: BundleEntry[] = records.map((record) => ({
    fullUrl: `${base}/AuditEvent/${auditEventId(record)}`,
    resource: render(record),
    search: { mode: 'match' },
  }));
  if (warnings.length > 0) entry.push({ resource: outcome('warning', warnings), search: { mode: 'outcome' } });
  const body: Bundle = {
    resourceType: 'Bundle',
    type: 'searchset',
    link: [{ relation: 'self', url: url(after) }, ...(next === null ? [] : [{ relation: 'next', url: url(next) }])],
    ...(entry.length === 0 ? {} : { entry }),
  };
  return { status: 200, body, headers: {}, touched: NOBODY };
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
