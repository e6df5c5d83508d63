/**
 * Who a patient is, in HL7 v3: the PIX Manager at `/xds/pix-manager` (ITI-45) and the Patient Demographics Supplier at
 * `/xds/pdq-supplier` (ITI-47 with its continuation). What cannot be answered is an answer with an acknowledgement AE,
 * never a fault (ITI TF-2 §3.45.4.2.3, §3.47.4.2.3).
 */
import { randomUUID } from 'node:crypto';
import { Router } from 'express';
import type { CrossReference, Demographics, PatientQueries } from '../../core/patient-query.ts';
import { problem } from '../../core/problem.ts';
import type { Problem } from '../../core/problem.ts';
import { writeAnswer } from '../../../mappings/xds/hl7v3.ts';
import { PDQ_ANSWER, PIX_ANSWER, writePatientAnswer } from '../../../mappings/xds/patient-answer.ts';
import type { PatientAnswer } from '../../../mappings/xds/patient-answer.ts';
import { FEED_ACTIONS, FEED_RESPONSE } from '../../../mappings/xds/patient-feed.ts';
import {
  PARAMETERS,
  PDQ_CANCEL,
  PDQ_CONTINUE,
  PDQ_QUERY,
  PIX_QUERY,
  readQuestion,
} from '../../../mappings/xds/patient-query.ts';
import type { PatientQuestion } from '../../../mappings/xds/patient-query.ts';
import { senderFault } from '../../../mappings/xds/soap.ts';
import type { SoapFault } from '../../../mappings/xds/soap.ts';
import { answerBody } from './answer.ts';
import { identityFeed } from './identity-feed.ts';
import type { IdentityFeed, IdentityFeedDeps } from './identity-feed.ts';
import { soapExchange } from './soap-exchange.ts';
import type { SoapDeps, SoapExchange } from './soap-exchange.ts';

export interface PatientIdentityDeps extends SoapDeps {
  readonly queries: PatientQueries;
  readonly homeCommunityOid: string;
}

/** The PIX Manager is also told who patients are, by systems of the sites that number them. */
type PixManagerDeps = PatientIdentityDeps & IdentityFeedDeps;

const REQUEST_BYTES = 1024 ** 2;
const asks = { act: { kind: 'search-records' }, audited: 'search' } as const;

export const pixManagerFace = (deps: PixManagerDeps): Router =>
  face(deps, 'ITI-45', [PIX_QUERY], Object.fromEntries(FEED_ACTIONS.map((action) => [action, identityFeed(deps)])));

export const pdqSupplierFace = (deps: PatientIdentityDeps): Router =>
  face(deps, 'ITI-47', [PDQ_QUERY, PDQ_CONTINUE, PDQ_CANCEL]);

function face(
  deps: PatientIdentityDeps,
  operation: 'ITI-45' | 'ITI-47',
  questions: readonly string[],
  feeds: Readonly<Record<string, IdentityFeed>> = {},
): Router {
  const actions = [...questions, ...Object.keys(feeds)];
  const asked = Object.fromEntries(questions.map((action) => [action, { operation, ...asks }]));
  const transactions = { ...asked, ...feeds };
  const door = { operation, actions, act: asks.act, requestBytes: REQUEST_BYTES, transactions };
  const router = Router();
  router.post('/', (request, response) =>
    soapExchange(
      deps,
      door,
      request,
      response,
      (exchange) =>
        feeds[exchange.message.action]?.answer(exchange) ??
        answer(deps, operation === 'ITI-45' ? 'pix' : 'pdq', exchange),
    ),
  );
  router.all('/', (_request, response) => {
    response.status(405).setHeader('Allow', 'POST').end();
  });
  return router;
}

async function answer(deps: PatientIdentityDeps, of: 'pix' | 'pdq', exchange: SoapExchange): Promise<SoapFault | null> {
  const { body, action } = exchange.message;
  // A cancellation has its own action, and the body of a continuation.
  if (!action.replace(/_Cancel$/, '').endsWith(`:${body.name.replace(/_Cancel$/, '')}`))
    return senderFault('The body is not the message that the action names.');
  const question = readQuestion(body);
  if (!question.ok) return refused(deps, of, exchange, question.problem);
  const { value } = question;
  if (value.kind === 'pix') return crossReference(deps, exchange, value);
  if (value.kind !== 'cancel') return demographics(deps, exchange, value);
  await deps.queries.cancel({ callerId: exchange.caller.id, tag: value.tag });
  await exchange.audited('success', [], [body.name]);
  answerBody(exchange, FEED_RESPONSE, writeAnswer('MCCI_IN000002UV01', body, by(deps), { code: 'CA', problem: null }));
  return null;
}

