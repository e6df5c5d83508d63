/**
 * XML Signature as WS-Security and SAML 2.0 use it (W3C xmldsig-core1; SAML Core §5.4): one narrow profile, exclusive
 * canonical form and references by id only. Read here, verified with keys in hub/security. What lies outside is refused.
 */
import { createHash } from 'node:crypto';
import { childrenNamed, is } from './xml.ts';
import type { OpenXml, XmlElement } from './xml.ts';

export const DS = 'http://www.w3.org/2000/09/xmldsig#';
const EXCLUSIVE = 'http://www.w3.org/2001/10/xml-exc-c14n#';
const ENVELOPED = `${DS}enveloped-signature`;
const DIGESTS: ReadonlyMap<string, string> = new Map([
  ['http://www.w3.org/2001/04/xmlenc#sha256', 'sha256'],
  ['http://www.w3.org/2001/04/xmldsig-more#sha384', 'sha384'],
  ['http://www.w3.org/2001/04/xmlenc#sha512', 'sha512'],
]);
const MAX_REFERENCES = 8;
const MAX_PREFIXES = 32;

export interface SignatureReference {
  /** Without the `#`. */
  readonly id: string;
  readonly enveloped: boolean;
  readonly prefixes: readonly string[];
  readonly digest: string;
  readonly value: Buffer;
}

export interface XmlSignature {
  readonly element: XmlElement;
  readonly signedInfo: XmlElement;
  /** InclusiveNamespaces of SignedInfo's own canonical form. */
  readonly prefixes: readonly string[];
  /** URI of the signature method; which are good is for who holds the keys. */
  readonly method: string;
  readonly references: readonly SignatureReference[];
  readonly value: Buffer;
  readonly keyInfo: XmlElement | null;
}

/** What is wrong: with the form, or an algorithm that is not taken. */
export interface SignatureFlaw {
  readonly flaw: 'form' | 'algorithm';
  readonly text: string;
}

const form = (text: string): SignatureFlaw => ({ flaw: 'form', text });
const algorithm = (text: string): SignatureFlaw => ({ flaw: 'algorithm', text });

export function readSignature(element: XmlElement): XmlSignature | SignatureFlaw {
  const [signedInfo, value, keyInfo, ...more] = element.children;
  // ds:Object would be content that no digest of ours covers: the hiding place of wrapped assertions.
  if (!signedInfo || !is(signedInfo, DS, 'SignedInfo') || !value || !is(value, DS, 'SignatureValue'))
    return form('A signature has SignedInfo, SignatureValue and KeyInfo.');
  if ((keyInfo && !is(keyInfo, DS, 'KeyInfo')) || more.length > 0)
    return form('A signature holds something else than SignedInfo, SignatureValue and KeyInfo.');
  const [method, signatureMethod, ...references] = signedInfo.children;
  if (!method || !is(method, DS, 'CanonicalizationMethod') || !is(signatureMethod, DS, 'SignatureMethod'))
    return form('SignedInfo has CanonicalizationMethod, SignatureMethod and References.');
  if (method.attributes.get('Algorithm') !== EXCLUSIVE)
    return algorithm('The canonical form of SignedInfo must be Exclusive XML Canonicalization 1.0.');
  const prefixes = prefixesOf(method);
  if (prefixes === null) return form('InclusiveNamespaces is too long.');
  if (references.length === 0 || references.length > MAX_REFERENCES)
    return form(`A signature has 1 to ${String(MAX_REFERENCES)} references.`);
  const read: SignatureReference[] = [];
  for (const one of references) {
    const reference = readReference(one);
    if ('flaw' in reference) return reference;
    read.push(reference);
  }
  const signature = base64(value.text);
  if (!signature || value.children.length > 0) return form('SignatureValue is not base64.');
  return {
    element,
    signedInfo,
    prefixes,
    method: signatureMethod?.attributes.get('Algorithm') ?? '',
    references: read,
    value: signature,
    keyInfo: keyInfo ?? null,
  };
}

function readReference(element: XmlElement): SignatureReference | SignatureFlaw {
  if (!is(element, DS, 'Reference')) return form('SignedInfo holds something else than References.');
  const uri = element.attributes.get('URI') ?? '';
  // Neither the whole document (URI="") nor an XPointer: what is signed is named by its id.
  if (!/^#[^\s#'"()]{1,256}$/.test(uri)) return form('A reference must name an element by its id.');
  const [transforms, method, value, ...more] = element.children;
  if (!is(transforms, DS, 'Transforms') || !is(method, DS, 'DigestMethod') || !is(value, DS, 'DigestValue') || more[0])
    return form('A reference has Transforms, DigestMethod and DigestValue.');
  const chain = (transforms?.children ?? []).map((one) => one.attributes.get('Algorithm') ?? '');
  const strange = transforms?.children.some((one) => !is(one, DS, 'Transform')) ?? true;
  if (strange || !/^(enveloped )?exclusive$/.test(chain.map(short).join(' ')))
    return algorithm(
      'The transforms must be enveloped-signature and Exclusive XML Canonicalization 1.0, in this order.',
    );
  const prefixes = prefixesOf(transforms?.children.at(-1));
  if (prefixes === null) return form('InclusiveNamespaces is too long.');
  const digest = DIGESTS.get(method?.attributes.get('Algorithm') ?? '');
  if (digest === undefined) return algorithm('The digest must be SHA-256, SHA-384 or SHA-512.');
  const bytes = base64(value?.text ?? '');
  if (!bytes) return form('DigestValue is not base64.');
  return { id: uri.slice(1), enveloped: chain.length === 2, prefixes, digest, value: bytes };
}

const short = (uri: string): string => (uri === EXCLUSIVE ? 'exclusive' : uri === ENVELOPED ? 'enveloped' : '?');

function prefixesOf(method: XmlElement | undefined): readonly string[] | null {
  const list = method ? childrenNamed(method, EXCLUSIVE, 'InclusiveNamespaces') : [];
  const prefixes = list.flatMap((one) => (one.attributes.get('PrefixList') ?? '').split(/\s+/).filter(Boolean));
  return prefixes.length <= MAX_PREFIXES ? prefixes : null;
}

function base64(text: string): Buffer | null {
  const packed = text.replace(/[\t\n\r ]/g, '');
  return packed.length <= 16_384 && /^[A-Za-z0-9+/]+={0,2}$/.test(packed) ? Buffer.from(packed, 'base64') : null;
}

/** The bytes that the signature's key signed; null where the element has left the document. */
export const signedInfoBytes = (open: OpenXml, signature: XmlSignature): Buffer | null => {
  const text = open.canonical(signature.signedInfo, signature.prefixes);
  return text === null ? null : Buffer.from(text);
};

/**
 * The bytes of a referenced element if they have the digest that was signed, else null. Whoever reads what was signed
 * parses these bytes and nothing else. An enveloped signature is gone from the document afterwards.
 */
export function signedBytes(
  open: OpenXml,
  signature: XmlSignature,
  reference: SignatureReference,
  element: XmlElement,
): Buffer | null {
  const text = open.canonical(element, reference.prefixes, reference.enveloped ? signature.element : undefined);
  if (text === null) return null;
  const bytes = Buffer.from(text);
  return createHash(reference.digest).update(bytes).digest().equals(reference.value) ? bytes : null;
}
