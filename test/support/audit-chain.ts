/** A chained audit on a real database with keys, anchors and copies, and hands that bend it past its guards. */
import { generateKeyPairSync } from 'node:crypto';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { AnchorCopies, AnchorDesk, Verification, VerifyScope } from '../../hub/core/audit-anchor.ts';
import type { AuditEvent } from '../../hub/core/audit.ts';
import { anchorOut } from '../../hub/flow/keep-audit.ts';
import { readAuditKeys, type AuditKeys } from '../../hub/security/audit-key.ts';
import { createAnchorFolder } from '../../hub/store/audit-anchor-file.ts';
import { createAnchorDesk } from '../../hub/store/audit-anchor.ts';
import { createAuditSeal, type AuditSeal, type SealAlgorithm } from '../../hub/store/audit-seal.ts';
import { verifyAudit } from '../../hub/store/audit-verify.ts';
import { createAuditStore, type AuditStore } from '../../hub/store/audit.ts';
import type { Database } from '../../hub/store/database.ts';

export const newKeys = (kind: 'ed25519' | 'sm2' = 'ed25519'): { pem: string; keys: AuditKeys } => {
  const { privateKey } =
    kind === 'ed25519' ? generateKeyPairSync('ed25519') : generateKeyPairSync('ec', { namedCurve: 'SM2' });
  const pem = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
  return { pem, keys: readAuditKeys(pem) };
};

export const event = (change: Partial<AuditEvent> = {}): AuditEvent => ({
  ...{
    action: 'read',
    outcome: 'success',
    face: 'rest',
    operation: 'readExam',
    callerId: 'c1',
    callerName: '查询平台',
  },
  ...{ callerRole: 'query-platform', peer: '127.0.0.1', persons: ['p1'], objects: ['exam/e1'] },
  ...change,
});

export interface ChainCase {
  readonly keys: AuditKeys;
  readonly seal: AuditSeal;
  readonly folder: string;
  readonly copies: readonly AnchorCopies[];
  readonly desk: AnchorDesk;
  /** Another writer of the same audit, as another process has one. */
  writer(process?: string): AuditStore;
  /** Makes an anchor and takes it out. */
  anchor(): Promise<void>;
  verify(scope?: VerifyScope, keys?: AuditKeys): Promise<Verification>;
  /** As a superuser who knows what he does: triggers off, then on again. */
  bend(statement: string, values?: readonly unknown[]): Promise<void>;
}

export function chainCase(
  database: Database,
  options: { algorithm?: SealAlgorithm; keys?: AuditKeys; clock?: () => Date } = {},
): ChainCase {
  const { algorithm = 'sha256', keys = newKeys().keys, clock = () => new Date() } = options;
  const folder = mkdtempSync(join(tmpdir(), 'hutong-anchors-'));
  const copies = [createAnchorFolder(folder)];
  const desk = createAnchorDesk({ database, clock, key: keys.signer });
  const seal = createAuditSeal(algorithm, keys.seals[0] ?? null);
  return {
    ...{ keys, seal, folder, copies, desk },
    writer: (process = 'test') => createAuditStore({ database, clock, seal, process }),
    async anchor() {
      await anchorOut({ desk, copies });
    },
    verify: (scope, { check, seals } = keys) => verifyAudit({ database, anchors: desk, check, seals, copies }, scope),
    bend: (statement, values = []) =>
      database.transaction(async (connection) => {
        await connection.query(`
          do $$ declare t regclass; begin
            for t in select 'audit'::regclass union all select inhrelid::regclass from pg_inherits where inhparent = 'audit'::regclass
              union all select unnest(array['audit_lane', 'audit_anchor']::regclass[]) loop
              execute format('alter table %s disable trigger user', t);
            end loop; end $$`);
        await connection.query(statement, [...values]);
      }),
  };
}
