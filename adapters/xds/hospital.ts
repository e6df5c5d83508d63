/**
 * Hospitals that run their own XDS domain: which manifests their registry has of a patient (ITI-18), and the manifests
 * themselves (ITI-43). Their answers are believed only where they fit what was asked.
 */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { Calling } from '../../hub/core/audit.ts';
import type { DocumentEntry } from '../../hub/core/document.ts';
import type { SiteId } from '../../hub/core/identifier.ts';
import { Failure, fail, ok, problem } from '../../hub/core/problem.ts';
import type { Result } from '../../hub/core/problem.ts';
import type { SiteProfile, SiteXds, Sites } from '../../hub/core/site.ts';
import { ITI18_REQUEST } from '../../mappings/xds/cross-query.ts';
import { ITI43_REQUEST, writeRetrieveRequest } from '../../mappings/xds/document-set.ts';
import { readSubmission } from '../../mappings/xds/ebrim-read.ts';
import { QUERY, RIM } from '../../mappings/xds/ebrim-names.ts';
import { SUBSCRIBE } from '../../mappings/xds/notification-names.ts';
import { readSubscribeResponse, writeSubscribe } from '../../mappings/xds/subscription.ts';
import { xml } from '../../mappings/xds/xml.ts';
import type { XdsEndpoint, XdsLimits } from './endpoint.ts';
import { XdsPeer } from './peer.ts';

/** A manifest as the hospital's registry tells of it. */
export interface HospitalManifest {
  readonly documentUid: string;
  readonly repositoryUid: string;
  /** SHA-1 in lower case and size, where told. */
  readonly hash: string | null;
  readonly size: number | null;
}

export interface Hospital {
  /** All approved manifests of the patient (CX of the hospital's own authority). */
  manifestsOf(patientId: string): Promise<Result<readonly HospitalManifest[]>>;
  fetch(manifest: HospitalManifest): Promise<Result<Buffer>>;
}

export interface Hospitals {
  of(site: SiteId): Hospital | null;
  /** Who keeps the documents of this repository (OID). */
  repository(oid: string): XdsPeer | null;
  /** The hospital's imaging source, where its data names one. */
  imagingSource(site: SiteId): XdsPeer | null;
  /** Tells of new documents to whom it is asked to (DSUB), where its data names one. */
  broker(site: SiteId): Broker | null;
  close(): void;
}

export interface Broker {
  /** Until when the hub is told; the consumer is the hub's own address. */
  subscribe(consumer: string, endsAt: Date): Promise<Result<Date>>;
}

const FIND_DOCUMENTS = 'urn:uuid:14d4debf-8f97-4251-9a74-a90016b0af0d';
const KOS = '1.2.840.10008.5.1.4.1.1.88.59';
const MANIFEST_BYTES = 64 * 2 ** 20;

export function openHospitals(sites: Sites, limits: Partial<XdsLimits> = {}, calling?: Calling): Hospitals {
  const hospitals = new Map<string, Hospital>();
  const sources = new Map<string, XdsPeer>();
  const brokers = new Map<string, Broker>();
  const repositories = new Map<string, XdsPeer>();
  const peers: XdsPeer[] = [];
  const opened = (site: SiteXds, url: string): XdsPeer => {
    const peer = new XdsPeer(endpointOf(site, url), limits, calling);
    peers.push(peer);
    return peer;
  };
  for (const site of sites.all) {
    const { xds } = site;
    if (xds === undefined) continue;
    const repository = opened(xds, xds.repository.url);
    hospitals.set(site.id, hospitalOf(site, xds, opened(xds, xds.registry), repository));
    repositories.set(xds.repository.oid, repository);
    if (xds.subscription !== undefined) brokers.set(site.id, brokerOf(opened(xds, xds.subscription)));
    if (xds.imagingSource) sources.set(site.id, opened(xds, xds.imagingSource.url));
  }
  return {
    of: (site) => hospitals.get(site) ?? null,
    repository: (oid) => repositories.get(oid) ?? null,
    imagingSource: (site) => sources.get(site) ?? null,
    broker: (site) => brokers.get(site) ?? null,
    close: () => {
      for (const peer of peers) peer.close();
    },
  };
}

const brokerOf = (peer: XdsPeer): Broker => ({
  async subscribe(consumer, endsAt) {
    const answer = await peer.subscribe(SUBSCRIBE, writeSubscribe(consumer, endsAt));
    if (!answer.ok) return answer;
    const until = readSubscribeResponse(answer.value, endsAt);
    return until === null
      ? fail(problem('malformed', 'Body', 'The broker answered without a subscription.'))
      : ok(until);
  },
});

