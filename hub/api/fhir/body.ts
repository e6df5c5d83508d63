/** The body of a request as a FHIR resource: JSON or XML, bounded, before anything looks into it. */
import type { Request } from 'express';
import { fromXml } from '../../../mappings/fhir/from-xml.ts';
import { parseXml } from '../../../mappings/xds/xml.ts';
import type { Format } from './format.ts';
import { faulty, parsed, type Parsed } from './reply.ts';

/** A bundle is held in memory whole, a third larger than its documents; larger ones go by ITI-41, which streams. */
export const BODY_LIMIT = 32 * 1024 * 1024;
/** The 16 MiB of other messages, and what base64 adds. */
const XML = { bytes: BODY_LIMIT, depth: 64, elements: 500_000 };

export interface ReadBody {
  readonly resource: unknown;
  readonly format: Format;
  /** As they came. */
  readonly bytes: Buffer;
}

export async function readBody(request: Request, limit = BODY_LIMIT): Promise<Parsed<ReadBody>> {
  const type = (request.get('content-type') ?? '').split(';')[0]?.trim().toLowerCase() ?? '';
  const format = /^(application|text)\/(fhir\+)?json$/.test(type)
    ? 'json'
    : /^(application|text)\/(fhir\+)?xml$/.test(type)
      ? 'xml'
      : null;
  if (format === null) return faulty(415, 'not-supported', 'application/fhir+json and application/fhir+xml are taken');
  if (Number(request.get('content-length') ?? 0) > limit) return tooLong(limit);
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > limit) return tooLong(limit);
    chunks.push(chunk);
  }
  const bytes = Buffer.concat(chunks);
  if (format === 'xml') {
    const root = parseXml(bytes, XML);
    if (!root.ok) return faulty(400, 'structure', root.problem.text);
    const resource = fromXml(root.value);
    return resource ? parsed({ resource, format, bytes }) : faulty(400, 'structure', 'the root element is not of FHIR');
  }
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
    return parsed({ resource: JSON.parse(text) as unknown, format, bytes });
  } catch (error) {
    if (error instanceof SyntaxError || error instanceof TypeError || error instanceof RangeError)
      return faulty(400, 'structure', 'the body is not JSON in UTF-8');
    throw error;
  }
}

const tooLong = (limit: number): Parsed<never> =>
  faulty(413, 'too-long', `at most ${String(limit >> 20)} MiB are taken; larger documents go by ITI-41`);
