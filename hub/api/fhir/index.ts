/**
 * The FHIR R4 face: one router over the projection. Closed by default: a caller, the right, and a durable audit entry come
 * before any byte of an answer about a person.
 */
import express, { type Request, type Response, type Router } from 'express';
import { decide, type Caller } from '../../core/access.ts';
import { groundsOf } from '../../core/access-ports.ts';
import type { AccessDesk, Sight } from '../../core/access-ports.ts';
import type { AuditEvent, AuditTrail, Calling } from '../../core/audit.ts';
import type { AffinityPatients, RemoteRepositories } from '../../core/document-ports.ts';
import { SearchTimeout, type FhirStore } from '../../core/fhir.ts';
import type { MatchProbe } from '../../core/match/probe.ts';
import type { Log, ObjectStore } from '../../core/ports.ts';
import { callEvent } from '../../../mappings/atna/index.ts';
import type { ResourceType } from '../../../mappings/fhir/parameters.ts';
import { sightedFhir, sightedProbe } from '../../flow/sighted-fhir.ts';
import { callerOf } from '../caller.ts';
import { accepts, binaryBody, openBytes, sendBytes, type KeptBinary } from './binary.ts';
import { readBody } from './body.ts';
import { capabilityStatement, type Release } from './capability.ts';
import { contentType, negotiate, write, type Format } from './format.ts';
import { interactionOf, type Interaction } from './interaction.ts';
import { history, read, vread } from './read.ts';
import { NOBODY, refusal, type Fault, type Parsed, type Reply } from './reply.ts';
import { WHOLE, type Shape } from './resource.ts';
import { ihePix, pixParameters, pixQuery } from './ihe-pix.ts';
import { matched } from './match.ts';
import { feedMessage, updatePatient, type PatientFeedFace } from './patient-feed.ts';
import { event, FORM_LIMIT, withheld, WAY } from './record.ts';
import { requestedDomains, unknownDomain } from './pdqm.ts';
import { provide, publish, type ProvideFace } from './provide.ts';
import { parseSearch, type SearchRequest } from './search-request.ts';
import { savedPage, search, tooLong, type Place } from './search.ts';

export interface FhirFaceDeps {
  readonly store: FhirStore;
  readonly objects: Pick<ObjectStore, 'read'>;
  readonly audit: AuditTrail;
  readonly access: AccessDesk;
  readonly log: Log;
  readonly release: Release;
  /** The hub's address as callers see it, `https://hub.example`; null: as the request names it. */
  readonly origin: string | null;
  /** The affinity domain: where documents are submitted (ITI-65), and who its patients are (ITI-83). */
  readonly domain: {
    readonly provide: ProvideFace;
    readonly patients: AffinityPatients;
    /** Who keeps the documents that are not here (ITI-68 by ITI-43). */
    readonly elsewhere: RemoteRepositories;
    /** Where systems of sites tell of their patients (ITI-104, ITI-93). */
    readonly feed: PatientFeedFace;
    /** The live matcher, for `$match` (ITI-119). */
    readonly probe: MatchProbe;
    /** Identifier systems that the domain and its sites issue. */
    readonly systems: ReadonlySet<string>;
  };
}

/** A query string or a form longer than this is no search. Node itself answers 431 above 16 KiB of request head. */
const QUERY_LIMIT = 8 * 1024;

/** `store` as the caller sees it; `everything` tells which domains of identifiers there are. */
type Seen = FhirFaceDeps & { readonly everything: FhirStore };

interface Asked {
  readonly interaction: Interaction;
  readonly parameters: URLSearchParams;
  readonly caller: Caller;
  readonly place: Place;
  readonly request: Request;
}

/** Mount at `/fhir`, after the middleware that sets the caller. */
export function fhirFace(deps: FhirFaceDeps): Router {
  const router = express.Router({ caseSensitive: true });
  router.use(express.text({ type: 'application/x-www-form-urlencoded', limit: FORM_LIMIT }));
  router.use((request: Request, response: Response) => {
    serve(deps, request, response).catch((error: unknown) => {
      // The text of an error may quote a query: only its kind is logged.
      deps.log.error({ kind: error instanceof Error ? error.name : 'unknown' }, 'a FHIR request failed');
      if (response.headersSent) response.destroy();
      else send(response, refusal(FAILED), 'json', false);
    });
  });
  router.use((_error: unknown, _request: Request, response: Response, _next: unknown) => {
    send(response, refusal(UNREADABLE), 'json', false);
  });
  return router;
}

