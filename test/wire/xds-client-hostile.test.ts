/**
 * Every call that the hub makes to a hospital or a community, against peers that are slow, endless, lying or broken down to
 * the bytes on the socket: each call ends by its limits with a problem, shows nothing of what came, leaves no connection
 * open, and the next call to the same peer works.
 */
import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { after, before, test } from 'node:test';
import {
  createImagingFetch,
  createRemoteRepositories,
  openCommunities,
  openHospitals,
} from '../../adapters/xds/index.ts';
import type { Communities, Hospitals } from '../../adapters/xds/index.ts';
import { siteId } from '../../hub/core/identifier.ts';
import type { Uid } from '../../hub/core/identifier.ts';
import { Failure, fail, ok } from '../../hub/core/problem.ts';
import type { Problem, Result } from '../../hub/core/problem.ts';
import { writeRetrieveAnswer } from '../../mappings/xds/cross-retrieve.ts';
import { writeRetrieveRequest } from '../../mappings/xds/document-set.ts';
import { writeEnvelope } from '../../mappings/xds/soap.ts';
import { writeQueryResponse } from '../../mappings/xds/stored-query-response.ts';
import { silent } from '../support/repository-hub.ts';
import { siteProfile } from '../support/site.ts';
import { EXPLICIT, image, requestBody } from '../support/xds-peer.ts';

const THEIRS = '2.999.156.9.3';
const HOME = 'urn:oid:2.999.156.9';
const STUDY = '1.2.9';
const SOP = '1.2.9.1.1';
const LIMITS = { envelopeBytes: 200_000, parts: 40, answerBytes: 1_000_000, idleMs: 400, lifetimeMs: 1_200 };
const SECRET = '张三';

type Script = (response: ServerResponse, relatesTo: string, request: IncomingMessage) => void | Promise<void>;
let script: Script = (response) => void response.end();
let elsewhere = 0;
const sockets = new Set<Socket>();
const server = createServer((request, response) => {
  response.on('error', () => undefined);
  void (async () => {
    if (request.url === '/elsewhere') elsewhere++;
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const relatesTo = /MessageID[^>]*>([^<]*)</.exec(Buffer.concat(chunks).toString())?.[1] ?? '';
    await script(response, relatesTo, request);
  })().catch(() => response.destroy());
});
server.on('connection', (socket) => {
  sockets.add(socket);
  socket.on('error', () => undefined);
  socket.once('close', () => sockets.delete(socket));
});

let folder: string;
let hospitals: Hospitals;
let communities: Communities;
const site = siteProfile('h3');
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'xds-hostile-'));
  server.listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const url = `http://127.0.0.1:${String((server.address() as AddressInfo).port)}/`;
  const xds = {
    registry: url,
    repository: { oid: THEIRS, url },
    imagingSource: { oid: THEIRS, url },
    subscription: url,
    timeoutMs: 800,
    patientIdAuthority: THEIRS,
    poll: { perMinute: 1, everyMinutes: 1 },
  };
  const of = () => null;
  const all = [siteProfile('h3', { xds })];
  hospitals = openHospitals({ all, byId: of, byHl7Sender: of, byAeTitle: of }, LIMITS);
  const endpoint = { url, timeoutMs: 800 };
  const one = { home: HOME, name: 'far', query: endpoint, retrieve: endpoint, images: endpoint };
  communities = await openCommunities([one], join(folder, 'spool'), LIMITS);
});
after(async () => {
  hospitals.close();
  await communities.close();
  for (const socket of sockets) socket.destroy();
  server.close();
  await rm(folder, { recursive: true, force: true });
});

/** Bytes of an answer, or why there are none. */
const read = async (opened: Result<AsyncIterable<Uint8Array>>): Promise<Result<string>> => {
  if (!opened.ok) return opened;
  const chunks: Uint8Array[] = [];
  try {
    for await (const chunk of opened.value) chunks.push(chunk);
  } catch (error) {
    if (error instanceof Failure) return fail(error.problem);
    throw error;
  }
  return ok(Buffer.concat(chunks).toString());
};