/** Rejects where a certificate cannot be read: the hub does not start on that. */
function endpointOf({ timeoutMs, token, tls = {} }: SiteXds, url: string): XdsEndpoint {
  const pem = (path: string | undefined): Buffer | undefined => (path === undefined ? undefined : readFileSync(path));
  const [cert, key, ca] = [pem(tls.certificate), pem(tls.key), pem(tls.ca)];
  return {
    url,
    timeoutMs,
    ...(token === undefined ? {} : { token }),
    tls: {
      ...(cert === undefined ? {} : { cert }),
      ...(key === undefined ? {} : { key }),
      ...(ca === undefined ? {} : { ca }),
    },
  };
}

function hospitalOf(site: SiteProfile, xds: SiteXds, registry: XdsPeer, repository: XdsPeer): Hospital {
  return {
    async manifestsOf(patientId) {
      const answer = await registry.query(ITI18_REQUEST, findManifests(patientId));
      if (!answer.ok) return answer;
      const { status, objects, errors } = answer.value;
      if (status !== 'success') return fail(refused(errors.map(({ code }) => code)));
      const list = { namespace: RIM, name: 'RegistryObjectList', attributes: new Map(), children: objects, text: '' };
      const read = readSubmission(list, { form: 'lenient' });
      const entries = read.submission.objects.filter((object) => object.kind === 'document');
      if (entries.some((entry) => entry.patientId !== patientId))
        return fail(
          problem('patient-mismatch', 'patientId', `The registry of ${site.id} answered for another patient.`),
        );
      return ok(entries.filter(isManifest).map((entry) => manifestOf(entry, xds)));
    },
    async fetch(manifest) {
      const { oid } = xds.repository;
      if (manifest.repositoryUid !== oid)
        return fail(problem('not-found', 'repositoryUniqueId', `The site names no repository but ${oid}.`));
      const wanted = { homeCommunityId: null, repositoryUniqueId: oid, documentUniqueId: manifest.documentUid };
      const retrieved = await repository.retrieve(ITI43_REQUEST, writeRetrieveRequest([wanted]));
      if (!retrieved.ok) return retrieved;
      try {
        for await (const { given, body } of retrieved.value.documents) {
          if (given.documentUniqueId === manifest.documentUid) return await collected(manifest, body);
        }
        return fail(refused(retrieved.value.answer.errors.map(({ code }) => code)));
      } catch (error) {
        if (!(error instanceof Failure)) throw error;
        return fail(error.problem);
      } finally {
        retrieved.value.close();
      }
    },
  };
}

/** No format code in the query: registries differ in its scheme, and would answer with nothing. */
const findManifests = (patientId: string): string =>
  `<query:AdhocQueryRequest xmlns:query="${QUERY}" xmlns:rim="${RIM}"><query:ResponseOption returnComposedObjects="true" returnType="LeafClass"/>` +
  `<rim:AdhocQuery id="${FIND_DOCUMENTS}">${slot('$XDSDocumentEntryPatientId', `'${patientId.replaceAll("'", "''")}'`)}` +
  `${slot('$XDSDocumentEntryStatus', "('urn:oasis:names:tc:ebxml-regrep:StatusType:Approved')")}</rim:AdhocQuery></query:AdhocQueryRequest>`;

const slot = (name: string, value: string): string =>
  `<rim:Slot name="${name}"><rim:ValueList><rim:Value>${xml(value)}</rim:Value></rim:ValueList></rim:Slot>`;

const isManifest = (entry: DocumentEntry): boolean =>
  entry.mimeType === 'application/dicom' && entry.formatCode?.code === KOS && entry.status === 'approved';

const manifestOf = (entry: DocumentEntry, { repository }: SiteXds): HospitalManifest => ({
  documentUid: entry.uniqueId,
  repositoryUid: entry.repositoryUniqueId ?? repository.oid,
  hash: entry.hash?.toLowerCase() ?? null,
  size: entry.size ?? null,
});

async function collected(manifest: HospitalManifest, body: AsyncIterable<Uint8Array>): Promise<Result<Buffer>> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of body) {
    size += chunk.length;
    if (size > MANIFEST_BYTES)
      return fail(problem('too-large', undefined, 'The manifest is larger than the hub takes.'));
    chunks.push(chunk);
  }
  const bytes = Buffer.concat(chunks);
  const sha1 = createHash('sha1').update(bytes).digest('hex');
  if ((manifest.hash !== null && manifest.hash !== sha1) || (manifest.size !== null && manifest.size !== size))
    return fail(problem('conflict', 'hash', 'The repository gave other bytes than the registry tells of.'));
  return ok(bytes);
}

/** Codes only: what a hospital writes beside them may name its patient. */
const refused = (codes: readonly string[]): ReturnType<typeof problem> => {
  const known = [...new Set(codes.filter((code) => /^[A-Za-z]{1,64}$/.test(code)))].slice(0, 5).join(' ');
  return problem('unavailable', undefined, `The hospital refused: ${known === '' ? 'without a code' : known}.`);
};
