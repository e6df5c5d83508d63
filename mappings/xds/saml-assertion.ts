/**
 * A SAML 2.0 assertion (SAML Core §2) with the attributes of IHE XUA (ITI TF-2 §3.40), read from the very bytes that its
 * signature covers. Judging it (time, audience, trust) is hub/security's business.
 */
import type { CodedValue } from '../../hub/core/access.ts';
import { childNamed, childrenNamed, is } from './xml.ts';
import type { XmlElement } from './xml.ts';
import { SAML } from './security-header.ts';
import { DS } from './xml-signature.ts';

const HL7 = 'urn:hl7-org:v3';
const DSIG11 = 'http://www.w3.org/2009/xmldsig11#';
const XSI = 'http://www.w3.org/2001/XMLSchema-instance';
const DELEGATION = 'urn:oasis:names:tc:SAML:2.0:conditions:delegation';
const METHODS = 'urn:oasis:names:tc:SAML:2.0:cm:';
const MAX_TEXT = 1_000;
const MAX_VALUES = 50;

/** Public key of a holder-of-key confirmation: as JWK members, or a certificate in DER. */
export type ConfirmationKey =
  | { readonly kind: 'jwk'; readonly jwk: Readonly<Record<string, string>> }
  | { readonly kind: 'certificate'; readonly der: Buffer };

export interface SubjectConfirmation {
  readonly method: 'bearer' | 'holder-of-key' | 'other';
  readonly notBefore: number | null;
  readonly notOnOrAfter: number | null;
  readonly keys: readonly ConfirmationKey[];
  /** SAML Profiles §4.1.4.2: to whom and in answer to what it was given. */
  readonly recipient: string | null;
  readonly inResponseTo: string | null;
}

/** Times in milliseconds since 1970. */
export interface Assertion {
  readonly id: string;
  readonly issuer: string;
  readonly issuedAt: number;
  readonly nameId: string;
  readonly nameIdFormat: string | null;
  /** By which the issuer knows the user's session. */
  readonly sessionIndex: string | null;
  /** AuthnContextClassRefs: how the user was seen to be the user. */
  readonly contexts: readonly string[];
  /** Texts of every attribute, by Name and by FriendlyName. */
  readonly attributes: ReadonlyMap<string, readonly string[]>;
  readonly confirmations: readonly SubjectConfirmation[];
  readonly notBefore: number | null;
  readonly notOnOrAfter: number | null;
  /** Of each AudienceRestriction: this receiver must be in all of them. */
  readonly audiences: readonly (readonly string[])[];
  readonly oneTimeUse: boolean;
  /** SAML Core §2.5.1.1: with a condition that is not understood the validity cannot be told. */
  readonly strangeCondition: boolean;
  /** Who acts in the subject's place, as the issuer allowed it (SAML V2.0 Condition for Delegation Restriction). */
  readonly delegates: readonly string[];
  readonly authentications: readonly { readonly instant: number; readonly until: number | null }[];
  readonly subjectId: string | null;
  readonly organization: string | null;
  readonly organizationId: string | null;
  readonly homeCommunityId: string | null;
  readonly roles: readonly CodedValue[];
  readonly purposes: readonly CodedValue[];
  /** CX of the patients for whom it was issued. */
  readonly patientIds: readonly string[];
  /** Patient privacy policies that the sender points to (XUA options). */
  readonly policies: readonly string[];
}

