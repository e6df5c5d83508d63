/** A series as one answer for the viewer: every frame as it is stored, for who may see it, and only while he may. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { get } from 'node:http';
import type { IncomingMessage } from 'node:http';
import { setTimeout as pause } from 'node:timers/promises';
import { after, before, describe, it } from 'node:test';
import { alsoOpen } from '../support/keyring.ts';
import { EXPLICIT_LE } from '../../mappings/dicom/uids.ts';
import { SERIES, slice, STUDY } from '../bench/ct-series.ts';
import { partsOf } from '../support/dicomweb-hub.ts';
import { startViewerHub } from '../support/viewer-hub.ts';
import type { ViewerHub } from '../support/viewer-hub.ts';

const ALL = 'multipart/related; type=application/octet-stream; transfer-syntax=*';
/** More than the sockets between hold, so that the hub waits for its reader. */
const SLICES = 80;
const FRAME_BYTES = 512 * 512 * 2;
const PATH = `/dicomweb/studies/${STUDY}/series/${SERIES}/pixeldata`;
const digest = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

describe('the pixel data of a series', () => {
  let hub: ViewerHub;
  let token = '';
  const files = Array.from({ length: SLICES }, (_, at) => slice(at + 1));

  before(async () => {
    hub = await startViewerHub();
    await hub.store('h1', files);
    await hub.settled();
    token = await hub.client('query-platform');
  });
  after(() => hub.stop());

  const ask = (path: string, headers: Record<string, string>): Promise<Response> =>
    fetch(hub.origin + path, { headers: { accept: ALL, ...headers } });

  async function launched(): Promise<{ readonly base: string; readonly id: string; readonly cookie: string }> {
    const { json } = await hub.ask('POST', '/api/v1/viewer-launches', { studyUid: STUDY }, token);
    const answer = await fetch(hub.origin + String(json['url']), { redirect: 'manual' });
    const id = new URL(answer.headers.get('location') ?? '', hub.origin).searchParams.get('launch') ?? '';
    return { base: `/viewer/launched/${id}`, id, cookie: answer.headers.get('set-cookie')?.split(';')[0] ?? '' };
  }

  it('is every frame as it is stored, each under its own name', async () => {
    const { base, cookie } = await launched();
    const answer = await ask(base + PATH, { cookie });
    assert.equal(answer.status, 200);
    const parts = await partsOf(answer);
    assert.equal(parts.length, SLICES);
    const bySop = new Map(files.map((file, at) => [`${SERIES}.${String(at + 1)}`, file]));
    for (const { headers, body } of parts) {
      assert.equal(headers['content-type'], `application/octet-stream;transfer-syntax=${EXPLICIT_LE}`);
      const place = new URL(headers['content-location'] ?? '');
      const [, sop = ''] = /\/instances\/([0-9.]+)\/frames\/1$/.exec(place.pathname) ?? [];
      assert.ok(place.pathname.startsWith(`${base}/dicomweb/studies/${STUDY}/series/${SERIES}/`));
      const file = bySop.get(sop);
      assert.ok(file !== undefined && bySop.delete(sop), sop);
      assert.equal(digest(body), digest(file.subarray(file.length - FRAME_BYTES)));
    }
  });

  it('is refused in a form that it cannot have, to nobody, and of another series', async () => {
    const authorization = `Bearer ${token}`;
    assert.equal((await ask(PATH, { authorization, accept: 'image/png' })).status, 406);
    assert.equal((await ask(PATH, {})).status, 401);
    assert.equal((await ask(PATH.replace(SERIES, `${SERIES}.7`), { authorization })).status, 404);
    const doctor = await hub.physician('h2');
    assert.equal((await ask(PATH, doctor.headers)).status, 404);
    const head = await fetch(hub.origin + PATH, { method: 'HEAD', headers: { authorization, accept: ALL } });
    assert.equal(head.status, 200);
  });

  /** Bytes that came of an answer in whose middle `end` took the right away; null: it came whole. */
  async function cutShort(path: string, cookie: string, end: () => Promise<void>): Promise<number | null> {
    const answer = await new Promise<IncomingMessage>((resolve, reject) =>
      get(hub.origin + path, { headers: { accept: ALL, cookie } }, resolve).on('error', reject),
    );
    assert.equal(answer.statusCode, 200);
    await pause(300);
    await end();
    await pause(1_200);
    let bytes = 0;
    try {
      for await (const chunk of answer) bytes += (chunk as Buffer).length;
      return null;
    } catch {
      return bytes; // the connection was closed: that is what is asked
    }
  }

  it('ends with the session of the launch', async () => {
    const { base, id, cookie } = await launched();
    const database = await alsoOpen(hub.databaseUrl);
    try {
      const bytes = await cutShort(base + PATH, cookie, async () => {
        const sql = "update viewer_launch set session_ends_at = now() - interval '1 second' where launch_id = $1";
        assert.equal((await database.pool.query(sql, [id])).rowCount, 1);
      });
      assert.ok(bytes !== null && bytes < (SLICES * FRAME_BYTES) / 2, String(bytes));
    } finally {
      await database.close();
    }
  });

  it("ends with the reader's right to the patient", async () => {
    const { headers, cookie } = await hub.physician('h2');
    const authorization = `Bearer ${token}`;
    const beside = await fetch(`${hub.origin}/viewer/own/studies/${STUDY}`, { headers: { authorization } });
    const { person } = (await beside.json()) as { person: { id: string } };
    const act = async (path: string, body?: object): Promise<Record<string, unknown>> => {
      const sent = body === undefined ? {} : { body: JSON.stringify(body) };
      const given = { ...headers, 'content-type': 'application/json' };
      const answer = await fetch(`${hub.origin}/api/v1${path}`, { method: 'POST', headers: given, ...sent });
      assert.ok(answer.ok, `${path}: ${String(answer.status)}`);
      return (await answer.json()) as Record<string, unknown>;
    };
    const grant = await act('/break-glass', {
      personId: person.id,
      reason: 'life-threatening',
      text: '急诊抢救',
      hours: 1,
    });
    const bytes = await cutShort(`/viewer/own${PATH}`, cookie, async () => {
      await act(`/break-glass/${String(grant['grantId'])}/end`);
    });
    assert.ok(bytes !== null && bytes < (SLICES * FRAME_BYTES) / 2, String(bytes));
  });
});
