/** Rendered frames against DCMTK's dcmj2pnm, grey level by grey level. */
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { after } from 'node:test';
import sharp from 'sharp';
import { render } from '../../hub/archive/render.ts';
import { closeCodecs } from '../../hub/archive/transcode.ts';
import { inMemory, openFrames } from '../../hub/archive/transcode-frames.ts';
import { corpusFiles, lacks, noCorpus, run } from '../support/dicom-codec-corpus.ts';

const folder = mkdtempSync(join(tmpdir(), 'render-'));
after(async () => {
  rmSync(folder, { recursive: true });
  await closeCodecs();
});

const raw = async (picture: Buffer, channels: number) =>
  sharp(picture)
    .toColourspace(channels === 1 ? 'b-w' : 'srgb')
    .removeAlpha()
    .raw()
    .toBuffer({ resolveWithObject: true });

test('frames look as DCMTK draws them', { skip: noCorpus || lacks('dcmj2pnm') }, async (t) => {
  let drawn = 0;
  let exact = 0;
  const apart: string[] = [];
  for (const { path, dumps } of corpusFiles()) {
    if (!dumps || path.includes('ct-series') || path.includes('.4.80')) continue;
    const file = readFileSync(path);
    if (file.length > 2_000_000) continue;
    const reader = await openFrames(inMemory(file));
    if (!reader.ok) continue;
    const { part, format } = reader.value;
    const grey = format.samples === 1 && format.photometric !== 'PALETTE COLOR';
    const windowed = part.dataSet.has(0x00281050) && (part.dataSet.number(0x00281051) ?? 0) > 0;
    // Without a window DCMTK and the hub both span the frame's own values, yet round otherwise: only windows are compared.
    if (grey && (!windowed || part.dataSet.has(0x00283010))) continue;
    const out = join(folder, 'peer.png');
    if (!run('dcmj2pnm', '+on', '-O', ...(grey ? ['+Wi', '1'] : []), path, out)) continue;
    const picture = await render(reader.value, 1, { format: 'png' });
    if (!picture.ok) {
      apart.push(`${path.split('/').at(-1) ?? ''}: ${picture.problem.text}`);
      continue;
    }
    const channels = grey ? 1 : 3;
    const [ours, theirs] = [await raw(picture.value, channels), await raw(readFileSync(out), channels)];
    // DCMTK stretches pixels that are not square; the hub draws the matrix as it is.
    if (ours.info.width !== theirs.info.width || ours.info.height !== theirs.info.height) continue;
    drawn++;
    let most = 0;
    for (let at = 0; at < ours.data.length; at++)
      most = Math.max(most, Math.abs((ours.data[at] ?? 0) - (theirs.data[at] ?? 0)));
    if (most === 0) exact++;
    if (most > 2) apart.push(`${path.split('/').at(-1) ?? ''}: ${String(most)}`);
  }
  t.diagnostic(`${String(drawn)} drawn, ${String(exact)} equal to DCMTK, apart: ${apart.join(', ')}`);
  assert.ok(drawn >= 20);
  assert.ok(apart.length <= drawn / 10, apart.join(', '));
});

test('viewport, window and formats', { skip: noCorpus }, async () => {
  const path = corpusFiles().find((file) => file.path.endsWith('zh_gb18030_ct.dcm'))?.path ?? '';
  const reader = await openFrames(inMemory(readFileSync(path)));
  assert.ok(reader.ok);
  for (const format of ['jpeg', 'png', 'gif'] as const) {
    const picture = await render(reader.value, 1, {
      format,
      viewport: { width: 64, height: 32 },
      window: { center: 40, width: 400 },
    });
    assert.ok(picture.ok);
    const info = await sharp(picture.value).metadata();
    assert.deepEqual([info.format, info.width, info.height], [format, 32, 32]);
  }
  const whole = await render(reader.value, 1, { format: 'png' });
  const region = { left: 3, top: 5, width: 20, height: 10 };
  const mirrored = { leftRight: true, upDown: false };
  const part = await render(reader.value, 1, { format: 'png', region: { ...region, mirrored } });
  assert.ok(whole.ok && part.ok);
  const expected = await sharp(whole.value).extract(region).flop().raw().toBuffer();
  assert.deepEqual(await sharp(part.value).raw().toBuffer(), expected);
  assert.ok(!(await render(reader.value, 1, { format: 'png', region: { ...region, left: 5_000 } })).ok);
  const narrow = await render(reader.value, 1, { format: 'png', window: { center: 40, width: 0 } });
  assert.ok(!narrow.ok && narrow.problem.code === 'invalid-value');
  assert.ok(!(await render(reader.value, 2, { format: 'png' })).ok);
  assert.ok(!(await render(reader.value, 1, { format: 'png', viewport: { width: 0, height: 10 } })).ok);
});
