/** Decoded and converted pixels against DCMTK, sample by sample, on the corpus; and every lossless way forth and back. */
import assert from 'node:assert/strict';
import { randomFillSync } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { after } from 'node:test';
import { convert } from '../../hub/archive/codec/convert.ts';
import { canTranscode, closeCodecs, transcode } from '../../hub/archive/transcode.ts';
import { inMemory, openFrames } from '../../hub/archive/transcode-frames.ts';
import type { ByteSource } from '../../hub/archive/transcode-frames.ts';
import { parsePart10 } from '../../mappings/dicom/parse.ts';
import * as syntax from '../../mappings/dicom/uids.ts';
import { slice } from '../bench/ct-series.ts';
import { corpusFile, corpusFiles, lacks, noCorpus, run } from '../support/dicom-codec-corpus.ts';

const PIXELS = 0x7fe00010;
const folder = mkdtempSync(join(tmpdir(), 'codec-'));
after(async () => {
  rmSync(folder, { recursive: true });
  await closeCodecs();
});

/** Decoded by DCMTK, or null where it cannot. */
function peer(path: string, transferSyntax: string): Buffer | null {
  const out = join(folder, 'peer.dcm');
  const [tool = '', ...options] = /4\.8[01]$/.test(transferSyntax)
    ? ['dcmdjpls']
    : /4\.(5\d|70)$/.test(transferSyntax)
      ? ['dcmdjpeg']
      : transferSyntax === syntax.RLE
        ? ['dcmdrle']
        : ['dcmconv', '+te'];
  return run(tool, ...options, path, out) ? readFileSync(out) : null;
}

function pixels(file: Buffer): Buffer {
  const parsed = parsePart10(file);
  assert.ok(parsed.ok, parsed.ok ? '' : parsed.problem.text);
  return parsed.value.dataSet.raw(PIXELS);
}

/** 12-bit DCT: two right decoders may differ by one in rounding (ISO 10918-2); everything else is equal. */
function tolerance(transferSyntax: string): number {
  return transferSyntax === syntax.JPEG_EXTENDED ? 1 : 0;
}

function difference(a: Buffer, b: Buffer): number {
  if (a.length !== b.length) return Infinity;
  if (a.equals(b)) return 0;
  let most = 0;
  for (let at = 0; at + 1 < a.length; at += 2) most = Math.max(most, Math.abs(a.readUInt16LE(at) - b.readUInt16LE(at)));
  return most;
}

test(
  'decoding equals DCMTK',
  { skip: noCorpus || lacks('dcmdjpeg') || lacks('dcmdjpls') || lacks('dcmdrle') },
  async (t) => {
    const counts = new Map<string, number>();
    for (const { path, transferSyntax, dumps } of corpusFiles()) {
      const name = transferSyntax.replace('1.2.840.10008.1.2', '');
      // The long JPEG-LS series are one image format; a few of them prove it.
      if (
        !dumps ||
        transferSyntax === syntax.EXPLICIT_LE ||
        (name === '.4.80' && (counts.get(`${name} equal`) ?? 0) > 9)
      )
        continue;
      const file = readFileSync(path);
      const parsed = parsePart10(file);
      if (!parsed.ok || !parsed.value.dataSet.has(PIXELS)) continue;
      const ours = await convert(file, syntax.EXPLICIT_LE);
      const theirs = peer(path, transferSyntax);
      const verdict = ours.ok && theirs ? 'equal' : ours.ok ? 'decoded, DCMTK cannot' : `refused: ${ours.problem.text}`;
      counts.set(`${name} ${verdict}`, (counts.get(`${name} ${verdict}`) ?? 0) + 1);
      if (ours.ok && theirs)
        assert.ok(difference(pixels(ours.value), pixels(theirs)) <= tolerance(transferSyntax), path);
    }
    for (const [key, number] of [...counts].sort()) t.diagnostic(`${String(number).padStart(4)} ${key}`);
    const equal = (name: string): number => counts.get(`${name} equal`) ?? 0;
    assert.ok(
      equal('.4.50') >= 13 &&
        equal('.4.70') >= 9 &&
        equal('.4.57') >= 1 &&
        equal('.5') >= 8 &&
        equal('.2') >= 9 &&
        equal('.4.81') >= 7,
    );
  },
);

