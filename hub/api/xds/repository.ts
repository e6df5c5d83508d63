/**
 * The Document Repository at `/xds/repository`: ITI-41 (RAD-68 is the same), ITI-43 and ITI-86, told apart by their action.
 * Hospitals submit, readers retrieve, the administrator removes.
 */
import { Router } from 'express';
import type { Caller } from '../../core/access.ts';
import type { AffinityPatients, DocumentRegistry, DocumentRemoval } from '../../core/document-ports.ts';
import type { Oid } from '../../core/identifier.ts';
import type { ObjectStore } from '../../core/ports.ts';
import { DocumentIntake } from '../../flow/receive-documents.ts';
import { ITI41_REQUEST, ITI43_REQUEST, ITI86_REQUEST } from '../../../mappings/xds/document-set.ts';
import { provideAndRegister } from './iti-41.ts';
import { retrieveDocuments } from './iti-43.ts';
import { removeFromRepository } from './iti-86.ts';
import { soapExchange } from './soap-exchange.ts';
import type { SoapDeps, SoapDoor, SoapTransaction } from './soap-exchange.ts';

export interface RepositoryDeps extends SoapDeps {
  readonly registry: Pick<DocumentRegistry, 'register' | 'documents'>;
  readonly removal: DocumentRemoval;
  readonly patients: Pick<AffinityPatients, 'personsOf'>;
  readonly objects: ObjectStore;
  readonly repositoryOid: Oid;
  readonly homeCommunityOid: string;
  readonly clock: () => Date;
  /** Whether metadata must keep to the form of rim.xsd (WIRE §2), by the site of the caller. */
  readonly form: (caller: Caller) => 'strict' | 'lenient';
  readonly limits: RepositoryLimits;
}

export interface RepositoryLimits {
  /** Of a whole request. */
  readonly requestBytes: number;
  /** Of one document. */
  readonly documentBytes: number;
  /** Documents of one request or submission. */
  readonly documents: number;
}

export const REPOSITORY_LIMITS: RepositoryLimits = {
  requestBytes: 64 * 1024 ** 3,
  documentBytes: 16 * 1024 ** 3,
  documents: 1_000,
};

const ANSWERS = {
  [ITI41_REQUEST]: provideAndRegister,
  [ITI43_REQUEST]: retrieveDocuments,
  [ITI86_REQUEST]: removeFromRepository,
} as const;

const isServed = (action: string): action is keyof typeof ANSWERS => Object.hasOwn(ANSWERS, action);

function transactionOf(action: string, caller: Caller): SoapTransaction {
  switch (action) {
    case ITI41_REQUEST:
      // A feed submits for its own site.
      return { operation: 'ITI-41', act: { kind: 'feed', site: caller.site ?? '' }, audit: 'feed' };
    case ITI86_REQUEST:
      return { operation: 'ITI-86', act: { kind: 'administer' }, audit: 'change' };
    default:
      return { operation: 'ITI-43', act: { kind: 'read-record' }, audit: 'read' };
  }
}

export function repositoryFace(deps: RepositoryDeps): Router {
  const door: SoapDoor = {
    operation: 'XDS repository',
    actions: Object.keys(ANSWERS),
    act: { kind: 'read-record' },
    transactionOf,
    requestBytes: deps.limits.requestBytes,
    intake: () => new DocumentIntake({ ...deps, maxBytes: deps.limits.documentBytes }),
  };
  const router = Router();
  router.post('/', (request, response) =>
    soapExchange(deps, door, request, response, (exchange) => {
      const { action } = exchange.message;
      if (!isServed(action)) throw new Error('an action that the envelope reader let pass is served');
      return ANSWERS[action](deps, exchange);
    }),
  );
  router.all('/', (_request, response) => {
    response.status(405).setHeader('Allow', 'POST').end();
  });
  return router;
}
