/** A database of a release that did not seal, brought to this one: by its own migrations, with rows as they were written then. */
import assert from 'node:assert/strict';
import { cpSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { createMatching } from '../../hub/core/match/matcher.ts';
import { closeNumbers } from '../../hub/store/close-numbers.ts';
import { openDatabase, vaultOf, type Database } from '../../hub/store/database.ts';
import { migrate, MIGRATIONS_DIR } from '../../hub/store/migrate.ts';
import { rekeyMatches, resealStatus } from '../../hub/store/reseal.ts';
import { matchKey, residentKey } from '../../hub/store/sealed-facts.ts';
import { romanise } from '../../mappings/romanise.ts';
import { freshDatabase } from '../support/database.ts';
import { openTestKeys } from '../support/keyring.ts';

const NUMBER = '210102198003151239';
const RECORD = '00000000-0000-8000-8000-000000000001';
const ownMigrations = mkdtempSync(join(tmpdir(), 'hutong-migrations-'));
let database: Database;
/** Without keys: rows as they lie there. */
let raw: Database;
let close: () => Promise<void>;

before(async () => {
  const fresh = await freshDatabase({ empty: true });
  cpSync(MIGRATIONS_DIR, ownMigrations, { recursive: true });
  for (const name of readdirSync(ownMigrations))
    if (/^\d/.test(name) && name >= '0032') rmSync(join(ownMigrations, name));
  await migrate(fresh.url, ownMigrations);
  const { pool } = fresh.database;
  await pool.query(
    `insert into patient_record (record_id, site, authority, local_id, person_id, facts, resident_id, sex, birth_date)
     values ($1, 'h1', 'x', 'A', $1, '{}', $2, 'female', '1980-03-15')`,
    [RECORD, NUMBER],
  );
  const features = { recordId: RECORD, issuer: 'x', residentId: NUMBER, borrowedId: null, brokenResidentId: null };
  await pool.query('insert into match_record (record_id, features) values ($1, $2)', [
    RECORD,
    {
      ...features,
      ...{ identifiers: [], names: [], birthDate: '1980-03-15', sex: 'female', phones: ['13800138000'] },
      ...{ address: null, locality: null, postalCode: null },
    },
  ]);
  // A hospital whose own number is the resident ID, in columns of every kind; and a number that only looks long.
  await pool.query(
    `update patient_record set local_id = $1, facts = jsonb_build_object('note', array['', 'no. ' || $1])`,
    [NUMBER],
  );
  await pool.query(
    `insert into exam_key (site, kind, value, record_id, exam_id) values ('h1', 'accession', $1, $2, $2), ('h1', 'filler', '20260303081500123', $2, $2)`,
    [`A|${NUMBER}`, RECORD],
  );
  await pool.query(
    `insert into fhir_resource (type, id, version, last_updated, owner, deleted, digest, tokens, present)
     values ('ImagingStudy', 'old', 1, now(), 'exam|old', false, 'x', $1, '{}')`,
    [[`identifier=urn:x|${NUMBER}`, 'status=available']],
  );
  await pool.query(`insert into hub_key (name, value) values ('identifier', decode(repeat('07', 32), 'hex'))`);
  await pool.query(`insert into match_key (record_id, key) values ($1, hashtextextended('ph|13800138000', 21))`, [
    RECORD,
  ]);
  await migrate(fresh.url);
  raw = fresh.database;
  const keys = await openTestKeys(fresh.url);
  database = openDatabase(fresh.url, { max: 2, name: 'test', vault: keys.vault });
  close = async () => {
    await database.close();
    await keys.close();
  };
});
after(async () => {
  rmSync(ownMigrations, { recursive: true });
  await close();
});

test('the migration hashes resident IDs as the hub does, and its key is sealed by the first that opens it', async () => {
  const { rows } = await database.pool.query<{ resident_id: string; resident_born: number }>(
    'select resident_id, resident_born from patient_record',
  );
  assert.deepEqual(rows, [{ resident_id: residentKey(vaultOf(database.pool), NUMBER), resident_born: 1980 }]);
  const kept = await database.pool.query<{ value: Buffer }>(`select value from hub_key where name = 'search'`);
  assert.ok(vaultOf(database.pool).fields.isSealed(kept.rows[0]?.value ?? Buffer.alloc(0)));
  assert.ok(vaultOf(database.pool).fields.acceptsClear);
});

test('blocking keys are made anew by the keyed hash, once', async () => {
  const matching = createMatching(romanise);
  assert.equal(await rekeyMatches(database, matching), 1);
  assert.equal(await rekeyMatches(database, matching), 0);
  const { rows } = await database.pool.query<{ key: string }>('select key::text from match_key');
  assert.ok(rows.some(({ key }) => BigInt(key) === matchKey(vaultOf(database.pool), 'ph|13800138000')));
  assert.ok(rows.some(({ key }) => BigInt(key) === matchKey(vaultOf(database.pool), `id|${NUMBER}`)));
  assert.deepEqual(
    (await resealStatus(database)).map(({ part, done }) => [part, done]),
    [
      ['match_key', true],
      ['numbers', false],
    ],
  );
});

test('ID numbers that hospitals use as their own are closed, once, and are found and read as before', async () => {
  assert.equal(await closeNumbers(database), 4);
  assert.equal(await closeNumbers(database), 0);
  const left = await raw.pool.query<{ name: string; text: string }>(
    `select 'patient_record' as name, p::text as text from patient_record p union all select 'exam_key', k::text from exam_key k
     union all select 'fhir_resource', f::text from fhir_resource f`,
  );
  assert.equal(left.rows.length, 4);
  assert.deepEqual(
    left.rows.filter(({ text }) => text.includes(NUMBER)),
    [],
  );
  assert.ok(left.rows.some(({ text }) => text.includes('20260303081500123')));
  const { rows } = await database.pool.query<{ local_id: string; facts: object; value: string; tokens: string[] }>(
    `select p.local_id, p.facts, k.value, f.tokens from patient_record p, exam_key k, fhir_resource f
     where p.local_id = $1 and k.value = 'A|' || p.local_id and f.tokens @> $2`,
    [NUMBER, [`identifier=urn:x|${NUMBER}`]],
  );
  assert.deepEqual(rows, [
    {
      ...{ local_id: NUMBER, facts: { note: ['', `no. ${NUMBER}`] }, value: `A|${NUMBER}` },
      tokens: [`identifier=urn:x|${NUMBER}`, 'status=available'],
    },
  ]);
});
