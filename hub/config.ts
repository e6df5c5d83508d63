/** The environment, read once into a frozen Config. A value that cannot be used stops the start, naming what it takes. */
import { isIP } from 'node:net';
import { resolve } from 'node:path';
import { readAudit, type AuditConfig } from './config-audit.ts';
import { readKeys, type KeysConfig } from './config-keys.ts';
import { readProxies, readSaml, readSignOn } from './config-sign-on.ts';
import type { SamlConfig, SignOnConfig } from './config-sign-on.ts';
import { readIssuers } from './config-xua.ts';
import type { TrustedIssuer } from './core/assertion.ts';
import type { EmergencyPolicy } from './core/consent.ts';
import { SENSITIVITIES } from './core/subject.ts';

export interface TlsConfig {
  /** PEM files. `ca`: who signs the certificates of clients; absent: no client certificate is asked for. */
  readonly cert: string;
  readonly key: string;
  readonly ca: string | null;
}

/** The audit record repository that gets every record (IHE ITI-20). PEM files; `ca` null: whom the system trusts. */
export interface AtnaConfig {
  /** By UDP each record goes at most once, in the clear. */
  readonly transport: 'tls' | 'udp';
  readonly host: string;
  readonly port: number;
  readonly ca: string | null;
  readonly identity: { readonly cert: string; readonly key: string } | null;
}

export type ObjectStoreConfig =
  { readonly kind: 'file'; readonly dir: string } | { readonly kind: 's3'; readonly url: string };

export interface Config {
  readonly host: string;
  readonly httpPort: number;
  /** Where a process without the api role answers /healthz, /readyz and /metrics; null: nowhere. */
  readonly healthPort: number | null;
  readonly mllpPort: number;
  readonly dimsePort: number;
  /** TLS listeners beside the plain ones; null: not opened. */
  readonly httpsPort: number | null;
  readonly mllpTlsPort: number | null;
  readonly dimseTlsPort: number | null;
  readonly tls: TlsConfig | null;
  /** How readers reach the hub, for links in what it serves; null: as each request names it. */
  readonly publicUrl: string | null;
  readonly aeTitle: string;
  readonly dataDir: string;
  /** null: the embedded server in the data directory. */
  readonly databaseUrl: string | null;
  /** null: the queue runs on PostgreSQL. */
  readonly redisUrl: string | null;
  readonly objectStore: ObjectStoreConfig;
  readonly sitesDir: string;
  /** null: made once and printed once. */
  readonly adminToken: string | null;
  readonly homeCommunityOid: string;
  readonly repositoryOid: string;
  readonly affinityDomainOid: string;
  /** Path of the YAML list of neighbouring communities (hub/communities.ts reads it); null: none. */
  readonly communities: string | null;
  /** Whose assertions about users are believed on SOAP paths, and how far their clocks may be off. */
  readonly xua: { readonly issuers: readonly TrustedIssuer[]; readonly skewMs: number };
  /** Where subscribers may have notifications sent: `host` or `host:port`; empty: nowhere. */
  readonly subscriberHosts: ReadonlySet<string>;
  /** Bearer tokens for such hosts, sent with each notification. */
  readonly subscriberTokens: ReadonlyMap<string, string>;
  /** Who takes messages to patients (POST of FHIR Communication), and the secret by which they are signed; null: nobody. */
  readonly notices: { readonly url: string; readonly secret: string } | null;
  /** Origins whose pages may show the viewer in a frame; empty: the hub's own alone. */
  readonly embedOrigins: readonly string[];
  /** What an emergency stands above: refusals, unless they hold even then, and every label but these. */
  readonly emergency: EmergencyPolicy;
  /** null: audit records stay in the hub's own store. */
  readonly atna: AtnaConfig | null;
  /** Addresses and networks of reverse proxies whose word on the caller's address is believed. */
  readonly trustedProxies: readonly string[];
  /** How long people's sessions, passwords and unused accounts stand. */
  readonly signOn: SignOnConfig;
  readonly audit: AuditConfig;
  /** Under which master key what lies at rest is sealed. */
  readonly keys: KeysConfig;
  /** Hospitals' identity providers, and the hub's own key towards them; null: none. */
  readonly saml: SamlConfig | null;
  readonly logLevel: 'debug' | 'info' | 'warn' | 'error';
  readonly limits: Limits;
}

