/**
 * Wires the faces of the affinity domain: registry, repository, imaging source, and the gateways between this community and
 * others. Beside compose.ts, which it serves, so that neither outgrows its reader.
 */
import { randomUUID } from 'node:crypto';
import type { Router } from 'express';
import { createRemoteRepositories } from '../adapters/xds/index.ts';
import type { Communities, Hospitals } from '../adapters/xds/index.ts';
import { identifierSystems } from '../mappings/fhir/index.ts';
import type { fhirFace } from './api/fhir/index.ts';
import { pdqSupplierFace, pixManagerFace } from './api/xds/patient-identity.ts';
import { initiatingGateway } from './api/xds/initiating-gateway.ts';
import { createOwnCommunity } from './api/xds/own-community.ts';
import { CONSUMER_LIMITS, notificationConsumer } from './api/xds/iti-53.ts';
import { IMAGING_SOURCE_LIMITS, imagingSourceFace } from './api/xds/rad-69.ts';
import type { ImagingSourceDeps } from './api/xds/rad-69.ts';
import { registryFace, REGISTRY_LIMITS } from './api/xds/registry.ts';
import { repositoryFace, REPOSITORY_LIMITS } from './api/xds/repository.ts';
import { GATEWAY_LIMITS, respondingGateway } from './api/xds/responding-gateway.ts';
import type { PatientScope } from './api/xds/soap-caller.ts';
import { subscriptionFace, SUBSCRIPTION_LIMITS } from './api/xds/subscription.ts';
import { notificationSecrets } from './compose-notify.ts';
import type { Config } from './config.ts';
import { plainCx } from './core/access.ts';
import type { Caller } from './core/access.ts';
import type { EntryId, PatientCx } from './core/document.ts';
import type { AffinityPatients } from './core/document-ports.ts';
import type { FhirStore } from './core/fhir.ts';
import type { Oid } from './core/identifier.ts';
import type { Matching } from './core/match/matcher.ts';
import type { FeedIdentityDeps } from './flow/feed-identity.ts';
import type { PatientQueries } from './core/patient-query.ts';
import { isFormer } from './core/view.ts';
import type { IndexReader, ObjectStore } from './core/ports.ts';
import type { Sites } from './core/site.ts';
import { createSharedDocuments } from './flow/shared-documents.ts';
import { createAffinityPatients } from './store/affinity-patients.ts';
import type { Database } from './store/database.ts';
import { createDocumentReader } from './store/document-query.ts';
import { createDocumentRegistry } from './store/document-registry.ts';
import { createDocumentRemoval } from './store/document-removal.ts';
import { createHospitalShelf } from './store/hospital.ts';
import { createMatchProbe } from './store/match-probe.ts';
import { createSubscriptionStore } from './store/subscription.ts';

interface XdsParts extends Pick<
  ImagingSourceDeps,
  'reader' | 'images' | 'transcode' | 'access' | 'audit' | 'assertions' | 'log'
> {
  readonly reader: IndexReader;
  readonly config: Config;
  readonly sites: Sites;
  readonly database: Database;
  readonly objects: ObjectStore;
  readonly communities: Communities;
  readonly queries: PatientQueries;
  readonly feed: FeedIdentityDeps;
  readonly clock: () => Date;
}