let fetches = 0;
const manifest = { documentUid: SOP, repositoryUid: THEIRS, hash: null, size: null };
const wanted = { homeCommunityId: HOME, repositoryUniqueId: THEIRS, documentUniqueId: SOP };
const images = requestBody([{ study: STUDY, series: `${STUDY}.1`, sop: SOP, home: HOME }], [EXPLICIT]);

async function taken(kind: 'documents' | 'images', body: string): Promise<Result<unknown>> {
  const answer = await communities.all[0]?.take(kind, body);
  assert.ok(answer);
  if (!answer.ok) return answer;
  const { retrieved, broken } = answer.value;
  retrieved.close();
  if (broken) return fail(broken);
  const named = retrieved.answer.documents.filter(({ documentUniqueId }) => documentUniqueId === SOP);
  return named.length === 0 ? fail({ code: 'not-found', text: 'nothing of what was asked' }) : ok(named);
}

async function study(): Promise<Result<unknown>> {
  const own = join(folder, String(++fetches));
  await mkdir(own);
  const uid = (text: string): Uid => text as Uid;
  const instances = [{ sopUid: uid(SOP), sopClass: '1.2.840.10008.5.1.4.1.1.2' }];
  const fetch = createImagingFetch({
    hospitals,
    manifestOf: () =>
      Promise.resolve(
        ok({ studyUid: uid(STUDY), series: [{ seriesUid: uid(`${STUDY}.1`), repositoryUid: THEIRS, instances }] }),
      ),
  });
  const at = '2026-03-03T00:00:00.000Z';
  return fetch.fetch({ site, studyUid: uid(STUDY), folder: own, at, room: () => true, log: silent });
}

const CALLS: Readonly<Record<string, () => Promise<Result<unknown>>>> = {
  'ITI-18 at a hospital': async () => {
    const found = await hospitals.of(siteId('h3'))?.manifestsOf(`P1^^^&${THEIRS}&ISO`);
    return found ?? fail({ code: 'internal', text: 'no hospital' });
  },
  'ITI-43 of a manifest': async () =>
    (await hospitals.of(siteId('h3'))?.fetch(manifest)) ?? fail({ code: 'internal', text: 'no hospital' }),
  'ITI-43 of a document': async () => {
    const opened = createRemoteRepositories(hospitals).open({ repositoryUniqueId: THEIRS, documentUniqueId: SOP }, () =>
      Promise.resolve(),
    );
    assert.ok(opened);
    return read(await opened);
  },
  'RAD-69 at a hospital': study,
  'ITI-52 at a hospital': async () =>
    (await hospitals.broker(siteId('h3'))?.subscribe('http://127.0.0.1/', new Date('2027-01-01T00:00:00Z'))) ??
    fail({ code: 'internal', text: 'no broker' }),
  'ITI-38': async () => (await communities.all[0]?.query('<a/>')) ?? fail({ code: 'internal', text: 'no community' }),
  'ITI-39': () => taken('documents', writeRetrieveRequest([wanted])),
  'RAD-75': () => taken('images', images),
};
const RETRIEVES = Object.keys(CALLS).filter((name) => !/ITI-(18|38|52)/.test(name));

const soapType = { 'Content-Type': 'application/soap+xml' };
const related = { 'Content-Type': 'multipart/related; type="application/xop+xml"; boundary=b' };
const envelope = (relatesTo: string, body: string): string =>
  writeEnvelope({ action: 'urn:a', relatesTo, messageId: 'urn:uuid:peer' }, body);
