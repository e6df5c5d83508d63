/** site.yaml, `xds`: the registry, repository and imaging source that a hospital runs itself, and how often it is asked. */
import { parseOid } from '../../hub/core/identifier.ts';
import type { SiteXds } from '../../hub/core/site.ts';
import type { Check, Fault, MapReader } from './reader.ts';

const oid: Check = (text) => (parseOid(text) === null ? 'must be an OID such as 2.999.156.3.1' : null);
const url: Check = (text) =>
  /^https?:\/\/\S{1,1000}$/.test(text) && URL.canParse(text) ? null : 'must be an address such as https://host/path';
const token: Check = (text) =>
  /^[!-~]{8,4096}$/.test(text) ? null : 'must be 8 to 4096 printable characters, no blank';

export function readXds(reader: MapReader | null, defaultAuthority: string, fault: Fault): SiteXds | null {
  if (reader === null) return null;
  const place = (of: MapReader): { url: string; oid: string } => {
    const read = { url: of.required('url', url), oid: of.required('oid', oid) };
    of.done();
    return read;
  };
  const imagingSource = reader.section('imagingSource');
  const bearer = reader.text('token', token);
  const subscription = reader.text('subscription', url);
  const poll = reader.map('poll');
  const xds: SiteXds = {
    registry: reader.required('registry', url),
    repository: place(reader.map('repository')),
    ...(imagingSource === null ? {} : { imagingSource: place(imagingSource) }),
    ...(subscription === undefined ? {} : { subscription }),
    timeoutMs: reader.integer('timeoutMs', 100, 600_000) ?? 15_000,
    ...(bearer === undefined ? {} : { token: bearer }),
    tls: readTls(reader, fault),
    patientIdAuthority: reader.text('patientIdAuthority', oid) ?? defaultAuthority,
    poll: {
      perMinute: poll.integer('perMinute', 1, 6_000) ?? 30,
      everyMinutes: poll.integer('everyMinutes', 1, 100_000) ?? 240,
    },
  };
  poll.done();
  reader.done();
  return xds;
}

function readTls(reader: MapReader, fault: Fault): NonNullable<SiteXds['tls']> {
  const [certificate, key, ca] = [reader.text('certificate'), reader.text('key'), reader.text('ca')];
  if ((certificate === undefined) !== (key === undefined)) fault('xds.certificate', 'goes together with xds.key');
  return {
    ...(certificate === undefined ? {} : { certificate }),
    ...(key === undefined ? {} : { key }),
    ...(ca === undefined ? {} : { ca }),
  };
}
