/** A document registry over real HTTP and PostgreSQL for tests of what changes it; each answer is held against the XSDs. */
import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import express from 'express';
import { setCaller } from '../../hub/api/caller.ts';
import { registryFace, REGISTRY_LIMITS } from '../../hub/api/xds/registry.ts';
import type { Caller, Role } from '../../hub/core/access.ts';
import type { AuditEvent } from '../../hub/core/audit.ts';
import type { AffinityPatients, DocumentReader, DocumentRegistry } from '../../hub/core/document-ports.ts';
import type { DocumentAssociation, EntryId, PatientCx, RegistryObject } from '../../hub/core/document.ts';
import { siteId } from '../../hub/core/identifier.ts';
import { createAffinityPatients } from '../../hub/store/affinity-patients.ts';
import { associationsBy, objectsBy } from '../../hub/store/document-around.ts';
import { createDocumentRegistry } from '../../hub/store/document-registry.ts';
import type { Database } from '../../hub/store/database.ts';
import { writeObjectRefs, writeSubmission } from '../../mappings/xds/ebrim-write.ts';
import { LCM, RIM } from '../../mappings/xds/ebrim-names.ts';
import { readRegistryResponse } from '../../mappings/xds/registry-response.ts';
import { parseXml } from '../../mappings/xds/xml.ts';
import { freshDatabase } from './database.ts';
import { invalid, noSchemas } from './xsd.ts';
import { accessDesk } from './access.ts';

export const DOMAIN = '2.999.156.1';
export const HOME = '2.999.156.2';

export const ACTIONS = {
  'ITI-42': 'urn:ihe:iti:2007:RegisterDocumentSet-b',
  'ITI-57': 'urn:ihe:iti:2010:UpdateDocumentSet',
  'ITI-61': 'urn:ihe:iti:2010:RegisterOnDemandDocumentEntry',
  'ITI-62': 'urn:ihe:iti:2010:DeleteDocumentSet',
} as const;

export interface Answer {
  readonly http: number;
  readonly text: string;
  readonly status: string;
  readonly codes: readonly string[];
  /** Severity and place of each, for what is pinned down. */
  readonly errors: readonly { readonly code: string; readonly severity: string; readonly location?: string }[];
}

export interface RegistryHub {
  readonly url: string;
  readonly database: Database;
  readonly registry: DocumentRegistry;
  readonly patients: AffinityPatients;
  readonly audits: AuditEvent[];
  readonly logged: string[];
  objects(ids: readonly string[]): Promise<readonly RegistryObject[]>;
  byUniqueId(uniqueId: string): Promise<readonly RegistryObject[]>;
  associations(end: string): Promise<readonly DocumentAssociation[]>;
  /** Rows in all tables of the registry: nothing may be stored of what was refused. */
  rows(): Promise<number>;
  submit(
    all: readonly (RegistryObject | DocumentAssociation)[],
    transaction?: keyof typeof ACTIONS,
    as?: As,
  ): Promise<Answer>;
  remove(ids: readonly string[], as?: As): Promise<Answer>;
  /** `body` is XML of the SOAP body. */
  send(action: string, body: string, as?: As): Promise<Answer>;
}

export interface As {
  readonly role?: Role;
  readonly site?: string;
  /** The message is wrong on purpose. */
  readonly invalid?: boolean;
}

export async function openRegistry(
  form: 'strict' | 'lenient' | 'strict of h1' = 'lenient',
  domain = DOMAIN,
): Promise<RegistryHub> {
  const { database } = await freshDatabase({ max: 12 });
  const clock = (): Date => new Date();
  const reader = readerOf(database);
  const registry = createDocumentRegistry({ database, clock, affinityDomainOid: domain, reader });
  const patients = createAffinityPatients({ database, affinityDomainOid: domain });
  const audits: AuditEvent[] = [];
  const logged: string[] = [];
  const note = (...line: unknown[]): void => void logged.push(JSON.stringify(line));
  const log = { debug: note, info: note, warn: note, error: note, child: () => log };
  const app = express();
  app.use((request, response, next) => {
    const caller = JSON.parse(request.get('x-caller') ?? 'null') as Caller | null;
    setCaller(response, caller);
    next();
  });
  app.use(
    '/xds/registry',
    registryFace({
      registry,
      patients,
      homeCommunityOid: HOME,
      affinityDomainOid: domain,
      affinitySite: siteId('region'),
      form: ({ site }) => (form === 'strict of h1' ? (site === 'h1' ? 'strict' : 'lenient') : form),
      limits: REGISTRY_LIMITS,
      access: accessDesk(database),
      audit: { record: (event) => Promise.resolve(void audits.push(event)) },
      log,
    }),
  );
  const server = createServer(app).listen(0, '127.0.0.1');
  server.unref();
  await new Promise((resolve) => server.once('listening', resolve));
  const url = `http://127.0.0.1:${String((server.address() as AddressInfo).port)}/xds/registry`;
  const send = (action: string, body: string, as: As = {}): Promise<Answer> => post(url, action, body, as);
  return {
    url,
    database,
    registry,
    patients,
    audits,
    logged,
    objects: (ids) => objectsBy(database.pool, { ids: ids as EntryId[] }),
    byUniqueId: (uniqueId) => objectsBy(database.pool, { uniqueIds: [uniqueId] }),
    associations: (end) => associationsBy(database.pool, { ends: [end as EntryId] }),
    rows: async () => {
      const { rows } = await database.pool.query<{ n: number }>(
        `select ((select count(*) from registry_object) + (select count(*) from document_association)
          + (select count(*) from repository_document))::int as n`,
      );
      return rows[0]?.n ?? -1;
    },
    submit: (all, transaction = 'ITI-42', as = {}) => send(ACTIONS[transaction], writeSubmission(all), as),
    remove: (ids, as = {}) => send(ACTIONS['ITI-62'], removal(ids), as),
    send,
  };
}

