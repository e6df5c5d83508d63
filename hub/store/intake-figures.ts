/**
 * Figures of the intake from the database, so that they are the same whichever of the hub's processes is asked. They come
 * from tallies by the hour, never from the journal itself, whose days grow with the province.
 */
import {
  quantile,
  type ChannelState,
  type Completeness,
  type FigureRange,
  type IntakeFigures,
  type IntakeOverTime,
  type IntakeStep,
  type ListenerState,
} from '../core/intake-figures.ts';
import type { Database } from './database.ts';
import { bounded } from './journal-entry.ts';

/** A process that said nothing for so long does not listen any more. */
const SILENT_SECONDS = 45;
const HOUR_MS = 3_600_000;
/** Longer than this is shown by days. */
const HOURS_UP_TO = 4 * 24 * HOUR_MS;

export function createIntakeFigures(deps: { database: Database; clock: () => Date }): IntakeFigures {
  const { database, clock } = deps;
  return {
    listeners: async () => {
      const { rows } = await database.pool.query<ListenerRow>(
        `select process, channel, address, listening, connections, seen_at from listener
         where seen_at > $1::timestamptz - make_interval(secs => $2) order by channel, process`,
        [clock(), SILENT_SECONDS],
      );
      return rows.map((row): ListenerState => ({
        process: row.process,
        channel: row.channel,
        address: row.address,
        listening: row.listening,
        connections: row.connections,
        seenAt: row.seen_at.toISOString(),
      }));
    },
    channels: (site) => channelStates(database, clock(), site),
    intake: (range) => intakeOverTime(database, range),
    completeness: (range) => completenessOf(database, range),
  };
}

interface ListenerRow extends Omit<ListenerState, 'seenAt'> {
  readonly seen_at: Date;
}

/** Tallies of the last 25 hours, one row a bucket, beside the last that was ever tallied, and what waits now. */
export const CHANNELS = `
with recent as (
  select site, channel, bucket, sum(entries) filter (where last_at > $1::timestamptz - interval '1 hour') as last_hour,
    sum(entries) as last_day, sum(entries) filter (where state = 'refused') as refused,
    sum(entries) filter (where state = 'review') as review, max(last_at) as last_at
  from intake_tally where hour > $1::timestamptz - interval '25 hours' and ($2::text is null or site = $2)
  group by site, channel, bucket),
waiting as (
  select coalesce(j.site, '') as site, j.channel, count(*)::int as entries, min(p.received_at) as oldest, max(p.received_at) as newest
  from pending p join journal j on j.received_at = p.received_at and j.id = p.journal_id
  where ($2::text is null or j.site = $2) group by 1, 2),
failed as (
  select distinct on (site, channel) site, channel, last_at, cause from intake_tally
  where hour > $1::timestamptz - interval '7 days' and state <> 'applied' and ($2::text is null or site = $2)
  order by site, channel, last_at desc),
known as (
  select distinct site, channel from intake_tally
  where hour > $1::timestamptz - interval '31 days' and ($2::text is null or site = $2)
  union select site, channel from waiting)
select k.site, k.channel, coalesce(r.buckets, '{}') as buckets, coalesce(r.last_hour, 0)::int as last_hour,
  coalesce(r.last_day, 0)::int as last_day, coalesce(r.refused, 0)::int as refused, coalesce(r.review, 0)::int as review,
  greatest(coalesce(r.last_at, l.last_at), w.newest) as last_at, coalesce(w.entries, 0) as waiting, w.oldest,
  f.last_at as failed_at, f.cause
from known k
left join lateral (
  select jsonb_object_agg(bucket, last_hour) filter (where last_hour > 0) as buckets, sum(last_hour) as last_hour,
    sum(last_day) as last_day, sum(refused) as refused, sum(review) as review, max(last_at) as last_at
  from recent where recent.site = k.site and recent.channel = k.channel) r on true
left join lateral (
  select t.last_at from intake_tally t where t.site = k.site and t.channel = k.channel order by t.hour desc limit 1) l on true
left join waiting w on w.site = k.site and w.channel = k.channel
left join failed f on f.site = k.site and f.channel = k.channel
order by k.site, k.channel`;

interface ChannelRow {
  site: string;
  channel: string;
  buckets: Record<string, number>;
  last_hour: number;
  last_day: number;
  refused: number;
  review: number;
  last_at: Date | null;
  waiting: number;
  oldest: Date | null;
  failed_at: Date | null;
  cause: string | null;
}

async function channelStates(database: Database, now: Date, site: string | undefined): Promise<ChannelState[]> {
  const rows = await bounded<ChannelRow>(database, CHANNELS, [now, site ?? null]);
  return rows.map((row) => ({
    site: named(row.site),
    channel: row.channel,
    lastMessageAt: row.last_at?.toISOString() ?? null,
    lastError: row.failed_at === null ? null : { at: row.failed_at.toISOString(), cause: row.cause ?? '' },
    lastHour: row.last_hour,
    lastDay: row.last_day,
    waiting: row.waiting,
    oldestWaitingAt: row.oldest?.toISOString() ?? null,
    refused: row.refused,
    review: row.review,
    ...latency(row.buckets),
  }));
}

