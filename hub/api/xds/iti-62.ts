/** ITI-62 Remove Metadata, once Delete Document Set (ITI TF-2 §3.62): objects go that nothing left speaks of. */
import { submitterOf } from '../../core/access.ts';
import type { EntryId, RegistryProblem, Submission } from '../../core/document.ts';
import { patientsNamed } from '../../flow/patients-named.ts';
import { LCM } from '../../../mappings/xds/ebrim-names.ts';
import { readObjectRefs } from '../../../mappings/xds/ebrim-read.ts';
import { senderFault } from '../../../mappings/xds/soap.ts';
import { is } from '../../../mappings/xds/xml.ts';
import type { RegistryDeps, RegistryTransaction } from './registry-transaction.ts';
import { answerChange, changeOrProblem } from './submission.ts';
import type { SoapExchange } from './soap-exchange.ts';

export const ITI62_REQUEST = 'urn:ihe:iti:2010:DeleteDocumentSet';
const ITI62_RESPONSE = 'urn:ihe:iti:2010:DeleteDocumentSetResponse';

export const removeMetadata: RegistryTransaction = {
  operation: 'ITI-62',
  act: { kind: 'submit-documents' },
  audited: 'change',
  async answer(deps, exchange) {
    const { body } = exchange.message;
    if (!is(body, LCM, 'RemoveObjectsRequest'))
      return senderFault(`The body must be a RemoveObjectsRequest of ${LCM}.`);
    const ids = [...new Set(readObjectRefs(body).map(({ id }) => id))];
    const bounded = ids.length > deps.limits.objects ? [] : ids;
    const refused = await exchange.refuseOthers(await patientsNamed(deps.registry, bounded));
    if (refused) return refused;
    const going = await deps.registry.byId(bounded);
    const problems = await remove(deps, exchange, ids);
    const submission: Submission = { objects: going, associations: [] };
    await answerChange(deps, exchange, ITI62_RESPONSE, problems, submission);
    return null;
  },
};

async function remove(
  deps: RegistryDeps,
  exchange: SoapExchange,
  ids: readonly EntryId[],
): Promise<readonly RegistryProblem[]> {
  if (ids.length > deps.limits.objects)
    return [{ code: 'XDSRegistryError', severity: 'error', context: 'Too many objects are named in one message.' }];
  return changeOrProblem(deps, exchange, () => deps.registry.remove(ids, submitterOf(exchange.caller)));
}
