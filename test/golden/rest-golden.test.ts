/**
 * REST messages of the demo hospitals as they arrive, and the records they become. `HUB_GOLDEN=write` writes the expected
 * files anew; the difference is reviewed, not believed.
 */
import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { before, test } from 'node:test';
import { loadSites } from '../../adapters/sites/load.ts';
import type { Sites } from '../../hub/core/site.ts';
import type { Kind } from '../../mappings/rest/index.ts';
import { mapRest, MESSAGE_TYPES } from '../../mappings/rest/index.ts';

const SITES_DIR = join(import.meta.dirname, '../../adapters/sites');
const KINDS: readonly (readonly [string, Kind])[] = [
  ['rest-registration-', 'Registration'],
  ['rest-order-', 'Order'],
  ['rest-exam-void-', 'ExamVoid'],
  ['rest-exam-', 'Exam'],
  ['rest-report-withdrawal-', 'ReportWithdrawal'],
  ['rest-report-', 'Report'],
];

let sites: Sites;
before(async () => {
  sites = await loadSites(SITES_DIR);
});

const cases = ['h1', 'h2', 'h3'].flatMap((site) =>
  readdirSync(join(import.meta.dirname, site))
    .filter((name) => name.startsWith('rest-'))
    .sort()
    .map((name) => ({ site, name, folder: join(import.meta.dirname, site, name) })),
);

for (const { site, name, folder } of cases) {
  test(`${site} ${name}`, () => {
    const profile = sites.byId(site);
    const kind = KINDS.find(([prefix]) => name.startsWith(prefix))?.[1];
    assert.ok(profile !== null && kind !== undefined);
    const entry = {
      channel: 'rest',
      site: profile.id,
      sender: 'golden',
      peer: '127.0.0.1',
      controlId: name,
      messageType: MESSAGE_TYPES[kind],
      contentType: `application/json${name.endsWith('gb18030') ? '; charset=GB18030' : ''}`,
      bytes: readFileSync(join(folder, '0-arrived.json')),
      patientKey: '',
      answer: new Uint8Array(0),
      receivedAt: '2026-03-03T02:00:00.000Z',
    } as const;
    const mapped = mapRest(entry, profile);
    const told = mapped.ok ? { records: mapped.records } : { review: mapped.problem };
    const staged = `${JSON.stringify({ ...told, findings: mapped.findings }, null, 2)}\n`;
    const expected = join(folder, '1-records.json');
    if (process.env['HUB_GOLDEN'] === 'write') writeFileSync(expected, staged);
    assert.deepEqual(JSON.parse(staged), JSON.parse(readFileSync(expected, 'utf8')));
    assert.ok(existsSync(join(folder, 'why.md')));
  });
}

test('every hospital that sends by REST has ten of its messages here', () => {
  for (const site of ['h1', 'h2', 'h3'])
    assert.ok(cases.filter((one) => one.site === site).length >= 10, `${site} has too few`);
});

test('every kind of message stands at the hospital that sends by REST', () => {
  const seen = new Set(cases.filter(({ site }) => site === 'h2').map(({ name }) => KINDS.find(([p]) => name.startsWith(p))?.[1]));
  assert.deepEqual([...seen].sort(), Object.keys(MESSAGE_TYPES).sort());
});
