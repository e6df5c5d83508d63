/**
 * Requests that wait for a second administrator, on PostgreSQL. Asking writes what is asked for, closed; approving opens it
 * in one transaction under the lock of the request, so that of two approvals, or of an approval and a suspension, one is first.
 */
import { randomBytes } from 'node:crypto';
import type { Account } from '../core/account.ts';
import { rolesFault } from '../core/account.ts';
import {
  APPROVAL_DAYS,
  APPROVERS,
  isOfAdministrators,
  notSecond,
  rightsOf,
  sameRights,
  stopped,
} from '../core/approval.ts';
import type {
  Administrator,
  Approval,
  ApprovalDesk,
  ApprovalState,
  Rights,
  Stopped,
  Terms,
  Wanted,
} from '../core/approval.ts';
import { problem } from '../core/problem.ts';
import { changeIn, insertAccount, isUuid, read, taken } from './account.ts';
import { certificateTaken, insertClient } from './client.ts';
import { resetIn } from './credential.ts';
import type { Connection, Database } from './database.ts';

interface ApprovalRow {
  id: string;
  kind: Wanted['kind'];
  state: ApprovalState;
  client_id: string | null;
  account_id: string | null;
  asked: Terms;
  half_hash: Buffer | null;
  asked_by: string;
  asked_by_name: string;
  asked_at: Date;
  lapses_at: Date;
  decided_by: string | null;
  decided_by_name: string | null;
  decided_at: Date | null;
  reason: string | null;
  activated_at: Date | null;
}

const DAY = 86_400_000;

/** At $1: what is open no more, whether or not somebody has written so, is shown as lapsed. */
const SELECT = `select p.id, p.kind, case when p.state = 'open' and (p.lapses_at <= $1
    or exists (select from account a where a.id = p.account_id and a.state = 'ended')
    or exists (select from client c where c.id = p.client_id and c.revoked_at is not null))
  then 'lapsed' else p.state end as state, p.client_id, p.account_id, p.asked, p.half_hash, p.asked_by, p.asked_by_name,
  p.asked_at, p.lapses_at, p.decided_by, p.decided_by_name, p.decided_at, p.reason, p.activated_at from approval p`;

const approvalOf = (row: ApprovalRow): Approval => ({
  id: row.id,
  kind: row.kind,
  state: row.state,
  clientId: row.client_id,
  accountId: row.account_id,
  asked: row.asked,
  hasSecret: row.half_hash !== null,
  askedBy: row.asked_by,
  askedByName: row.asked_by_name,
  askedAt: row.asked_at.toISOString(),
  lapsesAt: row.lapses_at.toISOString(),
  decidedBy: row.decided_by,
  decidedByName: row.decided_by_name,
  decidedAt: row.decided_at?.toISOString() ?? null,
  reason: row.reason,
  activatedAt: row.activated_at?.toISOString() ?? null,
});

async function readOne(connection: Connection, id: string, at: Date): Promise<ApprovalRow | null> {
  const { rows } = await connection.query<ApprovalRow>(`${SELECT} where p.id = $2`, [at, id]);
  return rows[0] ?? null;
}

const must = async (connection: Connection, id: string, at: Date): Promise<Approval> => {
  const row = await readOne(connection, id, at);
  if (row === null) throw new Error('a request is missing right after it was written');
  return approvalOf(row);
};

/** How many people could approve what this one asks for, about that account. */
async function approversBeside(connection: Connection, asker: string, accountId: string | null): Promise<number> {
  const { rows } = await connection.query<{ count: number }>(
    `select count(*)::int as count from account a where a.state = 'active' and a.last_sign_in_at is not null
       and a.id::text <> $1 and a.id::text is distinct from $2
       and exists (select from account_role r where r.account_id = a.id and r.role = any ($3))`,
    [asker, accountId, APPROVERS],
  );
  return rows[0]?.count ?? 0;
}

/** Holds these accounts until the transaction ends, in one order: who is suspended meanwhile is suspended before or after. */
async function hold(connection: Connection, ids: readonly (string | null)[]): Promise<void> {
  const accounts = ids.filter((id) => id !== null && isUuid(id));
  await connection.query('select from account where id = any ($1::uuid[]) order by id for no key update', [accounts]);
}

async function isActive(connection: Connection, id: string, roles: readonly string[]): Promise<boolean> {
  if (!isUuid(id)) return false;
  const { rowCount } = await connection.query(
    `select from account a where a.id = $1 and a.state = 'active'
       and exists (select from account_role r where r.account_id = a.id and r.role = any ($2))`,
    [id, roles],
  );
  return rowCount === 1;
}