export interface Limits {
  readonly databaseConnections: number;
  readonly workers: number;
  /** Connections per listener. */
  readonly connections: number;
  readonly messageBytes: number;
  readonly instanceBytes: number;
  readonly idleMs: number;
  /** How long accepted work may take to finish when the hub stops. */
  readonly drainMs: number;
  readonly journalKeepDays: number;
  /** At least the 180 days that law asks for (SECURITY §1). */
  readonly auditKeepDays: number;
  /** A study whose source declares no count is complete after this long without a new image. */
  readonly settleMs: number;
}

/** A value of the environment that cannot be used; the message is the one line that the operator sees. */
export class ConfigError extends Error {}

type Environment = Readonly<Record<string, string | undefined>>;

const OID = /^[0-2](\.(0|[1-9]\d*))+$/;
const MB = 1024 * 1024;

class Reader {
  readonly #environment: Environment;
  constructor(environment: Environment) {
    this.#environment = environment;
  }

  /** An empty value counts as unset: compose files write `NAME=`. */
  text(name: string): string | null {
    const value = this.#environment[name]?.trim() ?? '';
    return value === '' ? null : value;
  }

  fail(name: string, takes: string): never {
    // The value itself stays out of the line: it may be a secret.
    throw new ConfigError(`${name} takes ${takes}`);
  }

  matching(name: string, pattern: RegExp, takes: string, otherwise: string): string {
    const value = this.text(name) ?? otherwise;
    return pattern.test(value) ? value : this.fail(name, takes);
  }

  integer(name: string, least: number, most: number, otherwise: number): number {
    const value = this.text(name);
    if (value === null) return otherwise;
    const number = /^\d{1,15}$/.test(value) ? Number(value) : Number.NaN;
    if (!(number >= least && number <= most))
      this.fail(name, `a whole number from ${String(least)} to ${String(most)} (default ${String(otherwise)})`);
    return number;
  }

  port(name: string, otherwise: number): number {
    return this.integer(name, 0, 65_535, otherwise);
  }

  optionalPort(name: string): number | null {
    return this.text(name) === null ? null : this.port(name, 0);
  }

  url(name: string, protocols: readonly string[], takes: string): string | null {
    const value = this.text(name);
    if (value === null) return null;
    if (!URL.canParse(value) || !protocols.includes(new URL(value).protocol)) this.fail(name, takes);
    return value;
  }

  path(name: string, otherwise: string): string {
    return resolve(this.text(name) ?? otherwise);
  }
}

function readHost(read: Reader): string {
  const host = read.text('HUB_HOST') ?? '127.0.0.1';
  if (isIP(host) === 0 && !/^[a-zA-Z0-9]([a-zA-Z0-9.-]{0,252})$/.test(host))
    read.fail('HUB_HOST', 'an IP address or host name to listen on (default 127.0.0.1)');
  return host;
}

function readPublicUrl(read: Reader): string | null {
  const url = read.url('HUB_PUBLIC_URL', ['http:', 'https:'], 'https://host[:port], without a path');
  return url === null ? null : new URL(url).origin;
}

function readTls(read: Reader): TlsConfig | null {
  const cert = read.text('HUB_TLS_CERT');
  const key = read.text('HUB_TLS_KEY');
  const ca = read.text('HUB_TLS_CA');
  if (cert === null && key === null && ca === null) return null;
  if (cert === null) return read.fail('HUB_TLS_CERT', 'the path of a PEM certificate when HUB_TLS_KEY or _CA is set');
  if (key === null) return read.fail('HUB_TLS_KEY', 'the path of a PEM private key when HUB_TLS_CERT is set');
  return { cert: resolve(cert), key: resolve(key), ca: ca === null ? null : resolve(ca) };
}

