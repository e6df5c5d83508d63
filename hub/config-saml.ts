/**
 * HUB_SAML_IDPS: hospitals whose identity providers sign people on, as YAML or as the path of a YAML file, with their
 * metadata read, so that what cannot be used stops the start and not the first user.
 */
import { createPrivateKey, X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { parse } from 'yaml';
import type { PersonRole } from './core/access.ts';
import { siteId } from './core/identifier.ts';
import { GIVEN_BY_HOSPITALS, isOfCitizens } from './core/identity-provider.ts';
import type { IdentityProvider } from './core/identity-provider.ts';
import { institutionCode } from './core/institution.ts';

const ID = /^[a-z0-9][a-z0-9-]{0,31}$/;
const KNOWN = ['id', 'name', 'nameEn', 'institution', 'site', 'metadata', 'secondFactor', 'attributes', 'roles'];
const MORE = ['defaultRole', 'provision', 'signedResponse'];
const ATTRIBUTES = ['login', 'name', 'department', 'practitionerId', 'roles', 'residentId'] as const;
const FORM = '{ id, name, metadata, secondFactor, attributes, roles }';

type Fields = Readonly<Record<string, unknown>>;

/** Throws an Error that says what the value takes. */
export function readProviders(value: string): readonly IdentityProvider[] {
  const inFile = !/[\n\r{[]/.test(value) && /\.ya?ml$/i.test(value);
  const base = inFile ? dirname(resolve(value)) : process.cwd();
  let list: unknown;
  try {
    list = parse(inFile ? text(value, 'the YAML file') : value, { maxAliasCount: 0 });
  } catch (error) {
    throw new Error(`YAML: a list of ${FORM}`, { cause: error });
  }
  if (!Array.isArray(list) || list.length === 0) throw new Error(`a YAML list of ${FORM}`);
  const providers = list.map((entry: unknown, at) => readProvider(entry, `entry ${String(at + 1)}`, base));
  if (new Set(providers.map(({ id }) => id)).size < providers.length) throw new Error('a list that has each id once');
  return Object.freeze(providers);
}

/** PEM of the hub's own key and certificate as a service provider: RSA, since assertions are encrypted to it. */
export function readKeys(
  keyPath: string,
  certificatePath: string,
): { readonly key: string; readonly certificate: string } {
  const [key, certificate] = [text(keyPath, 'the key'), text(certificatePath, 'the certificate')];
  let fits: boolean;
  try {
    const own = createPrivateKey(key);
    fits = own.asymmetricKeyType === 'rsa' && new X509Certificate(certificate).checkPrivateKey(own);
  } catch (error) {
    throw new Error('PEM files of an RSA key and its certificate', { cause: error });
  }
  if (!fits) throw new Error('PEM files of an RSA key and its certificate');
  return { key, certificate };
}

function text(path: string, what: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    throw new Error(`paths of files that can be read; ${what} cannot`, { cause: error });
  }
}

const isRole = (value: unknown): value is PersonRole => GIVEN_BY_HOSPITALS.some((role) => role === value);

function readProvider(entry: unknown, where: string, base: string): IdentityProvider {
  if (typeof entry !== 'object' || entry === null) throw new Error(`${FORM} as ${where}`);
  const fields = entry as Fields;
  if (Object.keys(fields).some((name) => ![...KNOWN, ...MORE].includes(name)))
    throw new Error(`no other members than ${[...KNOWN, ...MORE].join(', ')} in ${where}`);
  const optional = (name: string): string | null => {
    const value = fields[name] ?? null;
    if (value !== null && (typeof value !== 'string' || value.trim() === ''))
      throw new Error(`text as ${name} of ${where}`);
    return value === null ? null : value.trim();
  };
  const required = (name: string): string => {
    const value = optional(name);
    if (value === null) throw new Error(`${name} in ${where}`);
    return value;
  };
  const id = required('id');
  const site = optional('site');
  if (!ID.test(id) || (site !== null && !ID.test(site)))
    throw new Error(`small letters, digits and dashes as id and site of ${where}`);
  const { provision = 'approved', signedResponse = false, defaultRole = null } = fields;
  if (provision !== 'approved' && provision !== 'review')
    throw new Error(`approved or review as provision of ${where}`);
  if (typeof signedResponse !== 'boolean') throw new Error(`true or false as signedResponse of ${where}`);
  if (defaultRole !== null && defaultRole !== 'patient' && !isRole(defaultRole))
    throw new Error(`${GIVEN_BY_HOSPITALS.join(', ')} or patient as defaultRole of ${where}`);
  const roles = readRoles(fields['roles'] ?? {}, where);
  if (site === null && [...roles.values(), defaultRole].includes('interface-engineer'))
    throw new Error(`a site in ${where}: its interface engineers are bound to it`);
  const institution = optional('institution');
  const nameEn = optional('nameEn');
  const provider = Object.freeze({
    id,
    name: required('name'),
    ...(nameEn === null ? {} : { nameEn }),
    institution: institution === null ? null : institutionCode(institution),
    site: site === null ? null : siteId(site),
    metadata: text(resolve(base, required('metadata')), `the metadata of ${where}`),
    secondFactor: readSecondFactor(fields['secondFactor'], where),
    attributes: readAttributes(fields['attributes'] ?? {}, where),
    roles,
    defaultRole,
    provision,
    signedResponse,
  });
  checkCitizens(provider, where);
  return provider;
}

/** A provider for citizens signs on patients and nobody else, and says by number and name who they are. */
function checkCitizens(provider: IdentityProvider, where: string): void {
  const { attributes, roles, institution, site, secondFactor, provision } = provider;
  if (!isOfCitizens(provider)) {
    if (attributes.residentId !== null) throw new Error(`defaultRole: patient beside residentId of ${where}`);
    return;
  }
  if (attributes.residentId === null || attributes.name === null)
    throw new Error(`residentId and name in attributes of ${where}: its people are patients`);
  if (roles.size > 0 || attributes.roles !== null || institution !== null || site !== null || provision !== 'approved')
    throw new Error(`no roles, institution, site or review in ${where}: its people are patients`);
  // Patients have no device enrolled here; how they were verified is what the province trusts the provider for.
  if (secondFactor !== 'idp') throw new Error(`idp as secondFactor of ${where}: its people are patients`);
}

/** Never assumed: whoever writes the list says who asks for the second factor (GB/T 22239 8.1.4.1 d). */
function readSecondFactor(value: unknown, where: string): IdentityProvider['secondFactor'] {
  if (value === 'idp' || value === 'hub') return value;
  const contexts: readonly unknown[] = Array.isArray(value) ? value : [];
  if (contexts.length === 0 || !contexts.every((one): one is string => typeof one === 'string' && one !== ''))
    throw new Error(`idp, hub or a list of AuthnContextClassRefs as secondFactor of ${where}`);
  return contexts;
}

function readAttributes(value: unknown, where: string): IdentityProvider['attributes'] {
  const told = typeof value === 'object' && value !== null && !Array.isArray(value) ? Object.entries(value) : null;
  const isGood = told?.every(([name, one]) => ATTRIBUTES.some((known) => known === name) && typeof one === 'string');
  if (told === null || isGood !== true)
    throw new Error(`names of attributes for ${ATTRIBUTES.join(', ')} as attributes of ${where}`);
  const names = new Map(told as [string, string][]);
  const of = (name: (typeof ATTRIBUTES)[number]): string | null => names.get(name) ?? null;
  return {
    login: of('login'),
    name: of('name'),
    department: of('department'),
    practitionerId: of('practitionerId'),
    roles: of('roles'),
    residentId: of('residentId'),
  };
}

function readRoles(value: unknown, where: string): ReadonlyMap<string, PersonRole> {
  const pairs = typeof value === 'object' && value !== null && !Array.isArray(value) ? Object.entries(value) : null;
  if (!pairs?.every((pair): pair is [string, PersonRole] => isRole(pair[1])))
    throw new Error(`values of the roles' attribute with ${GIVEN_BY_HOSPITALS.join(', ')} as roles of ${where}`);
  return new Map(pairs);
}
