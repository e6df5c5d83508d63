/** The audit for auditors, and for the patient who asks who looked: records, proofs, anchors, flags of odd access. */
import type { AnchorDesk, VerificationLog } from '../../core/audit-anchor.ts';
import { shownAccess, type ReaderNames } from '../../core/audit-access.ts';
import type { FlagDesk } from '../../core/audit-rules.ts';
import { isTheirsToAsk } from '../../core/access.ts';
import type { AuditReader } from '../../core/client.ts';
import { problem } from '../../core/problem.ts';
import type { Handlers } from './operation.ts';

export interface AuditHandlerDeps {
  readonly auditReader: AuditReader;
  readonly proofs: Pick<VerificationLog, 'list'>;
  readonly anchors: Pick<AnchorDesk, 'after' | 'newest'>;
  readonly flags: FlagDesk;
  /** Begins a proof and answers its id; null: one was asked for a moment ago. */
  readonly prove: () => Promise<string | null>;
  readonly readerNames: ReaderNames;
}

type Auditing = Pick<
  Handlers,
  | 'showAuditProof'
  | 'proveAudit'
  | 'listAuditAnchors'
  | 'listAuditFlags'
  | 'takeAuditFlag'
  | 'closeAuditFlag'
  | 'listAccesses'
>;

const READ = { action: 'read', persons: [], objects: ['audit'] } as const;
const RUNS = 30;
const ANCHORS = 100;

export function auditHandlers(deps: AuditHandlerDeps): Auditing {
  const { auditReader, proofs, anchors, flags, prove, readerNames } = deps;
  return {
    showAuditProof: async () => {
      const [runs, newest] = await Promise.all([proofs.list(RUNS), anchors.newest()]);
      const last = runs.find(({ endedAt }) => endedAt !== null);
      const body = { intact: last?.intact ?? null, provedAt: last?.endedAt ?? null, newestAnchor: newest, runs };
      return { status: 200, body, disclosure: READ };
    },
    proveAudit: async () => {
      const id = await prove();
      if (id === null)
        return { problem: problem('limit-exceeded', undefined, 'A proof was begun within the last minute.') };
      return { status: 202, body: { id }, disclosure: { ...READ, reason: 'proof' } };
    },
    listAuditAnchors: async ({ query }) => {
      const found = await anchors.after(query.after ?? 0, ANCHORS);
      return { status: 200, body: { items: found }, disclosure: READ };
    },
    listAuditFlags: async ({ query: { limit = 50, after, state, rule } }) => {
      const filter = {
        ...(state === undefined ? {} : { open: state === 'open' }),
        ...(rule === undefined ? {} : { rule }),
      };
      const page = await flags.list(filter, { limit, ...(after === undefined ? {} : { after }) });
      return { status: 200, body: page, disclosure: READ };
    },
    takeAuditFlag: async ({ path, caller }) => {
      const taken = await flags.take(path.id, caller.id);
      if (!taken.ok) return { problem: taken.problem };
      const objects = [`audit-flag/${path.id}`];
      return {
        status: 200,
        body: taken.value,
        disclosure: { action: 'change', persons: [], objects, reason: 'taken up' },
      };
    },
    closeAuditFlag: async ({ path, body, caller }) => {
      const closed = await flags.close(path.id, caller.id, body.verdict, body.reason ?? null);
      if (!closed.ok) return { problem: closed.problem };
      const disclosure = { action: 'change', persons: [], objects: [`audit-flag/${path.id}`] } as const;
      return { status: 200, body: closed.value, disclosure };
    },
    listAccesses: async ({ path, caller, query: { limit = 50, after, from, to } }) => {
      if (!isTheirsToAsk(caller, path.id)) return { problem: problem('not-found') };
      const times = {
        ...(from === undefined ? {} : { from: new Date(from).toISOString() }),
        ...(to === undefined ? {} : { to: new Date(to).toISOString() }),
      };
      const filter = { personId: path.id, outcome: 'success', ...times } as const;
      const page = await auditReader.list(filter, { limit, ...(after === undefined ? {} : { after }) });
      const items = page.items.flatMap((record) => shownAccess(record, readerNames) ?? []);
      const disclosure = { action: 'read', persons: [path.id], objects: ['audit'] } as const;
      return { status: 200, body: { items, next: page.next }, disclosure };
    },
  };
}
