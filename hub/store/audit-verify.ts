/**
 * Proves the audit: reads it once from the beginning, from an anchor on, or one month of it, and tells of every record that
 * is not as it was written, gone, put in or displaced, and of every anchor that is not what was signed. Reads in pages,
 * so memory does not grow with the audit and no long transaction holds up the database.
 */
import type { AnchorCheck, AnchorCopies, AnchorDesk, AnchorStatement, UnchainedMonth } from '../core/audit-anchor.ts';
import type { Verification, VerifyScope } from '../core/audit-anchor.ts';
import { AnchorWalk, anchorText } from '../core/audit-anchor.ts';
import { ChainWalk, laneFindings, NO_HASH } from '../core/audit-chain.ts';
import type { AuditLane, ChainFinding, LaneExpectation, LaneHead } from '../core/audit-chain.ts';
import { addUnchained } from './audit-anchor.ts';
import { asItStands, AUDIT_COLUMNS, type AuditRow } from './audit-row.ts';
import { sealOf, sha256, type SealKey } from './audit-seal.ts';
import { vaultOf, type Database } from './database.ts';

const PAGE = 2_000;
/** Findings that are told one by one; all are counted. */
const MOST_FINDINGS = 1_000;

export interface VerifyDeps {
  readonly database: Database;
  readonly anchors: Pick<AnchorDesk, 'after'>;
  readonly check: AnchorCheck;
  readonly seals: readonly SealKey[];
  readonly copies: readonly AnchorCopies[];
  readonly progress?: (done: { readonly records: number; readonly at: string }) => void;
}

interface Anchored {
  readonly heads: Map<number, { seq: number; hash: string; by: string }[]>;
  readonly start: Map<number, LaneHead>;
  readonly dropped: Set<string>;
  readonly unchained: readonly UnchainedMonth[];
  /** When the chain was first anchored; null: not yet. */
  readonly since: string | null;
  readonly lastLane: AnchorStatement['lastLane'];
  readonly count: number;
  readonly hashes: Map<number, string>;
}

class Findings {
  readonly list: ChainFinding[] = [];
  count = 0;
  readonly tell = (finding: ChainFinding): void => {
    this.count += 1;
    if (this.list.length < MOST_FINDINGS) this.list.push(finding);
  };
}

export async function verifyAudit(deps: VerifyDeps, scope: VerifyScope = {}): Promise<Verification> {
  const { database } = deps;
  const findings = new Findings();
  // Anchors before lanes, lanes before records: what is said of the one is then there in the other.
  const anchored = await readAnchors(deps, scope, findings);
  const lanes = await readLanes(database);
  for (const finding of laneFindings(lanes, (lane) => sealOf(lane, deps.seals))) findings.tell(finding);
  const last = lanes.find(({ lane }) => lane === anchored.lastLane.lane);
  if (anchored.lastLane.lane > 0 && last?.genesis !== anchored.lastLane.genesis)
    findings.tell({
      kind: 'truncated',
      lane: anchored.lastLane.lane,
      text: 'the newest lanes that anchors speak of are gone, or others stand in their place',
    });
  addFollowed(anchored, lanes);
  const wanted = lanes.filter(({ lane, month }) => {
    if (anchored.dropped.has(month) || (scope.month !== undefined && scope.month !== month)) return false;
    return scope.fromAnchor === undefined || goesOn(anchored.start.get(lane), lanes, lane);
  });
  const walk = new ChainWalk(
    wanted.map((lane) => expectationOf(lane, anchored, deps.seals)),
    findings.tell,
  );
  const records = await walkRecords(deps, scope, { walk, wanted, lanes, anchored, findings });
  const ends = new Map((await readLanes(database)).map(({ lane, head }) => [lane, head.seq]));
  walk.end((lane) => ends.get(lane) ?? 0);
  return {
    intact: findings.count === 0,
    ...{ records, anchors: anchored.count, upToAnchor: Math.max(0, ...anchored.hashes.keys()) },
    ...{ findingCount: findings.count, findings: findings.list },
  };
}

/** What a writer wrote last before it took another lane is as good as signed by that lane, which is chained itself. */
function addFollowed(anchored: Anchored, lanes: readonly LaneRow[]): void {
  for (const { lane: by, follows } of lanes) {
    const [, lane = '', seq = '', hash = ''] = /^(\d+):(\d+):([0-9a-f]+)$/.exec(follows ?? '') ?? [];
    if (lane === '') continue;
    const heads = [...(anchored.heads.get(Number(lane)) ?? []), { seq: Number(seq), hash, by: `lane ${String(by)}` }];
    anchored.heads.set(
      Number(lane),
      heads.sort((a, b) => a.seq - b.seq),
    );
  }
}

