/**
 * The desk that every face asks before it shows anything of a person: gathers the facts of all subjects of an answer at
 * once, lets core/subject.ts decide, and keeps what was withheld and why, for the audit.
 */
import type { Caller } from '../core/access.ts';
import type {
  AccessDesk,
  AccessFacts,
  AccessGround,
  FactsQuery,
  KnownPersons,
  Sight,
  SightTold,
  SubjectIndex,
} from '../core/access-ports.ts';
import type { EmergencyPolicy } from '../core/consent.ts';
import type { HubId } from '../core/identifier.ts';
import { institutionCode } from '../core/institution.ts';
import { decideSubject, NO_FACTS, NOBODY_KNOWN, readerOf } from '../core/subject.ts';
import type { Reader, Subject, SubjectDecision, SubjectFacts } from '../core/subject.ts';

export interface AccessDeskDeps {
  /** What an emergency stands above; absent: everything. */
  readonly emergency?: EmergencyPolicy;
  readonly facts: AccessFacts;
  readonly subjects: SubjectIndex;
  readonly known: KnownPersons;
  readonly clock: () => Date;
}

/** Persons whose facts are asked for in one query. */
const BATCH = 500;
/** What an audit record tells of what was withheld; a wide search may pass over a province. */
const MOST_TOLD = 200;
/** FHIR resources that are about institutions and not about persons. */
const OF_NOBODY: ReadonlySet<string> = new Set(['Organization', 'Endpoint']);

export function createAccessDesk(deps: AccessDeskDeps): AccessDesk {
  return {
    async sight(caller) {
      const ground = await deps.facts.ground();
      return isWhole(caller, readerOf(caller, ground.institutions), ground)
        ? WHOLE
        : new Judged(deps, ground, readerOf(caller, ground.institutions));
    },
    async house(code, persons) {
      const { institutions } = await deps.facts.ground();
      const [institution, at] = [institutionCode(code), deps.clock().toISOString()];
      const sites = institutions.sitesWithin(institution);
      const query = { institution, sites, practitionerId: null, accountId: null, at };
      const facts = await deps.facts.of(persons as readonly HubId[], query);
      const isPatient = (person: HubId): boolean =>
        facts.get(person)?.relations.some(({ kind, until }) => kind === 'treating' && at < (until ?? '~')) === true;
      return {
        parts: institutions.within(institution),
        patients: new Set((persons as readonly HubId[]).filter(isPatient)),
      };
    },
  };
}

/** Systems read by their contract: where nothing is sensitive and nobody refused, there is nothing to look into. */
function isWhole(caller: Caller, reader: Reader, { institutions, anyLabel, anyRefusal }: AccessGround): boolean {
  if (reader.role === 'administrator') return true;
  if (caller.user !== undefined || reader.kind === 'person' || reader.role !== 'query-platform') return false;
  if (reader.institution !== null && institutions.byCode(reader.institution)?.state !== 'approved') return false;
  return !anyLabel && !anyRefusal;
}

const all = (ids: readonly string[]): Promise<ReadonlySet<string>> => Promise.resolve(new Set(ids));

/** Nothing is hidden. */
export const WHOLE: Sight = {
  whole: true,
  signedOnly: false,
  decide: (subjects) => Promise.resolve(subjects.map(() => ({ allowed: true, basis: 'contract' }))),
  persons: all,
  exams: all,
  studies: all,
  resources: (_type, ids) => all(ids),
  documents: all,
  identified: () => Promise.resolve(),
  mayBeTold: () => Promise.resolve(false),
  told: () => ({ withheld: [], bases: [] }),
};

class Judged implements Sight {
  readonly whole = false;
  readonly #facts = new Map<HubId, SubjectFacts>();
  readonly #withheld = new Map<string, SightTold['withheld'][number]>();
  readonly #bases = new Set<string>();
  readonly signedOnly: boolean;
  readonly #query: FactsQuery;

  constructor(
    private readonly deps: AccessDeskDeps,
    private readonly ground: AccessGround,
    private readonly reader: Reader,
  ) {
    const { institution, practitionerId, accountId } = reader;
    this.signedOnly = reader.role === 'patient';
    const sites = institution === null ? [] : ground.institutions.sitesWithin(institution);
    this.#query = { institution, sites, practitionerId, accountId, at: deps.clock().toISOString() };
  }

