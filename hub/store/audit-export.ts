/**
 * A period of the audit as signed NDJSON: a line that says what it is, a line a record with its place in the chain, and a
 * line with the digest and the signature over all before it. Who has the public key needs nothing else of the hub.
 */
import { createHash } from 'node:crypto';
import { open } from 'node:fs/promises';
import type { AnchorCheck, AnchorKey } from '../core/audit-anchor.ts';
import { AUDIT_COLUMNS, toRecord, type AuditRow } from './audit-row.ts';
import { vaultOf, type Database } from './database.ts';

const PAGE = 2_000;
const FORMAT = 'hutong-audit-export/1';

export interface ExportPeriod {
  /** ISO 8601; `from` included, `to` excluded. */
  readonly from: string;
  readonly to: string;
}

/** Lines as they are to be written; the last one is the signature. */
export async function* exportAudit(
  deps: { readonly database: Database; readonly key: AnchorKey; readonly clock: () => Date },
  { from, to }: ExportPeriod,
): AsyncGenerator<string> {
  const { database, key, clock } = deps;
  const digest = createHash('sha256');
  const line = (value: object): string => {
    const text = `${JSON.stringify(value)}\n`;
    digest.update(text);
    return text;
  };
  yield line({ format: FORMAT, from, to, made: clock().toISOString(), key: key.id });
  let records = 0;
  let place: readonly [Date | string, string] = [from, '-1'];
  for (let count = PAGE; count === PAGE;) {
    const { rows } = await database.pool.query<
      AuditRow & { lane: number | null; seq: string | null; hash: string | null }
    >(
      `select ${AUDIT_COLUMNS}, a.lane, a.seq::text, encode(a.hash, 'hex') as hash from audit a
       where a.at >= $1::timestamptz and (a.at, a.id) > ($1::timestamptz, $2::bigint) and a.at < $3
       order by a.at, a.id limit $4`,
      [...place, to, PAGE],
    );
    for (const { lane, seq, hash, ...row } of rows)
      yield line({
        ...toRecord(vaultOf(database.pool).fields, row),
        lane,
        seq: seq === null ? null : Number(seq),
        hash,
      });
    records += rows.length;
    count = rows.length;
    const newest = rows.at(-1);
    if (newest !== undefined) place = [newest.at, newest.id];
  }
  const sha256 = digest.digest('hex');
  yield `${JSON.stringify({ records, sha256, key: key.id, signature: key.sign(`${FORMAT}\n${sha256}\n${String(records)}`) })}\n`;
}

/** Written whole or not at all under its name: who finds it there may take it for complete. */
export async function writeExport(path: string, lines: AsyncIterable<string>): Promise<void> {
  const { rename } = await import('node:fs/promises');
  const file = await open(`${path}.part`, 'w', 0o600);
  try {
    for await (const line of lines) await file.write(line);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(`${path}.part`, path);
}

/** Whether an export is as it was signed; null: its key is not known here. */
export function checkExport(text: string, check: AnchorCheck): boolean | null {
  const at = text.lastIndexOf('\n', text.length - 2) + 1;
  const body = text.slice(0, at);
  const end = JSON.parse(text.slice(at)) as { records: number; sha256: string; key: string; signature: string };
  const { records, key, signature } = end;
  const sha256 = createHash('sha256').update(body).digest('hex');
  if (body.split('\n').length - 2 !== records || sha256 !== end.sha256) return false;
  return check(key, `${FORMAT}\n${sha256}\n${String(records)}`, signature);
}
