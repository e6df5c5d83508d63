/**
 * SOAP 1.2 envelopes with WS-Addressing 1.0, read and written the same way for every XDS transaction. What is wrong with
 * an envelope comes back as the fault that the standards prescribe for it, never as an exception.
 */
import { childNamed, childrenNamed, is, xml } from './xml.ts';
import type { XmlElement } from './xml.ts';

export const SOAP = 'http://www.w3.org/2003/05/soap-envelope';
export const WSA = 'http://www.w3.org/2005/08/addressing';
const ANONYMOUS = `${WSA}/anonymous`;
export const WSSE = 'http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd';
/** The roles that an ultimate receiver plays (SOAP 1.2 Part 1 §2.2); `` stands for none told. */
export const SOAP_ROLES: ReadonlySet<string> = new Set([`${SOAP}/role/next`, `${SOAP}/role/ultimateReceiver`, '']);

export interface SoapFault {
  readonly code: 'VersionMismatch' | 'MustUnderstand' | 'Sender' | 'Receiver';
  /**
   * WS-Addressing SOAP Binding §6.4: subcode and sub-subcode, local names in the wsa namespace; or those of WSS 1.1.1 §12,
   * with their prefix `wsse:` or `wsu:`.
   */
  readonly subcodes: readonly string[];
  readonly reason: string;
  /** XML for env:Detail. */
  readonly detail?: string;
  /** XML for env:Header: NotUnderstood and Upgrade blocks. */
  readonly header?: string;
  /** Of HTTP, where it is not that of the code. */
  readonly status?: number;
}

export interface SoapMessage {
  readonly action: string;
  readonly messageId: string | null;
  readonly body: XmlElement;
  /** The wsse:Security header, where there is one: authentication is not this file's business. */
  readonly security: XmlElement | null;
}

export type SoapRead =
  | { readonly ok: true; readonly message: SoapMessage }
  | { readonly ok: false; readonly fault: SoapFault; readonly messageId: string | null };

export const senderFault = (reason: string, subcodes: readonly string[] = [], detail?: string): SoapFault =>
  detail === undefined ? { code: 'Sender', subcodes, reason } : { code: 'Sender', subcodes, reason, detail };

export const receiverFault = (reason: string): SoapFault => ({ code: 'Receiver', subcodes: [], reason });

const aboutHeader = (name: string): string =>
  `<wsa:ProblemHeaderQName xmlns:wsa="${WSA}">wsa:${name}</wsa:ProblemHeaderQName>`;

/** Reads a request. `httpAction` is the `action` parameter of the Content-Type, where given; `actions` are those served. */
export function readEnvelope(root: XmlElement, httpAction: string | null, actions: readonly string[]): SoapRead {
  if (root.name !== 'Envelope' || root.namespace !== SOAP)
    return { ok: false, fault: versionMismatch(root), messageId: null };
  const header = childNamed(root, SOAP, 'Header');
  const blocks = header?.children ?? [];
  const messageId = blocks.find((block) => is(block, WSA, 'MessageID'))?.text.trim() ?? null;
  const refuse = (fault: SoapFault): SoapRead => ({ ok: false, fault, messageId });
  const bodies = childrenNamed(root, SOAP, 'Body');
  const body = bodies[0]?.children[0];
  const strange = root.children.some((child) => !is(child, SOAP, 'Header') && !is(child, SOAP, 'Body'));
  if (strange || bodies.length !== 1 || (bodies[0]?.children.length ?? 0) > 1)
    return refuse(senderFault('The Envelope must have at most one Header and exactly one Body with one element.'));
  const unknown = blocks.find((block) => !understood(block) && mandatory(block));
  if (unknown) return refuse(notUnderstood(unknown));
  const addressing = checkAddressing(blocks, httpAction, actions);
  if ('reason' in addressing) return refuse(addressing);
  if (!body) return refuse(senderFault('The Body is empty.'));
  const security = blocks.find((block) => is(block, WSSE, 'Security')) ?? null;
  return { ok: true, message: { action: addressing.action, messageId, body, security } };
}

const understood = (block: XmlElement): boolean => block.namespace === WSA || is(block, WSSE, 'Security');

/** SOAP 1.2 Part 1 §5.2.3: xs:boolean, so both `1` and `true`; only for roles that an ultimate receiver plays (§2.2). */
function mandatory(block: XmlElement): boolean {
  const flag = block.attributes.get(`{${SOAP}}mustUnderstand`)?.trim();
  return (flag === '1' || flag === 'true') && SOAP_ROLES.has(block.attributes.get(`{${SOAP}}role`)?.trim() ?? '');
}