const FAILED: Fault = { status: 500, code: 'exception', text: 'the hub failed to answer; try again later' };
const UNREADABLE: Fault = { status: 400, code: 'structure', text: 'the body of this request cannot be read' };
/** ITI TF-2 §3.68.4.2.2: a document is had in its own type, or as a Binary. */
const NOT_ACCEPTED: Fault = {
  status: 406,
  code: 'not-supported',
  text: 'this document is not of a type that you accept',
};
const NO_CALLER: Fault = {
  status: 401,
  code: 'login',
  text: 'a caller is required',
  headers: { 'WWW-Authenticate': 'Bearer realm="hutong"' },
};

async function serve(deps: FhirFaceDeps, request: Request, response: Response): Promise<void> {
  const url = new URL(request.originalUrl, 'http://hub.invalid');
  const found = interactionOf(request.method, request.path.replace(/^\/+|\/+$/g, ''));
  const wantsBytes = found.ok && found.value.kind === 'binary' && !url.searchParams.has('_format');
  const format = negotiate(wantsBytes ? '*/*' : request.get('accept'), url.searchParams.get('_format'));
  const reply = format.ok ? await replyTo(deps, request, response, url, found, format.value) : refusal(format.fault);
  const pretty = url.searchParams.get('_pretty') === 'true';
  if (reply !== 'streamed') send(response, reply, format.ok ? format.value : 'json', pretty);
}

async function replyTo(
  deps: FhirFaceDeps,
  request: Request,
  response: Response,
  url: URL,
  found: Parsed<Interaction>,
  format: Format,
): Promise<Reply | 'streamed'> {
  const place = placeOf(deps, request);
  if (found.ok && found.value.kind === 'capabilities')
    return { status: 200, body: capabilityStatement(deps.release, place.base), headers: {}, touched: NOBODY };
  const caller = callerOf(response);
  if (caller === null) {
    await deps.audit.record(event(request, null, 'refused', NOBODY, 'no caller'));
    return refusal(NO_CALLER);
  }
  if (!found.ok) return refusal(found.fault);
  const interaction = found.value;
  const isSearch = ['search', 'history'].includes(interaction.kind);
  const isSubmission = ['provide', 'publish', 'update-patient', 'message'].includes(interaction.kind);
  const reads = interaction.kind === 'match' ? 'find-persons' : isSearch ? 'search-records' : 'read-record';
  const decision = decide(caller, { kind: isSubmission ? 'submit-documents' : reads });
  if (!decision.allowed) {
    await deps.audit.record(event(request, caller, 'refused', NOBODY, decision.reason));
    return refusal({ status: 403, code: 'forbidden', text: decision.reason });
  }
  const parameters = parametersOfRequest(request, url, interaction);
  if (!parameters.ok) return refusal(parameters.fault);
  const asked: Asked = { interaction, parameters: parameters.value, caller, place, request };
  const sight = await deps.access.sight(caller);
  // What is read is read through the caller's eyes; what is submitted is not a question of sight.
  const domain = { ...deps.domain, probe: sightedProbe(deps.domain.probe, sight) };
  const seen = { ...deps, domain, everything: deps.store, store: sightedFhir(deps.store, sight) };
  if (interaction.kind === 'binary') return serveBinary(seen, asked, interaction.id, format, response, sight);
  const reply = isSubmission ? await submission(deps, asked) : await inTime(answer(seen, asked));
  if (!isSubmission && (await withheld(deps.audit, request, caller, sight, reply))) return refusal(WAY);
  const outcome = reply.status < 400 ? 'success' : 'failure';
  const recorded = { ...event(request, caller, outcome, reply.touched), ...groundsOf(sight.told()) };
  if (isSubmission) await deps.audit.record({ ...recorded, action: 'feed' });
  else await Promise.all(ofEach(recorded, reply.touched).map((one) => deps.audit.record(one)));
  return reply;
}

/** A question that takes too long, or looks through too much for what may be seen of it, is to be narrowed. */
const inTime = (reply: Promise<Reply>): Promise<Reply> =>
  reply.catch((error: unknown) => {
    if (error instanceof SearchTimeout) return tooLong();
    throw error;
  });

/** BALP PatientQuery: a record for every patient whom a result shows, each with the query; the store commits them as one. */
const ofEach = (recorded: AuditEvent, { each }: Reply['touched']): readonly AuditEvent[] =>
  each === undefined || recorded.action !== 'search'
    ? [recorded]
    : [...each].map(([person, objects]) => ({ ...recorded, persons: [person], objects }));

