/**
 * The feed of patients over FHIR: PIXm ITI-104 (conditional PUT) and PMIR ITI-93 (a message Bundle). Both go to the journal
 * as every feed does; the answer waits until they are applied, so that a sender's next question finds them.
 */
import { randomUUID } from 'node:crypto';
import type { Bundle, Identifier, MessageHeader, Patient } from 'fhir/r4.js';
import type { Caller } from '../../core/access.ts';
import type { FhirBody, FhirStore } from '../../core/fhir.ts';
import { problem, type Problem } from '../../core/problem.ts';
import type { CanonicalRecord } from '../../core/record.ts';
import {
  awaitSettled,
  feedIdentity,
  type FeedIdentityDeps,
  type FedIdentity,
  type Settled,
} from '../../flow/feed-identity.ts';
import { authorityOfSystem, identifierSystem } from '../../../mappings/fhir/datatypes.ts';
import {
  messageIdOf,
  PATIENT_MESSAGE,
  PATIENT_UPDATE,
  PMIR_FEED,
  updatedIdentifier,
  writeRequest,
  type NamedPatients,
} from '../../../mappings/fhir/patient-feed.ts';
import { STATUS } from '../rest/problem.ts';
import type { ReadBody } from './body.ts';
import { namedPatients } from './link-target.ts';
import { NOBODY, outcome, refusal, type Reply } from './reply.ts';
import type { Place } from './search.ts';

export interface PatientFeedFace extends FeedIdentityDeps {
  readonly entry: (journalId: string) => Promise<Settled | null>;
  readonly waitMs: number;
}

interface Sent {
  readonly caller: Caller;
  readonly body: ReadBody;
  readonly contentType: string;
  /** Path and query. */
  readonly target: string;
  readonly place: Place;
  /** Idempotency-Key: the same again is the same request. */
  readonly key: string | undefined;
}

const EVERY_MS = 50;

export async function updatePatient(deps: PatientFeedFace, store: FhirStore, sent: Sent): Promise<Reply> {
  const named = updatedIdentifier(sent.target);
  if (named === null)
    return refusal({
      status: 400,
      code: 'required',
      text: 'a Patient is updated by identifier=system|value, once and alone (ITI-104)',
      expression: 'identifier',
    });
  const known = await patientBy(store, named.system, named.value);
  const fed = await feedIdentity(deps, sent.caller, {
    channel: 'fhir',
    messageType: PATIENT_UPDATE,
    contentType: 'application/http',
    bytes: writeRequest({ method: 'PUT', ...sent, body: sent.body.bytes, named: await namedIn(sent, store) }),
    // A PUT has no id of its own, and the same content may well be true again later.
    controlId: sent.key ?? randomUUID(),
    authorities: [authorityOfSystem(named.system)],
  });
  if (!fed.ok) return refused(fed.problem);
  const unsettled = await waited(deps, fed.value);
  if (unsettled !== null) return unsettled;
  const id = await patientBy(store, named.system, named.value);
  const headers = id === null ? {} : { Location: `${sent.place.base}/Patient/${id}` };
  const touched = id === null ? NOBODY : { persons: [id], objects: [`Patient/${id}`] };
  return { status: known === null ? 201 : 200, body: null, headers, touched };
}

export async function feedMessage(deps: PatientFeedFace, store: FhirStore, sent: Sent): Promise<Reply> {
  const told = {
    channel: 'fhir',
    messageType: PATIENT_MESSAGE,
    contentType: 'application/http',
    bytes: writeRequest({ method: 'POST', ...sent, body: sent.body.bytes, named: await namedIn(sent, store) }),
    controlId: messageIdOf(sent.body.resource) ?? randomUUID(),
    // A message does not say of which site it is: its sender is a site's own.
    authorities: [],
  } as const;
  const fed = await feedIdentity(deps, sent.caller, told, unmerge(store));
  if (!fed.ok) return refused(fed.problem);
  const unsettled = await waited(deps, fed.value);
  if (unsettled !== null) return unsettled;
  const ids = await Promise.all(
    fed.value.refs.map(({ authority, value }) => patientBy(store, identifierSystem(authority), value)),
  );
  const persons = [...new Set(ids.filter((id) => id !== null))];
  const touched = { persons, objects: persons.map((id) => `Patient/${id}`) };
  return { status: 200, body: answerTo(sent), headers: {}, touched };
}

