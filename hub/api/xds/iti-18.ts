/** ITI-18 Registry Stored Query (ITI TF-2 §3.18): the documents of one patient, or what ids name. */
import type { RegistryTransaction } from './registry-transaction.ts';
import { answerStoredQuery } from './stored-query.ts';

export const ITI18_REQUEST = 'urn:ihe:iti:2007:RegistryStoredQuery';
export const ITI18_RESPONSE = 'urn:ihe:iti:2007:RegistryStoredQueryResponse';

export const registryStoredQuery: RegistryTransaction = {
  operation: 'ITI-18',
  act: { kind: 'search-records' },
  audited: 'search',
  answer: (deps, exchange) => answerStoredQuery(deps, exchange, 'stored-query', ITI18_RESPONSE),
};
