/** Sealing anew while the hub reads and writes: rows of a release that did not seal, earlier keys, and the other algorithm. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import type { Keys } from '../../hub/compose-keys.ts';
import type { FhirStore } from '../../hub/core/fhir.ts';
import { SealBroken } from '../../hub/core/sealing.ts';
import { createSeal } from '../../hub/security/seal.ts';
import { openDatabase, type Database } from '../../hub/store/database.ts';
import { openFhirStore, saveResources, type OwnedResource } from '../../hub/store/fhir.ts';
import { hubKey } from '../../hub/store/hub-key.ts';
import { reseal, resealStatus, type ResealProgress } from '../../hub/store/reseal.ts';
import { PARTS } from '../../hub/store/reseal-part.ts';
import { projected } from '../../mappings/fhir/extract.ts';
import { freshDatabase, type FreshDatabase } from '../support/database.ts';
import { openTestKeys, TEST_MASTER_KEY } from '../support/keyring.ts';
import { leaksIn, tablesOf } from '../support/leaks.ts';

const PHONE = '13912345678';
const ADDRESS = '沈阳市和平区南京南街九十一号';
let fresh: FreshDatabase;
let keys: Keys;
let database: Database;
let store: FhirStore;

before(async () => {
  fresh = await freshDatabase();
  // As a release that did not seal left it: a key and a resource in clear, and no data key.
  await fresh.database.pool.query('truncate data_key, sealing, hub_key');
  await fresh.database.pool.query(
    `insert into hub_key (name, value) values ('identifier', decode(repeat('07', 32), 'hex')),
       ('object-store', decode(repeat('08', 16), 'hex'))`,
  );
  const body = JSON.stringify(patient('old', PHONE));
  await fresh.database.pool.query(
    `insert into fhir_resource (type, id, version, last_updated, owner, deleted, digest, tokens, present)
     values ('Patient', 'old', 1, now(), 'person|old', false, 'x', $1, '{}')`,
    [[`phone=${PHONE}`, `telecom=${PHONE}`, '~沈阳', '~和平']],
  );
  await fresh.database.pool.query(
    `insert into fhir_text (type, id, version, param, norm, exact) values ('Patient', 'old', 1, 'address', $1, $1)`,
    [ADDRESS],
  );
  await fresh.database.pool.query(
    `insert into fhir_version (type, id, version, at, body, site, occurred_at, journal_ids)
     values ('Patient', 'old', 1, now(), $1, '', now(), '{}')`,
    [body],
  );
  await fresh.database.pool.query(
    `insert into fhir_page (handle, caller_id, expires_at, type, ids, state)
     values ('asked', 'client-1', now() + interval '1 hour', 'Patient', '{old}', $1)`,
    [`phone=${PHONE}`],
  );
  keys = await openTestKeys(fresh.url);
  database = openDatabase(fresh.url, { max: 4, name: 'test', vault: keys.vault });
  const options = {
    renderProvenance: () => ({ resourceType: 'Provenance' }),
    searchTimeoutMs: 5_000,
    pageLifetimeMs: 1_000,
  };
  store = openFhirStore(database, options);
});
after(async () => {
  await database.close();
  await keys.close();
});

function patient(id: string, phone: string): { resourceType: 'Patient'; id: string } & Record<string, unknown> {
  return { resourceType: 'Patient', id, telecom: [{ system: 'phone', value: phone }], address: [{ text: ADDRESS }] };
}

const owned = (id: string, phone: string): OwnedResource => ({
  ...projected(patient(id, phone)),
  owner: `person|${id}`,
});

const save = (...resources: readonly OwnedResource[]): Promise<void> =>
  database.transaction((connection) =>
    saveResources(
      connection,
      resources.map(({ owner }) => owner),
      resources,
      {
        ...{ journalIds: [], site: '', at: '2026-01-01T00:00:00.000Z' },
      },
    ),
  );

const found = async (criterion: { any: string[] } | { address: string }): Promise<readonly string[]> =>
  store.search({
    type: 'Patient',
    criteria: [
      'any' in criterion
        ? { kind: 'tokens', any: criterion.any, negate: false, selective: true }
        : {
            ...{ kind: 'string', params: ['address'], mode: 'prefix' },
            any: [{ norm: criterion.address, exact: criterion.address, grams: [] }],
          },
    ],
    sort: [{ by: 'id', descending: false }],
    limit: 1_000,
  });

async function sealAll(tell?: (progress: ResealProgress) => void): Promise<void> {
  const { fields } = keys.vault;
  const seal = async (purpose: string, name: 'sign-on' | 'notification' | 'consent') =>
    createSeal(fields, purpose, await hubKey(database, name));
  await reseal({
    database,
    seals: {
      totp: await seal('totp', 'sign-on'),
      consumer: await seal('consumer', 'notification'),
      consent: await seal('consent', 'consent'),
    },
    target: keys.ring.status().keys.at(-1)?.id ?? 0,
    ...(tell === undefined ? {} : { tell }),
  });
}

const phoneOf = async (id: string): Promise<unknown> =>
  ((await store.read('Patient', id))?.body as { telecom?: { value?: string }[] } | null)?.telecom?.[0]?.value;

test('what a release before left in clear is read and found, and then sealed', async () => {
  assert.ok(keys.vault.fields.acceptsClear);
  assert.deepEqual(await hubKey(database, 'identifier'), Buffer.alloc(32, 7));
  await save(owned('new', PHONE));
  const look = async (): Promise<void> => {
    assert.equal(await phoneOf('old'), PHONE);
    assert.deepEqual(await found({ any: [`phone=${PHONE}`] }), ['new', 'old']);
    assert.deepEqual(await found({ address: '沈阳市和平区' }), ['new', 'old']);
    // Who turns pages of before the upgrade goes on.
    assert.equal((await store.pages('asked', 'client-1'))?.state, `phone=${PHONE}`);
  };
  await look();
  await sealAll();
  await keys.ring.markSealed();
  await look();
  const leaks = [...(await tablesOf(fresh.url))].flatMap(([name, bytes]) =>
    leaksIn(name, bytes, { phone: PHONE, address: ADDRESS, key: '\u0007'.repeat(32) }),
  );
  assert.deepEqual(leaks, []);
  assert.ok((await resealStatus(database)).every(({ done }) => done));
});

test('after that a row in clear is refused, whoever put it there', async () => {
  await database.pool.query(`update fhir_version set body = '{"resourceType":"Patient"}' where id = 'old'`);
  await assert.rejects(store.read('Patient', 'old'), SealBroken);
});

test('rotation to the other algorithm while many read and write: nothing is missed, everything is sealed by the new key', async () => {
  const ids = Array.from({ length: 450 }, (_, at) => `p${String(at).padStart(3, '0')}`);
  await save(...ids.map((id) => owned(id, '13800000000')));
  const national = await openTestKeys(fresh.url, { HUB_SEAL_ALGORITHM: 'sm4-ctr-hmac-sm3' });
  await national.ring.rotate(0);
  await national.close();
  await keys.ring.refresh();
  const ended = new AbortController();
  let reads = 0;
  const reading = (async () => {
    while (!ended.signal.aborted) {
      const id = ids[reads % ids.length] ?? '';
      assert.match(String(await phoneOf(id)), /^1380000000\d$/);
      reads += 1;
    }
  })();
  const writing = (async () => {
    for (const [at, id] of ids.entries()) if (at % 3 === 0) await save(owned(id, '13800000001'));
  })();
  const told: ResealProgress[] = [];
  await database.pool.query(`delete from fhir_version where id = 'old'`);
  await Promise.all([sealAll((progress) => told.push(progress)), writing]);
  await pause(20);
  ended.abort();
  await reading;
  assert.ok(reads > 0);
  const bodies = told.filter(({ part }) => part === 'fhir_version.body');
  assert.ok(bodies.length >= 3 && bodies.at(-1)?.done === true, 'in bounded batches');
  for (const [at, id] of ids.entries()) assert.equal(await phoneOf(id), at % 3 === 0 ? '13800000001' : '13800000000');
  const { rows } = await database.pool.query<{ head: string; n: number }>(
    `select substr(body, 1, 10) as head, count(*)::int as n from fhir_version where body is not null group by 1`,
  );
  assert.equal(rows.length, 1);
  assert.equal(Buffer.from(rows[0]?.head ?? '', 'base64').readUInt8(3), 2, 'SM4 everywhere');
  assert.deepEqual(
    await found({ any: ['phone=13800000001'] }),
    ids.filter((_, at) => at % 3 === 0),
  );
});

test('sealing anew that was broken off goes on where it was', async () => {
  await keys.ring.rotate(0);
  const stop = new Error('broken off');
  await assert.rejects(
    sealAll(({ part, passed, done }) => {
      if (part === 'fhir_version.body' && passed >= 200 && !done) throw stop;
    }),
    stop,
  );
  const before_ = (await resealStatus(database)).find(({ part }) => part === 'fhir_version.body');
  assert.deepEqual([before_?.passed, before_?.done], [200, false]);
  const seen: number[] = [];
  await sealAll(({ part, passed }) => {
    if (part === 'fhir_version.body') seen.push(passed);
  });
  assert.equal(seen[0], 400);
  assert.equal(PARTS.length, (await resealStatus(database)).filter(({ done }) => done).length);
});

test('another master key starts nothing and overwrites nothing', async () => {
  const other = Buffer.alloc(32, 9).toString('base64');
  const before_ = await database.pool.query('select * from data_key order by id');
  await assert.rejects(
    openTestKeys(fresh.url, { HUB_MASTER_KEY: other }),
    /sealed under local:[0-9a-f]{16}.*nothing was changed$/,
  );
  assert.deepEqual((await database.pool.query('select * from data_key order by id')).rows, before_.rows);
  const moved = await openTestKeys(fresh.url, { HUB_MASTER_KEY: other, HUB_OLD_MASTER_KEY: TEST_MASTER_KEY });
  assert.equal(await moved.ring.rewrap(), before_.rows.length);
  await moved.close();
  const under = await openTestKeys(fresh.url, { HUB_MASTER_KEY: other });
  assert.equal(
    under.ring.status().keys.every(({ wrappedBy }) => wrappedBy === under.ring.status().masterKey),
    true,
  );
  await under.close();
});
