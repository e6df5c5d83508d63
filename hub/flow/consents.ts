/**
 * What callers may do with consents, on whichever face: a hospital records and withdraws those of its own desk, the
 * patient's own system all of its patients', a doctor sees those of patients whom they may see, a patient their own.
 */
import { decide, isTheirsToAsk, type Caller } from '../core/access.ts';
import type {
  ConsentContent,
  ConsentCriteria,
  ConsentDesk,
  ConsentRecord,
  PresentCodes,
} from '../core/consent-ports.ts';
import type { Page, PageRequest } from '../core/operation.ts';
import { fail, problem, type Result } from '../core/problem.ts';
import { createHospitalWord, NOBODY, type HospitalWordDeps } from './hospital-word.ts';

export interface ConsentActsDeps extends HospitalWordDeps {
  readonly desk: ConsentDesk;
  readonly codes: PresentCodes;
  /** Those of these persons whose records the caller may see. */
  readonly seen: (caller: Caller, persons: readonly string[]) => Promise<ReadonlySet<string>>;
}

export interface ConsentActs {
  record(caller: Caller, personId: string, content: ConsentContent): Promise<Result<ConsentRecord>>;
  revise(
    caller: Caller,
    consentId: string,
    change: Parameters<ConsentDesk['revise']>[1],
    /** `personId`: whose the new words say it is. */
    expected: { readonly version?: number; readonly personId?: string },
  ): Promise<Result<ConsentRecord>>;
  /** A code of who is present, to be used up by somebody else. */
  draw(caller: Caller, request: Parameters<PresentCodes['issue']>[0]): ReturnType<PresentCodes['issue']>;
  read(caller: Caller, consentId: string): Promise<ConsentRecord | null>;
  version(caller: Caller, consentId: string, version: number): Promise<ConsentRecord | null>;
  versions(caller: Caller, consentId: string): Promise<readonly ConsentRecord[]>;
  /** `total`: null where some may be hidden. */
  find(
    caller: Caller,
    criteria: ConsentCriteria,
    page: PageRequest,
  ): Promise<Page<ConsentRecord> & { readonly total: number | null }>;
}

/** Looked through for one page; a wider question goes on at the next. */
const MOST_TURNS = 200;

const NO_PATIENT = problem(
  'forbidden',
  undefined,
  'No relation to this patient is known; the desk or the app changes it.',
);

/** By its contract it sees and says what any patient has agreed to. */
const isOfAll = ({ role, site }: Caller): boolean =>
  role === 'administrator' || (role === 'query-platform' && site === undefined);