function readObjectStore(read: Reader, dataDir: string): ObjectStoreConfig {
  const name = 'HUB_OBJECT_STORE';
  const takes = 'file:/absolute/path or s3://bucket?endpoint=http://host:port';
  const value = read.text(name);
  if (value === null) return { kind: 'file', dir: resolve(dataDir, 'objects') };
  if (value.startsWith('file:/')) return { kind: 'file', dir: resolve(value.slice('file:'.length)) };
  const url = read.url(name, ['s3:'], takes) ?? '';
  return new URL(url).hostname === '' ? read.fail(name, takes) : { kind: 's3', url };
}

function readAdminToken(read: Reader): string | null {
  const token = read.text('HUB_ADMIN_TOKEN');
  if (token !== null && !/^[A-Za-z0-9._~+/=-]{16,512}$/.test(token))
    read.fail('HUB_ADMIN_TOKEN', '16 to 512 characters of A-Z a-z 0-9 . _ ~ + / = -');
  return token;
}

function readLogLevel(read: Reader): Config['logLevel'] {
  const value = read.text('HUB_LOG_LEVEL') ?? 'info';
  if (value === 'debug' || value === 'info' || value === 'warn' || value === 'error') return value;
  return read.fail('HUB_LOG_LEVEL', 'debug, info, warn or error (default info)');
}

function readLimits(read: Reader): Limits {
  return Object.freeze({
    databaseConnections: read.integer('HUB_DATABASE_CONNECTIONS', 4, 1_000, 24),
    workers: read.integer('HUB_WORKERS', 1, 64, 4),
    connections: read.integer('HUB_MAX_CONNECTIONS', 1, 100_000, 500),
    messageBytes: read.integer('HUB_MAX_MESSAGE_MB', 1, 256, 16) * MB,
    instanceBytes: read.integer('HUB_MAX_INSTANCE_MB', 1, 65_536, 8_192) * MB,
    idleMs: read.integer('HUB_IDLE_SECONDS', 5, 86_400, 300) * 1_000,
    drainMs: read.integer('HUB_DRAIN_SECONDS', 1, 600, 20) * 1_000,
    settleMs: read.integer('HUB_STUDY_SETTLE_SECONDS', 1, 86_400, 60) * 1_000,
    auditKeepDays: read.integer('HUB_AUDIT_KEEP_DAYS', 180, 36_500, 1_100),
    journalKeepDays: read.integer('HUB_JOURNAL_KEEP_DAYS', 1, 36_500, 400),
  });
}

const HOST = /^(\[[0-9a-f:.]{2,45}\]|[a-z0-9_-][a-z0-9_.-]{0,252})(:\d{1,5})?$/;

/** Compared with what `URL` makes of an address: lower case, IPv6 in brackets. */
function readSubscriberHosts(read: Reader): ReadonlySet<string> {
  const name = 'HUB_SUBSCRIBER_HOSTS';
  const hosts = (read.text(name) ?? '')
    .toLowerCase()
    .split(/[\s,]+/)
    .filter((host) => host !== '');
  if (hosts.some((host) => !HOST.test(host)))
    read.fail(name, 'hosts that notifications may be sent to, host or host:port, with commas between them');
  return new Set(hosts);
}

function readSubscriberTokens(read: Reader): ReadonlyMap<string, string> {
  const name = 'HUB_SUBSCRIBER_TOKENS';
  const tokens = new Map<string, string>();
  for (const pair of (read.text(name) ?? '').split(/[\s,]+/).filter((one) => one !== '')) {
    const [, host = '', token = ''] = /^([^=]+)=([A-Za-z0-9._~+/=-]{8,4096})$/.exec(pair) ?? [];
    if (!HOST.test(host.toLowerCase()) || tokens.has(host.toLowerCase()))
      read.fail(name, 'bearer tokens of hosts in HUB_SUBSCRIBER_HOSTS, host=token or host:port=token, with commas');
    tokens.set(host.toLowerCase(), token);
  }
  return tokens;
}

/** Both are closed by an order of the province alone: by default no doctor is stopped. */
function readEmergency(read: Reader): EmergencyPolicy {
  const refusals = read.matching('HUB_EMERGENCY_REFUSALS', /^(yield|hold)$/, 'yield or hold (default yield)', 'yield');
  const closed = read.text('HUB_EMERGENCY_CLOSED_LABELS')?.split(/[\s,]+/) ?? [];
  const unknown = closed.some((label) => !SENSITIVITIES.some((known) => known === label));
  if (unknown)
    read.fail('HUB_EMERGENCY_CLOSED_LABELS', `any of ${SENSITIVITIES.join(', ')}, with commas (default none)`);
  return Object.freeze({ refusals: refusals === 'yield', closedLabels: closed });
}