type LaneRow = AuditLane & { readonly head: LaneHead };

const goesOn = (from: LaneHead | undefined, lanes: readonly LaneRow[], lane: number): boolean =>
  from === undefined || (lanes.find((one) => one.lane === lane)?.head.seq ?? 0) > from.seq;

const expectationOf = (lane: LaneRow, anchored: Anchored, seals: readonly SealKey[]): LaneExpectation => ({
  lane,
  digest: sealOf(lane, seals),
  from: anchored.start.get(lane.lane) ?? null,
  head: lane.head,
  anchored: anchored.heads.get(lane.lane) ?? [],
});

async function readLanes(database: Database): Promise<readonly LaneRow[]> {
  const { rows } = await database.pool.query<{
    lane: number;
    month: string;
    process: string;
    from_at: Date;
    algorithm: string;
    key_id: string | null;
    follows: string | null;
    genesis: string;
    seq: string;
    hash: string;
    at: Date;
  }>(
    `select lane, to_char(month, 'YYYY-MM') as month, process, from_at, algorithm, key_id, follows, encode(genesis, 'hex') as genesis,
       seq::text, encode(hash, 'hex') as hash, at from audit_lane order by lane`,
  );
  return rows.map(({ lane, month, process, from_at, algorithm, key_id, follows, genesis, seq, hash, at }) => ({
    ...{ lane, month, process, fromAt: from_at.toISOString(), algorithm, keyId: key_id, follows, genesis },
    head: { lane, month, seq: Number(seq), hash, at: at.toISOString() },
  }));
}

/** Every anchor, every time: they are few, and what they say is what the rest is measured by. */
async function readAnchors(deps: VerifyDeps, scope: VerifyScope, findings: Findings): Promise<Anchored> {
  const walk = new AnchorWalk({ sha256, check: deps.check, zero: NO_HASH }, findings.tell);
  const all: { -readonly [K in keyof Anchored]: Anchored[K] } = {
    ...{ heads: new Map(), start: new Map(), dropped: new Set(), unchained: [], since: null },
    ...{ lastLane: { lane: 0, genesis: NO_HASH }, count: 0, hashes: new Map() },
  };
  for (let number = 0, page = PAGE; page === PAGE;) {
    const anchors = await deps.anchors.after(number, PAGE);
    for (const anchor of anchors) {
      number = anchor.number;
      all.hashes.set(number, sha256(anchorText(anchor)));
      const statement = walk.take(anchor);
      if (statement === null) continue;
      all.count += 1;
      all.lastLane = statement.lastLane;
      if (statement.number === 1) Object.assign(all, { unchained: statement.unchained ?? [], since: statement.at });
      for (const { month } of statement.dropped ?? []) all.dropped.add(month);
      for (const head of statement.heads) {
        if (scope.fromAnchor !== undefined && number <= scope.fromAnchor) all.start.set(head.lane, head);
        const heads = all.heads.get(head.lane) ?? [];
        heads.push({ seq: head.seq, hash: head.hash, by: `anchor ${String(number)}` });
        all.heads.set(head.lane, heads);
      }
    }
    page = anchors.length;
  }
  for (const copies of deps.copies) await compareCopies(copies, all.hashes, findings);
  return all;
}

async function compareCopies(copies: AnchorCopies, hashes: ReadonlyMap<number, string>, findings: Findings) {
  if (copies.all === undefined) return;
  for await (const copy of copies.all()) {
    const name = `anchor ${String(copy.number)}`;
    const own = hashes.get(copy.number);
    if (own === undefined)
      findings.tell({ kind: 'anchor-missing', text: `${name} stands in ${copies.name} and not in the database` });
    else if (own !== sha256(anchorText(copy)))
      findings.tell({ kind: 'anchor-forged', text: `${name} is another in ${copies.name} than in the database` });
  }
}

interface Walking {
  readonly walk: ChainWalk;
  readonly wanted: readonly LaneRow[];
  readonly lanes: readonly LaneRow[];
  readonly anchored: Anchored;
  readonly findings: Findings;
}

type ChainRow = AuditRow & { lane: number | null; seq: string | null; hash: string | null };

