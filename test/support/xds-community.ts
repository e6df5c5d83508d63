/**
 * Communities for tests of the gateways: a gateway face with its own images over real HTTP, and peers that answer what a
 * test scripts, well or badly, down to the bytes on the socket.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import express from 'express';
import type { Router } from 'express';
import { openCommunities } from '../../adapters/xds/index.ts';
import type { CommunityConfig } from '../../adapters/xds/index.ts';
import { setCaller } from '../../hub/api/caller.ts';
import { initiatingGateway } from '../../hub/api/xds/initiating-gateway.ts';
import { ownImages } from '../../hub/api/xds/own-community.ts';
import type { OwnCommunity, Share } from '../../hub/api/xds/own-community.ts';
import { GATEWAY_LIMITS, respondingGateway } from '../../hub/api/xds/responding-gateway.ts';
import type { Role } from '../../hub/core/access.ts';
import type { AuditEvent } from '../../hub/core/audit.ts';
import type { InstanceLocated } from '../../hub/core/ports.ts';
import { ok } from '../../hub/core/problem.ts';
import { readPackage } from '../../mappings/xds/mtom.ts';
import { readRetrieveAnswer } from '../../mappings/xds/cross-retrieve.ts';
import type { RetrieveAnswer } from '../../mappings/xds/cross-retrieve.ts';
import { writeEnvelope } from '../../mappings/xds/soap.ts';
import { readReply, writeRequest } from '../../mappings/xds/soap-request.ts';
import { parseXml } from '../../mappings/xds/xml.ts';
import type { XmlElement } from '../../mappings/xds/xml.ts';
import { onBehalfOf } from './on-behalf.ts';
import { REPOSITORY, studyOf } from './xds-peer.ts';
import type { StoredImage } from './xds-peer.ts';
import { everythingSeen } from './access.ts';

export const OWN = 'urn:oid:2.999.156.2';

const silent = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
  child: () => silent,
};

export interface Listening {
  readonly url: string;
  close(): Promise<void>;
}

export async function listen(handler: RequestListener): Promise<Listening> {
  const sockets = new Set<Socket>();
  const server = createServer(handler).listen(0, '127.0.0.1');
  server.on('connection', (socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  });
  await new Promise((resolve) => server.once('listening', resolve));
  return {
    url: `http://127.0.0.1:${String((server.address() as AddressInfo).port)}/`,
    close: () =>
      new Promise((resolve) => {
        for (const socket of sockets) socket.destroy();
        server.close(() => {
          resolve();
        });
      }),
  };
}

export interface PeerRequest {
  readonly body: XmlElement;
  readonly messageId: string;
  readonly action: string;
  readonly envelope: Buffer;
  readonly headers: IncomingMessage['headers'];
}

/** A peer that reads each request well and answers as told. */
export function scripted(
  answer: (request: PeerRequest, response: ServerResponse) => void | Promise<void>,
): Promise<Listening> {
  return listen((incoming, response) => {
    void (async () => {
      const packed = await readPackage(incoming.headers['content-type'] ?? '', incoming, { bytes: 1 << 24, parts: 9 });
      if (!packed.ok) throw new Error(packed.problem.text);
      const root = parseXml(packed.value.envelope);
      const body = root.ok ? readReply(root.value, '') : root;
      if (!body.ok) throw new Error(body.problem.text);
      const text = packed.value.envelope.toString();
      await answer(
        {
          body: body.value,
          messageId: /MessageID>([^<]*)</.exec(text)?.[1] ?? '',
          action: packed.value.action ?? '',
          envelope: packed.value.envelope,
          headers: incoming.headers,
        },
        response,
      );
    })().catch((error: unknown) => {
      response.destroy(error instanceof Error ? error : new Error('script failed'));
    });
  });
}

export interface GatewayUnderTest extends Listening {
  readonly audits: AuditEvent[];
}

const noShare: Share = {
  documents: [],
  errors: [],
  persons: [],
  patients: [],
  send: () => Promise.resolve(),
  close: () => undefined,
};

