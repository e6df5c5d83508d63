/**
 * Audit records per second, and how long one waits, chained as the hub writes them, beside the statement that wrote them
 * before there was a chain, bare of any queue: same columns and indexes, same batches, same database, in turn. The test
 * server does not sync: where a commit waits for a disk, the chain costs less beside it.
 */
import { createAuditStore } from '../../hub/store/audit.ts';
import { createAuditSeal, type SealAlgorithm } from '../../hub/store/audit-seal.ts';
import type { AuditEvent } from '../../hub/core/audit.ts';
import { event, chainCase } from '../support/audit-chain.ts';
import { freshDatabase, type FreshDatabase } from '../support/database.ts';
import { median, percentile, scaled, type Figure } from './measure.ts';

const ROUNDS = 5;
const BATCH = 500;

const events = (count: number): readonly AuditEvent[] =>
  Array.from({ length: count }, (_, n) =>
    event({
      persons: [`00000000-0000-5000-8000-${String(n % 5_000).padStart(12, '0')}`],
      objects: [`1.2.840.99999.1.${String(n)}`],
      operation: 'WADO-RS series',
      detail: { endpoint: 'https://hub.example/dicomweb', messageId: String(n) },
    }),
  );

/** The table and the statement of before migration 0026. */
const BEFORE = `
create table audit_before (id bigint not null default nextval('audit_id_seq'), at timestamptz not null, action text not null,
  outcome text not null, face text not null, operation text not null, caller_id text not null, caller_name text not null,
  caller_role text not null, peer text not null, persons text[] not null, objects text[] not null, reason text,
  on_behalf_of jsonb, detail jsonb, primary key (at, id)) partition by range (at);
create table audit_before_all partition of audit_before for values from ('2000-01-01') to ('2100-01-01');
create index on audit_before using gin (persons);
create index on audit_before (caller_id, at desc);
create trigger audit_is_final before update or delete on audit_before for each row execute function audit_is_final()`;
const INSERT = `
insert into audit_before (at, action, outcome, face, operation, caller_id, caller_name, caller_role, peer, persons, objects,
  reason, on_behalf_of, detail)
select at, action, outcome, face, operation, caller_id, caller_name, caller_role, peer, persons, objects, reason,
  on_behalf_of, detail
from jsonb_to_recordset($1::jsonb) as e(at timestamptz, action text, outcome text, face text, operation text,
  caller_id text, caller_name text, caller_role text, peer text, persons text[], objects text[], reason text,
  on_behalf_of jsonb, detail jsonb)`;

interface Writer {
  readonly record: (event: AuditEvent) => Promise<unknown>;
  readonly all: (events: readonly AuditEvent[]) => Promise<unknown>;
}

function before({ database }: FreshDatabase): Writer {
  const write = (some: readonly AuditEvent[]): Promise<unknown> => {
    const rows = some.map(({ callerId, callerName, callerRole, onBehalfOf, ...rest }) => ({
      ...rest,
      ...{
        at: new Date(),
        caller_id: callerId,
        caller_name: callerName,
        caller_role: callerRole,
        on_behalf_of: onBehalfOf,
      },
    }));
    return database.pool.query({ name: 'before', text: INSERT, values: [JSON.stringify(rows)] });
  };
  return {
    record: (one) => write([one]),
    async all(some) {
      for (let at = 0; at < some.length; at += BATCH) await write(some.slice(at, at + BATCH));
    },
  };
}

function chained({ database }: FreshDatabase, algorithm: SealAlgorithm = 'sha256'): Writer {
  const seal = createAuditSeal(algorithm, { id: 'bench', secret: Buffer.alloc(32, 1) });
  const store = createAuditStore({ database, clock: () => new Date(), seal });
  return { record: (one) => store.record(one), all: (some) => Promise.all(some.map((one) => store.record(one))) };
}

async function rate(write: () => Promise<unknown>, count: number): Promise<number> {
  const began = process.hrtime.bigint();
  await write();
  return count / (Number(process.hrtime.bigint() - began) / 1e9);
}

async function waits(writer: Writer, some: readonly AuditEvent[]): Promise<readonly number[]> {
  const times: number[] = [];
  for (const one of some) {
    const began = process.hrtime.bigint();
    await writer.record(one);
    times.push(Number(process.hrtime.bigint() - began) / 1e6);
  }
  return times;
}

export async function run(): Promise<readonly Figure[]> {
  const fresh = await freshDatabase();
  await fresh.database.pool.query(BEFORE);
  const bulk = events(scaled(10_000, 1_000));
  const few = bulk.slice(0, scaled(300, 30));
  const writers = { before: before(fresh), sha256: chained(fresh), sm3: chained(fresh, 'hmac-sm3') };
  for (const one of Object.values(writers)) await one.all(bulk.slice(0, 1_000));
  const rates: Record<string, number[]> = { before: [], sha256: [], sm3: [], two: [] };
  const late: Record<string, number[]> = { before: [], sha256: [] };
  const [one, other] = [chained(fresh), chained(fresh)];
  for (let round = 0; round < ROUNDS; round += 1) {
    for (const [name, writer] of Object.entries(writers))
      rates[name]?.push(await rate(() => writer.all(bulk), bulk.length));
    const both = (): Promise<unknown> => Promise.all([one.all(bulk), other.all(bulk)]);
    rates['two']?.push(await rate(both, 2 * bulk.length));
    late['before']?.push(...(await waits(writers.before, few)));
    late['sha256']?.push(...(await waits(writers.sha256, few)));
  }
  const chain = chainCase(fresh.database);
  let proved = 0;
  const proving = await rate(async () => (proved = (await chain.verify()).records), 1);
  return figures(rates, late, proved * proving);
}

function figures(rates: Record<string, number[]>, late: Record<string, number[]>, proved: number): readonly Figure[] {
  const of = (name: string): number => median(rates[name] ?? []);
  const per = (value: number): string => `${value.toFixed(0)} /s`;
  const ms = (name: string, percent: number): number => percentile(late[name] ?? [], percent);
  const beside = { of: `bare unchained inserts (${per(of('before'))})`, target: 0.3 };
  return [
    {
      what: 'records in batches, SHA-256',
      measured: per(of('sha256')),
      ratio: { ...beside, value: of('sha256') / of('before') },
    },
    { what: 'records in batches, HMAC-SM3', measured: per(of('sm3')) },
    { what: 'two writers at once, SHA-256', measured: per(of('two')) },
    {
      what: 'one record alone, p50 / p95',
      measured: `${ms('sha256', 50).toFixed(2)} / ${ms('sha256', 95).toFixed(2)} ms`,
      ratio: {
        of: `unchained (${ms('before', 50).toFixed(2)} / ${ms('before', 95).toFixed(2)} ms)`,
        value: ms('sha256', 50) / ms('before', 50),
        target: 2,
        most: true,
      },
    },
    { what: 'records proved', measured: per(proved) },
  ];
}
