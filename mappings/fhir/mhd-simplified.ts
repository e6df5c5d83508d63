/** Simplified Publish (ITI-105): one DocumentReference with its document inside, as the bundle that it stands for. */
import type { Binary, Bundle, DocumentReference, List } from 'fhir/r4.js';
import type { FhirBody } from '../../hub/core/fhir.ts';
import { profileFaults } from './mhd-rules.ts';
import { LIST_TYPES, MHD_EXTENSIONS, mhdProfile } from './mhd-terms.ts';
import { structureFaults, type StructureFault } from './structure.ts';

export interface SimplifiedContext {
  /** R4 instant. */
  readonly at: string;
  /** OID of who submits on the sender's behalf. */
  readonly sourceId: string;
}

const SET = 'urn:uuid:00000000-0000-4000-8000-000000000001';
const DOCUMENT = 'urn:uuid:00000000-0000-4000-8000-000000000002';
const BYTES = 'urn:uuid:00000000-0000-4000-8000-000000000003';

export function simplifiedBundle(
  input: unknown,
  { at, sourceId }: SimplifiedContext,
): { readonly ok: true; readonly bundle: Bundle } | { readonly ok: false; readonly faults: readonly StructureFault[] } {
  const type = (input as { resourceType?: unknown } | null)?.resourceType;
  if (type !== 'DocumentReference')
    return { ok: false, faults: [{ path: 'DocumentReference', text: 'a DocumentReference is taken here' }] };
  const faults = structureFaults(input, 'DocumentReference', () => false);
  if (faults.length === 0)
    faults.push(...profileFaults(input as FhirBody, 'simplified', 'Minimal', 'DocumentReference'));
  const body = input as DocumentReference;
  if (faults.length === 0 && body.status !== 'current')
    faults.push({ path: 'DocumentReference.status', text: 'a new document is current' });
  if (faults.length > 0) return { ok: false, faults };
  const [content] = body.content;
  const { data = '', contentType = '', ...attachment } = content?.attachment ?? {};
  const document: DocumentReference = {
    ...body,
    meta: { profile: [mhdProfile('Minimal.DocumentReference')] },
    masterIdentifier: { ...body.masterIdentifier, use: 'usual' },
    content: [{ ...content, attachment: { ...attachment, contentType, url: BYTES } }],
  };
  delete document.id;
  const set: List = {
    resourceType: 'List',
    extension: [{ url: MHD_EXTENSIONS.sourceId, valueIdentifier: { value: `urn:oid:${sourceId}` } }],
    status: 'current',
    mode: 'working',
    code: { coding: [{ system: LIST_TYPES, code: 'submissionset' }] },
    ...(body.subject === undefined ? {} : { subject: body.subject }),
    date: at,
    entry: [{ item: { reference: DOCUMENT } }],
  };
  const bytes: Binary = { resourceType: 'Binary', contentType, data };
  return {
    ok: true,
    bundle: {
      resourceType: 'Bundle',
      meta: { profile: [mhdProfile('Minimal.ProvideBundle')] },
      type: 'transaction',
      entry: [
        { fullUrl: SET, resource: set, request: { method: 'POST', url: 'List' } },
        { fullUrl: DOCUMENT, resource: document, request: { method: 'POST', url: 'DocumentReference' } },
        { fullUrl: BYTES, resource: bytes, request: { method: 'POST', url: 'Binary' } },
      ],
    },
  };
}
