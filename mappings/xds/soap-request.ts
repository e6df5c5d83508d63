/**
 * The other side of soap.ts: envelopes that the hub sends as a client, and the answers that come back. An answer that is
 * a fault, or belongs to another request, is a problem whose text is the hub's own: a peer's words may name a patient.
 */
import { fail, ok, problem } from '../../hub/core/problem.ts';
import type { Result } from '../../hub/core/problem.ts';
import { SOAP, WSA } from './soap.ts';
import { childNamed, childrenNamed, is, xml } from './xml.ts';
import type { XmlElement } from './xml.ts';

export interface RequestHeaders {
  readonly action: string;
  readonly messageId: string;
  /** The address that is called. */
  readonly to: string;
  /** XML of further header blocks. */
  readonly blocks?: string;
}

export function writeRequest({ action, messageId, to, blocks = '' }: RequestHeaders, body: string): string {
  return (
    `<?xml version="1.0" encoding="UTF-8"?><env:Envelope xmlns:env="${SOAP}" xmlns:wsa="${WSA}"><env:Header>` +
    `<wsa:Action env:mustUnderstand="true">${xml(action)}</wsa:Action><wsa:MessageID>${xml(messageId)}</wsa:MessageID>` +
    `<wsa:ReplyTo><wsa:Address>${WSA}/anonymous</wsa:Address></wsa:ReplyTo><wsa:To env:mustUnderstand="true">${xml(to)}</wsa:To>` +
    `${blocks}</env:Header><env:Body>${body}</env:Body></env:Envelope>`
  );
}

/** The one element of the Body. Actions of answers are not compared: the field writes several (WIRE §1). */
export function readReply(root: XmlElement, messageId: string): Result<XmlElement> {
  const body = childNamed(root, SOAP, 'Body');
  if (!is(root, SOAP, 'Envelope') || !body)
    return fail(problem('malformed', 'Envelope', 'The answer is not a SOAP 1.2 envelope.'));
  const [content, ...more] = body.children;
  if (is(content, SOAP, 'Fault') && content)
    return fail(
      problem(
        isSender(content) ? 'precondition' : 'unavailable',
        'Fault',
        `The peer answered with a fault: ${codes(content)}.`,
      ),
    );
  const header = childNamed(root, SOAP, 'Header');
  const relates = header ? (childNamed(header, WSA, 'RelatesTo')?.text.trim() ?? '') : '';
  if (relates !== '' && relates !== messageId)
    return fail(problem('conflict', 'RelatesTo', 'The answer belongs to another request.'));
  if (!content || more.length > 0)
    return fail(problem('malformed', 'Body', 'The Body of the answer must have exactly one element.'));
  return ok(content);
}

const valueOf = (code: XmlElement): string => {
  const value = childNamed(code, SOAP, 'Value')?.text.trim() ?? '';
  const local = value.slice(value.indexOf(':') + 1);
  return /^[A-Za-z]{1,64}$/.test(local) ? local : 'unknown';
};

const isSender = (fault: XmlElement): boolean =>
  childrenNamed(fault, SOAP, 'Code').some((code) =>
    ['Sender', 'MustUnderstand', 'VersionMismatch'].includes(valueOf(code)),
  );

/** `Sender/ActionNotSupported`: codes only, never the reason. */
function codes(fault: XmlElement): string {
  const list: string[] = [];
  let at = childNamed(fault, SOAP, 'Code');
  for (let depth = 0; at && depth < 4; depth++) {
    list.push(valueOf(at));
    at = childNamed(at, SOAP, 'Subcode');
  }
  return list.join('/');
}
