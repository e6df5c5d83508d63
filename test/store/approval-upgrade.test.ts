/** A database of a release without second administrators, brought to this one: who could come in before still can. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { cpSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { hashToken } from '../../hub/security/token.ts';
import { createAccountStore } from '../../hub/store/account.ts';
import { createApprovalDesk } from '../../hub/store/approval.ts';
import { createClientStore } from '../../hub/store/client.ts';
import { createCredentialStore } from '../../hub/store/credential.ts';
import { migrate, MIGRATIONS_DIR } from '../../hub/store/migrate.ts';
import { freshDatabase } from '../support/database.ts';

test('clients and accounts of before stand as they are, and nothing of them waits', async () => {
  const fresh = await freshDatabase({ empty: true });
  const before = mkdtempSync(join(tmpdir(), 'hutong-migrations-'));
  cpSync(MIGRATIONS_DIR, before, { recursive: true });
  for (const name of readdirSync(before)) if (/^\d/.test(name) && name >= '0036') rmSync(join(before, name));
  await migrate(fresh.url, before);
  rmSync(before, { recursive: true });
  const { database } = fresh;
  const { pool } = database;
  const token = `hutong_${'a'.repeat(43)}`;
  const plain = createHash('sha256').update(token).digest();
  await pool.query(`insert into client (name, role, created_by, token_hash) values ('p', 'query-platform', 'x', $1)`, [
    plain,
  ]);
  await pool.query(
    `insert into account (login_name, display_name, state, created_by, activation_hash, activation_until)
     values ('doctor', '李医生', 'invited', 'x', $1, now() + interval '1 day')`,
    [plain],
  );
  assert.equal((await migrate(fresh.url))[0], '0036-approval');
  assert.deepEqual(await migrate(fresh.url), [], 'a second time there is nothing to do');
  const clock = (): Date => new Date();
  assert.equal((await createClientStore({ database, clock }).byTokenHash(hashToken(token)))?.pending, false);
  const found = await createCredentialStore(database).byLoginName('doctor');
  assert.deepEqual([found?.account.state, found?.activation?.hash], ['invited', plain]);
  const changed = await createAccountStore({ database, clock }).change(found?.account.id ?? '', { state: 'active' });
  assert.equal(changed?.ok, true);
  assert.deepEqual((await createApprovalDesk({ database, clock }).list({}, { limit: 10 })).items, []);
  await fresh.drop();
});
