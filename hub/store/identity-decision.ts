/**
 * Merge, split and undo: a decision and its rulings are added, everything tied together is judged again, and the
 * transaction stands only if the outcome is what was asked for. No exam, report or image is written.
 */
import type { Derivation, HubId } from '../core/identifier.ts';
import type { Deciding, Decided, DecisionKind, IdentityDecision, IdentityDesk } from '../core/identity.ts';
import type { Ruling } from '../core/match/comparison.ts';
import type { Matching } from '../core/match/matcher.ts';
import { fail, Failure, ok, problem, type Result } from '../core/problem.ts';
import { featuresOf, lockComponent } from './component.ts';
import { vaultOf, type Connection, type Database } from './database.ts';
import { announceLinked, type Projection } from './index-writer.ts';
import { ownPerson, pairKey } from '../core/person.ts';
import { rulesInForce } from './match.ts';
import { decisionsBy, personFile, todayOf } from './person-file.ts';
import { decideComponent } from './person-link.ts';
import { residentKey } from './sealed-facts.ts';

export interface DeskDeps {
  readonly database: Database;
  readonly clock: () => Date;
  readonly derive: Derivation;
  readonly matching: Matching;
  readonly projection: Projection;
  readonly affinityDomainOid?: string;
  /** Who is told when a person's numbers change. */
  readonly linkSubscribers?: readonly string[];
}

/** What one decision says, and what must be true afterwards. */
interface Wanted {
  readonly kind: DecisionKind;
  readonly rulings: readonly Ruling[];
  /** Resident IDs, and conflicts of two, that the rulings knew of. */
  readonly numbers?: readonly string[];
  readonly undoes?: string;
  readonly reviewId?: string;
  /** Everything concerned: its persons before and after are rendered. */
  readonly records: readonly HubId[];
  /** `personOf`: the outcome. A text tells why it is not what was asked for. */
  readonly holds: (personOf: ReadonlyMap<HubId, HubId>) => string | null;
}

/** More rulings than this say nothing more: one between the sides holds them apart. */
const MOST_RULINGS = 400;
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

const refuse = (text: string): never => {
  throw new Failure(problem('conflict', 'person', text));
};

export function createIdentityDesk(deps: DeskDeps): IdentityDesk {
  const { database } = deps;
  const deciding = (
    by: Deciding,
    asked: Asked,
    work: (connection: Connection) => Promise<Wanted>,
  ): Promise<Result<Decided>> =>
    expected(() =>
      database.transaction(async (connection) => {
        const again = await sameRequest(connection, by, asked, deps);
        return again ?? carryOut(connection, by, await work(connection), deps);
      }),
    );
  return {
    person: (personId) => (UUID.test(personId) ? personFile(database.pool, personId, deps) : Promise.resolve(null)),
    merge: (personId, otherId, by) =>
      deciding(by, { kind: 'merge', persons: [personId, otherId] }, async (connection) => {
        const [mine, theirs] = [await recordsOf(connection, personId), await recordsOf(connection, otherId)];
        if (mine.personId === theirs.personId) return refuse('These are one person already.');
        if ((await conflicts(connection, mine.records, theirs.records)).length > 0) return refuse(TWO_DECIDE);
        return joining(mine.records, theirs.records, await numbersKnown(connection, mine.records, theirs.records));
      }),
    split: (personId, recordIds, by) =>
      deciding(by, { kind: 'split', persons: [personId], first: recordIds }, async (connection) => {
        const { records } = await recordsOf(connection, personId);
        const leaving = records.filter((id) => recordIds.includes(id));
        const staying = records.filter((id) => !recordIds.includes(id));
        if (leaving.length !== new Set(recordIds).size)
          return refuse('A registration that is named is not of this person.');
        if (staying.length === 0) return refuse('Somebody must stay: all registrations of the person are named.');
        return parting(leaving, staying);
      }),
    undo: (personId, decisionId, by) =>
      deciding(by, { kind: 'undo', persons: [personId], undoes: decisionId }, async (connection) => {
        const { records } = await recordsOf(connection, personId);
        return takingBack(connection, decisionId, records);
      }),
  };
}

