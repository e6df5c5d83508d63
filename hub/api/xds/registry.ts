/**
 * The Document Registry at `/xds/registry`: one path, and a table of the transactions that are served on it by SOAP
 * action. Each transaction has a file of its own.
 */
import { Router } from 'express';
import { FEED_ACTIONS } from '../../../mappings/xds/patient-feed.ts';
import { ITI18_REQUEST, registryStoredQuery } from './iti-18.ts';
import { ITI42_REQUEST, registerDocumentSet } from './iti-42.ts';
import { patientIdentityFeed } from './iti-44.ts';
import { ITI51_REQUEST, multiPatientStoredQuery } from './iti-51.ts';
import { ITI57_REQUEST, updateDocumentSet } from './iti-57.ts';
import { ITI61_REQUEST, registerOnDemand } from './iti-61.ts';
import { ITI62_REQUEST, removeMetadata } from './iti-62.ts';
import type { RegistryDeps, RegistryTransaction } from './registry-transaction.ts';
import { soapExchange } from './soap-exchange.ts';

export const REGISTRY_LIMITS = { requestBytes: 16 * 1024 ** 2, objects: 20_000 } as const;

/** By request action. */
const TRANSACTIONS: Readonly<Record<string, RegistryTransaction>> = {
  [ITI18_REQUEST]: registryStoredQuery,
  [ITI42_REQUEST]: registerDocumentSet,
  [ITI51_REQUEST]: multiPatientStoredQuery,
  [ITI57_REQUEST]: updateDocumentSet,
  [ITI61_REQUEST]: registerOnDemand,
  [ITI62_REQUEST]: removeMetadata,
  ...Object.fromEntries(FEED_ACTIONS.map((action) => [action, patientIdentityFeed])),
};

export function registryFace(deps: RegistryDeps): Router {
  const door = {
    operation: 'document registry',
    actions: Object.keys(TRANSACTIONS),
    act: { kind: 'read-record' },
    requestBytes: deps.limits.requestBytes,
    transactions: TRANSACTIONS,
  } as const;
  const router = Router();
  router.post('/', (request, response) =>
    soapExchange(
      deps,
      door,
      request,
      response,
      (exchange) => TRANSACTIONS[exchange.message.action]?.answer(deps, exchange) ?? Promise.resolve(null),
    ),
  );
  router.all('/', (_request, response) => {
    response.status(405).setHeader('Allow', 'POST').end();
  });
  return router;
}
