/** A document registry over real HTTP and PostgreSQL for tests: rows filed by their codec, questions asked by SOAP. */
import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import express from 'express';
import { setCaller } from '../../hub/api/caller.ts';
import { registryFace, REGISTRY_LIMITS } from '../../hub/api/xds/registry.ts';
import type { Role } from '../../hub/core/access.ts';
import type { AuditEvent } from '../../hub/core/audit.ts';
import type { DocumentAssociation, RegistryObject } from '../../hub/core/document.ts';
import { createAffinityPatients } from '../../hub/store/affinity-patients.ts';
import { vaultOf, type Database } from '../../hub/store/database.ts';
import { createDocumentReader } from '../../hub/store/document-query.ts';
import { createDocumentRegistry } from '../../hub/store/document-registry.ts';
import { ASSOCIATION_COLUMNS, associationRow, OBJECT_COLUMNS, objectRow } from '../../hub/store/document-row.ts';
import { parseXml } from '../../mappings/xds/xml.ts';
import type { XmlElement } from '../../mappings/xds/xml.ts';
import { cx } from './documents.ts';
import { onBehalfOf } from './on-behalf.ts';
import { invalid, noSchemas } from './xsd.ts';
import { everythingSeen } from './access.ts';

export const HOME = 'urn:oid:2.999.156.2';
const ITI18 = 'urn:ihe:iti:2007:RegistryStoredQuery';
const ITI51 = 'urn:ihe:iti:2009:MultiPatientStoredQuery';

/** Straight into the tables: what a registration may refuse can be asked about here. */
export async function file(
  database: Database,
  objects: readonly RegistryObject[],
  associations: readonly DocumentAssociation[] = [],
): Promise<void> {
  await database.pool.query(
    `insert into registry_object (${names(OBJECT_COLUMNS)}) select * from jsonb_to_recordset($1::jsonb) as r(${OBJECT_COLUMNS})`,
    [JSON.stringify(objects.map((object) => objectRow(vaultOf(database.pool).fields, object, 'test')))],
  );
  const patient = objects[0]?.patientId ?? cx('P1');
  await database.pool.query(
    `insert into document_association (${names(ASSOCIATION_COLUMNS)}) select * from jsonb_to_recordset($1::jsonb) as r(${ASSOCIATION_COLUMNS})`,
    [JSON.stringify(associations.map((one) => associationRow(one, patient)))],
  );
}

const names = (columns: string): string =>
  columns
    .split(',')
    .map((column) => column.trim().split(' ')[0])
    .join(', ');

/** A Slot: its name, then the raw text of each Value. */
export type AskedSlot = readonly [name: string, ...values: string[]];

export interface Asked {
  readonly returnType?: string;
  readonly home?: string;
  readonly transaction?: 'ITI-18' | 'ITI-51';
  /** Not checked against the schemas: it is wrong on purpose. */
  readonly invalid?: boolean;
}

export interface Answered {
  readonly status: string;
  readonly errors: readonly string[];
  readonly severities: readonly string[];
  /** Ids of what is in the RegistryObjectList, in their order. */
  readonly ids: readonly string[];
  readonly objects: readonly XmlElement[];
  readonly text: string;
}

const escape = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;');

export function adhocQuery(uuid: string, slots: readonly AskedSlot[], asked: Asked = {}): string {
  const written = slots.map(
    ([name, ...values]) =>
      `<rim:Slot name="${escape(name)}"><rim:ValueList>${values.map((value) => `<rim:Value>${escape(value)}</rim:Value>`).join('')}</rim:ValueList></rim:Slot>`,
  );
  const home = asked.home === undefined ? '' : ` home="${asked.home}"`;
  return (
    '<query:AdhocQueryRequest xmlns:query="urn:oasis:names:tc:ebxml-regrep:xsd:query:3.0" xmlns:rim="urn:oasis:names:tc:ebxml-regrep:xsd:rim:3.0">' +
    `<query:ResponseOption returnType="${asked.returnType ?? 'LeafClass'}" returnComposedObjects="true"/>` +
    `<rim:AdhocQuery id="${uuid.startsWith('urn:') ? uuid : `urn:uuid:${uuid}`}"${home}>${written.join('')}</rim:AdhocQuery></query:AdhocQueryRequest>`
  );
}

