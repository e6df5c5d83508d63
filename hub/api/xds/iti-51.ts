/** ITI-51 Multi-Patient Stored Query (ITI TF-2 §3.51): documents and folders of several patients, or of all by code. */
import type { RegistryTransaction } from './registry-transaction.ts';
import { answerStoredQuery } from './stored-query.ts';

export const ITI51_REQUEST = 'urn:ihe:iti:2009:MultiPatientStoredQuery';
export const ITI51_RESPONSE = 'urn:ihe:iti:2009:MultiPatientStoredQueryResponse';

export const multiPatientStoredQuery: RegistryTransaction = {
  operation: 'ITI-51',
  act: { kind: 'search-records' },
  audited: 'search',
  answer: (deps, exchange) => answerStoredQuery(deps, exchange, 'multi-patient', ITI51_RESPONSE),
};
