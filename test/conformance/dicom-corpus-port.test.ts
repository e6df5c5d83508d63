/**
 * Every DICOM file that others wrote, through the ports of a whole hub: by C-STORE or STOW-RS in, by QIDO-RS and WADO-RS
 * out again. Each ends stored byte for byte and found, in review, or refused with a reason; none harms the hub.
 */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { basename, relative } from 'node:path';
import { after, before, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { send } from '../../adapters/dicom/index.ts';
import type { Sending } from '../../adapters/dicom/index.ts';
import { lenientUid } from '../../hub/core/identifier.ts';
import type { JsonDataSet } from '../../mappings/dicom/json.ts';
import { parsePart10Header } from '../../mappings/dicom/parse.ts';
import { corpus, corpusFiles, noCorpus } from '../support/dicom-codec-corpus.ts';
import { multipart, partsOf } from '../support/dicomweb-hub.ts';
import { freePort } from '../support/dcmtk.ts';
import { dataFolder, startHub } from '../support/hub.ts';
import type { HubProcess } from '../support/hub.ts';

const TOKEN = 'administrator-of-the-corpus-test';
const [SOP_CLASS, SOP_UID, STUDY_UID, SERIES_UID] = ['00080016', '00080018', '0020000D', '0020000E'] as const;
/** Among the files that C-STORE could carry, each n-th goes by STOW-RS. */
const STOW_EVERY = 6;

interface Input {
  readonly path: string;
  readonly bytes: Buffer;
  /** Of the data set, without the Part-10 head; of the whole file where it has none. */
  readonly digest: string;
  readonly sending: Sending | null;
  readonly channel: 'C-STORE' | 'STOW-RS';
  /** `accepted`, or the status with its words. */
  answer: string;
  readonly sopUid: string;
  readonly patientId: string;
}

/** Where an accepted instance can be had, as QIDO-RS tells it. */
interface Found {
  readonly study: string;
  readonly series: string;
  readonly sop: string;
}

const sha = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');
function value(set: JsonDataSet | undefined, tag: string): string {
  const first = set?.[tag]?.Value?.[0];
  return typeof first === 'string' || typeof first === 'number' ? String(first) : '';
}

let hub: HubProcess;
let remove: () => Promise<void>;
let dimsePort: number;
const inputs: Input[] = [];
const found = new Map<string, Found>();
const inReview = new Map<string, string>();

function read(path: string, index: number): Input {
  const bytes = readFileSync(path);
  const parsed = parsePart10Header(bytes);
  const { meta, dataSet, dataSetOffset, transferSyntax } = parsed.ok
    ? parsed.value
    : { meta: null, dataSet: null, dataSetOffset: 0, transferSyntax: '' };
  const body = bytes.subarray(dataSetOffset);
  const sopClass = lenientUid(meta?.one(0x00020002) ?? '');
  const sopUid = lenientUid(meta?.one(0x00020003) ?? '');
  const sending =
    sopClass === null || sopUid === null || transferSyntax === ''
      ? null
      : {
          sopClass,
          sopUid,
          transferSyntax,
          async *dataSet(): AsyncGenerator<Buffer> {
            yield await Promise.resolve(body);
          },
        };
  const channel = sending === null || index % STOW_EVERY === 0 ? 'STOW-RS' : 'C-STORE';
  const [sop, patientId] = [dataSet?.one(0x00080018) ?? '', dataSet?.one(0x00100020) ?? ''];
  return { path, bytes, digest: sha(body), sending, channel, answer: '', sopUid: sop, patientId };
}

const get = (path: string, headers: Record<string, string> = {}): Promise<Response> =>
  fetch(hub.address() + path, {
    headers: { authorization: `Bearer ${TOKEN}`, ...headers },
    signal: AbortSignal.timeout(20_000),
  });

async function stow(input: Input): Promise<void> {
  const { body, type } = multipart([input.bytes], 'corpus-b0undary-7f3a91');
  const response = await fetch(`${hub.address()}/dicomweb/studies?site=h1`, {
    method: 'POST',
    headers: { authorization: `Bearer ${TOKEN}`, 'content-type': type },
    body,
    signal: AbortSignal.timeout(20_000),
  });
  const answer = (await response.json()) as JsonDataSet;
  const failure = [...(answer['00081198']?.Value ?? []), ...(answer['0008119A']?.Value ?? [])][0] as
    JsonDataSet | undefined;
  const stored = answer['00081199']?.Value?.[0] as JsonDataSet | undefined;
  if (response.status === 200 && stored && !failure) input.answer = 'accepted';
  else {
    const reason = Number(value(failure, '00081197')).toString(16).toUpperCase();
    assert.ok(reason !== '0' && response.status >= 400, `${input.path}: ${response.status} without a reason`);
    input.answer = `${response.status} ${reason}H ${value(failure, '00404000')}`;
  }
}

async function sendAll(some: readonly Input[]): Promise<void> {
  const node = { aeTitle: 'HUTONG', host: '127.0.0.1', port: dimsePort };
  const sent = await send(
    { node, callingAe: 'H1PACS' },
    some.map((one) => one.sending).filter((one) => one !== null),
  );
  assert.ok(sent.ok, sent.ok ? '' : sent.problem.text);
  assert.equal(sent.value.length, some.length);
  for (const [at, { status, text }] of sent.value.entries()) {
    const input = some[at];
    if (!input) continue;
    const words = `${(status ?? 0).toString(16).toUpperCase().padStart(4, '0')}H ${text}`;
    input.answer = status === 0 ? 'accepted' : status === null ? `not sent: ${text}` : words;
  }
}

interface Page<T> {
  readonly items: readonly T[];
  readonly next: string | null;
}

async function all<T>(path: string): Promise<T[]> {
  const items: T[] = [];
  for (let next: string | null = ''; next !== null;) {
    const answer = await get(`${path}${next === '' ? '' : `&after=${encodeURIComponent(next)}`}`);
    assert.equal(answer.status, 200, path);
    const page = (await answer.json()) as Page<T>;
    items.push(...page.items);
    ({ next } = page);
  }
  return items;
}

async function settled(): Promise<void> {
  for (const end = Date.now() + 30_000; Date.now() < end;) {
    const counters = (await (await get('/api/v1/journal/counters')).json()) as Record<string, number>;
    const { received = 0, applied = 0, refused = 0, review = 0, pending = 0 } = counters;
    assert.equal(received, applied + refused + review + pending);
    if (pending === 0) return;
    await pause(100);
  }
  assert.fail('the journal did not come to rest');
}

before(async () => {
  if (noCorpus !== false) return;
  const folder = await dataFolder();
  ({ remove } = folder);
  dimsePort = await freePort();
  hub = startHub(folder.dir, [], {
    HUB_ADMIN_TOKEN: TOKEN,
    HUB_DIMSE_PORT: String(dimsePort),
    HUB_STUDY_SETTLE_SECONDS: '2',
  });
  await hub.up();
  for (const [index, file] of corpusFiles().entries()) inputs.push(read(file.path, index));
  await sendAll(inputs.filter((input) => input.channel === 'C-STORE'));
  for (const input of inputs) if (input.channel === 'STOW-RS') await stow(input);
  await settled();
  interface Entry {
    readonly controlId: string;
    readonly problem: { readonly code: string } | null;
  }
  for (const entry of await all<Entry>('/api/v1/journal?state=review&limit=200'))
    inReview.set(entry.controlId, entry.problem?.code ?? '');
});
after(async () => {
  if (noCorpus !== false) return;
  hub.signal('SIGTERM');
  const code = await hub.ended();
  await remove();
  assert.equal(code, 0, 'the hub that took the corpus stops in order');
});

const accepted = (): Input[] => inputs.filter((input) => input.answer === 'accepted');

/** Two files of one SOP Instance UID: the first stands. */
const firstDigest = (sopUid: string): string[] =>
  accepted().flatMap((input) => (input.sopUid === sopUid ? [input.digest] : []));

test('each file is accepted, or refused in the words of its protocol', { skip: noCorpus }, (t) => {
  const rows = new Map<string, number>();
  for (const input of inputs) {
    assert.notEqual(input.answer, '', input.path);
    const review = inReview.get(input.sopUid);
    const fate = input.answer === 'accepted' && review !== undefined ? `accepted, in review: ${review}` : input.answer;
    const folder = relative(corpus ?? '', input.path).split('/')[0] ?? '';
    const key = `${folder} | ${input.channel} | ${fate}`;
    rows.set(key, (rows.get(key) ?? 0) + 1);
  }
  for (const [key, count] of [...rows].sort()) t.diagnostic(`${String(count).padStart(4)} | ${key}`);
  const most = accepted().length / inputs.length;
  assert.ok(most > 0.8, `only ${String(accepted().length)} of ${String(inputs.length)} were accepted`);
});

test('QIDO-RS finds what was accepted, unless it is in review or names no patient', { skip: noCorpus }, async () => {
  const missing: string[] = [];
  const placed = new Map(accepted().map((input) => [input.sopUid, input.patientId]));
  const uids = [...placed.keys()];
  for (let at = 0; at < uids.length; at += 25) {
    const some = uids.slice(at, at + 25).join(',');
    const answer = await get(`/dicomweb/instances?SOPInstanceUID=${some}&includefield=SeriesInstanceUID`);
    assert.equal(answer.status, 200);
    for (const one of (await answer.json()) as JsonDataSet[]) {
      assert.notEqual(value(one, SOP_CLASS), '');
      const sop = value(one, SOP_UID);
      found.set(sop, { study: value(one, STUDY_UID), series: value(one, SERIES_UID), sop });
    }
  }
  for (const [uid, patientId] of placed) {
    if (!found.has(uid) && !inReview.has(uid) && patientId !== '') missing.push(uid);
    // An exam of nobody waits among the orphans until an order names its patient; it is shown to no one before.
    assert.ok(!found.has(uid) || patientId !== '', uid);
  }
  assert.deepEqual(missing, []);
});

test('WADO-RS gives every stored data set back as it was sent', { skip: noCorpus }, async () => {
  for (const { study, series, sop } of found.values()) {
    const answer = await get(`/dicomweb/studies/${study}/series/${series}/instances/${sop}`, {
      accept: 'multipart/related; type="application/dicom"; transfer-syntax=*',
    });
    assert.equal(answer.status, 200, sop);
    const [part] = await partsOf(answer);
    assert.ok(part, sop);
    const file = parsePart10Header(part.body);
    assert.ok(file.ok, sop);
    assert.ok(firstDigest(sop).includes(sha(part.body.subarray(file.value.dataSetOffset))), `${sop} was altered`);
  }
});

test('the metadata of every series is valid DICOM JSON', { skip: noCorpus }, async () => {
  const series = new Map([...found.values()].map((one) => [`${one.study}/series/${one.series}`, one]));
  for (const path of series.keys()) {
    const answer = await get(`/dicomweb/studies/${path}/metadata`);
    assert.equal(answer.status, 200, path);
    assert.match(answer.headers.get('content-type') ?? '', /^application\/dicom\+json/);
    const text = await answer.text();
    const model = JSON.parse(text) as JsonDataSet[];
    assert.ok(model.length > 0, path);
    for (const one of model) checkModel(one, path);
    checkOrder(text, path);
  }
});

/** PS3.18 §F.2: tags in upper-case hexadecimal, a VR, at most one of Value, BulkDataURI and InlineBinary, values of the VR's kind. */
function checkModel(model: JsonDataSet, path: string): void {
  for (const [tag, element] of Object.entries(model)) {
    const at = `${path} ${tag}`;
    assert.match(tag, /^[0-9A-F]{8}$/, at);
    assert.match(element.vr, /^[A-Z]{2}$/, at);
    const forms = [element.Value, element.BulkDataURI, element.InlineBinary].filter((form) => form !== undefined);
    assert.ok(forms.length <= 1, at);
    assert.ok(element.Value === undefined || element.Value.length > 0, at);
    for (const item of element.Value ?? []) {
      if (element.vr === 'SQ') checkModel(item as JsonDataSet, at);
      else if (item === null) continue;
      else if (/^(DS|IS|FL|FD|US|SS|UL|SL|UV|SV)$/.test(element.vr))
        assert.ok(['number', 'string'].includes(typeof item), at);
      else if (element.vr === 'PN')
        assert.ok(
          Object.keys(item as object).every((key) => /^(Alphabetic|Ideographic|Phonetic)$/.test(key)),
          at,
        );
      else assert.equal(typeof item, 'string', at);
    }
  }
}

/** Ascending tags (PS3.18 §F.2.2), by the text itself: JSON.parse sorts names that read as array indexes to the front. */
function checkOrder(text: string, path: string): void {
  const open: string[] = [];
  for (const [token, tag] of text.matchAll(/"([0-9A-F]{8})":|"(?:[^"\\]|\\.)*"|[{}]/g)) {
    if (token === '{') open.push('');
    else if (token === '}') open.pop();
    else if (tag !== undefined) {
      assert.ok((open.at(-1) ?? '') < tag, `${path}: ${tag} after ${open.at(-1) ?? ''}`);
      open[open.length - 1] = tag;
    }
  }
}

