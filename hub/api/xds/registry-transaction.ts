/** What the document registry's transactions are given and what each of them is; the table of them is in registry.ts. */
import type { Caller } from '../../core/access.ts';
import type { Act } from '../../core/access.ts';
import type { AuditEvent } from '../../core/audit.ts';
import type { AffinityPatients, DocumentRegistry } from '../../core/document-ports.ts';
import type { SoapFault } from '../../../mappings/xds/soap.ts';
import type { SoapDeps, SoapExchange } from './soap-exchange.ts';

export interface RegistryDeps extends SoapDeps {
  readonly registry: DocumentRegistry;
  readonly patients: AffinityPatients;
  readonly homeCommunityOid: string;
  readonly affinityDomainOid: string;
  /** The site that feeds the affinity domain's ids (ITI-44), where there is one. */
  readonly affinitySite?: string;
  /** How strictly the form of this caller's ebRIM is taken (WIRE §2). */
  readonly form: (caller: Caller) => 'strict' | 'lenient';
  readonly limits: { readonly requestBytes: number; readonly objects: number };
}

/** One transaction: what it is called, who may, and what it does. */
export interface RegistryTransaction {
  readonly operation: string;
  readonly act: Act;
  readonly audited?: AuditEvent['action'];
  /** Writes the response with `answerBody`, or returns the fault to be sent. */
  answer(deps: RegistryDeps, exchange: SoapExchange): Promise<SoapFault | null>;
}
