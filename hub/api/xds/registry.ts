/**
 * The Document Registry at `/xds/registry`: one path, and a table of the transactions that are served on it by SOAP
 * action. Each transaction has a file of its own.
 */
import { Router } from 'express';
import type { Act } from '../../core/access.ts';
import type { AuditEvent } from '../../core/audit.ts';
import type { AffinityPatients, DocumentRegistry } from '../../core/document-ports.ts';
import type { SoapFault } from '../../../mappings/xds/soap.ts';
import { soapExchange } from './soap-exchange.ts';
import type { SoapDeps, SoapExchange } from './soap-exchange.ts';

export interface RegistryDeps extends SoapDeps {
  readonly registry: DocumentRegistry;
  readonly patients: AffinityPatients;
  readonly homeCommunityOid: string;
  readonly affinityDomainOid: string;
  /** How strictly the form of ebRIM is taken (WIRE §2). */
  readonly form: 'strict' | 'lenient';
  readonly limits: { readonly requestBytes: number; readonly objects: number };
}

export const REGISTRY_LIMITS = { requestBytes: 16 * 1024 ** 2, objects: 20_000 } as const;

/** One transaction: what it is called, who may, and what it does. */
export interface RegistryTransaction {
  readonly operation: string;
  readonly act: Act;
  readonly audited?: AuditEvent['action'];
  /** Writes the response with `answerBody`, or returns the fault to be sent. */
  answer(deps: RegistryDeps, exchange: SoapExchange): Promise<SoapFault | null>;
}

/** By request action. */
const TRANSACTIONS: Readonly<Record<string, RegistryTransaction>> = {};

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