/** A decision about two registrations, in the caller's transaction; for the review of doubts. */
export async function ruleOn(
  connection: Connection,
  [a, b]: readonly [HubId, HubId],
  decision: Ruling['decision'],
  by: Deciding & { readonly reviewId: string },
  deps: DeskDeps,
): Promise<Decided> {
  const [mine, theirs] = [await recordsWith(connection, a), await recordsWith(connection, b)];
  const records = [...new Set([a, b, ...mine, ...theirs])];
  const inside = mine.includes(b);
  // Of two persons one is made, whole: nobody of them is left behind without a word.
  const one = (personOf: ReadonlyMap<HubId, HubId>): boolean =>
    new Set(records.map((id) => personOf.get(id))).size === 1;
  const apart = (personOf: ReadonlyMap<HubId, HubId>): boolean => personOf.get(a) !== personOf.get(b);
  const wanted: Wanted = {
    kind: decision,
    rulings: decision === 'not-same' && inside ? await partingNumbers(connection, mine, [a, b]) : [{ a, b, decision }],
    // A conflict is here only where two people decide.
    numbers: decision === 'not-same' ? [] : await numbersKnown(connection, inside ? [a] : mine, inside ? [b] : theirs),
    reviewId: by.reviewId,
    records,
    holds: (personOf) => {
      if (decision === 'same' ? !one(personOf) : !apart(personOf)) return STANDS_BETWEEN;
      return inside && decision === 'not-same' ? comesApart(personOf, [[a], [b]], records) : null;
    },
  };
  return carryOut(connection, by, wanted, deps);
}

/** All of the person that carry the one number or the other go their ways, not the two alone that stand for them. */
async function partingNumbers(
  connection: Connection,
  records: readonly HubId[],
  [a, b]: readonly [HubId, HubId],
): Promise<Ruling[]> {
  const features = await featuresOf(connection, [...new Set([...records, a, b])]);
  const alike = (id: HubId): HubId[] => {
    const own = features.get(id)?.residentId ?? null;
    if (own === null) return [];
    const others = records.filter((one) => one !== id && features.get(one)?.residentId === own).sort();
    return records.includes(id) ? [id, ...others] : others;
  };
  return across(alike(a), alike(b));
}

/** Every registration of the person whose this one is. */
export async function recordsWith(connection: Connection, recordId: HubId): Promise<HubId[]> {
  const { rows } = await connection.query<{ record_id: HubId }>(
    `select record_id from patient_record where person_id = (select person_id from patient_record where record_id = $1)`,
    [recordId],
  );
  return rows.map((row) => row.record_id);
}

/** What a caller did wrong is an answer; anything else is a fault. */
export async function expected<T>(work: () => Promise<T>): Promise<Result<T>> {
  try {
    return ok(await work());
  } catch (error) {
    if (error instanceof Failure) return fail(error.problem);
    if (isDeadlock(error)) return fail(problem('busy', 'person', CHANGED));
    throw error;
  }
}

/** PostgreSQL ended one of two that waited for each other; nothing of it stands. */
const isDeadlock = (error: unknown): boolean => error instanceof Error && 'code' in error && error.code === '40P01';

const CHANGED = 'These persons have just changed; look again.';

const STANDS_BETWEEN =
  'Something stands between these registrations: conflicting resident IDs, or an earlier decision. Decide that first, or take it back.';

const TWO_DECIDE = 'Their valid resident IDs conflict: two people decide that, in the review of the doubt.';

/** Valid resident IDs that conflict anywhere between the two: one operator alone never joins across them. */
export async function conflicts(
  connection: Connection,
  mine: readonly HubId[],
  theirs: readonly HubId[],
): Promise<string[]> {
  const [ours, others] = [await numbersOf(connection, mine), await numbersOf(connection, theirs)];
  const pairs = ours.flatMap((m) => others.filter((n) => n !== m).map((n) => pairKey(m, n)));
  return [...new Set(pairs)].sort().slice(0, MOST_RULINGS);
}

const numbersOf = async (connection: Connection, records: readonly HubId[]): Promise<string[]> => {
  const features = await featuresOf(connection, records);
  return [...new Set([...features.values()].flatMap((one) => one.residentId ?? []))].sort();
};

/** What a ruling that joins the two knows: every number, and what conflicts across. */
async function numbersKnown(
  connection: Connection,
  mine: readonly HubId[],
  theirs: readonly HubId[],
): Promise<readonly string[]> {
  const numbers = await numbersOf(connection, [...mine, ...theirs]);
  return [...numbers, ...(await conflicts(connection, mine, theirs))];
}