/** In the clear to the machine itself only: a notice names a patient. */
function readNotices(read: Reader): Config['notices'] {
  const url = read.url('HUB_NOTICE_URL', ['http:', 'https:'], 'https://host[:port]/path of whoever messages patients');
  const secret = read.text('HUB_NOTICE_SECRET');
  if (url === null)
    return secret === null ? null : read.fail('HUB_NOTICE_SECRET', 'a secret together with HUB_NOTICE_URL');
  const { protocol, hostname, username } = new URL(url);
  const isHere = ['localhost', '127.0.0.1', '[::1]'].includes(hostname);
  if ((protocol === 'http:' && !isHere) || username !== '')
    read.fail('HUB_NOTICE_URL', 'https://host[:port]/path without a user; http: to this machine only');
  if (secret === null || !/^[\x21-\x7e]{32,256}$/.test(secret))
    return read.fail('HUB_NOTICE_SECRET', '32 to 256 visible characters, shared with the receiver');
  return Object.freeze({ url, secret });
}

/** As CSP's frame-ancestors and a browser's Origin write them. */
function readEmbedOrigins(read: Reader): readonly string[] {
  const name = 'HUB_EMBED_ORIGINS';
  const given = (read.text(name) ?? '').split(/[\s,]+/).filter((one) => one !== '');
  const origins = given.map((one) => (URL.canParse(one) ? new URL(one) : null));
  if (
    origins.some((url) => url === null || !/^https?:$/.test(url.protocol) || url.pathname !== '/' || url.search !== '')
  )
    read.fail(
      name,
      'origins whose pages may show the viewer in a frame, https://host[:port], with commas between them',
    );
  return Object.freeze(origins.flatMap((url) => (url === null ? [] : [url.origin])));
}

function readXua(read: Reader): Config['xua'] {
  const name = 'HUB_XUA_ISSUERS';
  const value = read.text(name);
  const skewMs = read.integer('HUB_XUA_SKEW_SECONDS', 0, 600, 60) * 1_000;
  if (value === null) return Object.freeze({ issuers: [], skewMs });
  try {
    return Object.freeze({ issuers: readIssuers(value), skewMs });
  } catch (error) {
    return read.fail(name, error instanceof Error ? error.message : 'a YAML list');
  }
}

/** RFC 5425 §4.2: port 6514; RFC 5426 §3.3: port 514. A path or a user would mean something that syslog has not: they are refused. */
function readAtna(read: Reader): AtnaConfig | null {
  const url = read.text('HUB_ATNA_SYSLOG');
  const [ca, cert, key] = (['HUB_ATNA_CA', 'HUB_ATNA_CERT', 'HUB_ATNA_KEY'] as const).map((name) => read.text(name));
  if (url === null) {
    const idle = ['HUB_ATNA_CA', 'HUB_ATNA_CERT', 'HUB_ATNA_KEY'].find((name) => read.text(name) !== null);
    return idle === undefined ? null : read.fail(idle, 'the path of a PEM file together with HUB_ATNA_SYSLOG');
  }
  const parts = /^(tls|udp):\/\/(\[[0-9A-Fa-f:.]{2,45}\]|[A-Za-z0-9.-]{1,253})(?::(\d{1,5}))?\/?$/.exec(url);
  const transport = parts?.[1] === 'udp' ? 'udp' : 'tls';
  const port = Number(parts?.[3] ?? (transport === 'udp' ? 514 : 6514));
  if (parts?.[2] === undefined || port < 1 || port > 65_535)
    return read.fail(
      'HUB_ATNA_SYSLOG',
      'tls://host[:port] or udp://host[:port] of the audit record repository (port 6514 or 514 where none is given)',
    );
  const secrets = [ca, cert, key].some((path) => path !== null);
  if (transport === 'udp' && secrets)
    return read.fail('HUB_ATNA_SYSLOG', 'tls://host[:port] together with HUB_ATNA_* PEM files');
  if (cert && !key) return read.fail('HUB_ATNA_KEY', 'the path of a PEM private key when HUB_ATNA_CERT is set');
  if (key && !cert) return read.fail('HUB_ATNA_CERT', 'the path of a PEM certificate when HUB_ATNA_KEY is set');
  return {
    transport,
    host: parts[2].replace(/^\[|\]$/g, ''),
    port,
    ca: ca ? resolve(ca) : null,
    identity: cert && key ? { cert: resolve(cert), key: resolve(key) } : null,
  };
}

