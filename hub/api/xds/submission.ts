/**
 * What the transactions share that change the registry: the metadata read, the change made, audited and answered as
 * RegistryResponse. What the registry refuses is an answer; only what is no ebRS message at all is a fault (WIRE §1).
 */
import type { PatientCx, Registered, RegistryProblem, Submission } from '../../core/document.ts';
import { patientsNamed } from '../../flow/patients-named.ts';
import { LCM } from '../../../mappings/xds/ebrim-names.ts';
import { readSubmission } from '../../../mappings/xds/ebrim-read.ts';
import { statusOf, writeRegistryResponse } from '../../../mappings/xds/registry-response.ts';
import { senderFault } from '../../../mappings/xds/soap.ts';
import type { SoapFault } from '../../../mappings/xds/soap.ts';
import { is } from '../../../mappings/xds/xml.ts';
import { answerBody } from './answer.ts';
import type { RegistryDeps } from './registry-transaction.ts';
import type { SoapExchange } from './soap-exchange.ts';
import { codeOf } from '../../core/problem.ts';

/** Reads a SubmitObjectsRequest, gives it to `change`, and answers under `action`. */
export async function answerSubmission(
  deps: RegistryDeps,
  exchange: SoapExchange,
  action: string,
  change: (submission: Submission) => Promise<Registered>,
): Promise<SoapFault | null> {
  const { body } = exchange.message;
  if (!is(body, LCM, 'SubmitObjectsRequest')) return senderFault(`The body must be a SubmitObjectsRequest of ${LCM}.`);
  const form = deps.form(exchange.caller);
  const { submission, problems } = readSubmission(body, { form, objects: deps.limits.objects });
  const refused = await refuseOthers(deps, exchange, submission);
  if (refused) return refused;
  const changed =
    statusOf(problems) === 'failure'
      ? []
      : await changeOrProblem(deps, exchange, async () => {
          const done = await change(submission);
          return done.ok ? done.warnings : done.problems;
        });
  const told = [...problems, ...changed];
  await answerChange(deps, exchange, action, told, submission);
  return null;
}

/** Patients named, and those of what associations speak of: whom a user may not see that user may not change either. */
async function refuseOthers(
  { registry }: RegistryDeps,
  exchange: SoapExchange,
  { objects, associations }: Submission,
): Promise<SoapFault | null> {
  if ((exchange.caller.onBehalfOf?.patientIds.length ?? 0) === 0) return null;
  const named = await exchange.refuseOthers(objects.map(({ patientId }) => patientId));
  if (named) return named;
  const ends = [...new Set(associations.flatMap(({ source, target }) => [source, target]))];
  return exchange.refuseOthers(await patientsNamed(registry, ends));
}

/** A change that broke was rolled back: the sender may send it again, and is told so in the registry's own words. */
export async function changeOrProblem(
  deps: Pick<RegistryDeps, 'log'>,
  exchange: SoapExchange,
  change: () => Promise<readonly RegistryProblem[]>,
): Promise<readonly RegistryProblem[]> {
  try {
    return await change();
  } catch (error) {
    const frames = error instanceof Error ? framesOf(error) : [];
    deps.log.error({ action: exchange.message.action, code: codeOf(error), frames }, 'a change of the registry broke');
    const context = 'The registry failed and nothing was stored; send it again.';
    return [{ code: 'XDSRegistryError', severity: 'error', context }];
  }
}

/** Without the message line: a database's message may quote a patient's id. */
const framesOf = (error: Error): string[] =>
  (error.stack ?? '')
    .split('\n')
    .filter((line) => /^\s+at /.test(line))
    .slice(0, 8)
    .map((line) => line.trim());

/** Audits, then answers. */
export async function answerChange(
  deps: RegistryDeps,
  exchange: SoapExchange,
  action: string,
  problems: readonly RegistryProblem[],
  submission: Submission,
): Promise<void> {
  const failed = statusOf(problems) === 'failure';
  const patients = [...new Set(submission.objects.map(({ patientId }) => patientId))];
  const objects = submission.objects.map(({ uniqueId }) => uniqueId).filter((id) => /^[0-9.]{1,64}$/.test(id));
  await exchange.audited(
    failed ? 'failure' : 'success',
    await personsBehind(deps, patients),
    objects.slice(0, 1_000),
    ...(failed ? [[...new Set(problems.map(({ code }) => code))].join(' ')] : []),
  );
  const location = `urn:oid:${deps.homeCommunityOid}`;
  answerBody(exchange, action, writeRegistryResponse(problems, { location }));
}

export async function personsBehind(deps: RegistryDeps, patients: readonly PatientCx[]): Promise<string[]> {
  if (patients.length === 0) return [];
  return [...new Set((await deps.patients.personsOf(patients.slice(0, 100))).values())];
}
