/** What the transactions of the document repository stand on. */
import type { Caller } from '../../core/access.ts';
import type { AffinityPatients, DocumentRegistry, DocumentRemoval } from '../../core/document-ports.ts';
import type { Oid } from '../../core/identifier.ts';
import type { ObjectStore } from '../../core/ports.ts';
import type { SoapDeps } from './soap-exchange.ts';

export interface RepositoryDeps extends SoapDeps {
  readonly registry: Pick<DocumentRegistry, 'register' | 'documents'>;
  readonly removal: DocumentRemoval;
  readonly patients: Pick<AffinityPatients, 'personsOf'>;
  readonly objects: ObjectStore;
  readonly repositoryOid: Oid;
  readonly homeCommunityOid: string;
  readonly clock: () => Date;
  /** How strictly the form of this caller's ebRIM is taken (WIRE §2). */
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
