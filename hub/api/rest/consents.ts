/** What the REST face does about consents: the desk's and the app's side of them, codes of who is present, notices. */
import type { components } from '../../../openapi/generated/hub.ts';
import { isTheirsToAsk, type Caller } from '../../core/access.ts';
import type { ConsentRule } from '../../core/consent.ts';
import type { ConsentContent, ConsentRecord, PresentCodes } from '../../core/consent-ports.ts';
import { noticeText, type PatientNoticeList } from '../../core/patient-notice.ts';
import { problem, type Problem } from '../../core/problem.ts';
import type { ConsentActs } from '../../flow/consents.ts';
import type { Disclosure, Handlers, Refused } from './operation.ts';
import { pageOf } from './page.ts';

export interface ConsentHandlerDeps {
  readonly consents: ConsentActs;
  readonly codes: Pick<PresentCodes, 'redeem'>;
  readonly notices: PatientNoticeList;
  /** Code of the institution for which the caller acts; null: for none. */
  readonly institutionOf: (caller: Caller) => string | null;
  readonly clock: () => Date;
}

type Terms = components['schemas']['ConsentTerms'];
type Body = components['schemas']['Consent'];

const notFound = (): Refused => ({ problem: problem('not-found') });
const refused = (why: Problem): Refused =>
  why.where === undefined
    ? { problem: why }
    : { problem: why, errors: [{ pointer: `#/${why.where}`, code: why.code, text: why.text }] };

const shown = ({ rules, recordedBy, ...rest }: ConsentRecord): Body => ({
  ...rest,
  recordedBy: { ...recordedBy },
  rules: rules.map((rule) => ({
    ...rule,
    recipients: [...rule.recipients],
    sources: [...rule.sources],
    purposes: [...rule.purposes],
    classes: [...rule.classes],
    labels: [...rule.labels],
  })),
});

const disclosed = (action: Disclosure['action'], records: readonly ConsentRecord[], reason?: string): Disclosure => ({
  action,
  persons: [...new Set(records.map(({ personId }) => personId))],
  objects: records.map(({ consentId }) => `consent/${consentId}`),
  ...(reason === undefined ? {} : { reason }),
});

const utc = (text: string | undefined): string | null => (text === undefined ? null : new Date(text).toISOString());

/** What is wrong with one rule among the others; null: nothing. */
function wrongRule(rules: Terms['rules']): Problem | null {
  for (const [at, { exceptionOf, from, until }] of rules.entries()) {
    const where = `rules/${String(at)}`;
    if (exceptionOf !== undefined && exceptionOf >= at)
      return problem('invalid-value', `${where}/exceptionOf`, 'An exception follows the rule that it is one of.');
    if (from !== undefined && until !== undefined && Date.parse(from) >= Date.parse(until))
      return problem('invalid-value', `${where}/until`, 'It ends before it begins.');
  }
  return null;
}

const ruleOf = (rule: Terms['rules'][number]): ConsentRule => ({
  effect: rule.effect,
  recipients: rule.recipients ?? [],
  sources: rule.sources ?? [],
  purposes: rule.purposes ?? [],
  classes: rule.classes ?? [],
  labels: rule.labels ?? [],
  from: utc(rule.from),
  until: utc(rule.until),
  exceptionOf: rule.exceptionOf ?? null,
});

const contentOf = (terms: Terms, now: Date): ConsentContent => ({
  rules: terms.rules.map(ruleOf),
  giver: terms.giver ?? 'patient',
  giverName: terms.giverName ?? null,
  giverRelation: terms.giverRelation ?? null,
  givenAt: utc(terms.givenAt) ?? now.toISOString(),
  channel: terms.channel ?? 'desk',
  form: terms.form,
  institution: terms.institution ?? null,
  evidence: terms.evidence ?? null,
});

type Consents = Pick<Handlers, 'recordConsent' | 'readConsent' | 'withdrawConsent' | 'listConsents'>;