interface Prepared {
  readonly clientId: string | null;
  readonly accountId: string | null;
  readonly terms: Terms;
}

const ofAccount = (account: Account, wanted: Rights): Prepared => ({
  clientId: null,
  accountId: account.id,
  terms: {
    name: account.displayName,
    loginName: account.loginName,
    now: rightsOf(account),
    wanted,
    certificate: null,
    thumbprints: [],
  },
});

/** Writes what is new, closed, and says what there is to be approved. null: there is no such account. */
async function prepare(
  connection: Connection,
  wanted: Wanted,
  by: Administrator,
  at: Date,
): Promise<Prepared | Stopped | null> {
  if (wanted.kind === 'client') {
    const { thumbprints, ...made } = wanted.client;
    // Of this hash nobody knows a token; approving puts the two halves' in its place.
    const client = await insertClient(connection, { ...made, createdBy: by.id }, randomBytes(32), true);
    if (client === null) return { problem: certificateTaken() };
    const { name, role, site, certificate } = client;
    const rights = { roles: [{ role, site }], institution: null, practitionerId: null };
    const terms = { name, loginName: null, now: null, wanted: rights, certificate, thumbprints };
    return { clientId: client.id, accountId: null, terms };
  }
  if (wanted.kind === 'account') {
    const account = await insertAccount(connection, { ...wanted.account, createdBy: by.id }, null, at);
    return account === null ? taken() : ofAccount(account, rightsOf(account));
  }
  const account = isUuid(wanted.accountId) ? await read(connection, wanted.accountId) : null;
  if (account === null || account.state === 'ended') return null;
  if (wanted.kind === 'rights' && account.state === 'pending') return stopped('waiting');
  return ofAccount(account, { ...rightsOf(account), ...(wanted.kind === 'rights' ? wanted.to : {}) });
}

const faultOf = (wanted: Wanted): string | null =>
  wanted.kind === 'account'
    ? rolesFault(wanted.account.roles)
    : wanted.kind === 'rights'
      ? rolesFault(wanted.to.roles ?? [])
      : null;

const LAPSE = `with over as (
    update approval set state = 'lapsed', decided_at = lapses_at where state = 'open' and lapses_at <= $1 returning client_id)
  update client set revoked_at = $1 from over where client.id = over.client_id and pending and revoked_at is null`;

type Asked = Awaited<ReturnType<ApprovalDesk['ask']>>;

/** Ends the transaction, so that nothing of what was written stays, and is the answer. */
class Halt extends Error {
  readonly answer: Stopped;
  constructor(answer: Stopped) {
    super(answer.problem.code);
    this.answer = answer;
  }
}

const halting = <T>(work: Promise<T>): Promise<T | Stopped> =>
  work.catch((error: unknown) => {
    if (error instanceof Halt) return error.answer;
    throw error;
  });

async function ask(
  connection: Connection,
  { wanted, by, half, at }: { wanted: Wanted; by: Administrator; half: Uint8Array | null; at: Date },
): Promise<Asked> {
  await connection.query(LAPSE, [at]);
  const prepared = await prepare(connection, wanted, by, at);
  if (prepared === null) throw new Halt({ problem: problem('not-found') });
  if ('problem' in prepared) throw new Halt(prepared);
  const { clientId, accountId, terms } = prepared;
  const approvers = await approversBeside(connection, by.id, accountId);
  if (approvers === 0 && !isForToken(terms)) throw new Halt(stopped('nobody-else'));
  const { rows } = await connection.query<{ id: string }>(
    `insert into approval (kind, client_id, account_id, asked, half_hash, asked_by, asked_by_name, asked_at, lapses_at)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9)
     on conflict (account_id) where state = 'open' and account_id is not null do nothing returning id`,
    [
      ...[wanted.kind, clientId, accountId, JSON.stringify(terms), half, by.id, by.name, at],
      new Date(at.getTime() + APPROVAL_DAYS * DAY),
    ],
  );
  const [row] = rows;
  if (row === undefined) throw new Halt(stopped('waiting'));
  return { approval: await must(connection, row.id, at), approvers };
}

/** Where there is no second person yet, the holder of the start's token is it: for an administrator, who reads nothing. */
const isForToken = ({ now, wanted }: Terms): boolean =>
  now !== null && isOfAdministrators(now) && isOfAdministrators(wanted);