/** A string says what is wrong with the form of it. `hidden`: the NameID of an EncryptedID of the subject, opened. */
export function readAssertion(root: XmlElement, hidden?: XmlElement): Assertion | string {
  const one = (name: string): XmlElement | null => {
    const found = childrenNamed(root, SAML, name);
    return found.length === 1 ? (found[0] ?? null) : null;
  };
  const id = root.attributes.get('ID') ?? '';
  // xs:ID would be an NCName; field senders put a bare UUID, which may begin with a digit.
  if (!is(root, SAML, 'Assertion') || !/^[\p{L}\p{N}_][\p{L}\p{N}\p{M}._-]{0,255}$/u.test(id))
    return 'The assertion has no usable ID.';
  if (root.attributes.get('Version') !== '2.0') return 'The Version of the assertion must be 2.0.';
  const issuer = one('Issuer')?.text.trim() ?? '';
  const subject = one('Subject');
  const nameId = (subject && childNamed(subject, SAML, 'NameID')) ?? hidden;
  const user = nameId?.text.trim() ?? '';
  if (issuer === '' || !subject || user === '' || user.length > MAX_TEXT || nameId?.children.length !== 0)
    return 'The assertion needs an Issuer and a Subject with a NameID that can be read.';
  if (childrenNamed(root, SAML, 'Conditions').length > 1) return 'The assertion has more than one Conditions.';
  const conditions = one('Conditions');
  const attributes = readAttributes(root);
  if (attributes === null) return 'The assertion has too many attributes, or encrypted ones.';
  const text = (name: string): string | null => attributes.texts(name)[0] ?? null;
  const statements = childrenNamed(root, SAML, 'AuthnStatement');
  const read: Assertion = {
    id,
    issuer,
    issuedAt: time(root, 'IssueInstant') ?? NaN,
    nameId: user,
    nameIdFormat: nameId.attributes.get('Format') ?? null,
    sessionIndex: statements[0]?.attributes.get('SessionIndex') ?? null,
    contexts: statements.flatMap(contextsOf),
    attributes: attributes.all,
    confirmations: childrenNamed(subject, SAML, 'SubjectConfirmation').slice(0, 10).map(readConfirmation),
    ...readConditions(conditions),
    authentications: statements.map(readAuthentication),
    subjectId: text('urn:oasis:names:tc:xspa:1.0:subject:subject-id'),
    organization: text('urn:oasis:names:tc:xspa:1.0:subject:organization'),
    organizationId: text('urn:oasis:names:tc:xspa:1.0:subject:organization-id'),
    homeCommunityId: text('urn:ihe:iti:xca:2010:homeCommunityId'),
    roles: attributes.codes('urn:oasis:names:tc:xacml:2.0:subject:role'),
    purposes: attributes.codes('urn:oasis:names:tc:xspa:1.0:subject:purposeofuse'),
    patientIds: attributes.texts('urn:oasis:names:tc:xacml:2.0:resource:resource-id'),
    policies: [...attributes.texts('urn:ihe:iti:xua:2012:acp'), ...attributes.texts('urn:ihe:iti:bppc:2007:docid')],
  };
  return timesOf(read).some((value) => Number.isNaN(value)) ? 'A time of the assertion is not an xs:dateTime.' : read;
}

const timesOf = (read: Assertion): (number | null)[] => [
  read.issuedAt,
  read.notBefore,
  read.notOnOrAfter,
  ...read.confirmations.flatMap((one) => [one.notBefore, one.notOnOrAfter]),
  ...read.authentications.flatMap((one) => [one.instant, one.until]),
];

/** xs:dateTime; one without a zone is UTC, as SAML Core §1.3.3 prescribes. NaN: it is none; null: it is absent. */
export function dateTime(text: string | undefined): number | null {
  if (text === undefined) return null;
  const match = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(\.\d{1,12})?(Z|[+-]\d\d:\d\d)?$/.exec(text.trim());
  return match ? Date.parse(`${match[1] ?? ''}${(match[2] ?? '').slice(0, 4)}${match[3] ?? 'Z'}`) : NaN;
}

const time = (element: XmlElement | undefined, name: string): number | null => dateTime(element?.attributes.get(name));