/** `/initiating` and `/responding`, over images in memory; the caller's role comes in the header `x-role`. */
export async function gateways(options: {
  readonly home?: string;
  readonly images?: readonly StoredImage[];
  readonly communities?: readonly CommunityConfig[];
  readonly own?: Partial<OwnCommunity>;
  readonly limits?: Parameters<typeof openCommunities>[2];
  readonly patientIn?: (patientId: string, authority: string) => Promise<string | null>;
  readonly scope?: NonNullable<Parameters<typeof respondingGateway>[0]['scope']>;
}): Promise<GatewayUnderTest> {
  const audits: AuditEvent[] = [];
  const { home = OWN, images = [] } = options;
  const folder = await mkdtemp(join(tmpdir(), 'hutong-spool-'));
  const communities = await openCommunities(options.communities ?? [], folder, options.limits);
  const imaging = {
    reader: { study: (studyUid: string) => Promise.resolve(studyOf(images, studyUid)) },
    images: {
      open: (located: InstanceLocated, range?: { readonly start: number; readonly end?: number }) => {
        const found = images.find((one) => one.sop === located.instance.sopUid);
        if (!found) return Promise.reject(new Error('no such object'));
        return Promise.resolve(Readable.from([found.bytes.subarray(range?.start ?? 0, range?.end)]));
      },
    },
    transcode: { canTranscode: () => false, transcode: (bytes: Buffer) => Promise.resolve(ok(bytes)) },
    repositoryOid: REPOSITORY,
    log: silent,
  };
  const own: OwnCommunity = {
    home,
    query: () => Promise.resolve({ answer: { status: 'success', errors: [], objects: [] }, persons: [], patients: [] }),
    documents: () => Promise.resolve(noShare),
    images: (request) => ownImages(imaging, home, request),
    ...options.own,
  };
  const deps = {
    access: everythingSeen,
    own,
    communities: communities.all,
    patientIn: options.patientIn ?? (() => Promise.resolve(null)),
    audit: { record: (event: AuditEvent) => Promise.resolve(void audits.push(event)) },
    log: silent,
    limits: GATEWAY_LIMITS,
    ...(options.scope === undefined ? {} : { scope: options.scope }),
  };
  const app = express();
  app.use((request, response, next) => {
    const role = request.get('x-role') ?? (request.get('authorization') === undefined ? undefined : 'query-platform');
    setCaller(
      response,
      role === undefined
        ? null
        : { id: 'c1', name: 'client', role: role as Role, peer: '127.0.0.1', ...onBehalfOf(request) },
    );
    next();
  });
  const routes: Readonly<Record<string, Router>> = {
    '/initiating': initiatingGateway(deps),
    '/responding': respondingGateway(deps),
  };
  for (const [path, router] of Object.entries(routes)) app.use(path, router);
  const listening = await listen(app as RequestListener);
  return {
    url: listening.url,
    audits,
    close: async () => {
      await listening.close();
      await communities.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

export interface Answered {
  readonly status: number;
  readonly type: string;
  readonly envelope: Buffer;
  readonly attachments: ReadonlyMap<string, Buffer>;
  readonly body: XmlElement | null;
}

export async function ask(
  url: string,
  action: string,
  body: string,
  headers: Record<string, string> = { 'x-role': 'query-platform' },
): Promise<Answered> {
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'Content-Type': `application/soap+xml; charset=UTF-8; action="${action}"`, ...headers },
    body: writeRequest({ action, messageId: 'urn:uuid:1b4e28ba-2fa1-11d2-883f-0016d3cca427', to: url }, body),
  });
  const bytes = Buffer.from(await response.arrayBuffer());
  const type = response.headers.get('content-type') ?? '';
  const packed = await readPackage(type, Readable.from([bytes]), { bytes: 1 << 30, parts: 10_000 });
  if (!packed.ok) return { status: response.status, type, envelope: bytes, attachments: new Map(), body: null };
  const root = parseXml(packed.value.envelope);
  const reply = root.ok ? readReply(root.value, 'urn:uuid:1b4e28ba-2fa1-11d2-883f-0016d3cca427') : root;
  return {
    status: response.status,
    type,
    envelope: packed.value.envelope,
    attachments: packed.value.attachments,
    body: reply.ok ? reply.value : null,
  };
}

/** The answer of a retrieve with the bytes of each document, by its unique id. */
export function retrieved(answered: Answered): RetrieveAnswer & { readonly bytes: ReadonlyMap<string, Buffer> } {
  if (answered.body === null) throw new Error(answered.envelope.toString().slice(0, 2_000));
  const answer = readRetrieveAnswer(answered.body);
  if (!answer.ok) throw new Error(answer.problem.text);
  const bytes = new Map<string, Buffer>();
  for (const { documentUniqueId, content } of answer.value.documents) {
    const part = content !== null && 'contentId' in content ? answered.attachments.get(content.contentId) : undefined;
    if (part) bytes.set(documentUniqueId, part);
  }
  return { ...answer.value, bytes };
}

export const ITI18 = 'urn:ihe:iti:2007:RegistryStoredQuery';
export const ITI38 = 'urn:ihe:iti:2007:CrossGatewayQuery';
export const ITI43 = 'urn:ihe:iti:2007:RetrieveDocumentSet';
export const RAD69 = 'urn:ihe:rad:2009:RetrieveImagingDocumentSet';
export const RAD75 = 'urn:ihe:rad:2011:CrossGatewayRetrieveImagingDocumentSet';
export const OTHER = 'urn:oid:2.999.156.12';
export const THIRD = 'urn:oid:2.999.156.13';

/** A peer's answer around a body. */
export const soap = (request: PeerRequest, body: string): string =>
  writeEnvelope(
    { action: `${request.action}Response`, relatesTo: request.messageId, messageId: 'urn:uuid:peer' },
    body,
  );

export const community = (
  home: string,
  url: string,
  more: Partial<CommunityConfig> = {},
  timeoutMs = 2_000,
): CommunityConfig => {
  const endpoint = { url, timeoutMs, token: 'a-token-of-ours' };
  return { home, name: home, query: endpoint, retrieve: endpoint, images: endpoint, ...more };
};

/** An instance whose UID begins with those of its study and series. */
export const want = (sop: string, home?: string) => ({
  study: sop.split('.').slice(0, 3).join('.'),
  series: sop.split('.').slice(0, 4).join('.'),
  sop,
  ...(home === undefined ? {} : { home }),
});

export const codes = (errors: readonly { readonly code: string }[]): string[] => errors.map(({ code }) => code);