async function obstacleTo(connection: Connection, asked: Approval, by: Administrator): Promise<Stopped | null> {
  if (asked.state !== 'open') return stopped('decided');
  const obstacle = notSecond(asked, by);
  if (obstacle !== null) return stopped(obstacle);
  const may = by.person
    ? await isActive(connection, by.id, APPROVERS)
    : isForToken(asked.asked) && (await approversBeside(connection, asked.askedBy, asked.accountId)) === 0;
  if (!may) return stopped('not-approver');
  return (await isActive(connection, asked.askedBy, ['security-administrator'])) ? null : stopped('asker-gone');
}

/** What was asked for takes effect; false: it is no more what it was when it was asked for. */
async function open(
  connection: Connection,
  asked: Approval,
  secret: { readonly hash: Uint8Array | null; readonly until: Date },
  at: Date,
): Promise<boolean> {
  if (asked.clientId !== null) {
    const { rowCount } = await connection.query(
      `update client set pending = false, token_hash = coalesce($2, token_hash)
       where id = $1 and pending and revoked_at is null`,
      [asked.clientId, secret.hash],
    );
    return rowCount === 1;
  }
  const id = asked.accountId ?? '';
  const account = await read(connection, id);
  if (account === null || asked.asked.now === null || !sameRights(rightsOf(account), asked.asked.now)) return false;
  if (asked.kind === 'rights') {
    const changed = await changeIn(connection, id, asked.asked.wanted as Partial<Account>, at);
    return changed?.ok === true;
  }
  return secret.hash !== null && resetIn(connection, id, { hash: secret.hash, until: secret.until });
}

async function decide(
  connection: Connection,
  id: string,
  at: Date,
  how: (row: ApprovalRow) => Promise<{ readonly state: 'approved' | 'refused'; readonly reason: string | null }>,
  by: Administrator,
): Promise<Approval | null> {
  if (!isUuid(id)) return null;
  await connection.query('select from approval where id = $1 for update', [id]);
  const row = await readOne(connection, id, at);
  if (row === null) return null;
  const { state, reason } = await how(row);
  await connection.query(
    `update approval set state = $2, decided_by = $3, decided_by_name = $4, decided_at = $5, reason = $6 where id = $1`,
    [id, state, by.id, by.name, at, reason],
  );
  return must(connection, id, at);
}

export function createApprovalDesk({ database, clock }: { database: Database; clock: () => Date }): ApprovalDesk {
  const { pool } = database;
  return {
    ask: async (wanted, by, half) => {
      const fault = faultOf(wanted);
      if (fault !== null) return { problem: problem('invalid-value', 'roles', fault) };
      return halting(database.transaction((connection) => ask(connection, { wanted, by, half, at: clock() })));
    },
    async list({ state }, { limit, after }) {
      const mark = after !== undefined && isUuid(after) ? after : null;
      const { rows } = await pool.query<ApprovalRow>(
        `select * from (${SELECT}) p where ($3::text is null or p.state = $3)
           and ($4::uuid is null or (p.asked_at, p.id) < (select asked_at, id from approval where id = $4))
         order by p.asked_at desc, p.id desc limit $2`,
        [clock(), limit + 1, state ?? null, mark],
      );
      const items = rows.slice(0, limit).map(approvalOf);
      return { items, next: rows.length > limit ? (items.at(-1)?.id ?? null) : null };
    },
    approve: (id, by, { whole, until }, reason) => {
      const at = clock();
      return halting(
        database.transaction((connection) =>
          decide(
            connection,
            id,
            at,
            async (row) => {
              const asked = approvalOf(row);
              await hold(connection, [asked.askedBy, by.id, asked.accountId]);
              const obstacle = await obstacleTo(connection, asked, by);
              if (obstacle !== null) throw new Halt(obstacle);
              const hash = row.half_hash === null ? null : whole(row.kind, row.half_hash);
              if (!(await open(connection, asked, { hash, until }, at))) throw new Halt(stopped('changed'));
              return { state: 'approved', reason };
            },
            by,
          ),
        ),
      );
    },
    refuse: (id, by, reason) => {
      const at = clock();
      return halting(
        database.transaction((connection) =>
          decide(
            connection,
            id,
            at,
            async ({ state, client_id }) => {
              if (state !== 'open') throw new Halt(stopped('decided'));
              if (client_id !== null)
                await connection.query('update client set revoked_at = $2 where id = $1 and pending', [client_id, at]);
              return { state: 'refused', reason };
            },
            by,
          ),
        ),
      );
    },
    async activated(accountId) {
      const { rows } = await pool.query<{ id: string }>(
        `update approval set activated_at = $2 where id = (select id from approval where account_id = $1
           and state = 'approved' and half_hash is not null and activated_at is null order by decided_at desc limit 1)
         returning id`,
        [accountId, clock()],
      );
      return rows[0] === undefined ? null : must(pool, rows[0].id, clock());
    },
  };
}
