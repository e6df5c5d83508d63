/**
 * Messages of the demo hospitals as they arrive, what the hub makes of them, and what it answers. `HUB_GOLDEN=write`
 * writes the expected files anew; the difference is reviewed, not believed.
 */
import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import type { SiteProfile } from '../../hub/core/site.ts';
import { buildAck, encodeAck, inspectHl7, mapHl7, splitBatch, wrapBatch } from '../../mappings/hl7v2/index.ts';
import { demoSites } from '../wire/hl7v2-fixture.ts';

const RECEIVED_AT = '2026-03-03T02:00:00.000Z';
const TIME = '20260303100000+0800';
const writing = process.env['HUB_GOLDEN'] === 'write';

interface Staged {
  readonly records: string;
  readonly answer: Buffer;
}

function stage(arrived: Buffer, site: SiteProfile): Staged {
  const batch = splitBatch(arrived);
  const stages = batch.messages.map((bytes) => {
    const inspection = inspectHl7(bytes, site);
    const stamp = { controlId: (nth: number) => `HUB-ANSWER-${String(nth + 1)}`, time: TIME };
    const known = inspection.ok ? inspection.value : inspection;
    const outcome = inspection.ok ? ({ kind: 'accepted' } as const) : ({ kind: 'refused', problem: inspection.problem } as const);
    const answer = encodeAck(buildAck(known.header, outcome, stamp), known.charset);
    if (!inspection.ok) return { told: { refused: inspection.problem }, answer };
    const { charset, patientKey } = inspection.value;
    const mapped = mapHl7({ bytes, receivedAt: RECEIVED_AT }, site);
    const { findings } = mapped;
    const made = mapped.ok ? { records: mapped.records } : { review: mapped.problem };
    return { told: { charset, patientKey, ...made, findings }, answer };
  });
  const told = stages.map((one) => one.told);
  const answers = stages.map((one) => one.answer);
  const answer = batch.header === null ? Buffer.concat(answers) : wrapBatch(batch, answers, TIME, 'HUB-BATCH-1');
  return { records: `${JSON.stringify(batch.header === null ? told[0] : told, null, 2)}\n`, answer };
}

const cases = ['h1', 'h2', 'h3', 'region'].flatMap((site) =>
  readdirSync(join(import.meta.dirname, site))
    .filter((name) => name.startsWith('hl7v2-'))
    .sort()
    .map((name) => ({ site, name, folder: join(import.meta.dirname, site, name) })),
);

for (const { site, name, folder } of cases) {
  test(`${site} ${name}`, async () => {
    const profile = (await demoSites()).byId(site);
    assert.ok(profile);
    const staged = stage(readFileSync(join(folder, '0-arrived.hl7')), profile);
    const [records, answer] = [join(folder, '1-records.json'), join(folder, '9-ack.hl7')];
    if (writing) {
      writeFileSync(records, staged.records);
      writeFileSync(answer, staged.answer);
    }
    assert.deepEqual(JSON.parse(staged.records), JSON.parse(readFileSync(records, 'utf8')));
    assert.equal(staged.answer.toString('latin1'), readFileSync(answer).toString('latin1'));
    assert.ok(existsSync(join(folder, 'why.md')));
  });
}

test('every demo hospital has at least ten', () => {
  for (const site of ['h1', 'h2', 'h3']) assert.ok(cases.filter((one) => one.site === site).length >= 10, site);
});
