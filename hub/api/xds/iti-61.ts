/** ITI-61 Register On-Demand Document Entry (ITI TF-2 §3.61): entries whose content is made when it is asked for. */
import { submitterOf } from '../../core/access.ts';
import { checkEntryType } from '../../core/document-rules.ts';
import type { RegistryTransaction } from './registry-transaction.ts';
import { answerSubmission } from './submission.ts';

export const ITI61_REQUEST = 'urn:ihe:iti:2010:RegisterOnDemandDocumentEntry';
const ITI61_RESPONSE = 'urn:ihe:iti:2010:RegisterOnDemandDocumentEntryResponse';

export const registerOnDemand: RegistryTransaction = {
  operation: 'ITI-61',
  act: { kind: 'submit-documents' },
  audited: 'feed',
  answer: (deps, exchange) =>
    answerSubmission(deps, exchange, ITI61_RESPONSE, async (submission) => {
      const problems = checkEntryType(submission, 'on-demand');
      if (problems.length > 0) return { ok: false, problems };
      return deps.registry.register(submission, { ...submitterOf(exchange.caller), documents: [], trusted: false });
    }),
};
