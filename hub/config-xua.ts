/**
 * HUB_XUA_ISSUERS: who may state on SOAP paths who a user is, as YAML or as the path of a YAML file, with the certificates
 * read, so that a file that is missing or no certificate stops the start and not the first user.
 */
import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { parse } from 'yaml';
import type { Role } from './core/access.ts';
import type { TrustedIssuer } from './core/assertion.ts';

/** What an issuer may make of its users: readers, or senders for one hospital; nobody operates or administers by it. */
const GIVEN = new Set<unknown>(['query-platform', 'hospital-feed'] satisfies Role[]);

/**
 * Who reads where an issuer's entry has no `roles`: clinicians by name, by SNOMED CT, and by the Swiss list; not patients,
 * representatives and administrators, who would otherwise read everybody.
 */
const CLINICIANS = [
  ...['physician', 'doctor', 'radiologist', 'dentist', 'nurse', 'pharmacist', 'radiographer'],
  ...[
    '112247003',
    '309343006',
    '158965000',
    '66862007',
    '106289002',
    '106292003',
    '224535009',
    '46255001',
    '159016003',
  ],
  ...['HCP', 'ASS'],
];

/** Throws an Error whose text says what an entry takes; the value itself stays out of it. */
export function readIssuers(value: string): readonly TrustedIssuer[] {
  const inFile = !/[\n\r{[]/.test(value) && /\.ya?ml$/i.test(value);
  const base = inFile ? dirname(resolve(value)) : process.cwd();
  const list: unknown = parsed(inFile ? text(value, 'the YAML file') : value);
  if (!Array.isArray(list) || list.length === 0) throw new Error('a YAML list of { issuer, certificates, audience }');
  const issuers = list.map((entry: unknown, at) => readIssuer(entry, `entry ${String(at + 1)}`, base));
  if (new Set(issuers.map(({ issuer }) => issuer)).size < issuers.length)
    throw new Error('a list that has each issuer once');
  return Object.freeze(issuers);
}

function parsed(value: string): unknown {
  try {
    return parse(value, { maxAliasCount: 0 });
  } catch (error) {
    throw new Error('YAML: a list of { issuer, certificates, audience }', { cause: error });
  }
}

function text(path: string, what: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    throw new Error(`paths of files that can be read; ${what} cannot`, { cause: error });
  }
}

const KNOWN = [
  'issuer',
  'certificates',
  'ca',
  'subject',
  'audience',
  'confirmation',
  'oneTime',
  'roles',
  'purposes',
  'site',
];

function readIssuer(entry: unknown, where: string, base: string): TrustedIssuer {
  if (typeof entry !== 'object' || entry === null) throw new Error(`{ issuer, certificates, audience } as ${where}`);
  const fields = entry as Readonly<Record<string, unknown>>;
  if (Object.keys(fields).some((name) => !KNOWN.includes(name)))
    throw new Error(`no other members than ${KNOWN.join(', ')} in ${where}`);
  const { issuer, oneTime = false, site = null } = fields;
  if (typeof issuer !== 'string' || issuer.trim() === '') throw new Error(`the name of the issuer in ${where}`);
  if (typeof oneTime !== 'boolean') throw new Error(`true or false as oneTime of ${where}`);
  if (site !== null && (typeof site !== 'string' || !/^[a-z0-9][a-z0-9-]{0,31}$/.test(site)))
    throw new Error(`a site id as site of ${where}`);
  const confirmations = strings(fields['confirmation'] ?? ['bearer', 'holder-of-key']);
  if (!confirmations?.every((one) => one === 'bearer' || one === 'holder-of-key'))
    throw new Error(`bearer, holder-of-key or both as confirmation of ${where}`);
  const audiences = strings(fields['audience']);
  if (!audiences) throw new Error(`audience, a name or a list of them, in ${where}`);
  const roles = readRoles(fields['roles'] ?? null, site, where);
  const purposes = fields['purposes'] === undefined ? null : strings(fields['purposes']);
  if (purposes === null && fields['purposes'] !== undefined)
    throw new Error(`codes of purposes of use as purposes of ${where}`);
  const signers = readSigners(fields, where, base);
  return Object.freeze({
    issuer: issuer.trim(),
    ...signers,
    audiences,
    confirmations,
    oneTime,
    roles,
    purposes: purposes === null ? null : new Set(purposes),
    site,
  });
}

/** Pinned certificates, authorities that issue them, or both. An authority issues to others too: its signer is named. */
function readSigners(
  fields: Readonly<Record<string, unknown>>,
  where: string,
  base: string,
): Pick<TrustedIssuer, 'certificates' | 'authorities' | 'subject'> {
  const pems = (name: string): readonly string[] => {
    const paths = fields[name] === undefined ? [] : strings(fields[name]);
    if (!paths) throw new Error(`${name}, a list of PEM files, in ${where}`);
    return paths.flatMap((path) => readCertificates(resolve(base, path), where));
  };
  const [certificates, authorities] = [pems('certificates'), pems('ca')];
  const { subject = null } = fields;
  if (certificates.length + authorities.length === 0) throw new Error(`certificates, a list of PEM files, in ${where}`);
  if (authorities.some((pem) => !new X509Certificate(pem).ca))
    throw new Error(`certificates of authorities as ca of ${where}`);
  if (authorities.length > 0 && (typeof subject !== 'string' || subject.trim() === ''))
    throw new Error(`beside ca the name of the signer (common, DNS or URI name) as subject of ${where}`);
  return { certificates, authorities, subject: typeof subject === 'string' ? subject.trim() : null };
}

/** One text or a list of them, none empty; null: it is something else. */
function strings(value: unknown): readonly string[] | null {
  const list: readonly unknown[] = Array.isArray(value) ? value : [value];
  const texts = list.filter((one): one is string => typeof one === 'string' && one.trim() !== '');
  return list.length > 0 && texts.length === list.length ? texts.map((one) => one.trim()) : null;
}

function readRoles(value: unknown, site: string | null, where: string): ReadonlyMap<string, Role> {
  if (value === null) return new Map(CLINICIANS.map((code) => [code, 'query-platform']));
  const pairs = typeof value === 'object' && !Array.isArray(value) ? Object.entries(value) : [];
  if (pairs.length === 0 || !pairs.every((pair): pair is [string, Role] => GIVEN.has(pair[1])))
    throw new Error(`role codes with query-platform or hospital-feed as roles of ${where}`);
  if (site === null && pairs.some(([, role]) => role === 'hospital-feed'))
    throw new Error(`a site in ${where}: its users send for one hospital`);
  return new Map(pairs);
}

function readCertificates(path: string, where: string): string[] {
  const blocks = text(path, `a certificate of ${where}`).match(
    /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g,
  );
  for (const pem of blocks ?? []) {
    let details: { readonly modulusLength?: number } | undefined;
    let kind: string | undefined;
    try {
      const key = new X509Certificate(pem).publicKey;
      [kind, details] = [key.asymmetricKeyType, key.asymmetricKeyDetails];
    } catch (error) {
      throw new Error(`PEM certificates; one of ${where} is broken`, { cause: error });
    }
    if (!['rsa', 'rsa-pss', 'ec'].includes(kind ?? '') || (details?.modulusLength ?? 2_048) < 2_048)
      throw new Error(`certificates with RSA keys of 2048 bits or EC keys; one of ${where} has neither`);
  }
  if (!blocks) throw new Error(`PEM certificates; a file of ${where} has none`);
  return blocks;
}