/** What each file says its patient is called, by the character set that it declares. */
const NAMES: Readonly<Record<string, object>> = {
  'zh_gb18030_ct.dcm': { Alphabetic: 'Ouyang^Na', Ideographic: '欧阳^娜' },
  'zh_gbk_mr.dcm': { Alphabetic: '镕^朱' },
  'zh_ir58_ct.dcm': { Alphabetic: 'Zhang^Wei', Ideographic: '张^伟' },
  'zh_utf8_3groups.dcm': { Alphabetic: 'Lü^Buwei', Ideographic: '吕^不韦', Phonetic: 'ㄌㄩˇ^ㄅㄨˋㄨㄟˊ' },
  'zh_utf8_single_component.dcm': { Alphabetic: '李小明' },
};

test('Chinese names are read in their own character sets', { skip: noCorpus }, async () => {
  for (const [name, expected] of Object.entries(NAMES)) {
    const input = inputs.find((one) => basename(one.path) === name);
    const at = found.get(input?.sopUid ?? '');
    assert.ok(at, name);
    const answer = await get(`/dicomweb/studies/${at.study}/series/${at.series}/instances/${at.sop}/metadata`);
    const [one] = (await answer.json()) as JsonDataSet[];
    assert.deepEqual(one?.['00100010']?.Value?.[0], expected, name);
    assert.deepEqual(one['00080005']?.Value, ['ISO_IR 192']);
  }
});

test('the hub answers as before', { skip: noCorpus }, async () => {
  assert.equal((await get('/readyz')).status, 200);
  assert.equal(hub.process.exitCode, null);
  assert.doesNotMatch(hub.said(), /"level":"(error|fatal)"/);
});
