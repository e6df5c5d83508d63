/** ITI-44 Patient Identity Feed HL7 V3 (ITI TF-2 §3.44): an outside source announces and merges affinity-domain ids. */
import { randomUUID } from 'node:crypto';
import { decide } from '../../core/access.ts';
import { problem } from '../../core/problem.ts';
import type { Problem } from '../../core/problem.ts';
import { FEED_RESPONSE, readPatientFeed, writeFeedAnswer } from '../../../mappings/xds/patient-feed.ts';
import type { PatientFeed } from '../../../mappings/xds/patient-feed.ts';
import { senderFault } from '../../../mappings/xds/soap.ts';
import { answerBody } from './answer.ts';
import type { RegistryDeps, RegistryTransaction } from './registry-transaction.ts';
import { personsBehind } from './submission.ts';

export const patientIdentityFeed: RegistryTransaction = {
  operation: 'ITI-44',
  act: { kind: 'submit-documents' },
  audited: 'feed',
  async answer(deps, exchange) {
    const { body, action } = exchange.message;
    if (!action.endsWith(`:${body.name}`)) return senderFault('The body is not the message that the action names.');
    const feed = readPatientFeed(body, deps.affinityDomainOid);
    const wrong = feed.ok ? (mayFeed(deps, exchange.caller) ?? (await apply(deps, feed.value))) : feed.problem;
    const patients = feed.ok ? [...feed.value.patients, ...feed.value.subsumed] : [];
    await exchange.audited(
      wrong === null ? 'success' : 'failure',
      await personsBehind(deps, patients),
      [body.name],
      ...(wrong === null ? [] : [wrong.code]),
    );
    const answer = { device: deps.homeCommunityOid, id: randomUUID(), at: timestamp(), problem: wrong };
    answerBody(exchange, FEED_RESPONSE, writeFeedAnswer(body, answer));
    return null;
  },
};

/** Only the source of the domain's ids may speak of them: the site whose own authority is the affinity domain. */
function mayFeed(deps: RegistryDeps, caller: Parameters<typeof decide>[0]): Problem | null {
  const decision = decide(caller, { kind: 'feed', site: deps.affinitySite ?? '' });
  return decision.allowed
    ? null
    : problem('forbidden', undefined, 'Only the source of affinity-domain ids may feed them.');
}

async function apply(deps: RegistryDeps, { kind, patients, subsumed }: PatientFeed): Promise<Problem | null> {
  const [survivor] = patients;
  if (kind === 'merge' && survivor !== undefined) for (const one of subsumed) await deps.patients.merge(survivor, one);
  else for (const one of patients) await deps.patients.add(one);
  return null;
}

const timestamp = (): string => new Date().toISOString().replace(/\D/g, '').slice(0, 14);
