/** MLLP in front of the real journal: acknowledged means committed, a repetition is answered the same, nothing is doubled. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { createHl7Channel, type Hl7Channel } from '../../adapters/hl7v2/index.ts';
import { vaultOf, type Database } from '../../hub/store/database.ts';
import { createJournal } from '../../hub/store/journal.ts';
import { freshDatabase, quiet } from '../support/database.ts';
import { adt, demoSites, RawPeer } from '../wire/hl7v2-fixture.ts';
import { bytesOf, type SealedBytesRow } from '../../hub/store/journal-entry.ts';

let database: Database;
let channel: Hl7Channel;
before(async () => {
  ({ database } = await freshDatabase());
  const clock = (): Date => new Date();
  const intake = createJournal({ database, clock, log: quiet, arrived: () => undefined });
  const sites = await demoSites();
  const audit = { record: () => Promise.resolve() };
  channel = createHl7Channel({ host: '127.0.0.1', port: 0, intake, sites, audit, log: quiet, clock });
  await channel.start();
});
after(() => channel.stop(2_000));

const rows = async (sql: string): Promise<readonly Record<string, unknown>[]> =>
  (await database.pool.query<Record<string, unknown>>(sql)).rows;

test('eight connections at once: every AA has its row, every row its bytes, in the order of its connection', async () => {
  const peers = await Promise.all(Array.from({ length: 8 }, () => RawPeer.open(channel.address().port)));
  await Promise.all(
    peers.map(async (peer, lane) => {
      for (let at = 0; at < 40; at++) peer.send(adt(`J-${String(lane)}-${String(at).padStart(3, '0')}`));
      const answers = await peer.answers(40, 10_000);
      assert.equal(answers.filter((answer) => answer.includes('\rMSA|AA|')).length, 40);
    }),
  );
  const stored = await database.pool.query<SealedBytesRow & { patient_key: string }>(
    'select * from journal order by id',
  );
  const kept = stored.rows.map((row) => ({ ...row, text: bytesOf(vaultOf(database.pool).fields, row).toString() }));
  assert.equal(kept.length, 320);
  for (const row of kept) assert.equal(row.text, adt(row.control_id));
  assert.equal(kept[0]?.patient_key, '2.999.156.1.1|10001');
  for (let lane = 0; lane < 8; lane++) {
    const ids = kept.map((row) => row.control_id).filter((id) => id.startsWith(`J-${String(lane)}-`));
    assert.deepEqual(ids, [...ids].sort());
  }
  for (const peer of peers) peer.socket.destroy();
});

test('repeated: the same answer; reused: refused and kept; refused: kept with its reason', async () => {
  const peer = await RawPeer.open(channel.address().port);
  peer.send(adt('R-1'));
  await peer.answers(1);
  peer.send(adt('R-1'));
  peer.send(adt('R-1').replace('张三', '李四'));
  await peer.answers(3);
  peer.send(adt('R-2').replace('ADT^A04^ADT_A01', 'BAR^P01'));
  await peer.answers(4);
  peer.send('\u0000 no HL7 \u0000');
  const [first, again, reused, refused, bad] = await peer.answers(5);
  assert.equal(again, first);
  assert.match(reused ?? '', /MSA\|AR\|R-1\|/);
  assert.match(refused ?? '', /MSA\|AR\|R-2\|/);
  assert.match(bad ?? '', /MSA\|AR/);
  const settled = await rows(
    `select s.state, s.problem->>'code' as code, j.site from settlement s join journal j on j.id = s.journal_id order by j.id`,
  );
  assert.deepEqual(
    settled.map((row) => [row['state'], row['code'], row['site']]),
    [
      ['refused', 'control-id-reused', 'h1'],
      ['refused', 'unsupported-message', 'h1'],
      ['refused', 'malformed', null],
    ],
  );
  peer.socket.destroy();
});
