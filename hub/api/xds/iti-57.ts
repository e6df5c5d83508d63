/** ITI-57 Update Document Set (ITI TF-2 §3.57): new versions of metadata, changes of status, new associations. */
import { submitterOf } from '../../core/access.ts';
import type { RegistryTransaction } from './registry-transaction.ts';
import { answerSubmission } from './submission.ts';

export const ITI57_REQUEST = 'urn:ihe:iti:2010:UpdateDocumentSet';
const ITI57_RESPONSE = 'urn:ihe:iti:2010:UpdateDocumentSetResponse';

export const updateDocumentSet: RegistryTransaction = {
  operation: 'ITI-57',
  act: { kind: 'submit-documents' },
  audited: 'change',
  answer: (deps, exchange) =>
    answerSubmission(deps, exchange, ITI57_RESPONSE, (submission) =>
      deps.registry.update(submission, submitterOf(exchange.caller)),
    ),
};
