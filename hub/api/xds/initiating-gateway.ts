/**
 * The initiating gateway at `/xds/initiating-gateway`: a consumer of this community asks once, by ITI-18, ITI-43 or RAD-69,
 * and gets what its own community and all others hold (IHE ITI TF-2 §3.18.4.1.3, §3.43.4.1.3; RAD TF-2 §4.69.4.1.3). All
 * are asked at the same time; who does not answer in time is told as unavailable and holds up nobody.
 */
import type { Router } from 'express';
import type { Calling } from '../../core/audit.ts';
import { isSamePatientId } from '../../core/access.ts';
import type { Problem, Result } from '../../core/problem.ts';
import {
  homeOf,
  ITI18_REQUEST,
  ITI18_RESPONSE,
  patientsIn,
  readCrossQuery,
  withHome,
  writeCrossQuery,
  writeQueryAnswer,
} from '../../../mappings/xds/cross-query.ts';
import type { CrossQuery, QueryAnswer } from '../../../mappings/xds/cross-query.ts';
import { writeImagingRequest } from '../../../mappings/xds/cross-retrieve.ts';
import {
  ITI43_REQUEST,
  ITI43_RESPONSE,
  readRetrieveRequest,
  writeRetrieveRequest,
} from '../../../mappings/xds/document-set.ts';
import type { DocumentReference } from '../../../mappings/xds/document-set.ts';
import { statusOf } from '../../../mappings/xds/ebrs-errors.ts';
import type { EbrsError } from '../../../mappings/xds/ebrs-errors.ts';
import { RAD69_REQUEST, RAD69_RESPONSE, readImagingRequest } from '../../../mappings/xds/rad-69.ts';
import type { SoapFault } from '../../../mappings/xds/soap.ts';
import { foreignShare, gatewayError, refusedShare, sendShares } from './gateway-answer.ts';
import type { ForeignAnswer } from './gateway-answer.ts';
import { answerQuery, auditShares, refuseShares, wantedDocuments, wantedImages } from './gateway-exchange.ts';
import type { OwnCommunity, OwnQueryAnswer, Share } from './own-community.ts';
import { faultOf, gatewayRouter, refusal } from './responding-gateway.ts';
import type { GatewayLimits } from './responding-gateway.ts';
import type { SoapDeps, SoapExchange, SoapTransaction } from './soap-exchange.ts';

/** Another community behind its responding gateway; adapters/xds implements it. */
export interface RemoteCommunity {
  readonly home: string;
  /** Authority of the patient ids that it knows; absent: the same as here. */
  readonly patientIdAuthority?: string;
  query(body: string, calling: Calling): Promise<Result<QueryAnswer>>;
  open(kind: 'documents' | 'images', body: string, calling: Calling): Promise<Result<ForeignAnswer>>;
  take(
    kind: 'documents' | 'images',
    body: string,
    calling: Calling,
  ): Promise<Result<{ readonly retrieved: ForeignAnswer; readonly broken: Problem | null }>>;
}

export interface InitiatingGatewayDeps extends SoapDeps {
  readonly own: OwnCommunity;
  readonly communities: readonly RemoteCommunity[];
  /** The patient of this community's id as another authority knows them; null: not known there. */
  readonly patientIn: (patientId: string, authority: string) => Promise<string | null>;
  readonly limits: GatewayLimits;
}

const TRANSACTIONS: Readonly<Record<string, SoapTransaction>> = {
  [ITI18_REQUEST]: { operation: 'ITI-18', act: { kind: 'search-records' }, audited: 'search' },
  [ITI43_REQUEST]: { operation: 'ITI-43', act: { kind: 'read-record' } },
  [RAD69_REQUEST]: { operation: 'RAD-69', act: { kind: 'read-images' } },
};

export function initiatingGateway(deps: InitiatingGatewayDeps): Router {
  return gatewayRouter(deps, deps.limits, 'XCA', TRANSACTIONS, (exchange) => {
    switch (exchange.message.action) {
      case ITI18_REQUEST:
        return query(deps, exchange);
      case ITI43_REQUEST:
        return documents(deps, exchange);
      default:
        return images(deps, exchange);
    }
  });
}