export const removal = (ids: readonly string[]): string =>
  `<lcm:RemoveObjectsRequest xmlns:lcm="${LCM}" xmlns:rim="${RIM}"><rim:ObjectRefList>${writeObjectRefs(ids)}</rim:ObjectRefList></lcm:RemoveObjectsRequest>`;

export const envelope = (action: string, body: string): string =>
  '<?xml version="1.0" encoding="UTF-8"?><s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope" xmlns:a="http://www.w3.org/2005/08/addressing">' +
  `<s:Header><a:Action s:mustUnderstand="1">${action}</a:Action><a:MessageID>urn:uuid:0fbfdced-6c01-4d09-a110-2201afedaa02</a:MessageID>` +
  '<a:ReplyTo><a:Address>http://www.w3.org/2005/08/addressing/anonymous</a:Address></a:ReplyTo>' +
  `<a:To s:mustUnderstand="1">http://localhost/xds</a:To></s:Header><s:Body>${body}</s:Body></s:Envelope>`;

async function post(url: string, action: string, body: string, as: As): Promise<Answer> {
  const message = envelope(action, body);
  if (noSchemas === false && as.invalid !== true) assert.equal(invalid(message), '');
  const { role = 'administrator', site } = as;
  const caller = {
    id: `client-${role}`,
    name: 'test',
    role,
    peer: '127.0.0.1',
    ...(site === undefined ? {} : { site }),
  };
  const response = await fetch(url, {
    method: 'POST',
    headers: {
      'Content-Type': `application/soap+xml; charset=UTF-8; action="${action}"`,
      'x-caller': JSON.stringify(caller),
    },
    body: message,
  });
  const text = await response.text();
  if (noSchemas === false) assert.equal(invalid(text), '', text);
  return { http: response.status, text, ...readAnswer(text) };
}

export function readAnswer(text: string): Omit<Answer, 'http' | 'text'> {
  const root = parseXml(Buffer.from(text));
  assert.ok(root.ok);
  const body = root.value.children.find(({ name }) => name === 'Body')?.children[0];
  const read = body ? readRegistryResponse(body) : null;
  if (read?.ok !== true) return { status: body?.name ?? '', codes: [], errors: [] };
  const { status, problems } = read.value;
  return {
    status,
    codes: problems.map(({ code }) => code),
    errors: problems.map(({ code, severity, location }) => ({
      code,
      severity,
      ...(location === undefined ? {} : { location }),
    })),
  };
}

/** What the registry's changes are seen by; searching is the business of other tests. */
function readerOf(database: Database): DocumentReader {
  const searching = (): Promise<never> => Promise.reject(new Error('these tests do not search'));
  return {
    findDocuments: searching,
    findSubmissionSets: searching,
    findFolders: searching,
    sharedIds: searching,
    byId: (ids) => objectsBy(database.pool, { ids }),
    byLogicalId: (lids) => objectsBy(database.pool, { lids }),
    byUniqueId: async (kind, uniqueIds) =>
      (await objectsBy(database.pool, { uniqueIds })).filter((one) => one.kind === kind),
    associations: ({ ids = [], sources = [], targets = [] }) =>
      associationsBy(database.pool, { ids, ends: sources, targets }),
  };
}

let counter = 0;
/** OIDs and patients of a test's own. */
export const oid = (): string => `2.999.7.${String(process.pid)}.${String(++counter)}`;
export const newPatient = async (hub: RegistryHub): Promise<PatientCx> => {
  const id = `P${String(++counter)}^^^&${DOMAIN}&ISO` as PatientCx;
  await hub.patients.add(id);
  return id;
};
