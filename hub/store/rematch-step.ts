/**
 * The work of a rematch, one bounded transaction a step: where it is stands in the table with what it did, so that it
 * goes on there after a crash. Registrations that arrive meanwhile are compared under both rules (match.ts).
 */
import type { HubId } from '../core/identifier.ts';
import { pairKey } from '../core/person.ts';
import { patientView } from '../core/patient.ts';
import type { Matcher } from '../core/match/matcher.ts';
import type { RematchReport, RematchWork } from '../core/rematch.ts';
import { growBounded, loadTies, lockComponent } from './component.ts';
import { vaultOf, type Connection } from './database.ts';
import type { DeskDeps } from './identity-decision.ts';
import { announceLinked } from './index-writer.ts';
import { lockMatching, matchRecords, rulesInForce } from './match.ts';
import { decideComponent, judge } from './person-link.ts';
import { EMPTY_REPORT, type RematchRow } from './rematch.ts';
import { lockRecords, PATIENT_COLUMNS, patientState, type PatientRow } from './slice.ts';

/** Registrations a step: some hundred milliseconds, so that arrivals wait no longer for a lock. */
const STEP = 100;
const SAMPLES = 50;

const NEXT = { comparing: 'judging', judging: 'compared', applying: 'done' } as const;
type Running = keyof typeof NEXT;

export function createRematchWork(deps: DeskDeps): RematchWork {
  return {
    step: () =>
      deps.database.transaction(async (connection) => {
        await connection.query('set local synchronous_commit = off');
        const { rows } = await connection.query<RematchRow & { state: Running }>(
          `select * from rematch where state in ('comparing', 'judging', 'applying') for update skip locked`,
        );
        const [row] = rows;
        if (row === undefined) return false;
        const batch = await nextRecords(connection, row.cursor_id);
        if (batch.length === 0) await finish(connection, row, deps);
        else await pass(connection, row, batch, deps);
        return true;
      }),
  };
}

async function nextRecords(connection: Connection, cursor: string | null): Promise<HubId[]> {
  const { rows } = await connection.query<{ record_id: HubId }>({
    name: 'rematch-next',
    text: `select record_id from patient_record where $1::uuid is null or record_id > $1 order by record_id limit $2`,
    values: [cursor, STEP],
  });
  return rows.map((row) => row.record_id);
}

async function pass(
  connection: Connection,
  row: RematchRow & { state: Running },
  batch: readonly HubId[],
  deps: DeskDeps,
): Promise<void> {
  const matcher = await matcherOf(connection, row.rules, deps);
  let report = row.report;
  if (row.state === 'comparing') await compareBatch(connection, batch, matcher, deps);
  else if (row.state === 'judging') report = await judgeBatch(connection, batch, matcher, report, deps);
  else await applyBatch(connection, batch, matcher, deps);
  await connection.query(
    'update rematch set cursor_id = $2, passed = passed + $3, report = $4, updated_at = $5 where id = $1',
    [row.id, batch.at(-1), batch.length, JSON.stringify(report), deps.clock()],
  );
}

async function finish(connection: Connection, row: RematchRow & { state: Running }, deps: DeskDeps): Promise<void> {
  // The rules in force were only refreshed: there is nothing to activate.
  const [active] = await rulesInForce(connection, deps.matching);
  const refreshed = row.state === 'comparing' && active.version === row.rules;
  const next = refreshed ? 'applying' : NEXT[row.state];
  await connection.query(
    `update rematch set state = $2, cursor_id = null, passed = 0, updated_at = $3, ended_at = case when $2 = 'done' then $3::timestamptz end
     where id = $1`,
    [row.id, next, deps.clock()],
  );
}

async function matcherOf(connection: Connection, version: string, deps: DeskDeps): Promise<Matcher> {
  const found = (await rulesInForce(connection, deps.matching)).find((one) => one.version === version);
  if (found === undefined) throw new Error(`a rematch runs under rules ${version} that are neither in force nor tried`);
  return found;
}

/** Under the same locks as an arrival: features are made anew from the facts, since they may be of an older release. */
async function compareBatch(
  connection: Connection,
  batch: readonly HubId[],
  matcher: Matcher,
  deps: DeskDeps,
): Promise<void> {
  await lockRecords(connection, batch);
  const { rows } = await connection.query<PatientRow>(
    `select ${PATIENT_COLUMNS} from patient_record where record_id = any ($1::uuid[])`,
    [batch],
  );
  const { fields } = vaultOf(connection);
  const features = rows.map((row) => deps.matching.features(patientView(patientState(fields, row))));
  await lockMatching(connection, { now: features, was: features });
  await matchRecords(connection, { now: features, was: features }, [matcher], { ...deps, now: deps.clock() });
}

/** What would change for these registrations. Each pair is counted with the smaller of its two. */
async function judgeBatch(
  connection: Connection,
  batch: readonly HubId[],
  matcher: Matcher,
  before: Partial<RematchReport>,
  deps: DeskDeps,
): Promise<RematchReport> {
  const [active] = await rulesInForce(connection, deps.matching);
  const { records } = await growBounded(connection, batch, [active.version, matcher.version]);
  const ties = await loadTies(connection, records, matcher.version);
  const judged = judge(ties, matcher, deps.derive);
  const own = new Set<string>(batch);
  const report = { ...EMPTY_REPORT, ...before };
  const [linked, split]: [[HubId, HubId][], [HubId, HubId][]] = [[], []];
  const pairsOf = (groupOf: (id: HubId) => HubId | undefined): Map<string, [HubId, HubId]> => {
    const groups = new Map<HubId, HubId[]>();
    for (const { recordId } of ties.members) {
      const group = groupOf(recordId);
      if (group !== undefined) groups.set(group, [...(groups.get(group) ?? []), recordId]);
    }
    const pairs = new Map<string, [HubId, HubId]>();
    for (const members of groups.values())
      for (const a of members) for (const b of members) if (a < b && own.has(a)) pairs.set(pairKey(a, b), [a, b]);
    return pairs;
  };
  const personOf = new Map(ties.members.map((member) => [member.recordId, member.personId]));
  const was = pairsOf((id) => personOf.get(id));
  const willBe = pairsOf((id) => judged.personOf.get(id));
  for (const [key, pair] of willBe) if (!was.has(key)) linked.push(pair);
  for (const [key, pair] of was) if (!willBe.has(key)) split.push(pair);
  return {
    moved: report.moved + batch.filter((id) => judged.personOf.get(id) !== personOf.get(id)).length,
    linked: report.linked + linked.length,
    split: report.split + split.length,
    review: report.review + judged.doubts.filter((pair) => own.has(pair.a)).length,
    samples: {
      linked: [...report.samples.linked, ...linked].slice(0, SAMPLES),
      split: [...report.samples.split, ...split].slice(0, SAMPLES),
    },
  };
}

/** The rules are in force: these registrations become whose they are by them, and what other rules said of them goes. */
async function applyBatch(
  connection: Connection,
  batch: readonly HubId[],
  matcher: Matcher,
  deps: DeskDeps,
): Promise<void> {
  const context = { ...deps, now: deps.clock() };
  const component = await lockComponent(connection, batch, matcher.version, new Set());
  const linked = await decideComponent(connection, { matcher, component }, context);
  await announceLinked(connection, linked, context);
  await connection.query('delete from match_pair where record_id = any ($1::uuid[]) and rules <> $2', [
    batch,
    matcher.version,
  ]);
}