const listing = (relatesTo: string, uid = SOP): string => {
  const given = { ...wanted, documentUniqueId: uid, mimeType: 'application/dicom' };
  return `--b\r\nContent-ID: <r>\r\n\r\n${envelope(relatesTo, writeRetrieveAnswer('success', [], [{ given, contentId: 'one@peer' }]))}\r\n`;
};
const part = (id = 'one@peer'): string => `--b\r\nContent-ID: <${id}>\r\n\r\n`;

/** Goes on until the hub has had enough. */
async function endless(response: ServerResponse, bytes: string, everyMs: number): Promise<void> {
  while (!response.destroyed) {
    if (!response.write(bytes)) await Promise.race([pause(20), new Promise((go) => response.once('drain', go))]);
    await pause(everyMs);
  }
}

const ATTACKS: Readonly<Record<string, Script>> = {
  'says nothing': async (response) => {
    await new Promise((resolve) => response.once('close', resolve));
  },
  'drips its headers': async (response) => {
    response.socket?.write('HTTP/1.1 200 OK\r\nX-A: ');
    while (response.socket?.destroyed === false) {
      response.socket.write('a');
      await pause(20);
    }
  },
  'has endless headers': async (response) => {
    response.socket?.write('HTTP/1.1 200 OK\r\n');
    while (response.socket?.destroyed === false) {
      response.socket.write(`X-A: ${'a'.repeat(4_000)}\r\n`);
      await pause(1);
    }
  },
  'speaks no HTTP': (response) => void response.socket?.end('SSH-2.0-OpenSSH_9.6\r\n'),
  'cuts the connection': (response) => void response.socket?.destroy(),
  'drips its envelope': (response) => endless(response.writeHead(200, soapType), ' ', 20),
  'has an endless envelope': (response) => endless(response.writeHead(200, soapType), ' '.repeat(60_000), 0),
  'redirects elsewhere': (response) => void response.writeHead(307, { Location: '/elsewhere' }).end(),
  'answers HTML': (response) => void response.writeHead(200, { 'Content-Type': 'text/html' }).end(`<p>${SECRET}</p>`),
  'answers compressed': (response) =>
    void response.writeHead(200, { ...soapType, 'Content-Encoding': 'gzip' }).end(Buffer.alloc(2_000)),
  'nests its XML': (response) => void response.writeHead(200, soapType).end('<a>'.repeat(60_000)),
  'has fifty thousand elements': (response) =>
    void response.writeHead(200, soapType).end(`<a>${'<b/>'.repeat(49_000)}${'<b/>'.repeat(200)}</a>`),
  'has entities that grow': (response, relatesTo) => {
    const entities = Array.from(
      { length: 9 },
      (_, n) => `<!ENTITY a${String(n + 1)} "${`&a${String(n)};`.repeat(9)}">`,
    );
    const body = envelope(relatesTo, '<x>&a9;</x>').replace(
      /^(<\?xml[^>]*\?>)?/,
      `<!DOCTYPE x [<!ENTITY a0 "ha">${entities.join('')}]>`,
    );
    response.writeHead(200, soapType).end(body);
  },
  'answers another request': (response) =>
    void response.writeHead(200, soapType).end(envelope('urn:uuid:of-somebody-else', '<x xmlns="urn:x"/>')),
  'answers another body': (response, relatesTo) =>
    void response.writeHead(200, soapType).end(envelope(relatesTo, `<x xmlns="urn:x">${SECRET}</x>`)),
};