async function query(deps: InitiatingGatewayDeps, exchange: SoapExchange): Promise<SoapFault | null> {
  const read = readCrossQuery(exchange.message.body);
  if (!read.ok) return faultOf(read.problem);
  const { patientId } = read.value;
  const named = await exchange.refuseOthers(patientId === null ? [] : [patientId]);
  if (named) return named;
  const asked = targets(deps, read.value);
  const found: OwnQueryAnswer[] = [];
  const answers =
    'code' in asked
      ? [refusal([asked])]
      : await Promise.all([
          ...(asked.own ? [askOwn(deps, read.value, found, exchange)] : []),
          ...asked.others.map((community) => askOther(deps, exchange, community, read.value)),
        ]);
  const refused = (await refuseFound(exchange, found)) ?? (await refuseForeign(deps, exchange, answers));
  if (refused) return refused;
  const persons = found.flatMap((one) => one.persons);
  const errors = answers.flatMap((answer) => answer.errors);
  const status = statusOf(
    answers.some((answer) => answer.status !== 'failure'),
    errors,
  );
  const objects = answers.flatMap((answer) => answer.objects);
  await answerQuery(exchange, ITI18_RESPONSE, writeQueryAnswer({ status, errors, objects }), persons, errors);
  return null;
}

async function refuseFound(exchange: SoapExchange, found: readonly OwnQueryAnswer[]): Promise<SoapFault | null> {
  const patients = found.flatMap((one) => one.patients);
  return exchange.refuseOthers(
    patients,
    found.flatMap(({ persons }) => persons),
  );
}

/** What others found, too, is to be of the patient for whom the user's assertion was issued, as they know them. */
async function refuseForeign(
  { own, communities, patientIn }: InitiatingGatewayDeps,
  exchange: SoapExchange,
  answers: readonly QueryAnswer[],
): Promise<SoapFault | null> {
  const named = exchange.caller.onBehalfOf?.patientIds ?? [];
  if (named.length === 0) return null;
  for (const object of answers.flatMap(({ objects }) => objects)) {
    if (homeOf(object) === own.home) continue;
    const { patientIdAuthority } = communities.find(({ home }) => home === homeOf(object)) ?? {};
    const there = new Set(
      patientIdAuthority === undefined
        ? []
        : await Promise.all(named.map((patientId) => patientIn(patientId, patientIdAuthority))),
    );
    const ids = patientsIn(object);
    // References and associations say nothing of a patient; anything else must say whose it is.
    const isNobodys = ids.length === 0 && !['ObjectRef', 'Association'].includes(object.name);
    const refused = isNobodys
      ? await exchange.refusePatient([], [])
      : await exchange.refuseOthers(ids.filter((id) => !there.has(id)));
    if (refused) return refused;
  }
  return null;
}

interface Targets {
  readonly own: boolean;
  readonly others: readonly RemoteCommunity[];
}

/** Named: that one. Not named: all, where the query says whose documents it wants (ITI TF-2 §3.18.4.1.3). */
function targets({ own, communities }: InitiatingGatewayDeps, { home, patientId }: CrossQuery): Targets | EbrsError {
  if (home === null)
    return patientId === null
      ? gatewayError('XDSMissingHomeCommunityId', 'The query names no patient and no home community', own.home)
      : { own: true, others: communities };
  if (home === own.home) return { own: true, others: [] };
  const named = communities.find((community) => community.home === home);
  return named
    ? { own: false, others: [named] }
    : gatewayError('XDSUnknownCommunity', 'The home community is not known here', own.home);
}

async function askOwn(
  deps: InitiatingGatewayDeps,
  query: CrossQuery,
  all: OwnQueryAnswer[],
  exchange: SoapExchange,
): Promise<QueryAnswer> {
  const { home } = deps.own;
  const found = await deps.own.query(query, exchange);
  const { answer } = found;
  all.push(found);
  return {
    ...answer,
    objects: answer.objects.map((object) => withHome(object, home)),
    errors: answer.errors.map((error) => ({ ...error, location: error.location ?? home })),
  };
}

