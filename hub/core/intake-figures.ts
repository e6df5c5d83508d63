/** How the intake goes: what stands now for each site and channel, and over time. Definitions: openapi/operations.md. */

export interface ListenerState {
  readonly process: string;
  readonly channel: string;
  readonly address: string;
  readonly listening: boolean;
  readonly connections: number;
  readonly seenAt: string;
}

/** Received to decided, milliseconds, from a histogram whose steps are a factor of 2^(1/4); null: nothing was decided. */
export interface Latency {
  readonly p50Ms: number | null;
  readonly p95Ms: number | null;
}

export interface ChannelState extends Latency {
  /** null: senders that belong to no site. */
  readonly site: string | null;
  readonly channel: string;
  readonly lastMessageAt: string | null;
  readonly lastError: { readonly at: string; readonly cause: string } | null;
  /** Entries that arrived during the last 60 minutes and are decided; latency is of these. */
  readonly lastHour: number;
  readonly lastDay: number;
  readonly waiting: number;
  readonly oldestWaitingAt: string | null;
  /** Of the last day. */
  readonly refused: number;
  readonly review: number;
}

export interface IntakeStep extends Latency {
  readonly at: string;
  readonly messages: number;
  readonly images: number;
  readonly applied: number;
  readonly refused: number;
  readonly review: number;
}

export interface IntakeOverTime {
  readonly step: 'hour' | 'day';
  readonly steps: readonly IntakeStep[];
  readonly bySite: readonly {
    readonly site: string | null;
    readonly messages: number;
    readonly images: number;
    readonly failed: number;
  }[];
  readonly causes: readonly { readonly site: string | null; readonly cause: string; readonly entries: number }[];
}

export interface Completeness {
  readonly exams: readonly {
    readonly site: string;
    /** Empty: no order and no image told one. */
    readonly modality: string;
    readonly exams: number;
    readonly complete: number;
    readonly ordersWithoutReport: number;
    readonly reportsWithoutImages: number;
    readonly imagesWithoutOrder: number;
    readonly cancelled: number;
  }[];
  readonly images: readonly {
    readonly site: string;
    readonly availability: string;
    readonly studies: number;
    readonly images: number;
  }[];
}

export interface FigureRange {
  readonly from: string;
  readonly to: string;
  readonly site?: string;
}

export interface IntakeFigures {
  listeners(): Promise<readonly ListenerState[]>;
  channels(site?: string): Promise<readonly ChannelState[]>;
  intake(range: FigureRange): Promise<IntakeOverTime>;
  completeness(range: FigureRange): Promise<Completeness>;
}

/** Upper bound in milliseconds of what `percent` of the entries took, by buckets of 2^(1/4). */
export function quantile(buckets: ReadonlyMap<number, number>, percent: number): number | null {
  const total = [...buckets.values()].reduce((sum, n) => sum + n, 0);
  if (total === 0) return null;
  let seen = 0;
  for (const [bucket, n] of [...buckets].sort(([a], [b]) => a - b)) {
    seen += n;
    if (seen >= (total * percent) / 100) return Math.round(2 ** (bucket / 4));
  }
  return null;
}
