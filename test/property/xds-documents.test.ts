/**
 * Laws of documents on their way in: however a package is cut, what is stored is what was sent, with its size and hash;
 * whatever is broken about it leaves nothing in the store.
 */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { after, before, test } from 'node:test';
import fc from 'fast-check';
import type { SealedObjectStore } from '../../hub/archive/object-store-sealed.ts';
import { sealedFiles } from '../support/data-keys.ts';
import { Failure, problem } from '../../hub/core/problem.ts';
import { DocumentIntake } from '../../hub/flow/receive-documents.ts';
import type { KeptDocument } from '../../hub/flow/receive-documents.ts';
import {
  contentOf,
  includeTag,
  openPackage,
  packageEnd,
  packageType,
  partHead,
  rootHead,
} from '../../mappings/xds/mtom.ts';
import { childrenNamed, parseXml } from '../../mappings/xds/xml.ts';
import { silent } from '../support/repository-hub.ts';

const LIMITS = { bytes: 1 << 22, parts: 20, rootBytes: 1 << 16, inlineBytes: 64 };
const clock = (): Date => new Date('2026-03-01T00:00:00Z');

let root: string;
let objects: SealedObjectStore;
before(async () => {
  root = await mkdtemp(join(tmpdir(), 'hutong-intake-'));
  objects = sealedFiles(root);
});
after(async () => {
  await objects.close();
  await rm(root, { recursive: true, force: true });
});

const intakeOf = (maxBytes = 1 << 20): DocumentIntake => new DocumentIntake({ objects, log: silent, clock, maxBytes });

/** Files under the store's root, whatever they are. */
async function stored(): Promise<number> {
  const entries = await readdir(root, { recursive: true, withFileTypes: true });
  return entries.filter((entry) => entry.isFile()).length;
}

interface Sent {
  readonly bytes: Buffer;
  readonly how: 'xop' | 'inline' | 'part-base64';
}

const documents: fc.Arbitrary<Sent[]> = fc.array(
  fc.record({
    bytes: fc
      .uint8Array({ maxLength: 400 })
      .map((bytes) => Buffer.from(Buffer.from(bytes).toString('latin1').replaceAll('--bound', '==bound'), 'latin1')),
    how: fc.constantFrom('xop' as const, 'inline' as const, 'part-base64' as const),
  }),
  { maxLength: 4 },
);
const lines = (text: string): string => text.replace(/.{76}/g, '$&&#13;\n');

function message(sent: readonly Sent[], first: boolean): Buffer {
  const id = (at: number): string => `a ${String(at)}+%b@x`;
  const list = sent.map(({ bytes, how }, at) =>
    how === 'inline'
      ? `<i:Document id="d${String(at)}">${lines(bytes.toString('base64'))}</i:Document>`
      : `<i:Document id='>"<'>${includeTag(id(at))}</i:Document>`.replace(`'>"<'`, `"&lt;"`),
  );
  const envelope = `<?xml version="1.0"?><!-- <i:Document>x --><e xmlns:i="urn:i"><![CDATA[<i:Document>]]>${list.join(' ')}</e>`;
  const body = [Buffer.from(`${rootHead('bound', 'r@x')}${envelope}`)];
  const parts = sent.flatMap(({ bytes, how }, at) => {
    if (how === 'inline') return [];
    const head = partHead('bound', { contentId: id(at), contentType: 'a/b' });
    return how === 'xop'
      ? [Buffer.from(head, 'latin1'), bytes]
      : [
          Buffer.from(head.replace('binary', 'base64'), 'latin1'),
          Buffer.from(bytes.toString('base64').replace(/.{76}/g, '$&\r\n')),
        ];
  });
  const pieces = first
    ? [...body, ...parts]
    : [
        Buffer.concat(parts).subarray(parts.length > 0 ? 2 : 0),
        ...(parts.length > 0 ? [Buffer.from('\r\n')] : []),
        ...body,
      ];
  return Buffer.concat([...pieces, Buffer.from(packageEnd('bound'))]);
}