/** The faces below `/xds`, by path. */
export function xdsFaces(parts: XdsParts): Readonly<Record<string, Router>> {
  const { config, sites, database, clock, communities } = parts;
  const { affinityDomainOid, homeCommunityOid } = config;
  const patients = createAffinityPatients({ database, affinityDomainOid });
  const reader = createDocumentReader(database);
  const registry = createDocumentRegistry({ database, clock, affinityDomainOid, reader });
  const repositoryOid = config.repositoryOid as Oid;
  const scope = patientScope(patients, parts.reader);
  const shared = { ...parts, scope, registry, patients, repositoryOid, homeCommunityOid, affinityDomainOid };
  // Whose ids are those of the domain may feed them (ITI-44).
  const affinitySite = sites.all.find(({ patientIds }) => patientIds.defaultAuthority === affinityDomainOid)?.id;
  const form = ({ site }: Caller): 'strict' | 'lenient' =>
    (site === undefined ? null : sites.byId(site))?.metadataForm ?? 'lenient';
  const documents = { ...shared, form, ...(affinitySite === undefined ? {} : { affinitySite }) };
  const own = createOwnCommunity(shared);
  const { access, audit, assertions, log } = parts;
  const callers = { access, audit, scope, ...(assertions === undefined ? {} : { assertions }) };
  const secrets = notificationSecrets(database);
  const gateway = { own, ...callers, log, limits: GATEWAY_LIMITS };
  return {
    '/xds/subscription': subscriptionFace({
      ...callers,
      log,
      clock,
      patients,
      subscriptions: createSubscriptionStore({ database, clock, seal: secrets.seal }),
      consumerHosts: config.subscriberHosts,
      origin: config.publicUrl,
      limits: SUBSCRIPTION_LIMITS,
    }),
    '/xds/notify': notificationConsumer({
      ...callers,
      log,
      sites,
      shelf: createHospitalShelf({ database, clock }),
      siteOf: async (pass) => (await secrets.pass()).read(pass, clock()),
      limits: CONSUMER_LIMITS,
    }),
    '/xds/registry': registryFace({ ...documents, limits: REGISTRY_LIMITS }),
    '/xds/repository': repositoryFace({
      ...documents,
      removal: createDocumentRemoval(database),
      limits: REPOSITORY_LIMITS,
    }),
    '/xds/pix-manager': pixManagerFace({ ...shared, queries: parts.queries, feed: parts.feed }),
    '/xds/pdq-supplier': pdqSupplierFace({ ...shared, queries: parts.queries }),
    '/xds/imaging-source': imagingSourceFace({ ...shared, limits: IMAGING_SOURCE_LIMITS }),
    '/xds/responding-gateway': respondingGateway(gateway),
    '/xds/initiating-gateway': initiatingGateway({
      ...gateway,
      communities: communities.all,
      patientIn: (id, authority) => patientIn({ patients, index: parts.reader }, id, authority),
    }),
  };
}

/** A person's id in the affinity domain, numbers at hospitals, and numbers that registrations tell. */
export function patientScope(patients: AffinityPatients, index: Pick<IndexReader, 'person'>): PatientScope {
  return {
    personsOf: (ids) => patients.personsOf(ids as readonly PatientCx[]),
    async idsOf(personId) {
      const [issued, person] = await Promise.all([patients.idsOf([personId]), index.person(personId)]);
      const numbers = (person?.records ?? []).flatMap(({ authority, localId, identifiers }) => [
        { authority, value: localId },
        ...identifiers,
      ]);
      return [...issued.values(), ...numbers.map(({ authority, value }) => `${value}^^^&${authority}&ISO`)];
    },
    survivorsOf: async (ids) => [...(await patients.survivorsOf(ids.map(plainCx) as PatientCx[])).values()],
  };
}

/** The same documents as FHIR (MHD), and who the patients of the domain are (PIXm, PDQm). */
export function affinityDomain(
  {
    config,
    sites,
    database,
    objects,
    clock,
    hospitals,
    matching,
  }: Pick<XdsParts, 'config' | 'sites' | 'database' | 'objects' | 'clock'> & {
    readonly hospitals: Hospitals;
    readonly matching: Matching;
  },
  projection: FhirStore,
): { readonly store: FhirFaceDeps['store']; readonly domain: Omit<FhirFaceDeps['domain'], 'feed'> } {
  const { affinityDomainOid } = config;
  const patients = createAffinityPatients({ database, affinityDomainOid });
  const reader = createDocumentReader(database);
  const registry = createDocumentRegistry({ database, clock, affinityDomainOid, reader });
  const authorities = sites.all.flatMap(({ patientIds }) => [
    patientIds.defaultAuthority,
    ...Object.values(patientIds.authorities),
  ]);
  const provide = {
    projection,
    registry,
    patients,
    objects,
    repositoryOid: config.repositoryOid as Oid,
    draw: () => `urn:uuid:${randomUUID()}` as EntryId,
    clock,
    sourceId: config.homeCommunityOid,
  };
  return {
    store: createSharedDocuments({ projection, registry, patients }),
    domain: {
      provide,
      patients,
      elsewhere: createRemoteRepositories(hospitals),
      systems: identifierSystems([affinityDomainOid, ...authorities]),
      probe: createMatchProbe({ database, matching }),
    },
  };
}

type FhirFaceDeps = Parameters<typeof fhirFace>[0];

/** The same person under another authority: a registration of it, or a number that a registration tells. */
async function patientIn(
  { patients, index }: { readonly patients: AffinityPatients; readonly index: IndexReader },
  id: string,
  authority: string,
): Promise<string | null> {
  if (id.endsWith(`^^^&${authority}&ISO`)) return id;
  const [personId] = (await patients.personsOf([id as PatientCx])).values();
  const person = personId === undefined ? null : await index.person(personId);
  for (const record of person?.records ?? []) {
    if (isFormer(record)) continue;
    const numbers = [{ authority: record.authority, value: record.localId }, ...record.identifiers];
    const known = numbers.find((number) => number.authority === authority);
    if (known) return `${known.value}^^^&${authority}&ISO`;
  }
  return null;
}
