/** What the REST face does about persons: their file, merge, split, undo, doubts side by side, and rematches. */
import type { components } from '../../../openapi/generated/hub.ts';
import { decide, type Caller } from '../../core/access.ts';
import { mask } from '../../core/person.ts';
import type { Deciding, Explanation, IdentityDecision, IdentityDesk } from '../../core/identity.ts';
import type { ReviewQueue } from '../../core/operation.ts';
import { problem, type Result } from '../../core/problem.ts';
import type { RematchDesk, RuleChange } from '../../core/rematch.ts';
import type { PatientView } from '../../core/view.ts';
import type { Disclosure, Handlers, Refused } from './operation.ts';
import { reviewOf } from './review-item.ts';

export interface IdentityDeps {
  readonly identity: IdentityDesk;
  readonly rematch: RematchDesk;
  readonly reviews: ReviewQueue;
}

const notFound = (): Refused => ({ problem: problem('not-found') });

type Registration = components['schemas']['PersonRegistration'];

/** Whole to whoever may read records; to others shortened, so that they can still tell the two apart. */
function registrationOf(view: PatientView, caller: Caller): Registration {
  const whole = decide(caller, { kind: 'read-record' }).allowed;
  const { recordId, site, authority, localId, names, sex, birthDate, residentId, phone, address, mergedInto } = whole
    ? view
    : mask(view);
  return {
    recordId,
    site,
    authority,
    localId,
    names: names.map(({ text, representation }) => ({ text, representation })),
    sex,
    birthDate,
    residentId,
    phone,
    address: address?.text ?? null,
    mergedInto,
    ...(view.withdrawnAt ? { withdrawnAt: view.withdrawnAt } : {}),
    masked: !whole,
  };
}

const explained = ({ records, contributions, ...rest }: Explanation): components['schemas']['Explanation'] => ({
  ...rest,
  records: [...records],
  contributions: contributions.map(({ attribute, level, weight }) => ({ attribute, level, weight })),
});

const decisionOf = (decision: IdentityDecision): components['schemas']['IdentityDecision'] => ({
  ...decision,
  records: [...decision.records],
});

const deciding = (caller: Caller, body: { reason: string; requestId?: string | undefined }): Deciding => ({
  caller,
  reason: body.reason,
  ...(body.requestId === undefined ? {} : { requestId: body.requestId }),
});

type Persons = Pick<Handlers, 'readPerson' | 'mergePersons' | 'splitPerson' | 'undoDecision'>;

function persons({ identity }: IdentityDeps): Persons {
  const answer = (
    result: Awaited<ReturnType<IdentityDesk['merge']>>,
    reason: string,
  ): Awaited<ReturnType<Persons['mergePersons']>> => {
    if (!result.ok) return { problem: result.problem };
    const { decision, persons: now } = result.value;
    const objects = [`identity-decision/${decision.decisionId}`];
    const disclosure: Disclosure = { action: 'change', persons: now, objects, reason };
    return { status: 200, body: { decision: decisionOf(decision), persons: [...now] }, disclosure };
  };
  return {
    readPerson: async ({ path, caller }) => {
      const file = await identity.person(path.id);
      if (file === null) return notFound();
      const survivors = Object.entries(file.survivors).flatMap(([attribute, one]) =>
        one === null ? [] : [{ attribute, recordId: one.recordId, rule: one.rule }],
      );
      const body = {
        personId: file.personId,
        formerIds: [...file.formerIds],
        registrations: file.registrations.map((view) => registrationOf(view, caller)),
        survivors,
        links: file.links.map(explained),
        decisions: file.decisions.map(decisionOf),
      };
      const disclosure: Disclosure = { action: 'read', persons: [file.personId], objects: [`person/${file.personId}`] };
      return { status: 200, body, disclosure };
    },
    mergePersons: async ({ path, body, caller }) =>
      answer(await identity.merge(path.id, body.with, deciding(caller, body)), body.reason),
    splitPerson: async ({ path, body, caller }) =>
      answer(await identity.split(path.id, body.records, deciding(caller, body)), body.reason),
    undoDecision: async ({ path, body, caller }) =>
      answer(await identity.undo(path.id, body.decisionId, deciding(caller, body)), body.reason),
  };
}

type Doubts = Pick<Handlers, 'readReviewSides' | 'decideReview' | 'forecastReviews'>;

function doubts({ reviews }: IdentityDeps): Doubts {
  return {
    readReviewSides: async ({ path, caller }) => {
      const found = await reviews.sides(path.id);
      if (found === null) return notFound();
      const body = {
        review: reviewOf(found.item),
        sides: found.sides.map((view) => registrationOf(view, caller)),
        comparison: found.comparison && explained(found.comparison),
      };
      const disclosure: Disclosure = { action: 'read', persons: found.item.persons, objects: [`review/${path.id}`] };
      return { status: 200, body, disclosure };
    },
    decideReview: async ({ path, body, caller }) => {
      const result = await reviews.decide(path.id, body.decision, deciding(caller, body));
      if (!result.ok) return { problem: result.problem };
      const reason = `${body.decision}: ${body.reason}`;
      const disclosure: Disclosure = {
        action: 'change',
        persons: result.value.persons,
        objects: [`review/${path.id}`],
        reason,
      };
      return { status: 200, body: reviewOf(result.value), disclosure };
    },
    forecastReviews: async ({ query }) => ({ status: 200, body: await reviews.forecast(query.review) }),
  };
}

type Rules = Pick<Handlers, 'readMatchRules' | 'readRematch' | 'startRematch' | 'activateRematch' | 'cancelRematch'>;

function rules({ rematch }: IdentityDeps): Rules {
  type Answer = Awaited<ReturnType<Rules['readRematch']>>;
  const answer = (result: Result<NonNullable<Awaited<ReturnType<RematchDesk['latest']>>>>, what: string): Answer => {
    if (!result.ok) return { problem: result.problem };
    const objects = [`rematch/${result.value.rematchId}`];
    return {
      status: 200,
      body: structuredClone(result.value),
      disclosure: { action: 'administer', persons: [], objects, reason: what },
    };
  };
  return {
    readMatchRules: async () => {
      const { rules: inForce, cuts } = await rematch.inForce();
      const { version, prior, householdCap, thresholds, odds } = inForce;
      return { status: 200, body: { version, prior, householdCap, thresholds, odds, cuts: [...cuts] } };
    },
    readRematch: async () => {
      const latest = await rematch.latest();
      return latest === null ? notFound() : { status: 200, body: structuredClone(latest) };
    },
    startRematch: async ({ body, caller }) => {
      const { version, ...rest } = body;
      if (version === undefined && Object.keys(rest).length > 0)
        return { problem: problem('required-missing', 'version', 'Other rules need a version of their own.') };
      const change = version === undefined ? null : ({ version, ...rest } as RuleChange);
      return answer(await rematch.start(change, caller), 'start');
    },
    activateRematch: async ({ path, caller }) => answer(await rematch.activate(path.id, caller), 'activate'),
    cancelRematch: async ({ path, caller }) => answer(await rematch.cancel(path.id, caller), 'cancel'),
  };
}

export const identityHandlers = (deps: IdentityDeps): Persons & Doubts & Rules => ({
  ...persons(deps),
  ...doubts(deps),
  ...rules(deps),
});
