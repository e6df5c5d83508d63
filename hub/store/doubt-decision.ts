/** Deciding a doubt about two registrations: side by side, by one person or by two, and how many doubts other rules would bring. */
import type { HubId } from '../core/identifier.ts';
import type { Deciding } from '../core/identity.ts';
import type { Forecast, ReviewItem, ReviewSides } from '../core/operation.ts';
import { patientView } from '../core/patient.ts';
import { fail, Failure, ok, problem, type Result } from '../core/problem.ts';
import { lockComponent } from './component.ts';
import { vaultOf, type Connection } from './database.ts';
import { conflicts, expected, recordsWith, ruleOn, sameRequest, type DeskDeps } from './identity-decision.ts';
import { rulesInForce, SAMPLE } from './match.ts';
import { compared } from './person-file.ts';
import { PATIENT_COLUMNS, patientState, type PatientRow } from './slice.ts';

/** Valid resident IDs that conflict: one person's mistake here mixes two persons. */
const TWO_PEOPLE = new Set(['resident-id-conflict']);

export async function sidesOf(connection: Connection, item: ReviewItem, deps: DeskDeps): Promise<ReviewSides | null> {
  if (item.kind !== 'identity') return null;
  const { rows } = await connection.query<PatientRow>(
    `select ${PATIENT_COLUMNS} from patient_record where record_id = any ($1::uuid[]) order by record_id`,
    [item.records],
  );
  const [matcher] = await rulesInForce(connection, deps.matching);
  const [comparison = null] = await compared(connection, item.records, matcher.version);
  return { item, sides: rows.map((row) => patientView(patientState(vaultOf(connection).fields, row))), comparison };
}

export async function decideDoubt(
  reviewId: string,
  decision: 'same' | 'not-same',
  by: Deciding,
  deps: DeskDeps,
): Promise<Result<'decided' | 'proposed'>> {
  const done = await expected(() =>
    deps.database.transaction(async (connection) => {
      const pair = await pairOf(connection, reviewId);
      const again = await sameRequest(connection, by, { kind: decision, first: pair }, deps);
      if (again !== null) return 'decided' as const;
      // The persons before the item: in this order ingest takes them too.
      const [matcher] = await rulesInForce(connection, deps.matching);
      await lockComponent(connection, pair, matcher.version, new Set());
      const { rows } = await connection.query<{
        state: string;
        veto: string | null;
        proposal: { decision: string; callerId: string } | null;
      }>('select state, veto, proposal from review where id = $1 for update', [reviewId]);
      const [row] = rows;
      if (row?.state !== 'open') throw new Failure(problem('conflict', 'id', CLOSED));
      const inside = (await recordsWith(connection, pair[0])).includes(pair[1]);
      // One parts at once what another joined without knowing: each is a person again as its hospital sent it.
      const parts = inside && decision === 'not-same';
      const two = !parts && (TWO_PEOPLE.has(row.veto ?? '') || (await conflictAround(connection, pair)));
      if (two && row.proposal?.decision !== decision) {
        await propose(connection, reviewId, decision, by, deps.clock());
        return 'proposed' as const;
      }
      if (two && row.proposal?.callerId === by.caller.id) throw new Failure(problem('conflict', 'id', SECOND_PERSON));
      await ruleOn(connection, pair, decision, { ...by, reviewId }, deps);
      await connection.query(
        `update review set state = 'resolved', closed_at = $2, closed_by = $3, reason = $4, proposal = null where id = $1`,
        [reviewId, deps.clock(), by.caller.name, by.reason],
      );
      return 'decided' as const;
    }),
  );
  return done.ok ? ok(done.value) : fail(done.problem);
}

const CLOSED = 'There are no two registrations to decide about, or it is closed.';

async function pairOf(connection: Connection, reviewId: string): Promise<readonly [HubId, HubId]> {
  const { rows } = await connection.query<{ record_ids: HubId[] }>('select record_ids from review where id = $1', [
    reviewId,
  ]);
  const [a, b] = rows[0]?.record_ids ?? [];
  if (a === undefined || b === undefined) throw new Failure(problem('conflict', 'id', CLOSED));
  return [a, b];
}

/** The two may carry no number, and yet other registrations of their persons two that conflict. */
async function conflictAround(connection: Connection, [a, b]: readonly [HubId, HubId]): Promise<boolean> {
  const [mine, theirs] = [await recordsWith(connection, a), await recordsWith(connection, b)];
  return (await conflicts(connection, mine, theirs)).length > 0;
}

const SECOND_PERSON = 'Valid resident IDs conflict here: a second person must decide the same.';

async function propose(
  connection: Connection,
  reviewId: string,
  decision: 'same' | 'not-same',
  by: Deciding,
  now: Date,
): Promise<void> {
  const proposal = { decision, by: by.caller.name, callerId: by.caller.id, at: now.toISOString(), reason: by.reason };
  await connection.query('update review set proposal = $2 where id = $1', [reviewId, JSON.stringify(proposal)]);
}

/** Pairs of persons that nobody has ruled on, from the weights that are kept. */
const WAITING = `
select count(distinct (least(a.person_id, b.person_id), greatest(a.person_id, b.person_id)))::int as n
from match_pair p join patient_record a on a.record_id = p.record_id join patient_record b on b.record_id = p.other_id
where p.rules = $1 and p.weight >= $2 and p.weight < $3 and p.record_id < p.other_id and p.outcome <> 'link'
  and a.person_id <> b.person_id
  and not exists (select from ruling_in_force r where r.record_id = p.record_id and r.other_id = p.other_id)`;

export async function forecastReviews(connection: Connection, review: number, deps: DeskDeps): Promise<Forecast> {
  const [matcher] = await rulesInForce(connection, deps.matching);
  const { thresholds } = matcher.rules;
  const count = async (from: number, to: number): Promise<number> =>
    (await connection.query<{ n: number }>(WAITING, [matcher.version, from, to])).rows[0]?.n ?? 0;
  const kept = await count(Math.max(review, thresholds.review), Number.POSITIVE_INFINITY);
  const sampled = review < thresholds.review ? await count(review, thresholds.review) : 0;
  const open = await connection.query<{ n: number }>(
    `select count(*)::int as n from review where kind = 'identity' and state = 'open'`,
  );
  return {
    review,
    link: thresholds.link,
    waiting: kept + sampled * SAMPLE,
    sampledBelow: thresholds.review,
    openNow: open.rows[0]?.n ?? 0,
  };
}
