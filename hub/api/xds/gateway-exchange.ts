/** What both gateways do with an exchange beside their own meaning: the audit, and answers without attachments. */
import type { EbrsError } from '../../../mappings/xds/ebrs-errors.ts';
import { answerBody } from './answer.ts';
import { auditable } from './own-community.ts';
import type { Share } from './own-community.ts';
import type { SoapExchange } from './soap-exchange.ts';

/** Audited before it leaves: whose documents were listed, and what was refused. */
export async function answerQuery(
  exchange: SoapExchange,
  action: string,
  body: string,
  persons: readonly string[],
  errors: readonly EbrsError[],
): Promise<void> {
  const reason = codesOf(errors);
  await exchange.audited(reason === '' ? 'success' : 'failure', persons, [], reason === '' ? undefined : reason);
  answerBody(exchange, action, body);
}

/** One event for what is given and one for what is not, as at the imaging source. `studies`: where images were asked for. */
export async function auditShares(
  exchange: SoapExchange,
  shares: readonly Share[],
  studies: readonly string[],
): Promise<void> {
  const documents = shares.flatMap((share) => share.documents);
  const objects = auditable(studies.length > 0 ? studies : documents.map(({ documentUniqueId }) => documentUniqueId));
  const persons = [...new Set(shares.flatMap((share) => share.persons))];
  const reason = codesOf(shares.flatMap((share) => share.errors));
  if (documents.length > 0) await exchange.audited('success', persons, objects);
  if (reason !== '') await exchange.audited('failure', [], studies.length > 0 ? objects : [], reason);
}

/** Codes only, and only those that look like one: a peer chose them. */
const codesOf = (errors: readonly EbrsError[]): string =>
  [...new Set(errors.filter(({ severity }) => severity === 'error').map(({ code }) => code))]
    .filter((code) => /^[A-Za-z0-9:._-]{1,80}$/.test(code))
    .slice(0, 20)
    .join(' ');