/** One ruling joins: between the two oldest registrations, after which both persons are called. */
function joining(mine: readonly HubId[], theirs: readonly HubId[], numbers: readonly string[]): Wanted {
  const [a, b] = [mine[0], theirs[0]];
  if (a === undefined || b === undefined) return refuse('A person without registrations cannot be joined.');
  const records = [...mine, ...theirs];
  return {
    kind: 'merge',
    rulings: [{ a, b, decision: 'same' }],
    numbers,
    records,
    holds: (personOf) => (new Set(records.map((id) => personOf.get(id))).size === 1 ? null : STANDS_BETWEEN),
  };
}

/** Every pair across is ruled on, so that a later arrival that resembles both sides cannot join any of them. */
function parting(leaving: readonly HubId[], staying: readonly HubId[]): Wanted {
  const records = [...leaving, ...staying];
  return {
    kind: 'split',
    rulings: across(leaving, staying),
    records,
    holds: (personOf) => {
      const left = new Set(leaving.map((id) => personOf.get(id)));
      return staying.some((id) => left.has(personOf.get(id)))
        ? 'These registrations are tied together by more than can be parted at once; part them one by one.'
        : comesApart(personOf, [leaving, staying], records);
    },
  };
}

const across = (leaving: readonly HubId[], staying: readonly HubId[]): Ruling[] =>
  leaving.flatMap((a) => staying.map((b): Ruling => ({ a, b, decision: 'not-same' }))).slice(0, MOST_RULINGS);

/** What is neither with the first of the one side nor with that of the other hung on who left: nobody asked for that. */
function comesApart(
  personOf: ReadonlyMap<HubId, HubId>,
  sides: readonly (readonly HubId[])[],
  records: readonly HubId[],
): string | null {
  const persons = new Set(sides.map(([first]) => first && personOf.get(first)));
  const lost = records.filter((id) => !persons.has(personOf.get(id)));
  if (lost.length === 0) return null;
  const named = lost.slice(0, MOST_NAMED).join(', ') + (lost.length > MOST_NAMED ? ', …' : '');
  return `Registrations that are held only by what is parted would come apart too: ${named}. Split the person by naming all of one side.`;
}

const MOST_NAMED = 10;

async function takingBack(connection: Connection, decisionId: string, records: readonly HubId[]): Promise<Wanted> {
  if (!/^\d{1,14}$/.test(decisionId)) throw new Failure(problem('not-found', 'decisionId'));
  // Locked: of two who take it back at once, one does.
  const { rows } = await connection.query<{ kind: DecisionKind; records: HubId[]; undone: boolean }>(
    `select d.kind, d.records, exists (select from identity_decision u where u.undoes = d.id) as undone
     from identity_decision d where d.id = $1 for update`,
    [decisionId],
  );
  const found = rows[0];
  if (found?.records.some((id) => records.includes(id)) !== true) throw new Failure(problem('not-found', 'decisionId'));
  if (found.kind === 'undo') return refuse('A decision that was taken back is made again, not restored.');
  if (found.undone) return refuse('This decision was taken back before.');
  return { kind: 'undo', rulings: [], undoes: decisionId, records: found.records, holds: () => null };
}

/** Registrations of the person of today, the oldest first. */
async function recordsOf(
  connection: Connection,
  personId: string,
): Promise<{ readonly personId: HubId; readonly records: readonly HubId[] }> {
  const today = UUID.test(personId) ? await todayOf(connection, personId) : null;
  if (today === null) throw new Failure(problem('not-found', 'person'));
  const { rows } = await connection.query<{ record_id: HubId }>(
    'select record_id from patient_record where person_id = $1 order by created_at, record_id',
    [today],
  );
  return { personId: today, records: rows.map((row) => row.record_id) };
}

