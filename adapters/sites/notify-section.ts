/** site.yaml, `pixNotify`: where a site is told when a person's numbers change, and of which domains. */
import { parseOid } from '../../hub/core/identifier.ts';
import type { PixNotify, SiteProfile } from '../../hub/core/site.ts';
import type { Check, Fault, MapReader } from './reader.ts';

const oid: Check = (text) => (parseOid(text) === null ? 'must be an OID such as 2.999.156.3.1' : null);
const host: Check = (text) => (/^[A-Za-z0-9.:-]{1,253}$/.test(text) ? null : 'must be a host name or address');
const url: Check = (text) =>
  /^https?:\/\/\S{1,1000}$/.test(text) && URL.canParse(text) ? null : 'must be an address such as https://host/path';
const token: Check = (text) =>
  /^[!-~]{8,4096}$/.test(text) ? null : 'must be 8 to 4096 printable characters, no blank';

export function readPixNotify(
  reader: MapReader | null,
  { patientIds, hl7v2 }: SiteProfile,
  fault: Fault,
): PixNotify | null {
  if (reader === null) return null;
  const domains = reader.texts('domains', oid);
  const [mllp, soap] = [reader.section('mllp'), reader.section('soap')];
  const bearer = soap?.text('token', token);
  const read: PixNotify = {
    domains,
    ...(mllp === null
      ? {}
      : { mllp: { host: mllp.required('host', host), port: mllp.integer('port', 1, 65_535) ?? 2575 } }),
    ...(soap === null
      ? {}
      : { soap: { url: soap.required('url', url), ...(bearer === undefined ? {} : { token: bearer }) } }),
  };
  for (const one of [mllp, soap, reader]) one?.done();
  if (domains.length === 0) fault('pixNotify.domains', 'names at least one domain');
  if (mllp === null && soap === null) fault('pixNotify', 'needs mllp, soap or both');
  if (hl7v2.query !== true && domains.some((domain) => domain !== patientIds.defaultAuthority))
    fault('pixNotify.domains', 'numbers of others are told only to a site that may ask for them: hl7v2.query');
  return read;
}
