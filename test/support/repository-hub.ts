/**
 * The document repository over real HTTP, files and PostgreSQL, with a document source and a consumer to talk to it. Only
 * the callers are made here, by a header, since authentication has its own tests.
 */
import { once } from 'node:events';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import express from 'express';
import { setCaller } from '../../hub/api/caller.ts';
import { repositoryFace, REPOSITORY_LIMITS } from '../../hub/api/xds/repository.ts';
import type { RepositoryDeps } from '../../hub/api/xds/repository-deps.ts';
import { FileObjectStore } from '../../hub/archive/object-store-file.ts';
import type { Role } from '../../hub/core/access.ts';
import type { AuditEvent } from '../../hub/core/audit.ts';
import type { DocumentReader } from '../../hub/core/document-ports.ts';
import type { Oid } from '../../hub/core/identifier.ts';
import { siteId } from '../../hub/core/identifier.ts';
import type { Log, ObjectStore } from '../../hub/core/ports.ts';
import { createAffinityPatients } from '../../hub/store/affinity-patients.ts';
import type { Database } from '../../hub/store/database.ts';
import { createDocumentRegistry } from '../../hub/store/document-registry.ts';
import { createDocumentRemoval } from '../../hub/store/document-removal.ts';
import { readRetrieveResponse, writeRemoveRequest, writeRetrieveRequest } from '../../mappings/xds/document-set.ts';
import type { DocumentReference } from '../../mappings/xds/document-set.ts';
import { binaryOf, readPackage } from '../../mappings/xds/mtom.ts';
import { readRegistryResponse } from '../../mappings/xds/registry-response.ts';
import type { RegistryResponse } from '../../mappings/xds/registry-response.ts';
import { SOAP } from '../../mappings/xds/soap.ts';
import { childNamed, parseXml } from '../../mappings/xds/xml.ts';
import type { XmlElement } from '../../mappings/xds/xml.ts';
import { freshDatabase } from './database.ts';
import { cx } from './documents.ts';
import { onBehalfOf } from './on-behalf.ts';
import { accessDesk } from './access.ts';

const nothing = (): void => undefined;
export const silent: Log = { debug: nothing, info: nothing, warn: nothing, error: nothing, child: () => silent };

export const REPOSITORY = '2.999.156.3';
export const PATIENT = cx('REPO1');

export interface RepositoryHub {
  readonly url: string;
  readonly database: Database;
  readonly audits: AuditEvent[];
  /** Log lines, for what they must not say. */
  readonly logged: string[];
  readonly objects: ObjectStore;
  /** Folder of the object store. */
  readonly root: string;
  /** How many objects were begun so far. */
  written(): number;
  /** Every file in the object store. */
  files(): Promise<string[]>;
  close(): Promise<void>;
}

const noReader = new Proxy({} as DocumentReader, {
  get: () => () => Promise.reject(new Error('the repository asks no queries')),
});