async function submission(deps: FhirFaceDeps, { interaction, request, caller, place }: Asked): Promise<Reply> {
  const body = await readBody(request);
  if (!body.ok) return refusal(body.fault);
  const { provide: face, feed } = deps.domain;
  const key = request.get('idempotency-key');
  const sent = {
    ...{ caller, body: body.value, place, target: request.originalUrl },
    contentType: request.get('content-type') ?? '',
    key: key !== undefined && /^[\x21-\x7e]{1,150}$/.test(key) ? key : undefined,
  };
  if (interaction.kind === 'update-patient') return updatePatient(feed, deps.store, sent);
  // A message is also taken at the base, as PMIR's examples send it.
  const type = (body.value.resource as { type?: unknown } | null)?.type;
  if (interaction.kind === 'message' || type === 'message') return feedMessage(feed, deps.store, sent);
  return interaction.kind === 'provide'
    ? provide(face, body.value, caller, place)
    : publish(face, deps.store, body.value, caller, place);
}

/** By GET, or by POST with a Parameters resource. */
async function corresponding(deps: Seen, { request, parameters, place }: Asked): Promise<Reply> {
  let asked: URLSearchParams | null = parameters;
  if (request.method === 'POST') {
    const body = await readBody(request, FORM_LIMIT);
    if (!body.ok) return refusal(body.fault);
    asked = pixParameters(body.value.resource);
    if (!asked) return refusal({ status: 400, code: 'structure', text: 'a Parameters resource is taken here' });
  }
  const query = pixQuery(asked);
  if (!query.ok) return refusal(query.fault);
  const { patients, systems } = deps.domain;
  return ihePix({ store: deps.store, everything: deps.everything, patients, domains: systems }, query.value, place);
}

async function searched(deps: Seen, type: ResourceType, asked: Asked): Promise<Reply> {
  const { parameters, place, request, caller } = asked;
  const page = parameters.get('_page');
  if (page !== null) return savedPage(deps.store, type, page, caller.id, place);
  const prefers = (handling: string): boolean =>
    new RegExp(`(^|[,;\\s])handling\\s*=\\s*"?${handling}`).test(request.get('prefer') ?? '');
  const handling = prefers('strict') ? 'strict' : prefers('lenient') ? 'lenient' : null;
  const parsed = parseSearch([...parameters], { type, base: place.base, handling });
  if (!parsed.ok) return refusal(parsed.fault);
  if (type === 'List' && !namesWhose(parsed.value)) return refusal(NO_PATIENT);
  if (byPeriod(parsed.value) && !namesAny(parsed.value)) return refusal(PERIOD_OF_NOBODY);
  const domains = type === 'Patient' ? requestedDomains(parameters) : [];
  const unknown = await unknownDomain(deps, deps.domain.systems, domains);
  if (unknown) return unknown;
  const shape = { ...parsed.value.shape, ...(domains.length === 0 ? {} : { domains }) };
  return search(deps.store, { ...parsed.value, shape }, caller.id, place);
}

const NO_PATIENT: Fault = {
  status: 400,
  code: 'required',
  text: 'patient or patient.identifier, and status, are required (ITI-66); or an identifier of the list',
};

/** ITI TF-2 §3.66.4.1.2.1; who has a list's own identifier needs neither. */
function namesWhose({ used }: SearchRequest): boolean {
  const names = used.map(([name]) => name.replace(/:.*$/, ''));
  if (names.includes('_id') || names.includes('identifier')) return true;
  return names.includes('status') && names.some((name) => /^(patient|subject)(\.identifier)?$/.test(name));
}

/** Periods of documents are compared one by one, within what a patient or an identifier has found. */
const PERIOD_OF_NOBODY: Fault = {
  status: 400,
  code: 'too-costly',
  text: 'a search or a sort by period also names a patient, an identifier or an id',
  expression: 'period',
};
const byPeriod = ({ asked, sort }: SearchRequest): boolean =>
  sort.some(({ by }) => by === 'period') || asked.some((one) => one.kind === 'date' && one.column === 'period');
const namesAny = ({ used }: SearchRequest): boolean =>
  used.some(([name]) => /^(_id|identifier|(patient|subject)([.:].*)?)$/.test(name) && !/:(missing|not)$/.test(name));

async function answer(deps: Seen, asked: Asked): Promise<Reply> {
  const { interaction, parameters, place, request } = asked;
  switch (interaction.kind) {
    case 'read': {
      const [ifNoneMatch, ifModifiedSince] = [request.get('if-none-match'), request.get('if-modified-since')];
      const shape = shapeOf(parameters);
      const conditions = {
        ...(ifNoneMatch === undefined ? {} : { ifNoneMatch }),
        ...(ifModifiedSince === undefined ? {} : { ifModifiedSince }),
      };
      return read(deps.store, interaction.type, interaction.id, shape, conditions, place);
    }
    case 'vread':
      return vread(deps.store, interaction.type, interaction.id, interaction.version, place);
    case 'history':
      return history(deps.store, interaction.scope, parameters, place);
    case 'search':
      return searched(deps, interaction.type, asked);
    case 'ihe-pix':
      return corresponding(deps, asked);
    case 'match': {
      const body = await readBody(request, FORM_LIMIT);
      if (!body.ok) return refusal(body.fault);
      return matched({ store: deps.store, probe: deps.domain.probe }, body.value.resource, place);
    }
    case 'provide':
    case 'publish':
    case 'update-patient':
    case 'message':
    case 'binary':
    case 'capabilities':
      throw new Error(`${interaction.kind} is answered elsewhere`);
  }
}

