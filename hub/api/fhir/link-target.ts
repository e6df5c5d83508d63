/**
 * Whom a merge or a removal of the FHIR feed names by literal reference (R4 §2.3.0): Patients of this server, by the ids that PIXm and
 * PDQm answer. Looked up once, when the request comes, and kept with it; references within a message are its own business.
 */
import type { Bundle, Patient } from 'fhir/r4.js';
import type { FhirStore } from '../../core/fhir.ts';
import type { NamedPatients } from '../../../mappings/fhir/patient-feed.ts';

/** A message names a few survivors; more are told by their numbers. */
const MOST_REFERENCES = 20;
const MOST_NUMBERS = 20;
/** A person that was replaced leads to the one of today. */
const MOST_HOPS = 4;
const ID = /^[A-Za-z0-9\-.]{1,64}$/;

export async function namedPatients(resource: unknown, base: string, store: FhirStore): Promise<NamedPatients> {
  const named = new Map<string, NonNullable<Patient['identifier']>>();
  for (const reference of [...referencesIn(resource), ...removedIn(resource)].slice(0, MOST_REFERENCES)) {
    const id = idOf(reference, base);
    const patient = id === null ? null : await standing(id, store);
    const numbers = (patient?.identifier ?? []).filter(({ use, system, value }) => use !== 'old' && system && value);
    if (numbers.length > 0) named.set(reference, numbers.slice(0, MOST_NUMBERS));
  }
  return named;
}

/** Relative, or absolute under this server's own address: of other servers nothing is known here. */
function idOf(reference: string, base: string): string | null {
  const path = reference.startsWith(`${base}/`) ? reference.slice(base.length + 1) : reference;
  const [type, id, ...more] = path.split('/');
  return type === 'Patient' && id !== undefined && more.length === 0 && ID.test(id) ? id : null;
}

async function standing(id: string, store: FhirStore): Promise<Patient | null> {
  let at = id;
  for (let hop = 0; hop <= MOST_HOPS; hop++) {
    const [version] = await store.fetch('Patient', [at]);
    const patient = version?.body as Patient | undefined;
    if (patient === undefined) return null;
    const next = patient.link?.find(({ type }) => type === 'replaced-by')?.other.reference;
    const nextId = next === undefined ? null : (next.split('/').at(-1) ?? null);
    if (nextId === null) return patient;
    at = nextId;
  }
  return null;
}

/** Of a message of the feed the entries of its histories. */
function changesIn(resource: unknown): readonly unknown[] {
  const { entry } = (resource ?? {}) as { readonly entry?: unknown };
  return (entry instanceof Array ? (entry as readonly unknown[]) : []).flatMap((one): readonly unknown[] => {
    const told = (one as { readonly resource?: Partial<Bundle> } | null)?.resource;
    return told?.resourceType === 'Bundle' && told.entry instanceof Array ? told.entry : [];
  });
}

/** Whom a message removes: an entry that names a Patient by its url and has no resource (R4 §3.1.0.7.1). */
const removedIn = (resource: unknown): string[] =>
  changesIn(resource).flatMap((one) => {
    const { request } = (one ?? {}) as { readonly request?: { readonly method?: unknown; readonly url?: unknown } };
    const { method, url } = request ?? {};
    return method === 'DELETE' && typeof url === 'string' && url.length <= 1024 ? [url] : [];
  });

/** `link.other.reference` of a Patient, or of the Patients in a message of the feed; whatever else it may be has none. */
function referencesIn(resource: unknown): string[] {
  const { link } = (resource ?? {}) as { readonly link?: unknown };
  const inner = changesIn(resource).map((of) => (of as { readonly resource?: unknown } | null)?.resource);
  const links = [link, ...inner.map((one) => (one as { readonly link?: unknown } | null)?.link)];
  return links.flatMap((all) =>
    (all instanceof Array ? (all as readonly unknown[]) : []).flatMap((one) => {
      const { type, other } = (one ?? {}) as {
        readonly type?: unknown;
        readonly other?: { readonly reference?: unknown };
      };
      const reference = other?.reference;
      return type === 'replaced-by' && typeof reference === 'string' && reference.length <= 1024 ? [reference] : [];
    }),
  );
}