function readConditions(
  conditions: XmlElement | null,
): Pick<Assertion, 'notBefore' | 'notOnOrAfter' | 'audiences' | 'oneTimeUse' | 'strangeCondition' | 'delegates'> {
  const children = conditions?.children ?? [];
  const known = ['AudienceRestriction', 'OneTimeUse', 'ProxyRestriction'];
  return {
    notBefore: time(conditions ?? undefined, 'NotBefore'),
    notOnOrAfter: time(conditions ?? undefined, 'NotOnOrAfter'),
    audiences: children
      .filter((child) => is(child, SAML, 'AudienceRestriction'))
      .map((restriction) => childrenNamed(restriction, SAML, 'Audience').map((audience) => audience.text.trim())),
    oneTimeUse: children.some((child) => is(child, SAML, 'OneTimeUse')),
    strangeCondition: children.some(
      (child) => child.namespace !== SAML || (!known.includes(child.name) && delegatesOf(child).length === 0),
    ),
    delegates: children.flatMap(delegatesOf).slice(0, MAX_VALUES),
  };
}

/** The NameIDs of a DelegationRestriction; none where the condition is another, or one of them has none. */
function delegatesOf(condition: XmlElement): string[] {
  const type = condition.attributes.get(`{${XSI}}type`)?.trim().split(':').at(-1);
  if (!is(condition, SAML, 'Condition') || type !== 'DelegationRestrictionType') return [];
  const names = condition.children.map((child) =>
    is(child, DELEGATION, 'Delegate') ? (childNamed(child, SAML, 'NameID')?.text.trim() ?? '') : '',
  );
  return names.every((name) => name !== '' && name.length <= MAX_TEXT) ? names : [];
}

/** SAML Core §2.7.2: an instant, and a context that says by class or declaration how it was done. */
function readAuthentication(statement: XmlElement): Assertion['authentications'][number] {
  const context = childNamed(statement, SAML, 'AuthnContext');
  const names = ['AuthnContextClassRef', 'AuthnContextDecl', 'AuthnContextDeclRef'];
  const told = context?.children.some(
    (child) =>
      child.namespace === SAML &&
      names.includes(child.name) &&
      (child.text.trim() !== '' || child.name === 'AuthnContextDecl'),
  );
  const instant = told === true ? time(statement, 'AuthnInstant') : null;
  return { instant: instant ?? NaN, until: time(statement, 'SessionNotOnOrAfter') };
}

const contextsOf = (statement: XmlElement): string[] => {
  const context = childNamed(statement, SAML, 'AuthnContext');
  return context ? childrenNamed(context, SAML, 'AuthnContextClassRef').map((one) => one.text.trim()) : [];
};

function readConfirmation(element: XmlElement): SubjectConfirmation {
  const method = element.attributes.get('Method') ?? '';
  const data = childNamed(element, SAML, 'SubjectConfirmationData');
  const kind =
    method === `${METHODS}bearer` ? 'bearer' : method === `${METHODS}holder-of-key` ? 'holder-of-key' : 'other';
  return {
    method: kind,
    notBefore: time(data, 'NotBefore'),
    notOnOrAfter: time(data, 'NotOnOrAfter'),
    recipient: data?.attributes.get('Recipient') ?? null,
    inResponseTo: data?.attributes.get('InResponseTo') ?? null,
    keys: data ? childrenNamed(data, DS, 'KeyInfo').slice(0, 4).flatMap(keysOf) : [],
  };
}

/** xmldsig-core1 §4.5: RSA and EC key values, and certificates. */
function keysOf(info: XmlElement): ConfirmationKey[] {
  const url = (element: XmlElement | undefined): string =>
    (element?.text ?? '').replace(/[\s=]/g, '').replaceAll('+', '-').replaceAll('/', '_');
  return info.children.slice(0, 8).flatMap((child): ConfirmationKey[] => {
    if (is(child, DS, 'X509Data'))
      return childrenNamed(child, DS, 'X509Certificate').map((one) => ({
        kind: 'certificate',
        der: Buffer.from(one.text.slice(0, 16_384), 'base64'),
      }));
    if (!is(child, DS, 'KeyValue')) return [];
    const rsa = childNamed(child, DS, 'RSAKeyValue');
    if (rsa) {
      const jwk = { kty: 'RSA', n: url(childNamed(rsa, DS, 'Modulus')), e: url(childNamed(rsa, DS, 'Exponent')) };
      return [{ kind: 'jwk', jwk }];
    }
    const ec = childNamed(child, DSIG11, 'ECKeyValue');
    return ec ? ecKey(ec) : [];
  });
}