export const envelope = (action: string, body: string): string =>
  '<?xml version="1.0" encoding="UTF-8"?><s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope" xmlns:a="http://www.w3.org/2005/08/addressing">' +
  `<s:Header><a:Action s:mustUnderstand="1">${action}</a:Action><a:MessageID>urn:uuid:0fbfdced-6c01-4d09-a110-2201afedaa02</a:MessageID>` +
  '<a:ReplyTo><a:Address>http://www.w3.org/2005/08/addressing/anonymous</a:Address></a:ReplyTo>' +
  `<a:To s:mustUnderstand="1">http://localhost/xds/registry</a:To></s:Header><s:Body>${body}</s:Body></s:Envelope>`;

export interface RegistryPeer {
  readonly url: string;
  readonly audits: AuditEvent[];
  post(
    message: string,
    action: string,
    role?: Role | null,
    patient?: string,
  ): Promise<{ status: number; text: string }>;
  /** Both messages are checked against the schemas, where those are there. */
  ask(uuid: string, slots: readonly AskedSlot[], asked?: Asked): Promise<Answered>;
  close(): Promise<void>;
}

export async function serveRegistry(database: Database): Promise<RegistryPeer> {
  const audits: AuditEvent[] = [];
  const silent = {
    debug: () => undefined,
    info: () => undefined,
    warn: () => undefined,
    error: (...said: unknown[]) => {
      console.error(...said);
    },
    child: () => silent,
  };
  const affinityDomainOid = '2.999.156.1';
  const clock = (): Date => new Date();
  const reader = createDocumentReader(database);
  const patients = createAffinityPatients({ database, affinityDomainOid });
  const app = express();
  app.use((request, response, next) => {
    const role = request.get('x-role');
    setCaller(
      response,
      role === undefined
        ? null
        : { id: 'c1', name: 'client', role: role as Role, peer: '127.0.0.1', ...onBehalfOf(request) },
    );
    next();
  });
  app.use(
    '/xds/registry',
    registryFace({
      registry: createDocumentRegistry({ database, clock, affinityDomainOid, reader }),
      // Rows were filed without the persons behind them.
      patients: {
        ...patients,
        personsOf: (ids) => Promise.resolve(new Map(ids.map((id) => [id, `person of ${id.split('^')[0] ?? ''}`]))),
      },
      homeCommunityOid: HOME.slice('urn:oid:'.length),
      affinityDomainOid,
      form: () => 'strict',
      access: everythingSeen,
      audit: { record: (event) => Promise.resolve(void audits.push(event)) },
      log: silent,
      limits: REGISTRY_LIMITS,
    }),
  );
  const server = createServer(app).listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const url = `http://127.0.0.1:${String((server.address() as AddressInfo).port)}/xds/registry`;
  const post: RegistryPeer['post'] = async (message, action, role = 'query-platform', patient) => {
    const headers: Record<string, string> = {
      'Content-Type': `application/soap+xml; charset=UTF-8; action="${action}"`,
    };
    if (role !== null) headers['x-role'] = role;
    if (patient !== undefined) headers['x-patient'] = patient;
    const response = await fetch(url, { method: 'POST', headers, body: message });
    return { status: response.status, text: await response.text() };
  };
  return {
    url,
    audits,
    post,
    async ask(uuid, slots, asked = {}) {
      const action = asked.transaction === 'ITI-51' ? ITI51 : ITI18;
      const message = envelope(action, adhocQuery(uuid, slots, asked));
      if (noSchemas === false && asked.invalid !== true) assert.equal(invalid(message), '');
      const { status, text } = await post(message, action);
      assert.equal(status, 200, text);
      assert.ok(text.includes(`>${action}Response<`), 'the action of the response');
      if (noSchemas === false) assert.equal(invalid(text), '');
      return readAnswer(text);
    },
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => {
          resolve();
        });
      }),
  };
}

export function readAnswer(text: string): Answered {
  const root = parseXml(Buffer.from(text));
  assert.ok(root.ok);
  const response = root.value.children.find(({ name }) => name === 'Body')?.children[0];
  assert.equal(response?.name, 'AdhocQueryResponse', text);
  const child = (name: string): XmlElement | undefined => response.children.find((element) => element.name === name);
  const errors = child('RegistryErrorList')?.children ?? [];
  const list = child('RegistryObjectList');
  assert.ok(list, 'the RegistryObjectList is there even when empty');
  return {
    status: response.attributes.get('status')?.split(':').at(-1) ?? '',
    errors: errors.map(({ attributes }) => attributes.get('errorCode') ?? ''),
    severities: errors.map(({ attributes }) => attributes.get('severity')?.split(':').at(-1) ?? ''),
    ids: list.children.map(({ attributes }) => attributes.get('id') ?? ''),
    objects: list.children,
    text,
  };
}