test(
  'progressive and spectral JPEG of 8 bits decode as DCMTK decodes them',
  { skip: noCorpus || lacks('dcmcjpeg') },
  async (t) => {
    const seen = new Map<string, number>();
    for (const { path, dumps } of corpusFiles()) {
      if (!dumps || path.includes('ct-series')) continue;
      const file = readFileSync(path);
      const parsed = parsePart10(file);
      if (!parsed.ok || parsed.value.dataSet.number(0x00280100) !== 8 || file.length > 2_000_000) continue;
      const native = join(folder, 'native.dcm');
      const plain = await convert(file, syntax.EXPLICIT_LE);
      if (!plain.ok) continue;
      writeFileSync(native, plain.value);
      for (const [option, transferSyntax] of [
        ['+es', syntax.JPEG_SPECTRAL],
        ['+ep', syntax.JPEG_PROGRESSIVE],
      ] as const) {
        if ((seen.get(transferSyntax) ?? 0) >= 6) continue;
        const packed = join(folder, 'packed.dcm');
        if (!run('dcmcjpeg', option, native, packed)) continue;
        const theirs = peer(packed, transferSyntax);
        const ours = await convert(readFileSync(packed), syntax.EXPLICIT_LE);
        if (theirs === null) continue;
        assert.ok(ours.ok, path);
        assert.equal(Buffer.compare(pixels(ours.value), pixels(theirs)), 0, `${option} ${path}`);
        seen.set(transferSyntax, (seen.get(transferSyntax) ?? 0) + 1);
      }
    }
    t.diagnostic(JSON.stringify([...seen]));
    assert.equal(seen.size, 2);
  },
);

const CT = 'cornerstone3D/examplesOld/test-images/CTImage.dcm_';

test('one image in five lossless syntaxes decodes to the same samples', { skip: noCorpus }, async () => {
  const plain = pixels(corpusFile(`${CT}LittleEndianImplicitTransferSyntax_1.2.840.10008.1.2.dcm`));
  for (const other of [
    'JPEG2000LosslessOnlyTransferSyntax_1.2.840.10008.1.2.4.90',
    'JPEGProcess14TransferSyntax_1.2.840.10008.1.2.4.57',
    'RLELosslessTransferSyntax_1.2.840.10008.1.2.5',
    'DeflatedExplicitVRLittleEndianTransferSyntax_1.2.840.10008.1.2.1.99',
  ]) {
    const decoded = await convert(corpusFile(`${CT}${other}.dcm`), syntax.EXPLICIT_LE);
    assert.ok(decoded.ok, other);
    assert.ok(pixels(decoded.value).equals(plain), other);
  }
});

const SAMPLES = [
  `${CT}LittleEndianImplicitTransferSyntax_1.2.840.10008.1.2.dcm`,
  'derived-zh/zh_gb18030_ct.dcm',
  'derived-zh/zh_gbk_mr.dcm',
  'pydicom/test_files/SC_rgb_small_odd_big_endian.dcm',
  'pydicom/test_files/MR_small_bigendian.dcm',
  'pydicom/test_files/SC_rgb_rle_16bit.dcm',
];

test(
  'every lossless way is exact, forth and back, and DCMTK reads what was written',
  { skip: noCorpus || lacks('dcmdjpls') },
  async () => {
    for (const sample of SAMPLES) {
      const base = await convert(corpusFile(sample), syntax.EXPLICIT_LE);
      assert.ok(base.ok, sample);
      for (const target of [
        syntax.IMPLICIT_LE,
        syntax.DEFLATED_LE,
        syntax.RLE,
        syntax.JPEG_LS_LOSSLESS,
        syntax.HTJ2K_LOSSLESS,
      ]) {
        const there = await convert(base.value, target);
        if (target === syntax.HTJ2K_LOSSLESS && sample.includes('16bit')) {
          // OpenJPH's build does not hold 16-bit colour: the proof by decoding refuses it, and no wrong pixel leaves.
          assert.ok(!there.ok);
          continue;
        }
        assert.ok(there.ok, `${sample} to ${target}: ${there.ok ? '' : there.problem.text}`);
        const path = join(folder, 'ours.dcm');
        writeFileSync(path, there.value);
        assert.ok(run('dcmdump', '-q', path), `${sample} in ${target} is read by dcmdump`);
        const back = await convert(there.value, syntax.EXPLICIT_LE);
        assert.ok(back.ok, `${sample} from ${target}`);
        assert.ok(sorted(back.value, base.value), `${sample} by way of ${target}`);
        const theirs = target === syntax.HTJ2K_LOSSLESS ? null : peer(path, target);
        if (theirs)
          assert.ok(same(pixels(theirs), pixels(base.value), theirs), `${sample} in ${target}, decoded by DCMTK`);
        else assert.equal(target, syntax.HTJ2K_LOSSLESS, `${sample}: DCMTK does not decode ${target}`);
      }
    }
  },
);

/** Equal samples, whatever the order of colours is said to be. */
function sorted(a: Buffer, b: Buffer): boolean {
  return same(pixels(a), pixels(b), a);
}

function same(a: Buffer, b: Buffer, file: Buffer): boolean {
  if (a.equals(b)) return true;
  const parsed = parsePart10(file);
  const colour = parsed.ok && parsed.value.dataSet.number(0x00280002) === 3;
  return colour && a.length === b.length && Buffer.from(a).sort().equals(Buffer.from(b).sort());
}