async function askOther(
  deps: InitiatingGatewayDeps,
  { calling, caller }: SoapExchange,
  community: RemoteCommunity,
  query: CrossQuery,
): Promise<QueryAnswer> {
  const { home, patientIdAuthority } = community;
  let patientId: string | null = null;
  if (query.patientId !== null && patientIdAuthority !== undefined) {
    patientId = await deps.patientIn(query.patientId, patientIdAuthority);
    // Nobody there is known to be this patient: there is nothing to ask.
    if (patientId === null) return { status: 'success', errors: [], objects: [] };
  }
  const answer = await community.query(writeCrossQuery(query, query.home, patientId), calling);
  if (!answer.ok) return refusal([unavailable(deps, home, answer.problem)]);
  const claimed = answer.value.objects.filter((object) => [null, '', home].includes(homeOf(object)));
  // Who may see one patient only is refused altogether (refuseForeign), and the audit tells.
  const isBound = (caller.onBehalfOf?.patientIds ?? []).length > 0;
  const strange = isBound ? null : otherPatient(answer.value.objects, patientId ?? query.patientId);
  if (strange !== null) {
    deps.log.warn({ community: home, code: 'patient-mismatch' }, strange);
    return refusal([gatewayError('XDSRegistryError', strange, home)]);
  }
  const errors = answer.value.errors.map((error): EbrsError => ({ ...error, location: home }));
  if (claimed.length < answer.value.objects.length)
    errors.push(gatewayError('XDSRegistryError', 'Objects in the name of another community were left out', home));
  if (answer.value.status === 'failure' && errors.length === 0)
    errors.push(gatewayError('XDSRegistryError', 'The community failed without a reason', home));
  return { status: answer.value.status, errors, objects: claimed.map((object) => withHome(object, home)) };
}

/**
 * Nothing of an answer is shown that is not of the patient asked about, or of one patient where the query named objects
 * (ITI TF-2 §3.18.4.1.2.3.3): a mistake elsewhere must not reach a doctor as a finding. References and associations say
 * nothing of a patient; anything else must say whose it is.
 */
function otherPatient(objects: QueryAnswer['objects'], asked: string | null): string | null {
  let patient = asked;
  for (const object of objects) {
    if (['ObjectRef', 'Association'].includes(object.name)) continue;
    const ids = patientsIn(object);
    patient ??= ids[0] ?? null;
    const whose = patient;
    if (whose === null || ids.length === 0 || ids.some((id) => !isSamePatientId(id, whose)))
      return 'The community answered for another patient; nothing of it is shown';
  }
  return null;
}

/** The consumer learns that it does not answer; why is for the operator. */
function unavailable({ log }: InitiatingGatewayDeps, home: string, why: Problem): EbrsError {
  log.warn({ community: home, code: why.code, why: why.text }, 'a community did not give an answer');
  const text = why.code === 'timeout' ? 'The community did not answer in time' : 'The community cannot be asked now';
  return gatewayError('XDSUnavailableCommunity', text, home);
}

async function documents(deps: InitiatingGatewayDeps, exchange: SoapExchange): Promise<SoapFault | null> {
  const read = readRetrieveRequest(exchange.message.body, deps.limits);
  if (!read.ok) return faultOf(read.problem);
  const strange = await refuseStrange(deps, exchange, read.value);
  if (strange) return strange;
  const shares = await retrieve({ ...deps, calling: exchange.calling }, 'documents', read.value, {
    own: (wanted) => deps.own.documents(wanted, exchange),
    write: writeRetrieveRequest,
    key: (wanted) => wanted,
  });
  const refused = await refuseShares(exchange, shares);
  if (refused) return refused;
  await auditShares(exchange, shares, wantedDocuments(read.value));
  await sendShares(exchange, ITI43_RESPONSE, shares);
  return null;
}