/** The caller's role comes in the header `x-role`; a feed is that of h1. */
export async function startRepositoryHub(
  change: (deps: RepositoryDeps) => Partial<RepositoryDeps> = () => ({}),
): Promise<RepositoryHub> {
  const root = await mkdtemp(join(tmpdir(), 'hutong-repository-'));
  const fresh = await freshDatabase();
  const { database } = fresh;
  const clock = (): Date => new Date();
  const audits: AuditEvent[] = [];
  const logged: string[] = [];
  const note = (fields: object, message: string): void => void logged.push(JSON.stringify({ ...fields, message }));
  const log: Log = { debug: note, info: note, warn: note, error: note, child: () => log };
  let written = 0;
  const objects = new (class extends FileObjectStore {
    override write(key: string): ReturnType<FileObjectStore['write']> {
      written++;
      return super.write(key);
    }
  })(root);
  const domain = { database, clock, affinityDomainOid: '2.999.156.1' };
  const patients = createAffinityPatients(domain);
  await patients.add(PATIENT);
  const deps: RepositoryDeps = {
    registry: createDocumentRegistry({ ...domain, reader: noReader }),
    removal: createDocumentRemoval(database),
    patients,
    objects,
    repositoryOid: REPOSITORY as Oid,
    homeCommunityOid: '2.999.156.2',
    clock,
    access: accessDesk(database),
    form: () => 'strict',
    limits: REPOSITORY_LIMITS,
    audit: { record: (event) => Promise.resolve(void audits.push(event)) },
    log,
  };
  const app = express();
  app.use((request, response, next) => {
    const role = request.get('x-role') ?? 'nobody';
    const feeds = role === 'hospital-feed' ? { site: siteId('h1') } : {};
    const caller = {
      id: 'c1',
      name: 'client',
      role: role as Role,
      peer: '127.0.0.1',
      ...feeds,
      ...onBehalfOf(request),
    };
    setCaller(response, role === 'nobody' ? null : caller);
    next();
  });
  app.use('/xds/repository', repositoryFace({ ...deps, ...change(deps) }));
  const server = createServer(app).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${String((server.address() as AddressInfo).port)}/xds/repository`,
    database,
    audits,
    logged,
    objects,
    root,
    written: () => written,
    async files() {
      const entries = await readdir(root, { recursive: true, withFileTypes: true });
      return entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
    },
    async close() {
      server.closeAllConnections();
      server.close();
      await objects.close();
      await fresh.drop();
      await rm(root, { recursive: true, force: true });
    },
  };
}

export interface Answer {
  readonly status: number;
  readonly type: string;
  /** The SOAP envelope, whichever way it was packaged. */
  readonly envelope: Buffer;
  readonly body: XmlElement;
  readonly attachments: ReadonlyMap<string, Buffer>;
}

export async function send(
  url: string,
  contentType: string,
  content: string | Buffer | AsyncIterable<Buffer>,
  role: Role | 'nobody' = 'hospital-feed',
): Promise<Answer> {
  const streamed = typeof content === 'string' || Buffer.isBuffer(content) ? {} : { duplex: 'half' as const };
  const body = streamed.duplex ? Readable.toWeb(Readable.from(content)) : (content as string);
  const headers = { 'Content-Type': contentType, 'x-role': role };
  const response = await fetch(url, { method: 'POST', headers, body, ...streamed });
  const type = response.headers.get('content-type') ?? '';
  const bytes = Buffer.from(await response.arrayBuffer());
  const read = await readPackage(type, Readable.from([bytes]), { bytes: 1 << 30, parts: 2_000 });
  if (!read.ok) throw new Error(`answered ${String(response.status)} ${type}: ${read.problem.text}`);
  const root = parseXml(read.value.envelope);
  const inner = root.ok ? childNamed(root.value, SOAP, 'Body')?.children[0] : undefined;
  if (!inner) throw new Error('the answer is no SOAP envelope');
  return {
    status: response.status,
    type,
    envelope: read.value.envelope,
    body: inner,
    attachments: read.value.attachments,
  };
}

/** What a registry or repository said, of an answer that must be one. */
export function said(answer: Answer): RegistryResponse {
  const registry = answer.body.name === 'RegistryResponse' ? answer.body : answer.body.children[0];
  const read = registry && answer.status === 200 ? readRegistryResponse(registry) : null;
  if (!read?.ok) throw new Error(`answered ${String(answer.status)}: ${answer.envelope.toString()}`);
  return read.value;
}

export const codesOf = (answer: Answer): string[] => said(answer).problems.map(({ code }) => code);

export function soap(action: string, body: string, headers = ''): string {
  return (
    '<?xml version="1.0" encoding="UTF-8"?><s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope" xmlns:a="http://www.w3.org/2005/08/addressing">' +
    `<s:Header><a:Action s:mustUnderstand="1">${action}</a:Action><a:MessageID>urn:uuid:0fbfdced-6c01-4d09-a110-2201afedaa02</a:MessageID>` +
    '<a:ReplyTo><a:Address>http://www.w3.org/2005/08/addressing/anonymous</a:Address></a:ReplyTo>' +
    `<a:To>http://localhost/xds/repository</a:To>${headers}</s:Header><s:Body>${body}</s:Body></s:Envelope>`
  );
}

export const plainType = (action: string): string => `application/soap+xml; charset=UTF-8; action="${action}"`;

const own = (documentUniqueId: string): DocumentReference => ({
  homeCommunityId: null,
  repositoryUniqueId: REPOSITORY,
  documentUniqueId,
});

export async function retrieve(
  hub: RepositoryHub,
  wanted: readonly (string | DocumentReference)[],
): Promise<
  RegistryResponse & { answer: Answer; documents: (DocumentReference & { mimeType: string; bytes: Buffer | null })[] }
> {
  const action = 'urn:ihe:iti:2007:RetrieveDocumentSet';
  const references = wanted.map((one) => (typeof one === 'string' ? own(one) : one));
  const request = soap(action, writeRetrieveRequest(references));
  const answer = await send(hub.url, plainType(action), request, 'query-platform');
  const response = said(answer);
  const read = readRetrieveResponse(answer.body);
  if (!read.ok) throw new Error(read.problem.text);
  const documents = read.value.documents.map(({ content, ...rest }) => ({
    ...rest,
    bytes: binaryOf(content, answer.attachments),
  }));
  return { ...response, answer, documents };
}

export function remove(
  hub: RepositoryHub,
  named: readonly (string | DocumentReference)[],
  role: Role = 'administrator',
): Promise<Answer> {
  const action = 'urn:ihe:iti:2017:RemoveDocuments';
  const references = named.map((one) => (typeof one === 'string' ? own(one) : one));
  return send(hub.url, plainType(action), soap(action, writeRemoveRequest(references)), role);
}