export function createConsentActs({ desk, codes, institutionOf, house, seen }: ConsentActsDeps): ConsentActs {
  const word = createHospitalWord({ institutionOf, house });
  const visible = async (caller: Caller, records: readonly ConsentRecord[]): Promise<readonly ConsentRecord[]> => {
    if (isOfAll(caller)) return records;
    // Whoever recorded it: what a patient said of registrations that are another person now is no longer theirs to see.
    if (caller.role === 'patient') return records.filter(({ personId }) => isTheirsToAsk(caller, personId));
    const own = institutionOf(caller);
    const isOwn = ({ institution, recordedBy }: ConsentRecord): boolean =>
      (own !== null && institution === own) || recordedBy.id === caller.id;
    const others = records.filter((one) => !isOwn(one)).map(({ personId }) => personId);
    const open = others.length === 0 ? new Set<string>() : await seen(caller, [...new Set(others)]);
    return records.filter((one) => isOwn(one) || open.has(one.personId));
  };
  const one = async (caller: Caller, found: ConsentRecord | null): Promise<ConsentRecord | null> =>
    found === null ? null : ((await visible(caller, [found]))[0] ?? null);
  /** Of somebody who is no patient of the doctor's, a consent in the doctor's hand would be a key that he cut himself. */
  const isPatientOf = async (caller: Caller, personId: string): Promise<boolean> =>
    isTheirsToAsk(caller, personId) && (caller.role !== 'physician' || (await seen(caller, [personId])).has(personId));
  /** Ends at a consent that is seen, and goes on only where another is: a place in the list tells of nothing hidden. */
  const seenPage = async (
    caller: Caller,
    criteria: ConsentCriteria,
    page: PageRequest,
  ): Promise<Page<ConsentRecord>> => {
    const items: ConsentRecord[] = [];
    let [after, end] = [page.after, page.after];
    for (let turn = 0; turn < MOST_TURNS; turn++) {
      const limit = page.limit - items.length || 1;
      const found = await desk.find(criteria, { limit, ...(after === undefined ? {} : { after }) });
      const shown = await visible(caller, found.items);
      if (items.length === page.limit && shown.length > 0) return { items, next: end ?? null };
      items.push(...shown);
      if (found.next === null) return { items, next: null };
      after = found.next;
      if (shown.length > 0) end = after;
    }
    return { items, next: after ?? null };
  };
  return {
    async record(caller, personId, content) {
      const own = placed(caller, content, institutionOf(caller));
      if (!own.ok) return own;
      const against = await word.againstConsent(caller, personId, own.value);
      if (against !== null) return fail(against);
      return (await isPatientOf(caller, personId)) ? desk.record(personId, own.value, caller) : fail(NOBODY);
    },
    async revise(caller, consentId, change, { version, personId }) {
      const found = await one(caller, await desk.read(consentId));
      if (found === null) return fail(problem('not-found'));
      if (personId !== undefined && personId !== found.personId)
        return fail(problem('patient-mismatch', 'personId', 'This consent is of another person.'));
      const own = institutionOf(caller);
      const isTheirs = isOfAll(caller) || caller.role === 'patient' || found.recordedBy.id === caller.id;
      if (!isTheirs && found.institution !== own)
        return fail(
          problem(
            'forbidden',
            undefined,
            'Another institution recorded this; the patient withdraws it there or by app.',
          ),
        );
      if (!(await isPatientOf(caller, found.personId))) return fail(NO_PATIENT);
      const content = change.content === undefined ? null : placed(caller, change.content, own);
      if (content?.ok === false) return content;
      const against = await word.againstChange(caller, found, content?.value);
      if (against !== null) return fail(against);
      const next = content === null ? change : { ...change, content: content.value };
      return desk.revise(consentId, next, caller, version);
    },
    async draw(caller, request) {
      const terms = await word.presentTerms(caller, request.personId, request.terms);
      return terms.ok ? codes.issue({ ...request, terms: terms.value }, caller) : terms;
    },
    read: async (caller, consentId) => one(caller, await desk.read(consentId)),
    version: async (caller, consentId, version) => one(caller, await desk.version(consentId, version)),
    versions: async (caller, consentId) => visible(caller, await desk.versions(consentId)),
    async find(caller, criteria, page) {
      const whose = caller.role === 'patient' && criteria.persons === undefined ? { persons: ownOf(caller) } : {};
      if (!isOfAll(caller)) return { ...(await seenPage(caller, { ...criteria, ...whose }, page)), total: null };
      return { ...(await desk.find(criteria, page)), total: await desk.count(criteria) };
    },
  };
}

/** Who acts for an institution records for that one. */
function placed(caller: Caller, content: ConsentContent, own: string | null): Result<ConsentContent> {
  if (caller.role === 'patient') return { ok: true, value: { ...content, ...BY_THE_PATIENT } };
  if (isOfAll(caller) || own === null) return { ok: true, value: content };
  if (content.institution !== null && content.institution !== own)
    return fail(problem('invalid-value', 'institution', 'A consent is recorded for one’s own institution.'));
  return { ok: true, value: { ...content, institution: own } };
}

const ownOf = ({ user }: Caller): readonly string[] => (user?.person === undefined ? [] : [user.person]);

/** Whatever a patient sends: nobody else gives it, at no desk, and no paper stands for it. */
const BY_THE_PATIENT = {
  giver: 'patient',
  giverName: null,
  giverRelation: null,
  channel: 'app',
  institution: null,
  evidence: null,
} as const;

/** Who may look at consents at all: whoever records them, and whoever reads records. */
export const mayReadConsents = (caller: Caller): boolean =>
  decide(caller, { kind: 'record-consent' }).allowed || decide(caller, { kind: 'read-record' }).allowed;