function shapeOf(parameters: URLSearchParams): Shape {
  const summary = parameters.get('_summary');
  const elements = parameters.get('_elements');
  return {
    summary: summary === 'true' || summary === 'text' || summary === 'data' ? summary : 'false',
    elements: elements === null || elements === '' ? [] : elements.split(',').map((element) => element.trim()),
  };
}

/** R4 §3.1.1.1.1: a form may be sent with parameters in the URL as well; both count. */
function parametersOfRequest(request: Request, url: URL, interaction: Interaction): Parsed<URLSearchParams> {
  if (url.search.length > QUERY_LIMIT)
    return {
      ok: false,
      fault: { status: 414, code: 'too-long', text: 'send a search this long as a form to _search' },
    };
  if (interaction.kind !== 'search' || !interaction.form) return { ok: true, value: url.searchParams };
  const body: unknown = request.body;
  if (typeof body === 'string') {
    const all = new URLSearchParams([...url.searchParams, ...new URLSearchParams(body)]);
    return { ok: true, value: all };
  }
  if (request.get('content-length') === '0' || request.get('content-type') === undefined)
    return { ok: true, value: url.searchParams };
  return {
    ok: false,
    fault: { status: 415, code: 'not-supported', text: '_search takes application/x-www-form-urlencoded' },
  };
}

function placeOf(deps: FhirFaceDeps, request: Request): Place {
  const origin = deps.origin ?? `${request.protocol}://${request.get('host') ?? 'localhost'}`;
  return { origin, base: `${origin}${request.baseUrl}` };
}

/** A document's bytes as they came, or as a Binary resource to who asks for FHIR. */
async function serveBinary(
  deps: FhirFaceDeps,
  asked: Asked,
  id: string,
  format: Format,
  response: Response,
  sight: Sight,
): Promise<Reply | 'streamed'> {
  const { request, caller, parameters, place } = asked;
  const reply = await read(deps.store, 'Binary', id, WHOLE, {}, place);
  if (await withheld(deps.audit, request, caller, sight, reply)) return refusal(WAY);
  const record = (outcome: 'success' | 'failure', reason?: string): Promise<void> =>
    deps.audit.record({ ...event(request, caller, outcome, reply.touched, reason), ...groundsOf(sight.told()) });
  if (reply.status !== 200 || reply.body === null) {
    await record('failure');
    return reply;
  }
  const kept = reply.body as KeptBinary;
  const wantsFhir = (request.get('accept') ?? '').includes('fhir+') || parameters.has('_format');
  const chosen = negotiate(request.get('accept'), parameters.get('_format'));
  const unfit = wantsFhir
    ? chosen.ok
      ? null
      : chosen.fault
    : accepts(request.get('accept'), kept.contentType)
      ? null
      : NOT_ACCEPTED;
  // The call to who keeps it is in the audit before it is made, with whose data it is about.
  const calling: Calling = (call) =>
    deps.audit.record({ ...event(request, caller, 'success', reply.touched), ...callEvent(call) });
  const bytes =
    unfit !== null ? { ok: false as const, fault: unfit } : await openBytes(deps, kept, request.method, calling);
  await record(bytes.ok ? 'success' : 'failure', bytes.ok ? undefined : bytes.fault.text);
  if (!bytes.ok) return refusal(bytes.fault);
  if (wantsFhir) {
    const resource = await binaryBody(kept, bytes.value);
    if (!resource.ok) return refusal(resource.fault);
    const whole = { ...reply, body: resource.value };
    if (!chosen.ok || chosen.value === format) return whole;
    send(response, whole, chosen.value, false);
    return 'streamed';
  }
  const broken = await sendBytes(response, reply.headers, kept, bytes.value);
  if (broken !== null) await record('failure', broken);
  return 'streamed';
}

function send(response: Response, reply: Reply, format: Format, pretty: boolean): void {
  response.status(reply.status).set({ 'Cache-Control': 'no-store', ...reply.headers });
  if (reply.body === null) {
    response.end();
    return;
  }
  response.set({ 'Content-Type': contentType(format), 'X-Content-Type-Options': 'nosniff', Vary: 'Accept' });
  response.send(Buffer.from(write(reply.body, format, pretty)));
}