test('text keeps its bytes, whatever the target', { skip: noCorpus }, async () => {
  const file = corpusFile('derived-zh/zh_gb18030_ct.dcm');
  const before = parsePart10(file);
  for (const target of [syntax.IMPLICIT_LE, syntax.RLE, syntax.HTJ2K_LOSSLESS]) {
    const there = await transcode(file, target);
    const after = there.ok ? parsePart10(there.value) : there;
    assert.ok(before.ok && after.ok);
    for (const [tag, element] of before.value.dataSet.elements) {
      if ((tag & 0xffff) === 0 || tag === PIXELS || element.items) continue;
      assert.deepEqual(after.value.dataSet.raw(tag), before.value.dataSet.raw(tag), tag.toString(16));
    }
  }
});

test('what cannot be converted is refused', { skip: noCorpus }, async () => {
  assert.equal(canTranscode(syntax.EXPLICIT_LE, syntax.JPEG_BASELINE), false, 'no re-encoding with loss');
  assert.equal(canTranscode('1.2.840.10008.1.2.4.102', syntax.EXPLICIT_LE), false);
  const refused = await transcode(corpusFile('derived-zh/zh_gbk_mr.dcm'), syntax.JPEG_BASELINE);
  assert.ok(!refused.ok && refused.problem.code === 'unsupported-media');
  const cut = corpusFile(`${CT}RLELosslessTransferSyntax_1.2.840.10008.1.2.5.dcm`);
  assert.ok(!(await transcode(cut.subarray(0, cut.length - 100), syntax.EXPLICIT_LE)).ok);
});

test('frames are read by ranges, and equal those of the whole object', { skip: noCorpus }, async () => {
  let compared = 0;
  for (const { path, dumps, transferSyntax } of corpusFiles()) {
    if (
      !dumps ||
      (!path.includes('multi') && !path.includes('emri') && !path.includes('2frame') && !path.includes('enh'))
    )
      continue;
    const file = readFileSync(path);
    const whole = await openFrames(inMemory(file));
    if (!whole.ok || !canTranscode(transferSyntax, syntax.EXPLICIT_LE)) continue;
    // The same bytes, seemingly too large to be read at once.
    const inParts: ByteSource = {
      size: file.length + 1,
      read: (start, end) =>
        Promise.resolve(file.subarray(start, Math.min(end, start === 0 ? file.length - 1 : file.length))),
    };
    const parts = await openFrames(inParts);
    if (!parts.ok) continue;
    const { frames } = whole.value.format;
    for (const number of [1, Math.ceil(frames / 2), frames]) {
      const [a, b] = [await whole.value.stored(number), await parts.value.stored(number)];
      assert.ok(a.ok && b.ok, `${path} frame ${String(number)}`);
      assert.ok(a.value.bytes.equals(b.value.bytes), `${path} frame ${String(number)}`);
      compared++;
    }
    const none = await whole.value.stored(frames + 1);
    assert.ok(!none.ok && none.problem.code === 'not-found');
  }
  assert.ok(compared > 0);
});

test('a deflated object is read whole, however large', async () => {
  const native = slice(1);
  randomFillSync(native, native.length - 256 * 1024); // so that deflating it leaves much
  const deflated = await transcode(native, syntax.DEFLATED_LE);
  assert.ok(deflated.ok && deflated.value.length > 64 * 1024);
  const reads: number[] = [];
  const source: ByteSource = {
    size: deflated.value.length,
    read: (start, end) => {
      reads.push(end - start);
      return Promise.resolve(deflated.value.subarray(start, end));
    },
  };
  const [stored, opened] = [await openFrames(inMemory(native)), await openFrames(source)];
  assert.ok(stored.ok && opened.ok, JSON.stringify(opened));
  const [expected, frame] = [await stored.value.stored(1), await opened.value.stored(1)];
  assert.ok(expected.ok && frame.ok && frame.value.bytes.equals(expected.value.bytes));
  assert.equal(opened.value.lies(1, [syntax.EXPLICIT_LE]), null, 'nothing of it lies in the file');
  assert.equal(reads.length, 2);
});

test('a native frame of one object in the file is told by its place', async () => {
  const native = slice(1);
  const opened = await openFrames(inMemory(native));
  assert.ok(opened.ok);
  const frame = await opened.value.stored(1);
  const lies = opened.value.lies(1, [syntax.EXPLICIT_LE]);
  assert.ok(frame.ok && lies !== null);
  assert.ok(native.subarray(lies.start, lies.end).equals(frame.value.bytes));
  assert.equal(opened.value.lies(1, [syntax.JPEG_BASELINE]), null);
  assert.equal(opened.value.lies(2, [syntax.EXPLICIT_LE]), null);
  assert.equal(opened.value.lies(0, [syntax.EXPLICIT_LE]), null);
});
