/** ITI-42 Register Document Set-b (ITI TF-2 §3.42): metadata of documents that lie in some repository. */
import { submitterOf } from '../../core/access.ts';
import { checkEntryType } from '../../core/document-rules.ts';
import type { RegistryTransaction } from './registry-transaction.ts';
import { answerSubmission } from './submission.ts';

export const ITI42_REQUEST = 'urn:ihe:iti:2007:RegisterDocumentSet-b';
const ITI42_RESPONSE = 'urn:ihe:iti:2007:RegisterDocumentSet-bResponse';

export const registerDocumentSet: RegistryTransaction = {
  operation: 'ITI-42',
  act: { kind: 'submit-documents' },
  audited: 'feed',
  answer: (deps, exchange) =>
    answerSubmission(deps, exchange, ITI42_RESPONSE, async (submission) => {
      const problems = checkEntryType(submission, 'stable');
      if (problems.length > 0) return { ok: false, problems };
      return deps.registry.register(submission, { ...submitterOf(exchange.caller), documents: [], trusted: false });
    }),
};
