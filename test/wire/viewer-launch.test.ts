/** Opening the viewer by a link: once, by whom it was made for, for one person; and what a reader saves from it. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { get, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, describe, it } from 'node:test';
import express from 'express';
import { launchHandler } from '../../hub/api/viewer/launch.ts';
import { readConfig } from '../../hub/config.ts';
import { ADMINISTRATOR, examsOf, INSTITUTIONS, startViewerHub } from '../support/viewer-hub.ts';
import type { ViewerHub } from '../support/viewer-hub.ts';
import { writePart10 } from '../../mappings/dicom/write.ts';
import type { Attributes } from '../../mappings/dicom/write.ts';
import { alsoOpen } from '../support/keyring.ts';
import { signIn } from '../support/sign-in.ts';
import { multipart } from '../support/dicomweb-hub.ts';

const [exam, prior] = examsOf('张伟');
const [other] = examsOf('王秀英');

describe('a launch of the viewer', () => {
  let hub: ViewerHub;
  let token = '';

  before(async () => {
    hub = await startViewerHub();
    for (const one of [exam, prior, other]) if (one !== undefined) await hub.load(one);
    token = await hub.client('query-platform');
  });
  after(() => hub.stop());

  const launch = async (
    body: object = { studyUid: exam?.studyUid, user: { id: 'D1', name: '李医生' } },
  ): Promise<string> => {
    const { status, json } = await hub.ask('POST', '/api/v1/viewer-launches', body, token);
    assert.equal(status, 201);
    return String(json['url']);
  };

  interface Session {
    readonly base: string;
    readonly cookie: string;
    ask(path: string, init?: RequestInit): Promise<Response>;
  }

  const open = async (body?: object): Promise<Session> => {
    const answer = await fetch(hub.origin + (await launch(body)), { redirect: 'manual' });
    assert.equal(answer.status, 303);
    const to = new URL(answer.headers.get('location') ?? '', hub.origin);
    const base = `${hub.origin}/viewer/launched/${to.searchParams.get('launch') ?? ''}`;
    const cookie = answer.headers.get('set-cookie')?.split(';')[0] ?? '';
    return {
      base,
      cookie,
      ask: (path, init = {}) =>
        fetch(base + path, { ...init, headers: { cookie, ...(init.headers as Record<string, string>) } }),
    };
  };

  const refusals = async (): Promise<readonly Record<string, unknown>[]> => {
    const { json } = await hub.ask('GET', '/api/v1/audit?face=viewer&action=refuse');
    return json['items'] as Record<string, unknown>[];
  };

  it('opens once, in a cookie that leaves its own path never', async () => {
    const url = await launch();
    assert.match(url, /^\/viewer\/launch\?code=[\w-]{40,}$/);
    const first = await fetch(hub.origin + url, { redirect: 'manual' });
    assert.equal(first.status, 303);
    assert.doesNotMatch(first.headers.get('location') ?? '', /code=/);
    const cookie = first.headers.get('set-cookie') ?? '';
    for (const part of [/HttpOnly/, /SameSite=Lax/, /Path=\/viewer\/launched\/[0-9a-f-]{36}/])
      assert.match(cookie, part);
    const again = await fetch(hub.origin + url, { redirect: 'manual' });
    assert.equal(again.status, 403);
    assert.equal(again.headers.get('set-cookie'), null);
    assert.ok((await refusals()).some(({ reason }) => reason === 'launch code used'));
  });

  it('lets one of two at once in', async () => {
    const url = hub.origin + (await launch());
    const both = await Promise.all([fetch(url, { redirect: 'manual' }), fetch(url, { redirect: 'manual' })]);
    assert.deepEqual(both.map(({ status }) => status).sort(), [303, 403]);
  });

  it('refuses a code that was never made, and says no more of it', async () => {
    for (const code of ['hutong_aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa', "x' or 1=1", '', '%00'])
      assert.equal((await fetch(`${hub.origin}/viewer/launch?code=${encodeURIComponent(code)}`)).status, 403);
  });

  it('is made only by who may read, for an exam that is there', async () => {
    const feed = await hub.ask(
      'POST',
      '/api/v1/viewer-launches',
      { studyUid: exam?.studyUid },
      await hub.client('operator'),
    );
    assert.equal(feed.status, 403);
    assert.equal((await hub.ask('POST', '/api/v1/viewer-launches', { studyUid: '2.25.404' }, token)).status, 404);
    assert.equal((await hub.ask('POST', '/api/v1/viewer-launches', {}, token)).status, 400);
  });

  it('shows the person in every hospital, by the Chinese name, and nobody else', async () => {
    const session = await open();
    const told = (await (await session.ask(`/studies/${exam?.studyUid ?? ''}`)).json()) as {
      person: { name: string };
      exams: unknown[];
    };
    assert.equal(told.person.name, '张伟');
    assert.equal(told.exams.length, 2);
    const found = (await (await session.ask('/dicomweb/studies')).json()) as Record<string, { Value: string[] }>[];
    const uids = found.map((one) => one['0020000D']?.Value[0]).sort();
    assert.deepEqual(uids, [exam?.studyUid, prior?.studyUid].sort());
    const theirs = other?.studyUid ?? '';
    for (const path of [
      `/studies/${theirs}`,
      `/dicomweb/studies/${theirs}/series`,
      `/dicomweb/studies/${theirs}/metadata`,
    ])
      assert.equal((await session.ask(path)).status, 404, path);
    const searched = await session.ask(`/dicomweb/studies?StudyInstanceUID=${theirs}`);
    assert.deepEqual(await searched.json(), []);
    assert.deepEqual(await (await session.ask(`/dicomweb/series?0020000D=${theirs}`)).json(), []);
    assert.ok((await refusals()).some(({ reason }) => reason === 'another person than was launched'));
  });

  it('gives nothing to a cookie of another launch, to none, and to the hub outside its path', async () => {
    const [one, two] = [await open(), await open()];
    const study = `/studies/${exam?.studyUid ?? ''}`;
    assert.equal((await fetch(one.base + study, { headers: { cookie: two.cookie } })).status, 401);
    assert.equal((await fetch(one.base + study)).status, 401);
    assert.equal((await fetch(`${hub.origin}/dicomweb/studies`, { headers: { cookie: one.cookie } })).status, 401);
    assert.equal((await fetch(`${hub.origin}/viewer/own${study}`, { headers: { cookie: one.cookie } })).status, 401);
    assert.equal(
      (await fetch(`${hub.origin}/viewer/own${study}`, { headers: { authorization: `Bearer ${token}` } })).status,
      200,
    );
  });

  /** A structured report as a viewer writes it, with what is wrong in it. */
  const report = (more: Attributes = {}): Buffer =>
    writePart10({
      SpecificCharacterSet: 'ISO_IR 192',
      SOPClassUID: '1.2.840.10008.5.1.4.1.1.88.34',
      SOPInstanceUID: `2.25.${String(Date.now())}${String(Math.floor(Math.random() * 1e6))}`,
      StudyDate: exam?.startedAt.slice(0, 8),
      AccessionNumber: exam?.accession ?? '',
      Modality: 'SR',
      PatientName: 'Zhang^Wei=张^伟',
      PatientID: exam?.person.local.h1 ?? '',
      StudyInstanceUID: exam?.studyUid ?? '',
      SeriesInstanceUID: `2.25.77${String(Date.now())}`,
      SeriesNumber: '99',
      InstanceNumber: '1',
      ValueType: 'CONTAINER',
      ...more,
    });

  const stow = async (
    session: Session,
    bytes: Buffer,
    csrf: string | null,
    study = exam?.studyUid ?? '',
  ): Promise<Response> => {
    const { body, type } = multipart([bytes]);
    const headers = { 'content-type': type, ...(csrf === null ? {} : { 'x-hutong-csrf': csrf }) };
    return session.ask(`/dicomweb/studies/${study}`, { method: 'POST', body, headers });
  };
  const csrfOf = async (session: Session): Promise<string> =>
    ((await (await session.ask(`/studies/${exam?.studyUid ?? ''}`)).json()) as { csrf: string }).csrf;

  it('keeps measurements of the user that was named, with the proof of its own page', async () => {
    const session = await open();
    const csrf = await csrfOf(session);
    assert.equal((await stow(session, report(), null)).status, 403);
    assert.equal((await stow(session, report(), 'x'.repeat(csrf.length))).status, 403);
    assert.equal((await stow(session, report(), csrf)).status, 200);
    await hub.settled();
    const series = (await (
      await session.ask(`/dicomweb/studies/${exam?.studyUid ?? ''}/series?Modality=SR`)
    ).json()) as unknown[];
    assert.equal(series.length, 1);
    const { json } = await hub.ask('GET', '/api/v1/audit?action=change&face=dicomweb');
    const [kept] = json['items'] as { objects: string[]; persons: string[]; onBehalfOf?: { userName: string } }[];
    assert.equal(kept?.objects[0], exam?.studyUid);
    assert.equal(kept?.persons.length, 1);
    assert.equal(kept.onBehalfOf?.userName, '李医生');
  });

  it('keeps nothing of another patient, no image, no other study, and nothing of a user that was not named', async () => {
    const session = await open();
    const csrf = await csrfOf(session);
    const bad: readonly (readonly [string, Attributes, number])[] = [
      ['another patient', { PatientID: 'SOMEBODY' }, 409],
      ['an image', { SOPClassUID: '1.2.840.10008.5.1.4.1.1.2' }, 409],
      ['another study', { StudyInstanceUID: prior?.studyUid ?? '' }, 409],
    ];
    for (const [what, more, status] of bad)
      assert.equal((await stow(session, report(more), csrf)).status, status, what);
    const theirs = { StudyInstanceUID: other?.studyUid ?? '', PatientID: other?.person.local.h1 ?? '' };
    assert.equal((await stow(session, report(theirs), csrf, other?.studyUid)).status, 404);
    assert.equal(
      (await session.ask('/dicomweb/studies', { method: 'POST', headers: { 'x-hutong-csrf': csrf } })).status,
      404,
    );
    const unnamed = await open({ studyUid: exam?.studyUid });
    assert.equal((await stow(unnamed, report(), await csrfOf(unnamed))).status, 403);
  });

  it('makes marked images a key object selection of the study, and never touches the images', async () => {
    const session = await open();
    const csrf = await csrfOf(session);
    const study = exam?.studyUid ?? '';
    const list = (await (await session.ask(`/dicomweb/studies/${study}/instances?Modality=CT`)).json()) as Record<
      string,
      { Value: string[] }
    >[];
    const [series, instance] = [list[3]?.['0020000E']?.Value[0], list[3]?.['00080018']?.Value[0]];
    const path = `/dicomweb/studies/${study}/series/${series ?? ''}/instances/${instance ?? ''}`;
    const asStored = { accept: 'application/dicom; transfer-syntax=*' };
    const before = await (await session.ask(path, { headers: asStored })).arrayBuffer();
    const mark = (images: unknown, proof = csrf): Promise<Response> =>
      session.ask(`/studies/${study}/key-images`, {
        method: 'POST',
        body: JSON.stringify({ images }),
        headers: { 'content-type': 'application/json', 'x-hutong-csrf': proof },
      });
    assert.equal((await mark([{ series, instance, frame: 1 }], 'no')).status, 403);
    assert.equal((await mark([{ series, instance: '2.25.404', frame: 1 }])).status, 404);
    for (const images of [[], 'x', [{ series, instance, frame: 0 }], [{ series: '../x', instance, frame: 1 }]])
      assert.equal((await mark(images)).status, 400);
    assert.equal((await mark([{ series, instance, frame: 1 }])).status, 201);
    await hub.settled();
    const kept = (await (await session.ask(`/dicomweb/studies/${study}/instances?Modality=KO`)).json()) as Record<
      string,
      { Value: string[] }
    >[];
    assert.equal(kept.length, 1);
    const [ko] = kept;
    const model = (await (
      await session.ask(
        `/dicomweb/studies/${study}/series/${ko?.['0020000E']?.Value[0] ?? ''}/instances/${ko?.['00080018']?.Value[0] ?? ''}/metadata`,
      )
    ).json()) as object[];
    const text = JSON.stringify(model);
    for (const part of ['113000', '李医生', instance ?? '?']) assert.ok(text.includes(part), part);
    assert.deepEqual(await (await session.ask(path, { headers: asStored })).arrayBuffer(), before);
  });

  it("of a signed-in account opens in its own session alone, in which the reader saves by the session's proof", async () => {
    const database = await alsoOpen(hub.databaseUrl);
    try {
      const institution = INSTITUTIONS[exam?.site ?? 'h1'];
      const [doctor, colleague] = [
        await signIn({ database }, 'physician', { institution }),
        await signIn({ database }, 'physician', { institution }),
      ];
      const made = async (): Promise<string> => {
        const headers = { ...doctor.headers, 'content-type': 'application/json' };
        const body = JSON.stringify({ studyUid: exam?.studyUid });
        const answer = await fetch(`${hub.origin}/api/v1/viewer-launches`, { method: 'POST', headers, body });
        assert.equal(answer.status, 201);
        return hub.origin + ((await answer.json()) as { url: string }).url;
      };
      const bring = async (cookie?: string): Promise<Response> =>
        fetch(await made(), { redirect: 'manual', headers: cookie === undefined ? {} : { cookie } });
      assert.equal((await bring()).status, 403);
      assert.equal((await bring(colleague.cookie)).status, 403);
      assert.ok((await refusals()).some(({ reason }) => reason === 'launch code of another account'));
      const opened = await bring(doctor.cookie);
      assert.equal(opened.status, 303);
      assert.equal(opened.headers.get('set-cookie'), null);
      assert.doesNotMatch(opened.headers.get('location') ?? '', /launch=/);
      const study = exam?.studyUid ?? '';
      const { body, type } = multipart([report()]);
      const save = (headers: Record<string, string>): Promise<Response> =>
        fetch(`${hub.origin}/viewer/own/dicomweb/studies/${study}`, { method: 'POST', body, headers });
      assert.equal((await save({ cookie: doctor.cookie, 'content-type': type })).status, 403);
      assert.equal((await save({ ...doctor.headers, 'content-type': type })).status, 200);
      // A launched viewer in the same browser: its own proof is taken, the session's cookie beside it changes nothing.
      const beside = await open();
      const csrf = await csrfOf(beside);
      const { body: more, type: also } = multipart([report()]);
      const both = { cookie: `${doctor.cookie}; ${beside.cookie}`, 'x-hutong-csrf': csrf, 'content-type': also };
      const kept = await fetch(`${beside.base}/dicomweb/studies/${study}`, {
        method: 'POST',
        body: more,
        headers: both,
      });
      assert.equal(kept.status, 200);
    } finally {
      await database.close();
    }
  });

  it('ends with the system that launched it', async () => {
    const made = await hub.ask('POST', '/api/v1/clients', { name: 'soon gone', role: 'query-platform' });
    const mine = String(made.json['token']);
    const { json } = await hub.ask('POST', '/api/v1/viewer-launches', { studyUid: exam?.studyUid }, mine);
    const answer = await fetch(hub.origin + String(json['url']), { redirect: 'manual' });
    const to = new URL(answer.headers.get('location') ?? '', hub.origin).searchParams.get('launch') ?? '';
    const cookie = answer.headers.get('set-cookie')?.split(';')[0] ?? '';
    const look = async (): Promise<number> => {
      const path = `${hub.origin}/viewer/launched/${to}/studies/${exam?.studyUid ?? ''}`;
      return (await fetch(path, { headers: { cookie } })).status;
    };
    assert.equal(await look(), 200);
    assert.equal((await hub.ask('DELETE', `/api/v1/clients/${String(made.json['id'])}`)).status, 200);
    assert.equal(await look(), 401);
  });

  it('records what it shows with its ground, and what it does not show as a refusal', async () => {
    const database = await alsoOpen(hub.databaseUrl);
    try {
      const places = [exam, prior].map((one) => one?.site);
      const elsewhere = (['h1', 'h2', 'h3'] as const).find((site) => !places.includes(site)) ?? 'h1';
      const look = async (site: keyof typeof INSTITUTIONS): Promise<readonly [number, Record<string, unknown>]> => {
        const reader = await signIn({ database }, 'physician', { institution: INSTITUTIONS[site] });
        const path = `/viewer/own/studies/${exam?.studyUid ?? ''}`;
        const { status } = await fetch(hub.origin + path, { headers: { cookie: reader.cookie } });
        const { json } = await hub.ask('GET', `/api/v1/audit?face=viewer&callerId=${reader.accountId}`);
        const [record = {}] = json['items'] as Record<string, unknown>[];
        return [status, record];
      };
      const [seen, read] = await look(exam?.site ?? 'h1');
      assert.deepEqual([seen, read['action'], String(read['basis']).includes('own-record')], [200, 'read', true]);
      const [hidden, refusal] = await look(elsewhere);
      assert.deepEqual([hidden, refusal['action'], refusal['reason']], [404, 'refuse', 'no-relation']);
      assert.equal((refusal['persons'] as string[]).length, 1);
    } finally {
      await database.close();
    }
  });

  it('is served by a strict policy that names who may frame it', async () => {
    const page = await fetch(`${hub.origin}/viewer/viewer`);
    if (page.status === 503) return; // not built: its own line says what to run
    const policy = page.headers.get('content-security-policy') ?? '';
    for (const part of ["default-src 'none'", "script-src 'self' 'wasm-unsafe-eval'", "frame-ancestors 'self'"])
      assert.ok(policy.includes(part), part);
    assert.doesNotMatch(policy, /unsafe-eval'.*'unsafe-eval|https?:/);
    assert.equal((await fetch(`${hub.origin}/viewer/..%2f..%2fpackage.json`)).status, 404);
    assert.equal((await fetch(`${hub.origin}/viewer/made-from.txt`)).status, 404);
    assert.equal((await hub.ask('GET', '/viewer/own/dicomweb/studies', undefined, ADMINISTRATOR)).status, 200);
  });
});