function* cut(bytes: Buffer, sizes: readonly number[]): Generator<Buffer> {
  for (let at = 0, turn = 0; at < bytes.length; turn++) {
    const size = sizes[turn % sizes.length] ?? 1;
    yield Buffer.from(bytes.subarray(at, at + size));
    at += size;
  }
}

async function receive(
  body: Iterable<Buffer>,
  intake: DocumentIntake,
  limits = LIMITS,
): Promise<{ kept: KeptDocument[] } | { code: string }> {
  const opened = await openPackage(packageType('bound', 'r@x', 'urn:a'), Readable.from(body), limits, (part) =>
    intake.take(part.body),
  );
  if (!opened.ok) return { code: opened.problem.code };
  const rest = await opened.value.rest();
  if (!rest.ok) return { code: rest.problem.code };
  const tree = parseXml(opened.value.envelope);
  if (!tree.ok) return { code: tree.problem.code };
  const kept: KeptDocument[] = [];
  for (const element of childrenNamed(tree.value, 'urn:i', 'Document')) {
    const content = contentOf(element, rest.value);
    const one = content.kind === 'part' ? content.part : await intake.take(content.bytes);
    if (!one.ok) return { code: one.problem.code };
    kept.push(one.value);
  }
  return { kept };
}

test('what is stored is what was sent, however it is packed and cut', async () => {
  await fc.assert(
    fc.asyncProperty(
      documents,
      fc.boolean(),
      fc.array(fc.integer({ min: 1, max: 90 }), { minLength: 1, maxLength: 6 }),
      async (sent, first, sizes) => {
        const intake = intakeOf();
        const got = await receive(cut(message(sent, first), sizes), intake);
        assert.ok('kept' in got, JSON.stringify(got));
        assert.equal(got.kept.length, sent.length);
        for (const [at, { object, size, hash }] of got.kept.entries()) {
          const bytes = sent[at]?.bytes ?? Buffer.alloc(0);
          assert.ok((await objects.readAll(object)).equals(bytes));
          assert.deepEqual([size, hash], [bytes.length, createHash('sha1').update(bytes).digest('hex')]);
        }
        await intake.discard();
        for (const { object } of got.kept) assert.equal(await objects.size(object), null);
      },
    ),
    { numRuns: 150 },
  );
});

test('a package cut anywhere leaves nothing, and is never taken for whole', async () => {
  const bytes = Buffer.alloc(300, 65);
  const whole = message(
    [
      { bytes, how: 'xop' },
      { bytes, how: 'inline' },
      { bytes, how: 'part-base64' },
    ],
    true,
  );
  for (let length = 0; length < whole.length - 4; length += 7) {
    const intake = intakeOf();
    const got = await receive([whole.subarray(0, length)], intake);
    assert.equal('code' in got && got.code, 'malformed', String(length));
    await intake.discard();
  }
  assert.equal(await stored(), 0);
});

test('a connection that breaks leaves nothing', async () => {
  const whole = message([{ bytes: Buffer.alloc(300_000, 1), how: 'xop' }], true);
  function* broken(): Generator<Buffer> {
    yield* cut(whole.subarray(0, 200_000), [16_000]);
    throw new Error('aborted');
  }
  const intake = intakeOf();
  await assert.rejects(receive(broken(), intake), /aborted/);
  await intake.discard();
  assert.equal(await stored(), 0);
});

test('what is too large, too many or twice is refused', async () => {
  const document = { bytes: Buffer.alloc(2_000, 2), how: 'xop' as const };
  for (const [what, code, sent, limits, most] of [
    ['a document', 'too-large', [document], LIMITS, 1_999],
    ['an inline document', 'too-large', [{ ...document, how: 'inline' as const }], LIMITS, 1_999],
    ['the envelope', 'too-large', [document], { ...LIMITS, rootBytes: 50 }, 1 << 20],
    ['the message', 'too-large', [document, document], { ...LIMITS, bytes: 3_000 }, 1 << 20],
    ['parts', 'limit-exceeded', [document, document], { ...LIMITS, parts: 2 }, 1 << 20],
  ] as const) {
    const intake = intakeOf(most);
    assert.deepEqual(await receive([message(sent, true)], intake, limits), { code }, what);
    await intake.discard();
  }
  const twice = message([document], true)
    .toString('latin1')
    .replace(/(\r\n--bound\r\nContent-Type: a[^]*?)(\r\n--bound--)/, '$1$1$2');
  const intake = intakeOf();
  assert.deepEqual(await receive([Buffer.from(twice, 'latin1')], intake), { code: 'malformed' });
  await intake.discard();
  assert.equal(await stored(), 0);
});

