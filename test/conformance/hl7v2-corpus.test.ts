/** Every HL7 v2 file that others wrote, through inspection and mapping: each ends as accepted, refused or review. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { test } from 'node:test';
import type { SiteId } from '../../hub/core/identifier.ts';
import type { SiteProfile } from '../../hub/core/site.ts';
import { inspectHl7, mapHl7, splitBatch } from '../../mappings/hl7v2/index.ts';
import { demoSites, RawPeer, startRig, until } from '../wire/hl7v2-fixture.ts';

const data = process.env['HUB_TEST_DATA'];
const folder = join(data ?? '', 'hl7v2');
const skip = data === undefined ? 'HUB_TEST_DATA is not set' : false;

function files(under: string): string[] {
  return readdirSync(under, { withFileTypes: true })
    .flatMap((entry) => (entry.isDirectory() ? files(join(under, entry.name)) : [join(under, entry.name)]))
    .filter((path) => !/\.(json|tsv)$/.test(path))
    .sort();
}

const outcomeOf = (bytes: Buffer, site: SiteProfile): { outcome: string; records: number; findings: number } => {
  const inspection = inspectHl7(bytes, site);
  const mapped = mapHl7({ bytes, receivedAt: '2026-03-02T00:00:00.000Z' }, site);
  const findings = mapped.findings.length;
  if (!inspection.ok) {
    const { code, where } = inspection.problem;
    return { outcome: `refused ${code} ${where ?? ''}`.trim(), records: 0, findings };
  }
  if (!mapped.ok)
    return { outcome: `review ${mapped.problem.code} ${mapped.problem.where ?? ''}`.trim(), records: 0, findings };
  return { outcome: 'accepted', records: mapped.records.length, findings };
};

test('every file of the corpus ends as accepted, refused or review', { skip }, async (t) => {
  const site = (await demoSites()).byId('h1');
  assert.ok(site);
  const counts = new Map<string, number>();
  const perType = new Map<string, number>();
  let messages = 0;
  let records = 0;
  for (const path of files(folder)) {
    for (const bytes of splitBatch(readFileSync(path)).messages) {
      const { outcome, records: made } = outcomeOf(bytes, site);
      messages++;
      records += made;
      assert.match(outcome, /^(accepted|refused [a-z-]+|review [a-z-]+)/, relative(folder, path));
      if (outcome === 'accepted') assert.ok(made > 0, relative(folder, path));
      counts.set(outcome, (counts.get(outcome) ?? 0) + 1);
      if (process.env['HUB_CORPUS'] === 'list') t.diagnostic(`${relative(folder, path)}: ${outcome}`);
      const type = /MSH.[^\r\n]{0,300}?.([A-Z]{3}\^[A-Z]\d\d)/.exec(bytes.toString('latin1', 0, 600))?.[1] ?? '?';
      const key = `${type} ${outcome.split(' ').slice(0, 2).join(' ')}`;
      perType.set(key, (perType.get(key) ?? 0) + 1);
    }
  }
  const table = [...counts].sort((a, b) => b[1] - a[1]);
  t.diagnostic(`${String(messages)} messages, ${String(records)} records`);
  for (const [outcome, count] of table) t.diagnostic(`${String(count).padStart(4)}  ${outcome}`);
  if (process.env['HUB_CORPUS'] === 'types') {
    for (const [key, count] of [...perType].sort()) t.diagnostic(`${String(count).padStart(4)}  ${key}`);
  }
  assert.equal(
    table.reduce((sum, [, count]) => sum + count, 0),
    messages,
  );
  assert.ok((counts.get('accepted') ?? 0) > 100);
});

test(
  'a sample of the corpus through the listener: every frame is answered, the connection survives',
  { skip },
  async () => {
    const sites = await demoSites();
    const h1 = sites.byId('h1');
    assert.ok(h1);
    // The corpus was written for other hubs: whoever it says it is, it is taken for h1 here.
    const rig = await startRig({ sites: { ...sites, byHl7Sender: () => ({ ...h1, id: 'h1' as SiteId }) } });
    const peer = await RawPeer.open(rig.port);
    let expected = 0;
    for (const path of files(folder).filter((_, at) => at % 5 === 0)) {
      const bytes = readFileSync(path);
      const batch = splitBatch(bytes);
      peer.send(Buffer.from(bytes.filter((byte) => byte !== 0x0b && byte !== 0x1c)));
      if (batch.header === null) {
        for (const message of batch.messages) expected += silent(message, h1) ? 0 : 1;
      } else expected++;
    }
    await until(() => peer.frames.length >= expected, 20_000);
    assert.equal(peer.frames.length, expected);
    assert.equal(peer.closed, false);
    const { received, refused } = rig.channel.health();
    assert.ok(received > 20 && refused > 5);
    peer.socket.destroy();
    await rig.channel.stop(500);
  },
);

/** NE in MSH-15 and MSH-16: the sender wants no answer. */
function silent(message: Buffer, site: SiteProfile): boolean {
  const inspection = inspectHl7(message, site);
  const header = inspection.ok ? inspection.value.header : inspection.header;
  const wishes = [15, 16].map((index) => header?.segment.text(index).toUpperCase() ?? '');
  const accepted = inspection.ok;
  if (!wishes.some((wish) => ['AL', 'NE', 'ER', 'SU'].includes(wish))) return false;
  return !wishes.some((wish) => wish === 'AL' || (wish === 'ER' && !accepted) || (wish === 'SU' && accepted));
}
