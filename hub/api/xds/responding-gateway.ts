/**
 * The responding gateway at `/xds/responding-gateway`: other communities ask this one for documents and images (ITI-38,
 * ITI-39, IHE ITI TF-2 §3.38, §3.39; RAD-75, RAD TF-2 §4.75). Everything that leaves names this community.
 */
import { Router } from 'express';
import {
  ITI38_REQUEST,
  ITI38_RESPONSE,
  readCrossQuery,
  withHome,
  writeQueryAnswer,
} from '../../../mappings/xds/cross-query.ts';
import type { CrossQuery, QueryAnswer } from '../../../mappings/xds/cross-query.ts';
import { ITI39_REQUEST, ITI39_RESPONSE, RAD75_REQUEST, RAD75_RESPONSE } from '../../../mappings/xds/cross-retrieve.ts';
import { readRetrieveRequest } from '../../../mappings/xds/document-set.ts';
import type { EbrsError } from '../../../mappings/xds/ebrs-errors.ts';
import { readImagingRequest } from '../../../mappings/xds/rad-69.ts';
import { senderFault } from '../../../mappings/xds/soap.ts';
import type { SoapFault } from '../../../mappings/xds/soap.ts';
import type { Problem } from '../../core/problem.ts';
import { gatewayError, refusedShare, sendShares } from './gateway-answer.ts';
import { answerQuery, auditShares, refuseShares, wantedDocuments, wantedImages } from './gateway-exchange.ts';
import type { Wanted } from './gateway-exchange.ts';
import type { OwnCommunity, Share } from './own-community.ts';
import { soapExchange } from './soap-exchange.ts';
import type { SoapDeps, SoapDoor, SoapExchange, SoapTransaction } from './soap-exchange.ts';

export interface RespondingGatewayDeps extends SoapDeps {
  readonly own: OwnCommunity;
  readonly limits: GatewayLimits;
}

export interface GatewayLimits {
  readonly requestBytes: number;
  readonly documents: number;
}

export const GATEWAY_LIMITS: GatewayLimits = { requestBytes: 16 * 1024 ** 2, documents: 20_000 };

const TRANSACTIONS: Readonly<Record<string, SoapTransaction>> = {
  [ITI38_REQUEST]: { operation: 'ITI-38', act: { kind: 'search-records' }, audited: 'search' },
  [ITI39_REQUEST]: { operation: 'ITI-39', act: { kind: 'read-record' } },
  [RAD75_REQUEST]: { operation: 'RAD-75', act: { kind: 'read-images' } },
};

export function respondingGateway(deps: RespondingGatewayDeps): Router {
  return gatewayRouter(deps, deps.limits, 'XCA', TRANSACTIONS, (exchange) => {
    switch (exchange.message.action) {
      case ITI38_REQUEST:
        return query(deps, exchange);
      case ITI39_REQUEST:
        return documents(deps, exchange);
      default:
        return images(deps, exchange);
    }
  });
}

/** A door of several transactions, each with its own right. */
export function gatewayRouter(
  deps: SoapDeps,
  limits: GatewayLimits,
  operation: string,
  transactions: Readonly<Record<string, SoapTransaction>>,
  answer: (exchange: SoapExchange) => Promise<SoapFault | null>,
): Router {
  const door: SoapDoor = {
    operation,
    act: { kind: 'read-record' },
    actions: Object.keys(transactions),
    requestBytes: limits.requestBytes,
    transactions,
  };
  const router = Router();
  router.post('/', (request, response) => soapExchange(deps, door, request, response, answer));
  router.all('/', (_request, response) => {
    response.status(405).setHeader('Allow', 'POST').end();
  });
  return router;
}

export const faultOf = (found: Problem): SoapFault => senderFault(`${found.text} (${found.where ?? 'Body'})`);

async function query(deps: RespondingGatewayDeps, exchange: SoapExchange): Promise<SoapFault | null> {
  const read = readCrossQuery(exchange.message.body);
  if (!read.ok) return faultOf(read.problem);
  const { home } = deps.own;
  const wrong = wrongHome(read.value, home);
  const asked = await exchange.refuseOthers(read.value.patientId === null ? [] : [read.value.patientId]);
  if (asked) return asked;
  const { answer, persons, patients } =
    wrong === null
      ? await deps.own.query(read.value, exchange)
      : { answer: refusal([wrong]), persons: [], patients: [] };
  const refused = await exchange.refuseOthers(patients, persons);
  if (refused) return refused;
  const objects = answer.objects.map((object) => withHome(object, home));
  const errors = answer.errors.map((error) => ({ ...error, location: error.location ?? home }));
  await answerQuery(exchange, ITI38_RESPONSE, writeQueryAnswer({ ...answer, objects, errors }), persons, errors);
  return null;
}

export const refusal = (errors: readonly EbrsError[]): QueryAnswer => ({ status: 'failure', errors, objects: [] });

/** ITI TF-2 §3.38.4.1.2: who asks by object ids must say whose they are; who names a patient need not. */
function wrongHome({ home, patientId }: CrossQuery, own: string): EbrsError | null {
  if (home === null && patientId === null)
    return gatewayError('XDSMissingHomeCommunityId', 'The query names no patient and no home community', own);
  if (home !== null && home !== own)
    return gatewayError('XDSUnknownCommunity', `This gateway answers for ${own} only`, own);
  return null;
}

/** Splits what is asked of this community from what is asked of none or another. */
function mine<W extends { readonly homeCommunityId: string | null }>(
  wanted: readonly W[],
  own: string,
): { wanted: readonly W[]; errors: readonly EbrsError[] } {
  const missing = wanted.filter(({ homeCommunityId }) => homeCommunityId === null).length;
  const asked = wanted.filter(({ homeCommunityId }) => homeCommunityId === own);
  const strange = wanted.length - missing - asked.length;
  const errors: EbrsError[] = [];
  if (missing > 0)
    errors.push(gatewayError('XDSMissingHomeCommunityId', `${String(missing)} documents name no home community`, own));
  if (strange > 0) errors.push(gatewayError('XDSUnknownCommunity', `This gateway answers for ${own} only`, own));
  return { wanted: asked, errors };
}

async function documents(deps: RespondingGatewayDeps, exchange: SoapExchange): Promise<SoapFault | null> {
  const read = readRetrieveRequest(exchange.message.body, deps.limits);
  if (!read.ok) return faultOf(read.problem);
  const { wanted, errors } = mine(read.value, deps.own.home);
  const given = wanted.length === 0 ? [] : [await deps.own.documents(wanted, exchange)];
  return give(exchange, ITI39_RESPONSE, [...given, refusedShare(errors)], wantedDocuments(read.value));
}

async function images(deps: RespondingGatewayDeps, exchange: SoapExchange): Promise<SoapFault | null> {
  const read = readImagingRequest(exchange.message.body, deps.limits);
  if (!read.ok) return faultOf(read.problem);
  const { wanted, errors } = mine(read.value.documents, deps.own.home);
  const given = wanted.length === 0 ? [] : [await deps.own.images({ ...read.value, documents: wanted }, exchange)];
  return give(exchange, RAD75_RESPONSE, [...given, refusedShare(errors)], wantedImages(read.value.documents));
}

async function give(
  exchange: SoapExchange,
  action: string,
  shares: readonly Share[],
  wanted: readonly Wanted[],
): Promise<SoapFault | null> {
  const refused = await refuseShares(exchange, shares);
  if (refused) return refused;
  await auditShares(exchange, shares, wanted);
  await sendShares(exchange, action, shares);
  return null;
}
