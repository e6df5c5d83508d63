/** Doubts about identity in the review queue: opened with why, and closed by the hub when they no longer hold. */
import type { Derivation, HubId } from '../core/identifier.ts';
import type { Pair } from '../core/match/comparison.ts';
import type { Conflict } from '../core/person.ts';
import { problem, type Problem } from '../core/problem.ts';
import type { Connection } from './database.ts';

export interface Doubts {
  /** Everything that was judged: a doubt about any of it that is not among these holds no more. */
  readonly records: readonly HubId[];
  readonly doubts: readonly Pair[];
  readonly conflicts: readonly Conflict[];
  /** The smallest of each set of more than the hub decides about. */
  readonly beyond: readonly HubId[];
  /** The smallest of each crowd of look-alikes that nobody can decide about one by one. */
  readonly crowds: readonly HubId[];
}

interface Item {
  readonly id: HubId;
  readonly record_ids: readonly string[];
  readonly problem: Problem;
  readonly weight: number | null;
  readonly veto: string | null;
}

const FIELD = {
  'resident-id-conflict': 'residentId',
  'newborn-with-mothers-id': 'residentId',
  'sex-contradicts': 'sex',
  'birth-date-contradicts': 'birthDate',
  'name-contradicts': 'name',
  'same-issuer': 'patient identifier',
} as const;

export async function settleDoubts(
  connection: Connection,
  { records, doubts, conflicts, beyond, crowds }: Doubts,
  context: { readonly derive: Derivation; readonly now: Date },
): Promise<void> {
  const items = [
    ...doubts.map((pair) => pairItem(pair, context.derive)),
    ...conflicts.map((conflict) => conflictItem(conflict, context.derive)),
    ...whole(beyond, 'too large', TOO_LARGE, context.derive),
    ...whole(crowds, 'crowd', IN_CROWD, context.derive),
  ];
  if (items.length > 0)
    await connection.query({
      name: 'doubt-open',
      text: `insert into review (id, kind, site, problem, record_ids, opened_at, weight, veto)
       select i.id, 'identity', (select p.site from patient_record p where p.record_id = any (i.record_ids) order by p.created_at desc, p.record_id limit 1),
         i.problem, i.record_ids, $2, i.weight, i.veto
       from jsonb_to_recordset($1::jsonb) as i(id uuid, record_ids uuid[], problem jsonb, weight real, veto text) order by i.id
       on conflict (id) do update set weight = excluded.weight, veto = excluded.veto, problem = excluded.problem,
         state = case review.state when 'resolved' then 'open' else review.state end,
         closed_at = case review.state when 'resolved' then null else review.closed_at end,
         closed_by = case review.state when 'resolved' then null else review.closed_by end,
         reason = case review.state when 'resolved' then null else review.reason end`,
      values: [JSON.stringify(items), context.now],
    });
  await connection.query({
    name: 'doubt-close',
    text: `update review set state = 'resolved', closed_at = $3, closed_by = 'hub', proposal = null, reason = 'no longer in doubt'
     where kind = 'identity' and state = 'open' and record_ids && $1::uuid[] and not (id = any ($2::uuid[]))`,
    values: [records, items.map((item) => item.id), context.now],
  });
}

function pairItem({ a, b, comparison }: Pair, derive: Derivation): Item {
  const { veto, weight } = comparison;
  const text =
    veto === null
      ? 'These two registrations may be one person; they stay apart until a person decides.'
      : `These two registrations look like one person, yet ${veto.replaceAll('-', ' ')}; they stay apart until a person decides.`;
  return {
    id: derive.id('doubt', a, b),
    record_ids: [a, b],
    problem: problem('identity-doubt', veto === null ? 'person' : FIELD[veto], text),
    weight,
    veto,
  };
}

/** Under its two numbers: with another number it is another question, and what was answered or proposed is not carried over. */
const conflictItem = ({ a, b, numbers }: Conflict, derive: Derivation): Item => ({
  id: derive.id('doubt', 'inside', a, b, numbers),
  record_ids: [a, b],
  problem: problem('identity-doubt', FIELD['resident-id-conflict'], NOW_IN_CONFLICT),
  weight: null,
  veto: 'resident-id-conflict',
});

const NOW_IN_CONFLICT =
  'These two registrations are one person by a decision or their hospital’s word, and their valid resident IDs conflict. They stay one until somebody parts them or two people confirm it.';

const TOO_LARGE =
  'More registrations are tied together than one person can have; the hub decides nothing about them. Correct what ties them, or the rules.';

const IN_CROWD =
  'More registrations resemble each other than anybody can compare one by one; they stay apart. Correct them at their hospital, or the rules.';

/** One item for each set, under its smallest: it is one question. */
const whole = (smallest: readonly HubId[], what: string, text: string, derive: Derivation): Item[] =>
  [...new Set(smallest)].map((first) => ({
    id: derive.id('doubt', what, first),
    record_ids: [first],
    problem: problem('limit-exceeded', 'person', text),
    weight: null,
    veto: null,
  }));
