/**
 * The Document Repository at `/xds/repository`: ITI-41 (RAD-68 is the same), ITI-43 and ITI-86, told apart by their action.
 * Hospitals submit, readers retrieve, the administrator removes.
 */
import { Router } from 'express';
import { decide } from '../../core/access.ts';
import type { Act } from '../../core/access.ts';
import { DocumentIntake } from '../../flow/receive-documents.ts';
import { ITI41_REQUEST, ITI43_REQUEST, ITI86_REQUEST } from '../../../mappings/xds/document-set.ts';
import { provideAndRegister } from './iti-41.ts';
import { retrieveDocuments } from './iti-43.ts';
import { removeFromRepository } from './iti-86.ts';
import type { RepositoryDeps, RepositoryLimits } from './repository-deps.ts';
import { soapExchange } from './soap-exchange.ts';
import type { Refusal, SoapDoor, SoapExchange, SoapTransaction } from './soap-exchange.ts';
import type { SoapFault } from '../../../mappings/xds/soap.ts';

export const REPOSITORY_LIMITS: RepositoryLimits = {
  requestBytes: 64 * 1024 ** 3,
  documentBytes: 16 * 1024 ** 3,
  documents: 1_000,
};

interface RepositoryTransaction extends SoapTransaction {
  /** Writes the response, or returns the fault to be sent. */
  answer(deps: RepositoryDeps, exchange: SoapExchange): Promise<SoapFault | Refusal | null>;
}

const SUBMIT: Act = { kind: 'submit-documents' };

/** By request action. */
const TRANSACTIONS: Readonly<Record<string, RepositoryTransaction>> = {
  [ITI41_REQUEST]: {
    operation: 'ITI-41',
    act: SUBMIT,
    audited: 'feed',
    answer: provideAndRegister,
  },
  [ITI43_REQUEST]: { operation: 'ITI-43', act: { kind: 'read-record' }, answer: retrieveDocuments },
  [ITI86_REQUEST]: {
    operation: 'ITI-86',
    act: { kind: 'administer' },
    audited: 'change',
    answer: removeFromRepository,
  },
};

export function repositoryFace(deps: RepositoryDeps): Router {
  const door: SoapDoor = {
    operation: 'document repository',
    actions: Object.keys(TRANSACTIONS),
    act: { kind: 'read-record' },
    transactions: TRANSACTIONS,
    requestBytes: deps.limits.requestBytes,
    intake: (caller) => {
      const intake = new DocumentIntake({ ...deps, maxBytes: deps.limits.documentBytes });
      // Parts may come before the envelope that says what they are for: of a mere reader none is stored, and of one whom
      // only the envelope names no more than an envelope may have.
      if (caller === null) return intake;
      if (decide(caller, SUBMIT).allowed) intake.trust();
      else intake.close();
      return intake;
    },
  };
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
