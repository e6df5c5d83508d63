/** ITI-86 Remove Documents (ITI TF-2 §3.86, RMD): takes documents out of the repository for good; their entries stay. */
import { lenientUid } from '../../core/identifier.ts';
import type { RegistryProblem } from '../../core/document.ts';
import { removeDocuments } from '../../flow/remove-documents.ts';
import { ITI86_RESPONSE, readRemoveRequest } from '../../../mappings/xds/document-set.ts';
import { statusOf, writeRegistryResponse } from '../../../mappings/xds/registry-response.ts';
import { senderFault } from '../../../mappings/xds/soap.ts';
import type { SoapFault } from '../../../mappings/xds/soap.ts';
import { answerBody } from './answer.ts';
import type { RepositoryDeps } from './repository-deps.ts';
import type { SoapExchange } from './soap-exchange.ts';

export async function removeFromRepository(deps: RepositoryDeps, exchange: SoapExchange): Promise<SoapFault | null> {
  const request = readRemoveRequest(exchange.message.body, deps.limits);
  if (!request.ok) return senderFault(`${request.problem.text} (${request.problem.where ?? 'Body'})`);
  const names = [...new Set(ownOf(deps, request.value))];
  const stored = await deps.registry.documents(names);
  const refused = await exchange.refuseOthers(stored.map(({ patientId }) => patientId));
  if (refused) return refused;
  const persons = await deps.patients.personsOf([...new Set(stored.map(({ patientId }) => patientId))]);
  const removed = await removeDocuments(deps, names);
  const problems = request.value.flatMap((reference): RegistryProblem[] => {
    const miss = (code: RegistryProblem['code'], context: string): RegistryProblem[] => [
      { code, severity: 'error', context, location: `urn:oid:${deps.repositoryOid}` },
    ];
    if (reference.repositoryUniqueId !== deps.repositoryOid)
      return miss('XDSUnknownRepositoryId', `This repository is ${deps.repositoryOid}, another was named.`);
    return removed.has(reference.documentUniqueId)
      ? []
      : miss('XDSDocumentUniqueIdError', 'A document that is named is not in this repository.');
  });
  const codes = [...new Set(problems.map(({ code }) => code))].join(' ');
  if (removed.size > 0) await exchange.audited('success', [...new Set(persons.values())], [...removed]);
  const missed = names.filter((name) => !removed.has(name) && lenientUid(name) !== null);
  if (problems.length > 0) await exchange.audited('failure', [], missed, codes);
  const status = statusOf(problems, removed.size > 0);
  answerBody(exchange, ITI86_RESPONSE, writeRegistryResponse(problems, { status }));
  return null;
}

const ownOf = (
  { repositoryOid }: RepositoryDeps,
  references: readonly { readonly repositoryUniqueId: string; readonly documentUniqueId: string }[],
): string[] =>
  references
    .filter(({ repositoryUniqueId }) => repositoryUniqueId === repositoryOid)
    .map(({ documentUniqueId }) => documentUniqueId);
