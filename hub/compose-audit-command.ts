/**
 * `npm run audit-verify`: proves the audit from the command line, beside a running hub or without one, and says what was bent;
 * `npm start -- audit-export`: a period as signed NDJSON on standard output. Neither changes the database.
 */
import { parseArgs } from 'node:util';
import { auditProof, type AuditGround, type AuditProof } from './compose-audit.ts';
import { openKeys } from './compose-keys.ts';
import type { Config } from './config.ts';
import type { ChainFinding } from './core/audit-chain.ts';
import type { VerifyScope } from './core/audit-anchor.ts';
import type { Log } from './core/ports.ts';
import { exportAudit } from './store/audit-export.ts';
import { openDatabase } from './store/database.ts';
import { openPostgres } from './store/postgres.ts';
import { join } from 'node:path';

const USAGE = `usage: npm run audit-verify [-- --since <anchor>|last] [--month YYYY-MM] [--json]
       npm start -- audit-export --from <time> --to <time> > file
ends with 0: in order, 1: something was bent, 2: it could not be told`;

export const AUDIT_COMMANDS: readonly string[] = ['audit-verify', 'audit-export'];

/** The code to end with. */
export async function auditCommand(words: readonly string[], config: Config, log: Log): Promise<number> {
  const [name, ...rest] = words;
  const dir = join(config.dataDir, 'postgres');
  const server = await openPostgres({ databaseUrl: config.databaseUrl, dir, what: name ?? '', log });
  const keys = await openKeys(config, server.url, log);
  const database = openDatabase(server.url, { max: 4, name: name ?? '', vault: keys.vault });
  const ground: AuditGround = { config, database, clock: () => new Date(), log };
  try {
    const run = name === 'audit-export' ? exportPeriod : verify;
    return await run(ground, auditProof(ground, false), rest);
  } catch (error) {
    process.stderr.write(`${name ?? ''}: ${error instanceof Error ? error.message : 'it failed'}\n${USAGE}\n`);
    return 2;
  } finally {
    await database.close();
    await keys.close();
    await server.close();
  }
}

async function verify(_ground: AuditGround, proof: AuditProof, args: readonly string[]): Promise<number> {
  const { values } = parseArgs({
    args: [...args],
    options: { since: { type: 'string' }, month: { type: 'string' }, json: { type: 'boolean' } },
  });
  const scope = await scopeOf(proof, values);
  let told = Date.now();
  const outcome = await proof.verify(scope, ({ records, at }) => {
    if (Date.now() - told < 2_000) return;
    told = Date.now();
    process.stderr.write(`  ${String(records)} records, at ${at}\n`);
  });
  const { records, anchors, findingCount, findings, intact } = outcome;
  if (values.json === true) process.stdout.write(`${JSON.stringify(outcome)}\n`);
  else {
    for (const finding of findings) process.stdout.write(`${lineOf(finding)}\n`);
    const more = findingCount > findings.length ? ` (${String(findings.length)} shown)` : '';
    const end = intact ? 'in order' : `${String(findingCount)} findings${more}: THE AUDIT WAS BENT`;
    process.stdout.write(
      `${String(records)} records, ${String(anchors)} anchors, up to anchor ${String(outcome.upToAnchor)}: ${end}\n`,
    );
  }
  return intact ? 0 : 1;
}

async function scopeOf(
  { runs }: AuditProof,
  { since, month }: { since?: string | undefined; month?: string | undefined },
): Promise<VerifyScope> {
  if (month !== undefined && !/^\d{4}-\d\d$/.test(month)) throw new Error('--month takes YYYY-MM');
  const last = since === 'last' ? (await runs.list(50)).find(({ intact }) => intact === true)?.upToAnchor : undefined;
  const number = since === 'last' ? last : since === undefined ? undefined : Number(since);
  if (number !== undefined && !Number.isSafeInteger(number))
    throw new Error('--since takes the number of an anchor, or last');
  return { ...(number === undefined ? {} : { fromAnchor: number }), ...(month === undefined ? {} : { month }) };
}

function lineOf({ kind, text, at, id, lane, seq, records }: ChainFinding): string {
  const where = [
    at,
    id === undefined ? undefined : `id ${id}`,
    lane === undefined ? undefined : `lane ${String(lane)}`,
    seq === undefined ? undefined : `seq ${String(seq)}`,
    records === undefined ? undefined : `${String(records)} records`,
  ];
  return `${kind.padEnd(14)} ${where.filter((one) => one !== undefined).join(', ')}: ${text}`;
}

async function exportPeriod(
  { database, clock }: AuditGround,
  { keys }: AuditProof,
  args: readonly string[],
): Promise<number> {
  const { values } = parseArgs({ args: [...args], options: { from: { type: 'string' }, to: { type: 'string' } } });
  const [from, to] = [values.from, values.to].map((text) => new Date(text ?? 'none'));
  if (from === undefined || to === undefined || !(from.getTime() < to.getTime()))
    throw new Error('--from and --to take times, the first before the second');
  const period = { from: from.toISOString(), to: to.toISOString() };
  for await (const line of exportAudit({ database, key: keys.signer, clock }, period))
    if (!process.stdout.write(line)) await new Promise((resume) => process.stdout.once('drain', resume));
  return 0;
}