async function crossReference(
  deps: PatientIdentityDeps,
  exchange: SoapExchange,
  { source, targets }: Extract<PatientQuestion, { kind: 'pix' }>,
): Promise<SoapFault | null> {
  const found = await deps.queries.seenBy(exchange.sight).crossReference(source, targets);
  if (found.kind !== 'known') return refused(deps, 'pix', exchange, unknownIdentity(found));
  const other = await exchange.refusePatient([], [found.personId]);
  if (other) return other;
  return told(deps, exchange, { kind: 'pix', source, numbers: found.numbers }, [found.personId]);
}

/** XPath of what is not known, as §3.45.4.2.3 cases 3, 4 and 5 ask. */
function unknownIdentity(found: Exclude<CrossReference, { kind: 'known' }>): Problem {
  const value = `${PARAMETERS}/patientIdentifier/value`;
  if (found.kind === 'unknown-patient') return problem('not-found', `${value}/@extension`, 'Unknown key identifier');
  if (found.kind === 'unknown-domain') return problem('not-found', `${value}/@root`, 'Unknown key identifier');
  const place = `${PARAMETERS}/dataSource[${String((found.at[0] ?? 0) + 1)}]/value/@root`;
  return problem('not-found', place, 'Unknown key identifier');
}

async function demographics(
  deps: PatientIdentityDeps,
  exchange: SoapExchange,
  question: Extract<PatientQuestion, { kind: 'pdq' | 'continue' }>,
): Promise<SoapFault | null> {
  const { tag, limit } = question;
  const asking = { callerId: exchange.caller.id, tag, limit };
  const queries = deps.queries.seenBy(exchange.sight);
  const found =
    question.kind === 'pdq'
      ? await queries.find(question.demand, question.domains, asking)
      : await queries.more(question.startAt, asking);
  if (found.kind !== 'found') return refused(deps, 'pdq', exchange, unanswered(found));
  const persons = found.page.patients.map(({ personId }) => personId);
  const other = await exchange.refuseOthers([], persons);
  if (other) return other;
  return told(deps, exchange, { kind: 'pdq', page: found.page }, persons);
}

function unanswered(found: Exclude<Demographics, { kind: 'found' }>): Problem {
  if (found.kind === 'unknown-domains') {
    const place = `${PARAMETERS}/otherIDsScopingOrganization[${String((found.at[0] ?? 0) + 1)}]/value/@root`;
    return problem('not-found', place, 'Unknown key identifier');
  }
  if (found.kind === 'unknown-pointer')
    return problem(
      'not-found',
      '/controlActProcess/queryContinuation/queryId',
      'This continuation is not known, or ended.',
    );
  return problem('busy', PARAMETERS, 'Too many patients fit: say more about the one that is meant.');
}

async function told(
  deps: PatientIdentityDeps,
  exchange: SoapExchange,
  outcome: Exclude<PatientAnswer, { kind: 'refused' }>,
  persons: readonly string[],
): Promise<null> {
  await exchange.audited('success', persons, [exchange.message.body.name]);
  send(deps, exchange, outcome);
  return null;
}

async function refused(
  deps: PatientIdentityDeps,
  of: 'pix' | 'pdq',
  exchange: SoapExchange,
  p: Problem,
): Promise<null> {
  await exchange.audited('failure', [], [exchange.message.body.name], p.code);
  send(deps, exchange, { kind: 'refused', of, problem: p });
  return null;
}

function send(deps: PatientIdentityDeps, exchange: SoapExchange, outcome: PatientAnswer): void {
  const isPix = outcome.kind === 'pix' || (outcome.kind === 'refused' && outcome.of === 'pix');
  answerBody(exchange, isPix ? PIX_ANSWER : PDQ_ANSWER, writePatientAnswer(exchange.message.body, by(deps), outcome));
}

const by = ({ homeCommunityOid }: PatientIdentityDeps): { device: string; id: string; at: string } => ({
  device: homeCommunityOid,
  id: randomUUID(),
  at: new Date().toISOString().replace(/\D/g, '').slice(0, 14),
});