const named = (site: string): string | null => (site === '' ? null : site);

function latency(told: Record<string, number>): { p50Ms: number | null; p95Ms: number | null } {
  const buckets = new Map(Object.entries(told).map(([bucket, entries]) => [Number(bucket), entries] as const));
  return { p50Ms: quantile(buckets, 50), p95Ms: quantile(buckets, 95) };
}

export const INTAKE = `
select date_trunc($4, hour, 'UTC') as at, site, channel in ('dicom', 'dicomweb') as images, state, cause, bucket, sum(entries)::int as entries
from intake_tally where hour >= $1 and hour < $2 and ($3::text is null or site = $3) group by 1, 2, 3, 4, 5, 6 order by 1`;

interface TallyRow {
  at: Date;
  site: string;
  images: boolean;
  state: 'applied' | 'refused' | 'review';
  cause: string;
  bucket: number;
  entries: number;
}

async function intakeOverTime(database: Database, { from, to, site }: FigureRange): Promise<IntakeOverTime> {
  const step = Date.parse(to) - Date.parse(from) > HOURS_UP_TO ? 'day' : 'hour';
  const rows = await bounded<TallyRow>(database, INTAKE, [from, to, site ?? null, step]);
  const steps = group(rows, (row) => row.at.toISOString());
  const sites = group(rows, (row) => row.site);
  const causes = group(
    rows.filter((row) => row.cause !== ''),
    (row) => `${row.site}\n${row.cause}`,
  );
  return {
    step,
    steps: [...steps].map(([at, of]) => ({ at, ...stepOf(of) })),
    bySite: [...sites].map(([of, told]) => ({
      site: named(of),
      messages: sum(told, (row) => !row.images),
      images: sum(told, (row) => row.images),
      failed: sum(told, (row) => row.state !== 'applied'),
    })),
    causes: [...causes].map(([key, told]) => {
      const [of = '', cause = ''] = key.split('\n');
      return { site: named(of), cause, entries: sum(told, () => true) };
    }),
  };
}

function stepOf(rows: readonly TallyRow[]): Omit<IntakeStep, 'at'> {
  const buckets = new Map<number, number>();
  for (const { bucket, entries } of rows) buckets.set(bucket, (buckets.get(bucket) ?? 0) + entries);
  const of = (state: TallyRow['state']): number => sum(rows, (row) => row.state === state);
  return {
    messages: sum(rows, (row) => !row.images),
    images: sum(rows, (row) => row.images),
    applied: of('applied'),
    refused: of('refused'),
    review: of('review'),
    p50Ms: quantile(buckets, 50),
    p95Ms: quantile(buckets, 95),
  };
}

const sum = (rows: readonly TallyRow[], which: (row: TallyRow) => boolean): number =>
  rows.filter(which).reduce((total, { entries }) => total + entries, 0);

function group(rows: readonly TallyRow[], by: (row: TallyRow) => string): ReadonlyMap<string, readonly TallyRow[]> {
  const groups = new Map<string, TallyRow[]>();
  for (const row of rows) {
    const key = by(row);
    const found = groups.get(key);
    if (found === undefined) groups.set(key, [row]);
    else found.push(row);
  }
  return groups;
}

/** From the index alone (exam_completeness): no exam is opened for it. */
export const EXAMS = `
select site, modality, count(*) filter (where not cancelled)::int as exams,
  count(*) filter (where not cancelled and has_order and has_report and has_images)::int as complete,
  count(*) filter (where not cancelled and has_order and not has_report)::int as "ordersWithoutReport",
  count(*) filter (where not cancelled and has_report and not has_images)::int as "reportsWithoutImages",
  count(*) filter (where not cancelled and has_images and not has_order)::int as "imagesWithoutOrder",
  count(*) filter (where cancelled)::int as cancelled
from exam where created_at >= $1 and created_at < $2 and ($3::text is null or site = $3) group by 1, 2 order by 1, 2`;

export const HOLDINGS = `
select site, availability, count(*)::int as studies, coalesce(sum(instance_count), 0)::int as images
from study where created_at >= $1 and created_at < $2 and not voided and ($3::text is null or site = $3) group by 1, 2 order by 1, 2`;

async function completenessOf(database: Database, { from, to, site }: FigureRange): Promise<Completeness> {
  const values = [from, to, site ?? null];
  return {
    exams: await bounded<Completeness['exams'][number]>(database, EXAMS, values),
    images: await bounded<Completeness['images'][number]>(database, HOLDINGS, values),
  };
}
