/** JSON or XML: what the caller asked for by `_format` or Accept (R4 §3.1.0.1.9), and how an answer is written in it. */
import { toXml } from '../../../mappings/fhir/xml.ts';
import type { FhirBody } from '../../core/fhir.ts';
import { faulty, parsed, type Parsed } from './reply.ts';

export type Format = 'json' | 'xml';

const TYPES: Readonly<Record<string, Format>> = {
  json: 'json',
  'application/json': 'json',
  'text/json': 'json',
  'application/fhir+json': 'json',
  'application/json+fhir': 'json',
  xml: 'xml',
  'application/xml': 'xml',
  'text/xml': 'xml',
  'application/fhir+xml': 'xml',
  'application/xml+fhir': 'xml',
  '*/*': 'json',
  'application/*': 'json',
  'text/*': 'json',
  // A browser: it shows JSON.
  'text/html': 'json',
};

interface Range {
  readonly type: string;
  readonly quality: number;
  readonly version: string | undefined;
}

/** `_format` wins over Accept. A `+` in a URL is a blank once decoded: `application/fhir+json` is meant. */
export function negotiate(accept: string | undefined, format: string | null): Parsed<Format> {
  const asked = format === null || format === '' ? (accept ?? '*/*') : format.replace(/ (json|xml)/, '+$1');
  const ranges = asked
    .slice(0, 1000)
    .split(',')
    .map(rangeOf)
    .filter((range) => range.quality > 0)
    .sort((a, b) => b.quality - a.quality);
  for (const range of ranges) {
    const found = TYPES[range.type];
    // R4 §2.1.12: 4.0 is what is spoken here.
    if (found !== undefined && (range.version === undefined || /^4\.0(\.\d+)?$/.test(range.version)))
      return parsed(found);
  }
  return faulty(406, 'not-supported', 'application/fhir+json and application/fhir+xml are spoken, in fhirVersion 4.0');
}

function rangeOf(text: string): Range {
  const [type = '', ...parameters] = text.split(';').map((part) => part.trim().toLowerCase());
  const value = (name: string): string | undefined =>
    parameters.find((parameter) => parameter.startsWith(`${name}=`))?.slice(name.length + 1);
  const quality = Number(value('q') ?? 1);
  return { type, quality: Number.isNaN(quality) ? 0 : quality, version: value('fhirversion') };
}

export const contentType = (format: Format): string => `application/fhir+${format}; charset=utf-8`;

export const write = (body: FhirBody, format: Format, pretty: boolean): string =>
  format === 'xml' ? toXml(body) : JSON.stringify(body, undefined, pretty ? 2 : undefined);