test('for whom nothing is known yet, no more is stored than an envelope may have', async () => {
  const half = { bytes: Buffer.alloc(9 << 20, 2), how: 'xop' as const };
  const limits = { ...LIMITS, bytes: 1 << 26 };
  for (const [trusted, expected] of [
    [false, 'too-large'],
    [true, undefined],
  ] as const) {
    const intake = intakeOf(1 << 24);
    if (trusted) intake.trust();
    const got = await receive([message([half, half], false)], intake, limits);
    assert.equal('code' in got ? got.code : undefined, expected);
    await intake.discard();
  }
  assert.equal(await stored(), 0);
});

test('inline text that is no base64, or has markup inside, is refused', async () => {
  const text = 'QUJD'.repeat(50);
  for (const content of [
    `${text}*`,
    `${text}=${text}`,
    `${text}Q`,
    `${text}<!-- -->${text}`,
    `${text}<a/>`,
    `${text}&lt;`,
  ]) {
    const envelope = `<e xmlns:i="urn:i"><i:Document>${content}</i:Document></e>`;
    const body = Buffer.from(`${rootHead('bound', 'r@x')}${envelope}${packageEnd('bound')}`);
    const intake = intakeOf();
    assert.deepEqual(await receive(cut(body, [10]), intake), { code: 'malformed' }, content.slice(190));
    await intake.discard();
  }
});

test('UTF-16 is left to the XML parser, and its documents are read all the same', async () => {
  const text = Buffer.alloc(300, 3).toString('base64');
  const envelope = Buffer.from(`\ufeff<e xmlns:i="urn:i"><i:Document>${text}</i:Document></e>`, 'utf16le');
  for (const sizes of [[1], [2, 3], [5_000]]) {
    const intake = intakeOf();
    const opened = await openPackage('application/soap+xml', Readable.from(cut(envelope, sizes)), LIMITS, (part) =>
      intake.take(part.body),
    );
    assert.ok(opened.ok && opened.value.envelope.equals(envelope));
  }
});

test('a store that fails is told as such, and the writer is given back', async () => {
  const failing = new Proxy(objects, {
    get: (target, name) =>
      name === 'write'
        ? async (key: string) => {
            const writer = await target.write(key);
            return {
              write: () => Promise.reject(new Failure(problem('unavailable', undefined, 'The disk is full.'))),
              commit: () => writer.commit(),
              abort: () => writer.abort(),
            };
          }
        : (Reflect.get(target, name) as unknown),
  });
  const intake = new DocumentIntake({ objects: failing, log: silent, clock, maxBytes: 1 << 20 });
  assert.deepEqual(await receive([message([{ bytes: Buffer.alloc(9), how: 'xop' }], true)], intake), {
    code: 'unavailable',
  });
  assert.equal(intake.broken?.code, 'unavailable');
  await intake.discard();
  assert.equal(await stored(), 0);
});

test('a message in millions of pieces costs no more than its bytes', async () => {
  const pieces = 100_000;
  function* crumbs(): Generator<Buffer> {
    yield Buffer.from(rootHead('bound', 'r@x'));
    for (let at = 0; at < pieces; at++) yield Buffer.from(' ');
    yield Buffer.from(`<e xmlns:i="urn:i"/>${packageEnd('bound')}`);
  }
  const began = performance.now();
  const got = await receive(crumbs(), intakeOf(), { ...LIMITS, rootBytes: 1 << 20 });
  assert.ok('kept' in got);
  assert.ok(performance.now() - began < 20_000);
});