const namedIn = ({ body, place }: Sent, store: FhirStore): Promise<NamedPatients> =>
  namedPatients(body.resource, place.base, store);

const UNMERGE = problem(
  'unsupported-message',
  'Bundle.entry[1].resource',
  'A merge is taken back by ADT^A37 of the hospital, or by an operator: not by a message of this feed.',
);

/** A response message (R4 §2.4.2): processed, and to which message. */
function answerTo({ body, place }: Sent): FhirBody {
  const header: MessageHeader = {
    resourceType: 'MessageHeader',
    id: randomUUID(),
    eventUri: PMIR_FEED,
    source: { endpoint: place.base },
    response: { identifier: fhirId(messageIdOf(body.resource)), code: 'ok' },
  };
  const answer: Bundle = {
    resourceType: 'Bundle',
    type: 'message',
    timestamp: new Date().toISOString(),
    entry: [{ fullUrl: `urn:uuid:${header.id ?? ''}`, resource: header }],
  };
  return answer;
}

/** `response.identifier` is of type id, which a fullUrl is not. */
const fhirId = (id: string | null): string => (id ?? 'unknown').replace(/^.*[:/]/, '').slice(0, 64) || 'unknown';

/** null: applied. Else why not, or that it will be. */
async function waited(deps: PatientFeedFace, { journalId }: FedIdentity): Promise<Reply | null> {
  const settled = await awaitSettled(deps.entry, journalId, { withinMs: deps.waitMs, everyMs: EVERY_MS });
  if (settled.state === 'applied') return null;
  if (settled.state === 'received') {
    const text = `this is kept as journal entry ${journalId} and will be applied`;
    return {
      status: 202,
      body: outcome('information', [{ code: 'informational', text }]),
      headers: {},
      touched: NOBODY,
    };
  }
  const reason = settled.problem?.text ?? 'this contradicts what is registered';
  const text = `${reason} It is kept as journal entry ${journalId} and waits for an operator.`;
  const where = settled.problem?.where;
  return refusal({ status: 409, code: 'conflict', text, ...(where === undefined ? {} : { expression: where }) });
}

function refused({ code, text, where }: Problem): Reply {
  const isContent = code === 'invalid-value' || code === 'required-missing' || code === 'unknown-code';
  const status = code === 'unsupported-message' ? 405 : isContent ? 422 : STATUS[code];
  const issue =
    code === 'forbidden'
      ? 'forbidden'
      : code === 'unsupported-message'
        ? 'not-supported'
        : code === 'malformed'
          ? 'structure'
          : code === 'control-id-reused'
            ? 'duplicate'
            : isContent
              ? 'invalid'
              : 'processing';
  const headers = status === 405 ? { headers: { Allow: 'POST' } } : {};
  return refusal({ status, code: issue, text, ...(where === undefined ? {} : { expression: where }), ...headers });
}

async function patientBy(store: FhirStore, system: string, value: string): Promise<string | null> {
  const criteria = [
    { kind: 'tokens' as const, any: [`identifier=${system}|${value}`], negate: false, selective: true },
    { kind: 'tokens' as const, any: ['active=true'], negate: false, selective: false },
  ];
  return (await store.search({ type: 'Patient', criteria, sort: [], limit: 1 }))[0] ?? null;
}

/** Not one that its source took back: that ended at a time (mappings/fhir/patient.ts), and may be told anew. */
const isMergedAway = ({ use, period }: Identifier): boolean => use === 'old' && period?.end === undefined;

/** PMIR §3.93.4.1.3: an unmerge tells a Patient that was replaced as active and without its link. */
const unmerge =
  (store: FhirStore) =>
  async (records: readonly CanonicalRecord[]): Promise<Problem | null> => {
    for (const record of records) {
      if (record.kind !== 'patient') continue;
      const [system, value] = [identifierSystem(record.patient.authority), record.patient.value];
      const id = await patientBy(store, system, value);
      const [version] = id === null ? [] : await store.fetch('Patient', [id]);
      const { identifier = [] } = (version?.body ?? {}) as Pick<Patient, 'identifier'>;
      if (identifier.some((one) => one.system === system && one.value === value && isMergedAway(one))) return UNMERGE;
    }
    return null;
  };