  async decide(subjects: readonly Subject[]): Promise<readonly SubjectDecision[]> {
    await this.#learn(subjects);
    return subjects.map((subject) => {
      const { institutions } = this.ground;
      const facts = this.#facts.get(subject.person) ?? NO_FACTS;
      const decision = decideSubject(this.reader, subject, facts, institutions, this.#query.at, this.deps.emergency);
      if (decision.allowed) this.#bases.add(decision.because === undefined ? decision.basis : said(decision));
      else this.#withhold(subject, decision.reason);
      return decision;
    });
  }

  /** Facts of persons not asked about before, few queries for any number. */
  async #learn(subjects: readonly Subject[]): Promise<void> {
    const asked = new Set(subjects.map(({ person }) => person));
    const fresh = [...asked].filter((person) => person !== NOBODY_KNOWN && !this.#facts.has(person));
    for (let at = 0; at < fresh.length; at += BATCH) {
      const found = await this.deps.facts.of(fresh.slice(at, at + BATCH), this.#query);
      for (const [person, facts] of found) this.#facts.set(person, facts);
    }
  }

  #withhold({ person, exam }: Subject, reason: string): void {
    if (this.#withheld.size >= MOST_TOLD) return;
    const told = { person, reason, ...(exam === undefined ? {} : { exam: exam.id }) };
    this.#withheld.set(`${person} ${exam?.id ?? ''} ${reason}`, told);
  }

  /**
   * An object about several is seen by who may see each. What the index does not know is not there: a system is left to
   * find that out, and a person is not shown what nobody can vouch for.
   */
  async #seen(ids: readonly string[], of: ReadonlyMap<string, readonly Subject[]>): Promise<ReadonlySet<string>> {
    const subjects = [...new Set(ids)].map((id) => ({ id, about: of.get(id) ?? [] }));
    const decisions = await this.decide(subjects.flatMap(({ about }) => about));
    let next = 0;
    const seen = subjects.filter(({ about }) => {
      const own = decisions.slice(next, next + about.length);
      next += about.length;
      return own.length === 0 ? this.reader.kind === 'system' : own.every(({ allowed }) => allowed);
    });
    return new Set(seen.map(({ id }) => id));
  }

  persons(ids: readonly string[]): Promise<ReadonlySet<string>> {
    return this.#seen(ids, new Map(ids.map((id) => [id, [{ person: id as HubId }]])));
  }

  async exams(ids: readonly string[]): Promise<ReadonlySet<string>> {
    return this.#seen(ids, each(await this.deps.subjects.ofExams(ids as readonly HubId[])));
  }

  async studies(uids: readonly string[]): Promise<ReadonlySet<string>> {
    return this.#seen(uids, each(await this.deps.subjects.ofStudies(uids)));
  }

  async resources(type: string, ids: readonly string[]): Promise<ReadonlySet<string>> {
    return OF_NOBODY.has(type) ? new Set(ids) : this.#seen(ids, await this.deps.subjects.ofResources(type, ids));
  }

  async documents(uniqueIds: readonly string[]): Promise<ReadonlySet<string>> {
    return this.#seen(uniqueIds, await this.deps.subjects.ofDocuments(uniqueIds));
  }

  async identified(persons: readonly string[]): Promise<void> {
    const { accountId, role } = this.reader;
    if (accountId !== null && role !== 'patient' && persons.length > 0)
      await this.deps.known.note(accountId, persons as readonly HubId[], this.#query.at);
  }

  async mayBeTold(): Promise<boolean> {
    const { accountId } = this.reader;
    const named = [...this.#withheld.values()].map(({ person }) => person);
    const persons = [...new Set(named)].filter((person) => person !== NOBODY_KNOWN);
    if (accountId === null || persons.length === 0) return false;
    return (await this.deps.known.knownTo(accountId, persons, this.#query.at)).size > 0;
  }

  told(): SightTold {
    return { withheld: [...this.#withheld.values()], bases: [...this.#bases].sort() };
  }
}

const said = ({ basis, because = '' }: Extract<SubjectDecision, { allowed: true }>): string => `${basis}(${because})`;

const each = (found: ReadonlyMap<string, Subject>): ReadonlyMap<string, readonly Subject[]> =>
  new Map([...found].map(([id, subject]) => [id, [subject]]));