const RETRIEVE_ATTACKS: Readonly<Record<string, Script>> = {
  'breaks off in the head of a part': (response, r) =>
    void response.writeHead(200, related).end(`${listing(r)}--b\r\nConte`),
  'breaks off in a part': (response, r) => void response.writeHead(200, related).end(`${listing(r)}${part()}bytes`),
  'cuts the connection in a part': (response, r) => {
    response.writeHead(200, { ...related, 'Content-Length': 1_000_000 }).write(`${listing(r)}${part()}bytes`);
    setTimeout(() => response.socket?.destroy(), 30);
  },
  'names a part that it never sends': (response, r) =>
    void response.writeHead(200, related).end(`${listing(r)}${part('other@peer')}bytes\r\n--b--\r\n`),
  'stops in a part': async (response, r) => {
    response.writeHead(200, related).write(`${listing(r)}${part()}bytes`);
    await new Promise((resolve) => response.once('close', resolve));
  },
  'drips a part': (response, r) => {
    response.writeHead(200, related).write(`${listing(r)}${part()}`);
    return endless(response, 'y', 20);
  },
  'has an endless part': (response, r) => {
    response.writeHead(200, related).write(`${listing(r)}${part()}`);
    return endless(response, 'y'.repeat(60_000), 0);
  },
  'has endless parts': (response, r) => {
    response.writeHead(200, related).write(listing(r));
    return endless(response, `${part('x@peer')}\r\n`, 0);
  },
  'sends what nobody asked for': (response, r) =>
    void response.writeHead(200, related).end(`${listing(r, '6.6.6')}${part()}${SECRET}\r\n--b--\r\n`),
};

const harmless = async (): Promise<void> => {
  // What the hub gave up it has closed: at most a few kept connections stay.
  for (let tries = 0; tries < 200 && sockets.size > 12; tries++) await pause(25);
  assert.ok(sockets.size <= 12, `${String(sockets.size)} connections stayed open`);
  script = (response, relatesTo) => {
    const body = writeQueryResponse({ objects: [], associations: [], problems: [] }, { returnType: 'LeafClass' });
    response.writeHead(200, soapType).end(envelope(relatesTo, body));
  };
  // The machine may be slow: an answer in time is wanted, not at once.
  for (const name of ['ITI-18 at a hospital', 'ITI-38']) {
    let answer = await CALLS[name]?.();
    for (let tries = 0; tries < 5 && answer?.ok === false; tries++) answer = await CALLS[name]?.();
    assert.equal(answer?.ok, true, `${name} does not work afterwards`);
  }
};

async function ended(what: string, attack: Script, names: readonly string[]): Promise<void> {
  script = attack;
  const outcomes = await Promise.all(names.map(async (name) => [name, await CALLS[name]?.()] as const));
  for (const [name, outcome] of outcomes) {
    assert.equal(outcome?.ok, false, `${name} took the answer of a peer that ${what}`);
    const { code, text }: Problem = outcome.problem;
    assert.doesNotMatch(`${code} ${text}`, new RegExp(SECRET), name);
  }
  await harmless();
}

for (const [what, attack] of Object.entries(ATTACKS))
  test(`a peer that ${what}`, { timeout: 60_000 }, async () => {
    await ended(what, attack, Object.keys(CALLS));
    assert.equal(elsewhere, 0, 'nobody is followed elsewhere');
  });
for (const [what, attack] of Object.entries(RETRIEVE_ATTACKS))
  test(`a peer that ${what}`, { timeout: 60_000 }, () => ended(what, attack, RETRIEVES));

test('an image that is another than it is called, by its instance or its series', { timeout: 60_000 }, async () => {
  const other =
    (series: string, sop: string): Script =>
    (response, r) => {
      const { bytes } = image(STUDY, series, sop, 90_000);
      response.writeHead(200, related);
      response.end(Buffer.concat([Buffer.from(listing(r) + part()), bytes, Buffer.from('\r\n--b--\r\n')]));
    };
  await ended('sends another instance', other(`${STUDY}.1`, `${STUDY}.1.2`), ['RAD-69 at a hospital', 'RAD-75']);
  await ended('sends another series', other(`${STUDY}.2`, SOP), ['RAD-69 at a hospital']);
  script = other(`${STUDY}.1`, SOP);
  for (const name of ['RAD-69 at a hospital', 'RAD-75'])
    assert.equal((await CALLS[name]?.())?.ok, true, `${name} takes the right one`);
});
