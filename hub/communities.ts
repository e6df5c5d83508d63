/**
 * HUB_COMMUNITIES: the neighbouring communities that the hub's gateways know, as a YAML file. Read once at start; what is
 * wrong stops the start with one line that names the variable and the place.
 */
import { readFileSync, statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { parseDocument } from 'yaml';
import type { CommunityConfig, XdsEndpoint } from '../adapters/xds/index.ts';
import { MapReader } from '../adapters/sites/reader.ts';
import type { Check } from '../adapters/sites/reader.ts';
import { ConfigError } from './config.ts';
import { parseOid } from './core/identifier.ts';

const NAME = 'HUB_COMMUNITIES';
const MAX_BYTES = 256 * 1024;

const home: Check = (text) =>
  text.startsWith('urn:oid:') && parseOid(text.slice(8)) !== null
    ? null
    : 'must be a community id such as urn:oid:2.999.1';
const oid: Check = (text) => (parseOid(text) === null ? 'must be an OID such as 2.999.1' : null);
const url: Check = (text) =>
  /^https?:\/\/\S+$/.test(text) && URL.canParse(text) ? null : 'must be an address such as https://host/path';
const token: Check = (text) =>
  /^[!-~]{8,4096}$/.test(text) ? null : 'must be 8 to 4096 printable characters, no blank';
const anyText: Check = (text) => (text.length <= 200 ? null : 'must be at most 200 characters');

/** `path` null: no other community is known. `own` is this hub's home community id. */
export function readCommunities(path: string | null, own: string): readonly CommunityConfig[] {
  if (path === null) return [];
  const stop = (text: string): never => {
    throw new ConfigError(`${NAME} takes the path of a YAML list of communities; ${text}`);
  };
  const document = parseDocument(readText(path, stop), { uniqueKeys: true, merge: false });
  const [error] = document.errors;
  if (error) stop(`line ${String(error.linePos?.[0].line ?? 1)} is not YAML`);
  let tree: unknown = null;
  try {
    tree = document.toJS({ maxAliasCount: 0 });
  } catch {
    stop('YAML aliases are not allowed');
  }
  // The reader's own words tell the place and what it takes, never the value: it may be a token.
  const root = new MapReader({ communities: tree ?? [] }, '', stop);
  const seen = new Set<string>([own]);
  return root.maps('communities').map((reader, at) => {
    const community = readCommunity(reader, dirname(resolve(path)), stop);
    if (seen.has(community.home)) stop(`communities[${String(at)}].home is that of another community, or of this hub`);
    seen.add(community.home);
    return community;
  });
}

function readText(path: string, stop: (text: string) => never): string {
  try {
    return statSync(path).size > MAX_BYTES ? stop('the file is too large') : readFileSync(path, 'utf8');
  } catch (error) {
    if (error instanceof ConfigError) throw error;
    return stop('the file cannot be read');
  }
}

function readCommunity(reader: MapReader, folder: string, stop: (text: string) => never): CommunityConfig {
  const named = { home: reader.required('home', home), name: reader.required('name', anyText) };
  const authority = reader.text('patientIdAuthority', oid);
  const addresses = {
    query: reader.text('query', url),
    retrieve: reader.text('retrieve', url),
    images: reader.text('images', url),
  };
  const timeoutMs = reader.integer('timeoutMs', 100, 600_000) ?? 10_000;
  const bearer = reader.text('token', token);
  const pem = (key: string): Buffer | undefined => {
    const path = reader.text(key);
    if (path === undefined) return undefined;
    try {
      return readFileSync(resolve(folder, path));
    } catch {
      return stop(`${key} of ${named.home} cannot be read`);
    }
  };
  const [cert, key, ca] = [pem('certificate'), pem('key'), pem('ca')];
  reader.done();
  if ((cert === undefined) !== (key === undefined)) stop(`certificate and key of ${named.home} go together`);
  if (addresses.query === undefined && addresses.retrieve === undefined && addresses.images === undefined)
    stop(`${named.home} has none of query, retrieve and images`);
  const endpoint = (address: string): XdsEndpoint => ({
    url: address,
    timeoutMs,
    ...(bearer === undefined ? {} : { token: bearer }),
    tls: {
      ...(cert === undefined ? {} : { cert }),
      ...(key === undefined ? {} : { key }),
      ...(ca === undefined ? {} : { ca }),
    },
  });
  return {
    ...named,
    ...(authority === undefined ? {} : { patientIdAuthority: authority }),
    ...(addresses.query === undefined ? {} : { query: endpoint(addresses.query) }),
    ...(addresses.retrieve === undefined ? {} : { retrieve: endpoint(addresses.retrieve) }),
    ...(addresses.images === undefined ? {} : { images: endpoint(addresses.images) }),
  };
}