const CURVES: ReadonlyMap<string, readonly [name: string, bytes: number]> = new Map([
  ['urn:oid:1.2.840.10045.3.1.7', ['P-256', 32]],
  ['urn:oid:1.3.132.0.34', ['P-384', 48]],
  ['urn:oid:1.3.132.0.35', ['P-521', 66]],
]);

/** The point is uncompressed: 04, x, y (SEC 1 §2.3.3). */
function ecKey(value: XmlElement): ConfirmationKey[] {
  const curve = CURVES.get(childNamed(value, DSIG11, 'NamedCurve')?.attributes.get('URI') ?? '');
  const point = Buffer.from(childNamed(value, DSIG11, 'PublicKey')?.text.slice(0, 1_000) ?? '', 'base64');
  if (!curve || point.length !== 1 + 2 * curve[1] || point[0] !== 4) return [];
  const [crv, size] = curve;
  const x = point.subarray(1, 1 + size).toString('base64url');
  const y = point.subarray(1 + size).toString('base64url');
  return [{ kind: 'jwk', jwk: { kty: 'EC', crv, x, y } }];
}

/** An HL7 v3 II as the text it stands for: CX, or the OID alone. */
function instanceId(value: XmlElement): string | null {
  const id = value.children.find((child) => child.namespace === HL7 && child.attributes.has('root'));
  const extension = id?.attributes.get('extension');
  const root = id?.attributes.get('root') ?? '';
  return id ? (extension === undefined ? root : `${extension}^^^&${root}&ISO`) : null;
}

interface Attributes {
  readonly all: ReadonlyMap<string, readonly string[]>;
  texts(name: string): string[];
  codes(name: string): CodedValue[];
}

function readAttributes(root: XmlElement): Attributes | null {
  const statements = childrenNamed(root, SAML, 'AttributeStatement');
  if (statements.some((one) => one.children.some((child) => is(child, SAML, 'EncryptedAttribute')))) return null;
  const attributes = statements.flatMap((one) => childrenNamed(one, SAML, 'Attribute'));
  if (attributes.length > 200) return null;
  const values = (name: string): XmlElement[] =>
    attributes
      // XSPA writes purposeofuse, some senders purposeOfUse.
      .filter((one) => one.attributes.get('Name')?.toLowerCase() === name.toLowerCase())
      .flatMap((one) => childrenNamed(one, SAML, 'AttributeValue'))
      .slice(0, MAX_VALUES);
  const clean = (text: string): string => text.replace(/\s+/g, ' ').trim().slice(0, MAX_TEXT);
  const all = new Map<string, string[]>();
  for (const one of attributes)
    for (const name of new Set([one.attributes.get('Name'), one.attributes.get('FriendlyName')])) {
      const texts = childrenNamed(one, SAML, 'AttributeValue')
        .slice(0, MAX_VALUES)
        .map((value) => clean(value.text));
      if (name !== undefined) all.set(name, [...(all.get(name) ?? []), ...texts.filter((text) => text !== '')]);
    }
  return {
    all,
    texts: (name) =>
      values(name)
        .map((one) => clean(instanceId(one) ?? one.text))
        .filter((text) => text !== ''),
    codes: (name) =>
      values(name).flatMap((one): CodedValue[] => {
        const coded = [one, ...one.children.filter((child) => child.namespace === HL7)].find((element) =>
          element.attributes.has('code'),
        );
        const code = clean(coded?.attributes.get('code') ?? one.text);
        const system = clean(coded?.attributes.get('codeSystem') ?? '').replace(/^urn:oid:/, '');
        return code === '' ? [] : [{ code, system, display: clean(coded?.attributes.get('displayName') ?? '') }];
      }),
  };
}
