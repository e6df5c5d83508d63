/** ITI-65 and ITI-105 over HTTP: the answer of a submission as a transaction-response, or an OperationOutcome by element. */
import type { Bundle, OperationOutcome, OperationOutcomeIssue } from 'fhir/r4.js';
import { submitterOf } from '../../core/access.ts';
import type { Caller } from '../../core/access.ts';
import type { RegistryErrorCode, RegistryProblem } from '../../core/document.ts';
import type { FhirStore } from '../../core/fhir.ts';
import { provideBundle, type Provided, type ProvideDeps } from '../../flow/provide-bundle.ts';
import { mhdProfile } from '../../../mappings/fhir/mhd-terms.ts';
import { simplifiedBundle } from '../../../mappings/fhir/mhd-simplified.ts';
import type { ReadBody } from './body.ts';
import { NOBODY, type Reply } from './reply.ts';
import { render, WHOLE } from './resource.ts';
import type { Place } from './search.ts';

export interface ProvideFace extends ProvideDeps {
  readonly clock: () => Date;
  /** OID of the hub, under which it submits what comes without a submission set. */
  readonly sourceId: string;
}

export async function provide(deps: ProvideFace, body: ReadBody, caller: Caller, place: Place): Promise<Reply> {
  const sender = { origin: submitterOf(caller), base: place.base, format: body.format };
  const provided = await provideBundle(deps, body.resource, sender);
  return provided.ok ? accepted(provided, deps.clock()) : refusedReply(provided);
}

type Accepted = Extract<Provided, { ok: true }>;
type Refused = Extract<Provided, { ok: false }>;

function accepted({ entries, warnings, persons }: Accepted, now: Date): Reply {
  const outcome =
    warnings.length === 0
      ? {}
      : { outcome: { resourceType: 'OperationOutcome', issue: warnings.map(issueOf) } as OperationOutcome };
  const bundle: Bundle = {
    resourceType: 'Bundle',
    meta: { profile: [mhdProfile('ProvideDocumentBundleResponse')] },
    type: 'transaction-response',
    entry: entries.map(({ created, location }, at) => ({
      response: {
        status: created ? '201 Created' : '200 OK',
        location,
        etag: 'W/"1"',
        lastModified: now.toISOString(),
        // What the registry warns of concerns the submission: it stands with the first entry.
        ...(at === 0 ? outcome : {}),
      },
    })),
  };
  return {
    status: 200,
    body: bundle,
    headers: {},
    touched: { persons, objects: entries.map(({ location }) => location) },
  };
}

/** 422: understood, and against a rule; 409: against what is registered; 400: not understood. */
function refusedReply({ faults, persons }: Refused): Reply {
  const codes = faults.map(({ code }) => code);
  const status =
    codes.includes('XDSRegistryBusy') || codes.includes('XDSRegistryNotAvailable')
      ? 503
      : codes.includes('XDSDuplicateUniqueIdInRegistry')
        ? 409
        : codes.some((code) => code === undefined)
          ? 400
          : 422;
  const issue = faults.slice(0, 50).map(({ path, text, code }): OperationOutcomeIssue => ({
    severity: 'error',
    code: issueCode(code),
    ...(code === undefined ? {} : { details: { coding: [{ code }], text: code } }),
    diagnostics: text,
    expression: [path],
  }));
  const body: OperationOutcome = { resourceType: 'OperationOutcome', issue };
  return { status, body, headers: status === 503 ? { 'Retry-After': '5' } : {}, touched: { persons, objects: [] } };
}

function issueCode(code: RegistryErrorCode | 'FHIRDocumentNotSupported' | undefined): OperationOutcomeIssue['code'] {
  switch (code) {
    case undefined:
      return 'structure';
    case 'XDSUnknownPatientId':
    case 'UnresolvedReferenceException':
      return 'not-found';
    case 'XDSDuplicateUniqueIdInRegistry':
    case 'XDSRegistryDuplicateUniqueIdInMessage':
    case 'XDSRepositoryDuplicateUniqueIdInMessage':
      return 'duplicate';
    case 'FHIRDocumentNotSupported':
      return 'not-supported';
    case 'XDSRegistryBusy':
    case 'XDSRegistryNotAvailable':
      return 'transient';
    case 'XDSRepositoryMetadataError':
    case 'XDSRegistryMetadataError':
      return 'invariant';
    default:
      return 'business-rule';
  }
}

const issueOf = (problem: RegistryProblem): OperationOutcomeIssue => ({
  severity: 'warning',
  code: issueCode(problem.code),
  details: { coding: [{ code: problem.code }], text: problem.code },
  diagnostics: problem.context,
});

/** ITI-105: the answer is that of a create (R4 §3.1.0.8). */
export async function publish(
  deps: ProvideFace,
  store: FhirStore,
  body: ReadBody,
  caller: Caller,
  place: Place,
): Promise<Reply> {
  const made = simplifiedBundle(body.resource, { at: deps.clock().toISOString(), sourceId: deps.sourceId });
  if (!made.ok) return refusedReply({ ok: false, faults: made.faults, persons: [] });
  const provided = await provideBundle(deps, made.bundle, {
    origin: submitterOf(caller),
    base: place.base,
    format: body.format,
  });
  if (!provided.ok) {
    // The paths are those of the bundle that the sender never saw.
    const faults = provided.faults.map((fault) => ({
      ...fault,
      path: fault.path
        .replace(/^Bundle\.entry\[\d+\]\.resource/, 'DocumentReference')
        .replace(/^Bundle$/, 'DocumentReference'),
    }));
    return refusedReply({ ...provided, faults });
  }
  const location = provided.entries.find((entry) => entry.location.startsWith('DocumentReference/'))?.location ?? '';
  const version = await store.read('DocumentReference', location.slice('DocumentReference/'.length));
  return {
    status: 201,
    body: version ? render(version, WHOLE, place.origin) : null,
    headers: { Location: `${place.base}/${location}/_history/1`, ETag: 'W/"1"' },
    touched: version ? { persons: provided.persons, objects: [location] } : NOBODY,
  };
}
