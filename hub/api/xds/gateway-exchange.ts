/** What both gateways do with an exchange beside their own meaning: the audit, and answers without attachments. */
import type { DocumentReference } from '../../../mappings/xds/document-set.ts';
import type { EbrsError } from '../../../mappings/xds/ebrs-errors.ts';
import type { SoapFault } from '../../../mappings/xds/soap.ts';
import type { ImagingDocument } from '../../../mappings/xds/rad-69.ts';
import { answerBody } from './answer.ts';
import { keyOf } from './gateway-answer.ts';
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

/** The fault where one of the shares is of another patient than the caller may see; then all of them are closed. */
export async function refuseShares(exchange: SoapExchange, shares: readonly Share[]): Promise<SoapFault | null> {
  const patients = shares.flatMap((share) => share.patients);
  const persons = shares.flatMap((share) => share.persons);
  const refused = await exchange.refuseOthers(patients, persons);
  if (refused) for (const share of shares) share.close();
  return refused;
}

/** What was asked for, as the audit names it: `object` is the study of an image, or the document itself. */
export interface Wanted {
  readonly key: string;
  readonly object: string;
}

/** One event for what is given and one for what is not, as at the imaging source; each names its own objects only. */
export async function auditShares(
  exchange: SoapExchange,
  shares: readonly Share[],
  wanted: readonly Wanted[],
): Promise<void> {
  const given = new Set(shares.flatMap((share) => share.documents.map(keyOf)));
  const objectsOf = (isGiven: boolean): string[] =>
    auditable(wanted.filter(({ key }) => given.has(key) === isGiven).map(({ object }) => object));
  const persons = [...new Set(shares.flatMap((share) => share.persons))];
  const reason = codesOf(shares.flatMap((share) => share.errors));
  if (given.size > 0) await exchange.audited('success', persons, objectsOf(true));
  if (reason !== '') await exchange.audited('failure', [], objectsOf(false), reason);
}

export const wantedDocuments = (references: readonly DocumentReference[]): readonly Wanted[] =>
  references.map((reference) => ({ key: keyOf(reference), object: reference.documentUniqueId }));

export const wantedImages = (documents: readonly ImagingDocument[]): readonly Wanted[] =>
  documents.map(({ repositoryUid, sopUid, studyUid }) => ({
    key: keyOf({ repositoryUniqueId: repositoryUid, documentUniqueId: sopUid }),
    object: studyUid,
  }));

/** Codes only, and only those that look like one: a peer chose them. */
const codesOf = (errors: readonly EbrsError[]): string =>
  [...new Set(errors.filter(({ severity }) => severity === 'error').map(({ code }) => code))]
    .filter((code) => /^[A-Za-z0-9:._-]{1,80}$/.test(code))
    .slice(0, 20)
    .join(' ');
