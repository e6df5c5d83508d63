/** The multipart/related answers of WADO-RS (PS3.18 §8.6.1.2, RFC 2387), with their exact length where it is known. */
import { randomUUID } from 'node:crypto';
import type { InstanceLocated } from '../../core/ports.ts';
import type { DicomwebDeps } from './deps.ts';
import type { Exchange } from './exchange.ts';
import { lengthOf, sendParts } from './send.ts';
import type { Part } from './send.ts';

/** A part without its head. */
export type Body =
  | {
      readonly located: InstanceLocated;
      readonly spans: readonly { readonly start: number; readonly length: number }[];
    }
  | { readonly bytes: Buffer }
  | { readonly make: () => Promise<AsyncIterable<Uint8Array>> };

export interface Entity {
  readonly contentType: string;
  readonly location?: string;
  readonly body: Body;
}

export const withSyntax = (type: string, transferSyntax: string): string => `${type};transfer-syntax=${transferSyntax}`;

const NOTHING = Buffer.alloc(0);

function asPart(head: Buffer, body: Body): Part[] {
  if ('located' in body) {
    const { located, spans } = body;
    const streamed = located.instance.object === '';
    return spans.map((span, at) => ({ kind: 'stored', head: at === 0 ? head : NOTHING, located, streamed, ...span }));
  }
  if ('bytes' in body)
    return [{ kind: 'bytes', bytes: head.length === 0 ? body.bytes : Buffer.concat([head, body.bytes]) }];
  return [{ kind: 'made', head, make: body.make }];
}

function bodyLength(body: Body): number | null {
  if ('bytes' in body) return body.bytes.length;
  return 'located' in body ? body.spans.reduce((total, span) => total + span.length, 0) : null;
}

/** Answers with all entities; `type` is the media type of the root part as negotiated, without parameters. */
export async function sendMultipart(
  deps: Pick<DicomwebDeps, 'images' | 'limits'>,
  { request, response }: Exchange,
  type: string,
  entities: readonly Entity[],
): Promise<void> {
  const boundary = `hub-${randomUUID()}`;
  const parts = entities.flatMap((entity, at) => partsOf(boundary, entity, at === 0));
  parts.push(endOf(boundary));
  response.setHeader('Content-Type', typeOf(type, boundary));
  await sendAll(deps, { request, response }, parts);
}

/** The same of entities that are made one after the other, each when the one before has gone out. */
export async function sendEntities(
  deps: Pick<DicomwebDeps, 'images' | 'limits'>,
  { request, response }: Exchange,
  type: string,
  entities: AsyncIterable<Entity>,
): Promise<void> {
  const boundary = `hub-${randomUUID()}`;
  response.setHeader('Content-Type', typeOf(type, boundary));
  if (request.method === 'HEAD') {
    response.end();
    return;
  }
  response.setTimeout(deps.limits.idleMs, () => response.destroy());
  await sendParts(response, deps.images, partsFrom(boundary, entities));
  if (!response.destroyed) response.end();
}

async function* partsFrom(boundary: string, entities: AsyncIterable<Entity>): AsyncGenerator<Part> {
  let isFirst = true;
  for await (const entity of entities) {
    yield* partsOf(boundary, entity, isFirst);
    isFirst = false;
  }
  yield endOf(boundary);
}

const typeOf = (root: string, boundary: string): string => `multipart/related; type="${root}"; boundary="${boundary}"`;

const endOf = (boundary: string): Part => ({
  kind: 'bytes',
  bytes: Buffer.from(`\r\n--${boundary}--\r\n`, 'latin1'),
});

function partsOf(boundary: string, { contentType, location, body }: Entity, isFirst: boolean): Part[] {
  const length = bodyLength(body);
  const head = [
    `${isFirst ? '' : '\r\n'}--${boundary}`,
    `Content-Type: ${contentType}`,
    ...(location === undefined ? [] : [`Content-Location: ${location}`]),
    ...(length === null ? [] : [`Content-Length: ${String(length)}`]),
    '\r\n',
  ];
  return asPart(Buffer.from(head.join('\r\n'), 'latin1'), body);
}

export async function sendSingle(
  deps: Pick<DicomwebDeps, 'images' | 'limits'>,
  { request, response }: Exchange,
  { contentType, body }: Entity,
): Promise<void> {
  response.setHeader('Content-Type', contentType);
  await sendAll(deps, { request, response }, asPart(NOTHING, body));
}

async function sendAll(
  deps: Pick<DicomwebDeps, 'images' | 'limits'>,
  { request, response }: Pick<Exchange, 'request' | 'response'>,
  parts: readonly Part[],
): Promise<void> {
  const length = lengthOf(parts);
  if (length !== null) response.setHeader('Content-Length', length);
  if (request.method === 'HEAD') {
    response.end();
    return;
  }
  response.setTimeout(deps.limits.idleMs, () => response.destroy());
  await sendParts(response, deps.images, parts);
  if (!response.destroyed) response.end();
}

export async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}