async function walkRecords(deps: VerifyDeps, scope: VerifyScope, walking: Walking): Promise<number> {
  const { walk, wanted, lanes, anchored, findings } = walking;
  const { fields } = vaultOf(deps.database.pool);
  const unchained = new Map<string, UnchainedMonth>();
  const own = new Set(wanted.map(({ lane }) => lane));
  const known = new Set(lanes.map(({ lane }) => lane));
  const from = beginning(scope, walking);
  let records = 0;
  for await (const rows of pages(deps.database, from, scope.month)) {
    const fresh = rows.some(({ lane }) => lane !== null && !known.has(lane));
    // Lanes that were opened since this run began are for the next one.
    if (fresh) for (const { lane } of await readLanes(deps.database)) known.add(lane);
    for (const row of rows) {
      const { lane, seq, hash, ...record } = row;
      if (lane === null && (anchored.since === null || row.at.toISOString() <= anchored.since))
        addUnchained(unchained, asItStands(fields, record));
      else if (lane === null || own.has(lane) || !known.has(lane))
        records += walk.take({ record: asItStands(fields, record), lane, seq: Number(seq), hash: hash ?? '' }) ? 1 : 0;
    }
    deps.progress?.({ records, at: rows.at(-1)?.at.toISOString() ?? '' });
  }
  compareUnchained(scope, anchored, unchained, findings);
  return records;
}

/** The earliest time at which a record of what is asked for may stand. */
function beginning(scope: VerifyScope, { wanted, anchored }: Walking): string {
  if (scope.month !== undefined) return `${scope.month}-01T00:00:00.000Z`;
  if (scope.fromAnchor === undefined) return '-infinity';
  const times = wanted.map(({ lane, fromAt }) => anchored.start.get(lane)?.at ?? fromAt).sort();
  return times[0] ?? 'infinity';
}

async function* pages(
  database: Database,
  from: string,
  month: string | undefined,
): AsyncGenerator<readonly ChainRow[]> {
  let place: readonly [Date | string, string] = [from, '-1'];
  const [year = 0, number = 0] = (month ?? '').split('-').map(Number);
  const to = month === undefined ? 'infinity' : new Date(Date.UTC(year, number, 1)).toISOString();
  for (let count = PAGE; count === PAGE;) {
    const { rows } = await database.pool.query<ChainRow>({
      name: 'audit-verify',
      text: `select ${AUDIT_COLUMNS}, a.lane, a.seq::text, encode(a.hash, 'hex') as hash from audit a
       where a.at >= $1::timestamptz and (a.at, a.id) > ($1::timestamptz, $2::bigint) and a.at < $3::timestamptz
       order by a.at, a.id limit $4`,
      values: [...place, to, PAGE],
    });
    if (rows.length > 0) yield rows;
    count = rows.length;
    const newest = rows.at(-1);
    if (newest !== undefined) place = [newest.at, newest.id];
  }
}

/** What was there before the chain stands under the first anchor; before that is made, it can only be counted. */
function compareUnchained(
  scope: VerifyScope,
  anchored: Anchored,
  found: ReadonlyMap<string, UnchainedMonth>,
  findings: Findings,
): void {
  if (scope.fromAnchor !== undefined || anchored.count === 0) return;
  const stated = new Map(anchored.unchained.map((one) => [one.month, one]));
  for (const month of new Set([...stated.keys(), ...found.keys()])) {
    if (anchored.dropped.has(month) || (scope.month !== undefined && scope.month !== month)) continue;
    const [was, is] = [stated.get(month), found.get(month)];
    if (was?.records === is?.records && was?.digest === is?.digest) continue;
    const difference = (is?.records ?? 0) - (was?.records ?? 0);
    const kind = difference > 0 ? 'inserted' : difference < 0 ? 'removed' : 'altered';
    const text = `records of ${month} from before the chain are not those that the first anchor signed`;
    findings.tell({ kind, at: `${month}-01T00:00:00.000Z`, records: Math.abs(difference), text });
  }
}

/** Months of which records are kept, oldest first. */
export async function keptMonths(database: Database): Promise<readonly string[]> {
  const { rows } = await database.pool.query<{ month: string }>(
    `select substr(c.relname, 7, 4) || '-' || substr(c.relname, 11) as month
     from pg_inherits i join pg_class c on c.oid = i.inhrelid
     where i.inhparent = 'audit'::regclass and c.relname ~ '^audit_[0-9]{6}$' order by 1`,
  );
  return rows.map(({ month }) => month);
}
