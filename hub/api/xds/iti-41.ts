/**
 * ITI-41 Provide and Register Document Set-b (ITI TF-2 §3.41; RAD-68 is the same): the metadata is judged before a document
 * is taken, and what is wrong is told in a RegistryResponse once the whole request was read.
 */
import { submitterOf } from '../../core/access.ts';
import type { RegistryProblem, Submission } from '../../core/document.ts';
import type { Problem, Result } from '../../core/problem.ts';
import { checkPairs, provideDocuments, subjectsOf } from '../../flow/provide-documents.ts';
import type { Provided } from '../../flow/provide-documents.ts';
import type { DocumentIntake, KeptDocument } from '../../flow/receive-documents.ts';
import { ITI41_RESPONSE, readProvideRequest } from '../../../mappings/xds/document-set.ts';
import type { ProvidedDocument } from '../../../mappings/xds/document-set.ts';
import { canonicalId } from '../../../mappings/xds/ebrim-element.ts';
import { readSubmission } from '../../../mappings/xds/ebrim-read.ts';
import { contentOf } from '../../../mappings/xds/mtom.ts';
import { writeRegistryResponse } from '../../../mappings/xds/registry-response.ts';
import { senderFault } from '../../../mappings/xds/soap.ts';
import type { SoapFault } from '../../../mappings/xds/soap.ts';
import { isAway } from '../away.ts';
import { answerBody } from './answer.ts';
import type { RepositoryDeps } from './repository-deps.ts';
import type { Refusal, SoapExchange } from './soap-exchange.ts';
import { changeOrProblem } from './submission.ts';

export async function provideAndRegister(
  deps: RepositoryDeps,
  exchange: SoapExchange,
): Promise<SoapFault | Refusal | null> {
  const request = readProvideRequest(exchange.message.body, deps.limits);
  if (!request.ok) return senderFault(`${request.problem.text} (${request.problem.where ?? 'Body'})`);
  const { metadata, documents } = request.value;
  const { submission, problems: form } = readSubmission(metadata, { form: deps.form(exchange.caller) });
  const ids = documents.map(({ id }) => canonicalId(id));
  const early = [...form, ...(hasError(form) ? [] : checkPairs(submission, ids))];
  const refused = await exchange.refuseOthers(subjectsOf(submission).patients);
  const taken = await exchange.documents(refused !== null || hasError(early));
  if (refused) return refused;
  if ('refusal' in taken) return await storeIsFull(deps, exchange, taken);
  const { intake } = taken;
  const settle = async (problems: readonly RegistryProblem[]): Promise<null> => {
    await audit(deps, exchange, submission, problems);
    answerBody(exchange, ITI41_RESPONSE, writeRegistryResponse(problems, { location: locationOf(deps) }));
    return null;
  };
  if (hasError(early)) return settle(early);
  const kept: { id: string; kept: KeptDocument }[] = [];
  for (const [at, document] of documents.entries()) {
    const one = await keptOf(document, taken.parts, intake);
    if (!one.ok) return settle([outOf(intake) ?? unreadable(one.problem, document)]);
    if (one.value.object === '') throw new Error('a document of an accepted submission was passed by');
    // One object of two documents could not be removed with one of them.
    if (kept.some(({ kept: { object } }) => object === one.value.object))
      return settle([failure('XDSRepositoryError', 'Two documents name the same part of the package.')]);
    kept.push({ id: ids[at] ?? '', kept: one.value });
  }
  return settle([...form, ...(await registered(deps, exchange, submission, kept, intake))]);
}

const registered = (
  deps: RepositoryDeps,
  exchange: SoapExchange,
  submission: Submission,
  kept: Provided,
  intake: DocumentIntake,
): Promise<readonly RegistryProblem[]> =>
  changeOrProblem(deps, exchange, async () => {
    try {
      const origin = submitterOf(exchange.caller);
      const done = await provideDocuments({ ...deps, isAway }, submission, kept, intake, origin);
      return done.ok ? done.warnings : done.problems;
    } catch (error) {
      if (!isAway(error)) throw error;
      return [failure('XDSRegistryNotAvailable', 'The registry does not answer; try again later.')];
    }
  });

const hasError = (problems: readonly RegistryProblem[]): boolean =>
  problems.some(({ severity }) => severity === 'error');

const locationOf = ({ repositoryOid }: RepositoryDeps): string => `urn:oid:${repositoryOid}`;

const failure = (code: RegistryProblem['code'], context: string): RegistryProblem => ({
  code,
  severity: 'error',
  context,
});

/** The bytes of a document: a part that was kept as it came, or base64 inside the envelope. */
function keptOf(
  { content }: ProvidedDocument,
  parts: ReadonlyMap<string, KeptDocument>,
  intake: DocumentIntake,
): Promise<Result<KeptDocument>> {
  const found = contentOf(content, parts);
  return found.kind === 'part' ? Promise.resolve(found.part) : intake.take(found.bytes);
}

const unreadable = (problem: Problem, { id }: ProvidedDocument): RegistryProblem => ({
  ...failure('XDSRepositoryError', `${problem.text} (Document)`),
  location: id.slice(0, 100),
});

const outOf = ({ broken }: DocumentIntake): RegistryProblem | null =>
  broken === null ? null : failure('XDSRepositoryOutOfResources', 'The repository cannot store documents now.');

/** A store that takes no more is no fault of the sender's message (ITI TF-3 §4.2.4.1). */
async function storeIsFull(
  deps: RepositoryDeps,
  exchange: SoapExchange,
  { refusal, intake }: { readonly refusal: Refusal; readonly intake: DocumentIntake },
): Promise<Refusal | null> {
  const problem = outOf(intake);
  if (problem === null) return refusal;
  await exchange.audited('failure', [], [], problem.code);
  exchange.response.setHeader('Connection', 'close');
  answerBody(exchange, ITI41_RESPONSE, writeRegistryResponse([problem], { location: locationOf(deps) }));
  return null;
}

async function audit(
  deps: RepositoryDeps,
  exchange: SoapExchange,
  submission: Submission,
  problems: readonly RegistryProblem[],
): Promise<void> {
  const { patients, sets } = subjectsOf(submission);
  const persons = [...new Set((await deps.patients.personsOf(patients.slice(0, 100))).values())];
  const errors = problems.filter(({ severity }) => severity === 'error');
  // A unique id is the sender's text: only an OID is kept.
  const objects = sets.filter((id) => /^[0-9.]{1,64}$/.test(id)).slice(0, 1_000);
  if (errors.length === 0) await exchange.audited('success', persons, objects);
  else await exchange.audited('failure', persons, objects, [...new Set(errors.map(({ code }) => code))].join(' '));
}
