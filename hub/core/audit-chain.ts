/**
 * The chain of the audit: what exactly is hashed of a record, and what a walk over records finds wrong. Pure; digests are
 * given. Records stand in lanes, one a writer and month, each hash over the one before it (ADR 0019).
 */
import type { AuditRecord } from './audit.ts';

/** A digest over the one before it, as hexadecimal text, and a text; hexadecimal again. */
export type ChainDigest = (previous: string, text: string) => string;

export interface AuditLane {
  readonly lane: number;
  /** `2026-11`: every record of it is of this month, UTC. */
  readonly month: string;
  readonly process: string;
  /** Time of its first record. */
  readonly fromAt: string;
  readonly algorithm: string;
  readonly keyId: string | null;
  /** The record that the same writer wrote last elsewhere, `lane:seq:hash`: who cuts that off is found by this lane. */
  readonly follows: string | null;
  readonly genesis: string;
}

/** The newest record of a lane. */
export interface LaneHead {
  readonly lane: number;
  readonly month: string;
  readonly seq: number;
  readonly hash: string;
  readonly at: string;
}

export interface ChainedRecord {
  readonly record: AuditRecord;
  /** null: of before the chain, or put in without it. */
  readonly lane: number | null;
  readonly seq: number;
  readonly hash: string;
}

export const NO_HASH = '0'.repeat(64);

/** Members in the order of their names, at every depth: what JSON in a database gives back in its own order. */
function ordered(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map(ordered);
  const members: Record<string, unknown> = {};
  for (const name of Object.keys(value).sort()) {
    const member = (value as Record<string, unknown>)[name];
    if (member !== undefined) members[name] = ordered(member);
  }
  return members;
}

/** Every column of a record but its hash; the form is fixed, since hashes of years stand on it. One array, built once. */
export function canonical(record: AuditRecord, lane: number, seq: number): string {
  const { id, at, action, outcome, face, operation, callerId, callerName, callerRole, peer } = record;
  const { persons, objects, reason = null, purpose = null, basis = null, institution = null } = record;
  const { session = null, agent = null, onBehalfOf, detail } = record;
  const user = onBehalfOf === undefined ? null : ordered(onBehalfOf);
  const about = detail === undefined ? null : ordered(detail);
  // prettier-ignore
  const members = [
    'hutong-audit/1', lane, seq, id, at, action, outcome, face, operation, callerId, callerName, callerRole, peer,
    persons, objects, reason, user, about, purpose, basis, institution, session, agent,
  ];
  return JSON.stringify(members);
}

/** Over the genesis of the lane before, so that lanes are a chain themselves. */
export const genesisText = ({
  lane,
  month,
  process,
  fromAt,
  algorithm,
  keyId,
  follows,
}: Omit<AuditLane, 'genesis'>): string =>
  JSON.stringify(['hutong-audit-lane/1', lane, month, process, fromAt, algorithm, keyId, follows]);

export type FindingKind =
  | 'altered'
  | 'removed'
  | 'inserted'
  | 'reordered'
  | 'truncated'
  | 'lane-forged'
  | 'anchor-forged'
  | 'anchor-missing'
  | 'key-unknown';

/** What is wrong, and where: of the record itself, or for one that is gone of the one after it. */
export interface ChainFinding {
  readonly kind: FindingKind;
  readonly text: string;
  readonly at?: string;
  readonly id?: string;
  readonly lane?: number;
  readonly seq?: number;
  /** How many records, where more than one. */
  readonly records?: number;
}

/** What a lane must have come to: as its row says, and as anchors say. */
export interface LaneExpectation {
  readonly lane: AuditLane;
  readonly digest: ChainDigest | null;
  /** Records up to here are taken as read; the walk begins after them. null: from the first. */
  readonly from: LaneHead | null;
  readonly head: Pick<LaneHead, 'seq' | 'hash'>;
  /** Ascending by seq. */
  /** What anchors, and lanes that follow, say of it. */
  readonly anchored: readonly { readonly seq: number; readonly hash: string; readonly by: string }[];
}

/** Gaps remembered of one lane, for what may come displaced; more are counted and not remembered. */
const MOST_GAPS = 1_000;

interface Gap {
  from: number;
  to: number;
  readonly at: string;
  readonly id: string;
}

interface Walk extends LaneExpectation {
  seq: number;
  /** null: not known, since the record before is gone. */
  hash: string | null;
  next: number;
  last: { readonly at: string; readonly id: string } | null;
  readonly gaps: Gap[];
}

/** Takes records in the order (at, id), lane by lane interleaved; memory is bounded by the lanes. */
export class ChainWalk {
  readonly #walks = new Map<number, Walk>();
  readonly #beyond = new Map<number, { at: string; id: string; lane: number; seq: number }>();
  readonly #tell: (finding: ChainFinding) => void;