describe('behind a proxy that ends TLS', () => {
  it('gives a cookie that goes over TLS only, and into the frame of another site', async () => {
    const caller = { id: 'his', name: 'HIS', role: 'query-platform' };
    const launch = { launchId: '1', accountId: null, personId: '1', studyUids: ['2.25.1'], caller } as never;
    const launches = {
      open: () => Promise.resolve({ kind: 'opened', launch } as const),
      begin: () => Promise.resolve(),
    } as never;
    const audit = { record: () => Promise.resolve() };
    const app = express().set('hub origin', 'https://hub.example');
    const exams = { personOf: () => Promise.resolve('1') } as never;
    const sight = { studies: (uids: readonly string[]) => Promise.resolve(new Set(uids)), told: () => ({ bases: [] }) };
    const desk = { sight: () => Promise.resolve(sight) } as never;
    app.get('/launch', launchHandler({ launches, audit, exams, desk, clock: () => new Date() }));
    const server = app.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const framed = { 'sec-fetch-site': 'cross-site', 'sec-fetch-dest': 'iframe' };
    const cookies: string[] = [];
    for (const headers of [{}, framed]) {
      const request = get({ port, path: `/launch?code=${'a'.repeat(43)}`, headers });
      const [answer] = (await once(request, 'response')) as [IncomingMessage];
      answer.resume();
      cookies.push(String(answer.headers['set-cookie']));
    }
    server.close();
    for (const cookie of cookies) assert.match(cookie, /Secure/);
    assert.match(cookies[1] ?? '', /Secure;.* SameSite=None/);
  });
});

describe('HUB_EMBED_ORIGINS', () => {
  it('takes origins and nothing that is more', () => {
    assert.deepEqual(readConfig({ HUB_EMBED_ORIGINS: 'https://his.example:8443, http://ris.example/' }).embedOrigins, [
      'https://his.example:8443',
      'http://ris.example',
    ]);
    for (const bad of ['his.example', 'https://his.example/path', "https://x' 'unsafe-inline", '*'])
      assert.throws(() => readConfig({ HUB_EMBED_ORIGINS: bad }), /HUB_EMBED_ORIGINS takes origins/);
  });
});