async function images(deps: InitiatingGatewayDeps, exchange: SoapExchange): Promise<SoapFault | null> {
  const read = readImagingRequest(exchange.message.body, deps.limits);
  if (!read.ok) return faultOf(read.problem);
  const { transferSyntaxes, documents: wanted } = read.value;
  const strange = await refuseStrange(deps, exchange, wanted);
  if (strange) return strange;
  const shares = await retrieve({ ...deps, calling: exchange.calling }, 'images', wanted, {
    own: (documents) => deps.own.images({ documents, transferSyntaxes }, exchange),
    write: (documents) => writeImagingRequest({ documents, transferSyntaxes }),
    key: ({ repositoryUid, sopUid }) => ({ repositoryUniqueId: repositoryUid, documentUniqueId: sopUid }),
  });
  const refused = await refuseShares(exchange, shares);
  if (refused) return refused;
  await auditShares(exchange, shares, wantedImages(wanted));
  await sendShares(exchange, RAD69_RESPONSE, shares);
  return null;
}

/** An answer to a retrieve does not say whose its documents are: for one patient only, none of others is asked for. */
async function refuseStrange(
  { own }: InitiatingGatewayDeps,
  exchange: SoapExchange,
  wanted: readonly { readonly homeCommunityId: string | null }[],
): Promise<SoapFault | null> {
  const isOwn = wanted.every(({ homeCommunityId: home }) => home === null || home === own.home);
  return isOwn ? null : exchange.refusePatient([], []);
}

interface Kind<W> {
  readonly own: (wanted: readonly W[]) => Promise<Share>;
  readonly write: (wanted: readonly W[]) => string;
  readonly key: (wanted: W) => Pick<DocumentReference, 'repositoryUniqueId' | 'documentUniqueId'>;
}

interface RetrieveDeps extends InitiatingGatewayDeps {
  readonly calling: Calling;
}

/** Groups by community and asks all at once (RAD TF-2 §4.75.1). */
async function retrieve<W extends { readonly homeCommunityId: string | null }>(
  deps: RetrieveDeps,
  kind: 'documents' | 'images',
  wanted: readonly W[],
  { own, write, key }: Kind<W>,
): Promise<readonly Share[]> {
  const groups = new Map<string | null, W[]>();
  for (const one of wanted) {
    const group = groups.get(one.homeCommunityId) ?? [];
    groups.set(one.homeCommunityId, group);
    group.push(one);
  }
  const alone = groups.size === 1;
  const shares = await Promise.allSettled(
    [...groups].map(async ([home, group]): Promise<Share> => {
      const here = deps.own.home;
      const count = `${String(group.length)} documents`;
      if (home === here) return own(group);
      if (home === null)
        return refusedShare([gatewayError('XDSMissingHomeCommunityId', `${count} name no home community`, here)]);
      const community = deps.communities.find((other) => other.home === home);
      if (!community)
        return refusedShare([gatewayError('XDSUnknownCommunity', `${count} name a community not known here`, here)]);
      return askFor(deps, community, kind, write(group), group.map(key), alone);
    }),
  );
  const failed = shares.find((share) => share.status === 'rejected');
  if (!failed) return shares.flatMap((share) => (share.status === 'fulfilled' ? [share.value] : []));
  for (const share of shares) if (share.status === 'fulfilled') share.value.close();
  throw failed.reason;
}

/** One alone is passed through as it comes; of several, none may break off what the others gave. */
async function askFor(
  deps: RetrieveDeps,
  community: RemoteCommunity,
  kind: 'documents' | 'images',
  body: string,
  wanted: readonly Pick<DocumentReference, 'repositoryUniqueId' | 'documentUniqueId'>[],
  alone: boolean,
): Promise<Share> {
  const { home } = community;
  if (alone) {
    const opened = await community.open(kind, body, deps.calling);
    return opened.ok
      ? foreignShare(home, wanted, opened.value)
      : refusedShare([unavailable(deps, home, opened.problem)]);
  }
  const taken = await community.take(kind, body, deps.calling);
  if (!taken.ok) return refusedShare([unavailable(deps, home, taken.problem)]);
  const { retrieved, broken } = taken.value;
  const share = foreignShare(home, wanted, retrieved);
  return broken === null ? share : { ...share, errors: [...share.errors, unavailable(deps, home, broken)] };
}
