/** HUB_AUDIT_*: how the audit is chained, signed, taken out, exported, and what happens where it cannot be written. */
import { resolve } from 'node:path';
import { SEVERITIES, USUAL_REACTIONS } from './core/account-flag.ts';
import type { ReactionPolicy, Severity } from './core/account-flag.ts';

export interface AuditConfig {
  /** PEM file of the keys that sign anchors; `made`: it is made at the first start where it is not there. */
  readonly key: { readonly path: string; readonly made: boolean };
  readonly chain: 'sha256' | 'sm3' | 'hmac-sha256' | 'hmac-sm3';
  /** A folder outside the database that gets every anchor. */
  readonly anchorFolder: string;
  /** Where every anchor is also posted; null: nowhere. */
  readonly anchorUrl: string | null;
  readonly anchorMs: number;
  /** Hour of the day in UTC from which the night's proof is due. */
  readonly verifyHour: number;
  /** Where a month goes as signed NDJSON before retention drops it; null: it is dropped unexported. */
  readonly exportFolder: string | null;
  /** Whether access in an emergency goes on, written to a file first, where the audit cannot be written. */
  readonly emergency: 'spool' | 'refuse';
  /** How much of a doctor's name a patient is shown who asks who looked. */
  readonly readerNames: 'whole' | 'surname' | 'none';
  /** What follows odd access, from which severity on. */
  readonly reactions: ReactionPolicy;
}

/** As much of the reader of the environment as is needed here. */
interface Reads {
  text(name: string): string | null;
  fail(name: string, takes: string): never;
  integer(name: string, least: number, most: number, otherwise: number): number;
  url(name: string, protocols: readonly string[], takes: string): string | null;
}

function oneOf<T extends string>(read: Reads, name: string, values: readonly [T, ...T[]]): T {
  const value = read.text(name) ?? values[0];
  return values.find((one) => one === value) ?? read.fail(name, `${values.join(', ')} (default ${values[0]})`);
}

function severity(read: Reads, name: string, otherwise: Severity | null): Severity | null {
  const value = read.text(name) ?? otherwise ?? 'never';
  if (value === 'never') return null;
  return (
    SEVERITIES.find((one) => one === value) ??
    read.fail(name, `low, medium, high or never (default ${otherwise ?? 'never'})`)
  );
}

export function readAudit(read: Reads, dataDir: string): AuditConfig {
  const key = read.text('HUB_AUDIT_KEY');
  const folder = read.text('HUB_AUDIT_EXPORT');
  return Object.freeze({
    key: { path: resolve(key ?? resolve(dataDir, 'audit', 'key.pem')), made: key === null },
    chain: oneOf(read, 'HUB_AUDIT_CHAIN', ['sha256', 'sm3', 'hmac-sha256', 'hmac-sm3']),
    anchorFolder: resolve(read.text('HUB_AUDIT_ANCHORS') ?? resolve(dataDir, 'audit', 'anchors')),
    anchorUrl: read.url('HUB_AUDIT_ANCHOR_URL', ['https:', 'http:'], 'https://host/path that takes anchors by POST'),
    anchorMs: read.integer('HUB_AUDIT_ANCHOR_SECONDS', 10, 86_400, 600) * 1_000,
    verifyHour: read.integer('HUB_AUDIT_VERIFY_HOUR', 0, 23, 18),
    exportFolder: folder === null ? null : resolve(folder),
    emergency: oneOf(read, 'HUB_AUDIT_EMERGENCY', ['spool', 'refuse']),
    reactions: Object.freeze({
      notify: severity(read, 'HUB_FLAG_NOTIFY', USUAL_REACTIONS.notify),
      explain: severity(read, 'HUB_FLAG_EXPLAIN', USUAL_REACTIONS.explain),
      suspend: severity(read, 'HUB_FLAG_SUSPEND', USUAL_REACTIONS.suspend),
    }),
    readerNames: oneOf(read, 'HUB_AUDIT_READER_NAMES', ['surname', 'whole', 'none']),
  });
}
