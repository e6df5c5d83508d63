/** Wires the audit: its writer, the keys it is proved by, anchors and their copies, the night's proof, retention with export. */
import { mkdirSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { postAnchor } from '../adapters/atna/index.ts';
import { ConfigError, type Config } from './config.ts';
import type { AnchorCopies, AnchorDesk, Verification, VerificationLog, VerifyScope } from './core/audit-anchor.ts';
import type { Log } from './core/ports.ts';
import { createKeepAudit, watchTurns, type KeepAudit } from './flow/keep-audit.ts';
import type { Turns } from './flow/turns.ts';
import { KeyFault, openAuditKeys, type AuditKeys } from './security/audit-key.ts';
import { createAnchorFolder, createAnchorPost } from './store/audit-anchor-file.ts';
import { createAnchorDesk } from './store/audit-anchor.ts';
import { exportAudit, writeExport } from './store/audit-export.ts';
import { openAuditReserve, type AuditReserve } from './store/audit-reserve.ts';
import { openFlags } from './store/audit-flag.ts';
import { createAuditSeal } from './store/audit-seal.ts';
import { createVerificationLog } from './store/audit-verification.ts';
import { keptMonths, verifyAudit } from './store/audit-verify.ts';
import { createAuditWatch } from './store/audit-watch.ts';
import { createAuditStore, type AuditStore } from './store/audit.ts';
import { vaultOf, type Database } from './store/database.ts';

export interface AuditGround {
  readonly config: Config;
  readonly database: Database;
  readonly clock: () => Date;
  readonly log: Log;
}

/** What proving takes; without a writer. */
export interface AuditProof {
  readonly keys: AuditKeys;
  readonly desk: AnchorDesk;
  readonly copies: readonly AnchorCopies[];
  readonly runs: VerificationLog;
  verify(
    scope: VerifyScope,
    progress?: (done: { readonly records: number; readonly at: string }) => void,
  ): Promise<Verification>;
}

export interface AuditRoom extends AuditProof {
  readonly store: AuditStore;
  close(): Promise<void>;
}

export function auditProof({ config, database, clock }: AuditGround, make: boolean): AuditProof {
  const { key, anchorFolder, anchorUrl } = config.audit;
  const keys = openKeys(key.path, key.made && make);
  const desk = createAnchorDesk({ database, clock, key: keys.signer });
  const copies = [
    createAnchorFolder(anchorFolder),
    ...(anchorUrl === null
      ? []
      : [createAnchorPost(database, { name: anchorUrl, post: (anchor) => postAnchor(anchorUrl, anchor) })]),
  ];
  const proving = { database, anchors: desk, check: keys.check, seals: keys.seals, copies };
  return {
    ...{ keys, desk, copies, runs: createVerificationLog({ database, clock }) },
    verify: (scope, progress) => verifyAudit({ ...proving, ...(progress === undefined ? {} : { progress }) }, scope),
  };
}

/** A file that cannot be used stops the start with one line that names its variable. */
function openKeys(path: string, make: boolean): AuditKeys {
  try {
    return openAuditKeys(path, make);
  } catch (error) {
    if (error instanceof KeyFault) throw new ConfigError(`HUB_AUDIT_KEY takes ${error.message}`);
    throw error;
  }
}

export async function openAudit(ground: AuditGround & { readonly roles: ReadonlySet<string> }): Promise<AuditRoom> {
  const { config, database, clock, roles } = ground;
  const proof = auditProof(ground, true);
  const { chain, emergency } = config.audit;
  const names = [...roles].join('+');
  const reserve: AuditReserve | null =
    emergency === 'refuse'
      ? null
      : await openAuditReserve(join(config.dataDir, 'audit', `reserve-${names}`), vaultOf(database.pool).fields);
  const store = createAuditStore({
    ...{ database, clock, reserve, spool: config.atna !== null },
    seal: createAuditSeal(chain, proof.keys.seals[0] ?? null),
    process: `${names}@${hostname()}:${String(process.pid)}`,
  });
  return {
    ...proof,
    store,
    async close() {
      await store.flush();
      await reserve?.close();
    },
  };
}

/** Months past retention: exported where that is configured, stated by an anchor, dropped. */
export async function retainAudit(ground: AuditGround, { desk, keys }: AuditProof): Promise<readonly string[]> {
  const { config, database, clock } = ground;
  const { exportFolder } = config.audit;
  const keepFrom = new Date(clock().getTime() - config.limits.auditKeepDays * 86_400_000).toISOString().slice(0, 10);
  return desk.retain(keepFrom, async (month) => {
    if (exportFolder === null) return;
    mkdirSync(exportFolder, { recursive: true });
    const [year = 0, number = 0] = month.split('-').map(Number);
    const period = { from: `${month}-01T00:00:00.000Z`, to: new Date(Date.UTC(year, number, 1)).toISOString() };
    const lines = exportAudit({ database, key: keys.signer, clock }, period);
    await writeExport(join(exportFolder, `audit-${month}.ndjson`), lines);
  });
}

export const keepAudit = (ground: AuditGround, proof: AuditProof): KeepAudit =>
  createKeepAudit({
    ...{ desk: proof.desk, copies: proof.copies, runs: proof.runs, clock: ground.clock, log: ground.log },
    ...{ anchorMs: ground.config.audit.anchorMs, verifyHour: ground.config.audit.verifyHour },
    verify: (scope) => proof.verify(scope),
    months: () => keptMonths(ground.database),
  });

export const watchAudit = ({ database, clock, log }: AuditGround): Turns =>
  watchTurns({ watch: createAuditWatch({ database, clock }), log });

/** What an alarm stands on; a source that fails leaves its figures out, which is an alarm itself. */
export async function auditFigures(
  { clock, database }: Pick<AuditGround, 'clock' | 'database'>,
  { desk, runs, store }: AuditRoom,
): Promise<Readonly<Record<string, number>>> {
  const age = (at: string): number => Math.round((clock().getTime() - Date.parse(at)) / 1_000);
  const [list, newest, flags] = await Promise.all([runs.list(30), desk.newest(), openFlags(database)]);
  const last = list.find(({ endedAt }) => endedAt !== null);
  const ended = last?.endedAt ?? null;
  return {
    ...store.counts(),
    open_flags: flags,
    ...(newest === null ? {} : { anchor_age_seconds: age(newest.at) }),
    ...(ended === null ? {} : { proof_age_seconds: age(ended), findings: last?.findingCount ?? 0 }),
  };
}