function consents({ consents: acts, clock }: ConsentHandlerDeps): Consents {
  return {
    recordConsent: async ({ body, caller }) => {
      const wrong = wrongRule(body.rules);
      if (wrong !== null) return refused(wrong);
      const result = await acts.record(caller, body.personId, contentOf(body, clock()));
      if (!result.ok) return refused(result.problem);
      return {
        status: 201,
        body: shown(result.value),
        disclosure: disclosed('change', [result.value], 'consent recorded'),
      };
    },
    readConsent: async ({ path, caller }) => {
      const found = await acts.read(caller, path.id);
      return found === null ? notFound() : { status: 200, body: shown(found), disclosure: disclosed('read', [found]) };
    },
    withdrawConsent: async ({ path, body, caller }) => {
      const change = { status: 'inactive', reason: body.reason ?? null } as const;
      const result = await acts.revise(
        caller,
        path.id,
        change,
        body.version === undefined ? {} : { version: body.version },
      );
      if (!result.ok) return refused(result.problem);
      return {
        status: 200,
        body: shown(result.value),
        disclosure: disclosed('change', [result.value], 'consent withdrawn'),
      };
    },
    listConsents: async ({ path, query, caller }) => {
      const { items, next } = await acts.find(caller, { persons: [path.id] }, pageOf(query));
      return { status: 200, body: { items: items.map(shown), next }, disclosure: disclosed('search', items) };
    },
  };
}

const BY_THE_PATIENT = { giver: 'patient', giverName: null, giverRelation: null } as const;

type Present = Pick<Handlers, 'issuePresentCode' | 'redeemPresentCode' | 'listPatientNotices'>;

function present({ consents: acts, codes, notices, institutionOf }: ConsentHandlerDeps): Present {
  return {
    issuePresentCode: async ({ body, caller }) => {
      const { personId, kind, minutes, hours, form } = body;
      if (!isTheirsToAsk(caller, personId)) return refused(problem('not-found', 'personId', 'Nobody has this id.'));
      const giver =
        caller.role === 'patient'
          ? BY_THE_PATIENT
          : {
              giver: body.giver ?? 'patient',
              giverName: body.giverName ?? null,
              giverRelation: body.giverRelation ?? null,
            };
      const evidence = body.evidence === undefined ? {} : { evidence: body.evidence };
      const terms = { hours, sources: body.sources ?? [], labels: body.labels ?? [], form, ...giver, ...evidence };
      const result = await acts.draw(caller, { personId, kind, minutes, terms });
      if (!result.ok) return refused(result.problem);
      const objects = [`present-code/${result.value.codeId}`];
      return { status: 201, body: result.value, disclosure: { action: 'change', persons: [personId], objects } };
    },
    redeemPresentCode: async ({ body, caller }) => {
      const institution = institutionOf(caller);
      if (institution === null)
        return {
          problem: problem('forbidden', undefined, 'The code opens for an institution, and this caller acts for none.'),
        };
      if (/^\d{8}$/.test(body.code) && body.personId === undefined)
        return refused(problem('required-missing', 'personId', 'Digits are good with the patient whose they are.'));
      const result = await codes.redeem({ code: body.code, personId: body.personId ?? null, institution }, caller);
      if (!result.ok) return refused(result.problem);
      return {
        status: 201,
        body: shown(result.value),
        disclosure: disclosed('change', [result.value], 'patient present'),
      };
    },
    listPatientNotices: async ({ path, query, caller }) => {
      if (!isTheirsToAsk(caller, path.id)) return notFound();
      const { items, next } = await notices.of(path.id, pageOf(query));
      const body = {
        items: items.map((one) => ({ ...one, content: { ...one.content }, text: noticeText(one) })),
        next,
      };
      const disclosure = {
        action: 'read',
        persons: [path.id],
        objects: items.map(({ noticeId }) => `notice/${noticeId}`),
      } as const;
      return { status: 200, body, disclosure };
    },
  };
}

export const consentHandlers = (deps: ConsentHandlerDeps): Consents & Present => ({
  ...consents(deps),
  ...present(deps),
});