function checkAddressing(
  blocks: readonly XmlElement[],
  httpAction: string | null,
  actions: readonly string[],
): { action: string } | SoapFault {
  for (const name of ['Action', 'MessageID', 'To', 'ReplyTo', 'FaultTo', 'From'])
    if (blocks.filter((block) => is(block, WSA, name)).length > 1)
      return senderFault(
        `The header wsa:${name} stands more than once.`,
        ['InvalidAddressingHeader', 'InvalidCardinality'],
        aboutHeader(name),
      );
  const action = blocks.find((block) => is(block, WSA, 'Action'))?.text.trim() ?? '';
  if (action === '')
    return senderFault(
      'The header wsa:Action is required.',
      ['MessageAddressingHeaderRequired'],
      aboutHeader('Action'),
    );
  if (httpAction !== null && httpAction !== '' && httpAction !== action)
    return senderFault(
      'The action of the Content-Type and wsa:Action differ.',
      ['InvalidAddressingHeader', 'ActionMismatch'],
      aboutHeader('Action'),
    );
  for (const name of ['ReplyTo', 'FaultTo']) {
    const reply = blocks.find((block) => is(block, WSA, name));
    const address = reply ? (childNamed(reply, WSA, 'Address')?.text.trim() ?? '') : ANONYMOUS;
    if (reply && address === '')
      return senderFault(
        `The header wsa:${name} has no Address.`,
        ['InvalidAddressingHeader', 'MissingAddressInEPR'],
        aboutHeader(name),
      );
    if (address !== ANONYMOUS)
      return senderFault(
        'Only the anonymous address is answered: replies go back on the same connection.',
        ['InvalidAddressingHeader', 'OnlyAnonymousAddressSupported'],
        aboutHeader(name),
      );
  }
  if (!actions.includes(action))
    return senderFault(
      'This action is not served here.',
      ['ActionNotSupported'],
      `<wsa:ProblemAction xmlns:wsa="${WSA}"><wsa:Action>${xml(action)}</wsa:Action></wsa:ProblemAction>`,
    );
  return { action };
}

/** SOAP 1.2 Part 1 §5.4.7: what is supported is told in an Upgrade block. */
function versionMismatch(root: XmlElement): SoapFault {
  const envelope = root.name === 'Envelope';
  return {
    code: envelope ? 'VersionMismatch' : 'Sender',
    subcodes: [],
    reason: envelope ? 'Only SOAP 1.2 is served.' : 'The message is not a SOAP envelope.',
    header: `<env:Upgrade><env:SupportedEnvelope xmlns:ns1="${SOAP}" qname="ns1:Envelope"/></env:Upgrade>`,
  };
}

/** SOAP 1.2 Part 1 §5.4.8. */
function notUnderstood(block: XmlElement): SoapFault {
  const prefixed =
    block.namespace === ''
      ? `qname="${xml(block.name)}"`
      : `xmlns:ns1="${xml(block.namespace)}" qname="ns1:${xml(block.name)}"`;
  return {
    code: 'MustUnderstand',
    subcodes: [],
    reason: 'A header that must be understood is not understood here.',
    header: `<env:NotUnderstood ${prefixed}/>`,
  };
}

/** The HTTP status of each fault: SOAP 1.2 Part 2 §7.5.2.2 table 20. */
export const faultStatus = (fault: SoapFault): number => fault.status ?? (fault.code === 'Sender' ? 400 : 500);

export function writeEnvelope(
  headers: { readonly action: string; readonly relatesTo: string | null; readonly messageId: string },
  body: string,
): string {
  return envelope(headers, '', body);
}

export function writeFault(
  fault: SoapFault,
  headers: { readonly relatesTo: string | null; readonly messageId: string },
): string {
  const nested = fault.subcodes.reduceRight((inner, code) => `<env:Subcode>${subcode(code)}${inner}</env:Subcode>`, '');
  const detail = fault.detail === undefined ? '' : `<env:Detail>${fault.detail}</env:Detail>`;
  // WS-Addressing SOAP Binding §6: its own faults and those of SOAP have different actions.
  const action = fault.subcodes.some((code) => !code.includes(':')) ? `${WSA}/fault` : `${WSA}/soap/fault`;
  const body = `<env:Fault><env:Code><env:Value>env:${fault.code}</env:Value>${nested}</env:Code><env:Reason><env:Text xml:lang="en">${xml(fault.reason)}</env:Text></env:Reason>${detail}</env:Fault>`;
  return envelope({ ...headers, action }, fault.header ?? '', body);
}

const SECURITY_NAMESPACES: Readonly<Record<string, string>> = {
  wsse: WSSE,
  wsu: WSSE.replace('secext', 'utility'),
};

function subcode(code: string): string {
  const [prefix = '', name] = code.split(':');
  if (name === undefined) return `<env:Value>wsa:${code}</env:Value>`;
  return `<env:Value xmlns:${prefix}="${SECURITY_NAMESPACES[prefix] ?? ''}">${code}</env:Value>`;
}

function envelope(
  headers: { action: string; relatesTo: string | null; messageId: string },
  blocks: string,
  body: string,
): string {
  const relates = headers.relatesTo === null ? '' : `<wsa:RelatesTo>${xml(headers.relatesTo)}</wsa:RelatesTo>`;
  return (
    `<?xml version="1.0" encoding="UTF-8"?><env:Envelope xmlns:env="${SOAP}" xmlns:wsa="${WSA}"><env:Header>` +
    `<wsa:Action env:mustUnderstand="true">${xml(headers.action)}</wsa:Action><wsa:MessageID>${xml(headers.messageId)}</wsa:MessageID>` +
    `<wsa:To>${ANONYMOUS}</wsa:To>${relates}${blocks}</env:Header><env:Body>${body}</env:Body></env:Envelope>`
  );
}