async function carryOut(connection: Connection, by: Deciding, wanted: Wanted, deps: DeskDeps): Promise<Decided> {
  const now = deps.clock();
  const context = { ...deps, now };
  const [matcher] = await rulesInForce(connection, deps.matching);
  const before = await personsOf(connection, wanted.records);
  await lockComponent(connection, wanted.records, matcher.version, new Set());
  const held = await personsOf(connection, wanted.records);
  // Somebody decided between the question and the lock: what was asked for may not be what was meant.
  if (wanted.records.some((id) => before.get(id) !== held.get(id)))
    throw new Failure(problem('busy', 'person', CHANGED));
  const decisionId = await record(connection, by, wanted, [...new Set(held.values())], now);
  const component = await lockComponent(connection, wanted.records, matcher.version, new Set());
  const linked = await decideComponent(connection, { matcher, component }, context);
  const after = await personsOf(connection, wanted.records);
  const against = wanted.holds(after);
  if (against !== null) refuse(against);
  await announceLinked(connection, linked, context);
  const [decision] = await decisionsBy(connection, 'd.id = $1', [decisionId]);
  if (decision === undefined) throw new Error('the decision was just written');
  return { decision, persons: [...new Set(after.values())] };
}

async function personsOf(connection: Connection, records: readonly HubId[]): Promise<Map<HubId, HubId>> {
  const { rows } = await connection.query<{ record_id: HubId; person_id: HubId }>(
    'select record_id, person_id from patient_record where record_id = any ($1::uuid[])',
    [records],
  );
  return new Map(rows.map((row) => [row.record_id, row.person_id]));
}

async function record(
  connection: Connection,
  by: Deciding,
  wanted: Wanted,
  persons: readonly HubId[],
  now: Date,
): Promise<string> {
  const { rows } = await connection.query<{ id: string }>(
    `insert into identity_decision (kind, at, by_id, by_name, reason, request_id, undoes, review_id, persons, records)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) returning id`,
    [
      wanted.kind,
      now,
      by.caller.id,
      by.caller.name,
      by.reason,
      by.requestId ?? null,
      wanted.undoes ?? null,
      wanted.reviewId ?? null,
      persons,
      wanted.records,
    ],
  );
  const id = rows[0]?.id ?? '';
  await connection.query(
    `insert into ruling (record_id, other_id, decision_id, decision, numbers)
     select r.a, r.b, $3::bigint, $4, nullif(array(
       select unnest($5::text[]) union
       select unnest(f.numbers) from ruling_in_force f where f.record_id = r.a and f.other_id = r.b and f.decision = $4 order by 1), '{}')
     from unnest($1::uuid[] || $2::uuid[], $2::uuid[] || $1::uuid[]) as r(a, b)`,
    [
      wanted.rulings.map((one) => one.a),
      wanted.rulings.map((one) => one.b),
      id,
      wanted.rulings[0]?.decision ?? 'same',
      // By keyed hashes (store/component.ts knows them again).
      (wanted.numbers ?? []).map((number) => residentKey(vaultOf(connection), number)),
    ],
  );
  return id;
}

/** What a caller asks, to tell the same request again from another one under its id. */
export interface Asked {
  readonly kind: DecisionKind;
  readonly persons?: readonly string[];
  /** The registrations that stand first in the decision: those that leave, or the two that were doubted. */
  readonly first?: readonly string[];
  readonly undoes?: string;
}

/** The same request again: its decision, and the persons of today. Something else under its id is refused. */
export async function sameRequest(
  connection: Connection,
  by: Deciding,
  asked: Asked,
  deps: DeskDeps,
): Promise<Decided | null> {
  if (by.requestId === undefined) return null;
  // Of the same request sent twice at once the second waits for the first one's decision.
  await connection.query('select pg_advisory_xact_lock(25, hashtext($1))', [`${by.caller.id}|${by.requestId}`]);
  const [decision] = await decisionsBy(connection, 'd.by_id = $1 and d.request_id = $2', [by.caller.id, by.requestId]);
  if (decision === undefined) return null;
  if (!(await isAbout(connection, decision, asked, deps)))
    throw new Failure(problem('conflict', 'requestId', 'This request id was used for another decision.'));
  const persons = await personsOf(connection, decision.records);
  return { decision, persons: [...new Set(persons.values())] };
}

async function isAbout(
  connection: Connection,
  decision: IdentityDecision,
  { kind, persons = [], first = [], undoes }: Asked,
  { derive }: DeskDeps,
): Promise<boolean> {
  if (decision.kind !== kind || decision.undoes !== (undoes ?? null)) return false;
  const leading = new Set<string>(decision.records.slice(0, new Set(first).size));
  if (!first.every((id) => leading.has(id))) return false;
  const names = new Set<string>(decision.records.map((id) => ownPerson(id, derive)));
  for (const id of persons)
    if (!names.has(id) && !names.has((UUID.test(id) && (await todayOf(connection, id))) || '')) return false;
  return true;
}