export function readConfig(environment: Environment = process.env): Config {
  const read = new Reader(environment);
  const dataDir = read.path('HUB_DATA_DIR', './var/hub');
  const tls = readTls(read);
  const oid = (name: string, otherwise: string): string => {
    const value = read.matching(name, OID, `an OID such as ${otherwise}`, otherwise);
    return value.length <= 64 ? value : read.fail(name, 'an OID of at most 64 characters');
  };
  const config: Config = {
    host: readHost(read),
    httpPort: read.port('HUB_HTTP_PORT', 8080),
    healthPort: read.optionalPort('HUB_HEALTH_PORT'),
    mllpPort: read.port('HUB_MLLP_PORT', 2575),
    dimsePort: read.port('HUB_DIMSE_PORT', 11_112),
    httpsPort: read.optionalPort('HUB_HTTPS_PORT'),
    mllpTlsPort: read.optionalPort('HUB_MLLP_TLS_PORT'),
    dimseTlsPort: read.optionalPort('HUB_DIMSE_TLS_PORT'),
    tls,
    publicUrl: readPublicUrl(read),
    // PS3.5 §6.2 AE: at most 16 characters of the default repertoire without backslash and control characters.
    aeTitle: read.matching('HUB_AE_TITLE', /^[!-[\]-~]{1,16}$/, '1 to 16 printable characters, no blank', 'HUTONG'),
    dataDir,
    databaseUrl: read.url('DATABASE_URL', ['postgres:', 'postgresql:'], 'postgres://user:password@host:port/database'),
    redisUrl: read.url('REDIS_URL', ['redis:', 'rediss:'], 'redis://host:port or rediss://host:port'),
    objectStore: Object.freeze(readObjectStore(read, dataDir)),
    sitesDir: read.path('HUB_SITES_DIR', 'adapters/sites'),
    adminToken: readAdminToken(read),
    homeCommunityOid: oid('HUB_HOME_COMMUNITY_OID', '2.999.156.2'),
    repositoryOid: oid('HUB_REPOSITORY_OID', '2.999.156.3'),
    affinityDomainOid: oid('HUB_AFFINITY_DOMAIN_OID', '2.999.156.1'),
    communities: read.text('HUB_COMMUNITIES') === null ? null : read.path('HUB_COMMUNITIES', ''),
    xua: readXua(read),
    subscriberHosts: readSubscriberHosts(read),
    subscriberTokens: readSubscriberTokens(read),
    notices: readNotices(read),
    embedOrigins: readEmbedOrigins(read),
    emergency: readEmergency(read),
    atna: readAtna(read),
    trustedProxies: readProxies(read),
    signOn: readSignOn(read),
    audit: readAudit(read, dataDir),
    keys: readKeys(read, dataDir),
    saml: readSaml(read, readPublicUrl(read)),
    logLevel: readLogLevel(read),
    limits: readLimits(read),
  };
  for (const [name, port] of [
    ['HUB_HTTPS_PORT', config.httpsPort],
    ['HUB_MLLP_TLS_PORT', config.mllpTlsPort],
    ['HUB_DIMSE_TLS_PORT', config.dimseTlsPort],
  ] as const)
    if (port !== null && tls === null) read.fail(name, 'a port only together with HUB_TLS_CERT and HUB_TLS_KEY');
  return Object.freeze(config);
}

/** The object store as `openObjectStore` takes it. */
export const objectStoreUrl = ({ objectStore }: Config): string =>
  objectStore.kind === 'file' ? `file:${encodeURI(objectStore.dir)}` : objectStore.url;