  constructor(lanes: readonly LaneExpectation[], tell: (finding: ChainFinding) => void) {
    this.#tell = tell;
    for (const one of lanes) {
      const { from, lane, anchored } = one;
      const seq = from?.seq ?? 0;
      const next = anchored.findIndex((anchor) => anchor.seq > seq);
      const start = { seq, hash: from?.hash ?? lane.genesis, next: next < 0 ? anchored.length : next };
      this.#walks.set(lane.lane, { ...one, ...start, last: null, gaps: [] });
      if (one.digest === null)
        this.#tell({
          kind: 'key-unknown',
          lane: lane.lane,
          text: `the key ${lane.keyId ?? ''} of this lane is not here`,
        });
    }
  }

  /** True where the record was compared; false where it is of before `from` or after the head, or of no chain. */
  take({ record, lane, seq, hash }: ChainedRecord): boolean {
    const place = { at: record.at, id: record.id };
    const walk = lane === null ? undefined : this.#walks.get(lane);
    if (walk === undefined || lane === null) {
      this.#tell({ kind: 'inserted', ...place, text: 'a record that no writer made: it stands in no lane' });
      return false;
    }
    if (seq <= (walk.from?.seq ?? 0)) return false;
    if (seq > this.#end(walk)) {
      const beyond = this.#beyond.get(lane);
      if (beyond === undefined || seq > beyond.seq) this.#beyond.set(lane, { ...place, lane, seq });
      return false;
    }
    const where = { ...place, lane, seq };
    if (seq <= walk.seq) this.#displaced(walk, where);
    else this.#follow(walk, { record, lane, seq, hash }, where);
    return true;
  }

  /** To be called once, after the last record; `headOf` tells how far a lane goes by now. */
  end(headOf: (lane: number) => number): void {
    for (const seen of this.#beyond.values())
      if (seen.seq > headOf(seen.lane))
        this.#tell({ kind: 'inserted', ...seen, text: 'a record after the end of its lane' });
    for (const walk of this.#walks.values()) {
      const { lane, head, seq, hash, last } = walk;
      for (const gap of walk.gaps) {
        const records = gap.to - gap.from + 1;
        const text = `${counted(records)} before this one gone: seq ${span(gap.from, gap.to)}`;
        this.#tell({ kind: 'removed', at: gap.at, id: gap.id, lane: lane.lane, seq: gap.from, records, text });
      }
      const end = this.#end(walk);
      if (seq < end) {
        const at = last ?? { at: lane.fromAt };
        const [records, from] = [end - seq, seq + 1];
        const text = `the end of the lane is gone after this: seq ${span(from, end)}`;
        this.#tell({ kind: 'truncated', ...at, lane: lane.lane, seq: from, records, text });
      } else if (seq === head.seq && hash !== head.hash) {
        const text = 'the newest record is not the one that the lane ended with';
        this.#tell({ kind: 'altered', ...(last ?? {}), lane: lane.lane, seq, text });
      }
    }
  }

  /** The row of a lane and its anchors tell how far it goes; a row that was set back does not hide the anchors. */
  #end({ head, anchored }: Walk): number {
    return Math.max(head.seq, anchored.at(-1)?.seq ?? 0);
  }

  #follow(walk: Walk, { record, lane, seq, hash }: ChainedRecord, where: Omit<ChainFinding, 'kind' | 'text'>): void {
    if (seq > walk.seq + 1) {
      const gap = { from: walk.seq + 1, to: seq - 1, at: record.at, id: record.id };
      if (walk.gaps.length < MOST_GAPS) walk.gaps.push(gap);
      else
        this.#tell({ kind: 'removed', ...where, records: gap.to - gap.from + 1, text: 'records before this one gone' });
      walk.hash = null;
    }
    if (walk.hash !== null && walk.digest !== null && lane !== null) {
      const computed = walk.digest(walk.hash, canonical(record, lane, seq));
      const text = 'not as it was written (or the hash of the record before it is not)';
      if (computed !== hash) this.#tell({ kind: 'altered', ...where, text });
    }
    walk.seq = seq;
    walk.hash = hash;
    walk.last = { at: record.at, id: record.id };
    this.#compare(walk, where);
  }

  #compare(walk: Walk, where: Omit<ChainFinding, 'kind' | 'text'>): void {
    for (let anchor = walk.anchored[walk.next]; anchor !== undefined && anchor.seq <= walk.seq;) {
      if (anchor.seq === walk.seq && anchor.hash !== walk.hash) {
        const since = walk.anchored[walk.next - 1]?.seq ?? 0;
        const text = `not what ${anchor.by} tells: records after seq ${String(since)} were rewritten`;
        this.#tell({ kind: 'altered', ...where, text });
      }
      walk.next += 1;
      anchor = walk.anchored[walk.next];
    }
  }

  #displaced(walk: Walk, where: { at: string; id: string; lane: number; seq: number }): void {
    const at = walk.gaps.findIndex(({ from, to }) => where.seq >= from && where.seq <= to);
    const gap = walk.gaps[at];
    if (gap === undefined) {
      this.#tell({ kind: 'inserted', ...where, text: 'a second record of this number' });
      return;
    }
    const rest = [
      { ...gap, to: where.seq - 1 },
      { ...gap, from: where.seq + 1 },
    ].filter(({ from, to }) => from <= to);
    walk.gaps.splice(at, 1, ...rest);
    this.#tell({ kind: 'reordered', ...where, text: 'it stands after a record that was written later' });
  }
}

const counted = (records: number): string => (records === 1 ? 'a record' : `${String(records)} records`);
const span = (from: number, to: number): string => (from === to ? String(from) : `${String(from)} to ${String(to)}`);

/** Lanes as they are in the table, by number: none may be missing, and each names the one before it. */
export function laneFindings(
  lanes: readonly AuditLane[],
  digestOf: (lane: AuditLane) => ChainDigest | null,
): readonly ChainFinding[] {
  const findings: ChainFinding[] = [];
  let before: Pick<AuditLane, 'lane' | 'genesis'> = { lane: 0, genesis: NO_HASH };
  for (const lane of lanes) {
    const where = { lane: lane.lane, at: lane.fromAt };
    if (lane.lane !== before.lane + 1)
      findings.push({
        kind: 'removed',
        ...where,
        text: `lanes ${span(before.lane + 1, lane.lane - 1)} are gone whole`,
      });
    else if (digestOf(lane)?.(before.genesis, genesisText(lane)) !== lane.genesis && digestOf(lane) !== null)
      findings.push({ kind: 'lane-forged', ...where, text: 'the lane is not as it was opened' });
    before = lane;
  }
  return findings;
}
