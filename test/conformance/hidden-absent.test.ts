/**
 * Read by its id, what is hidden and what does not exist are one: the same status, words and headers, on every face and every kind of record.
 */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { Caller } from '../../hub/core/access.ts';
import { I1, startAccessHub, type AccessHub, type Laid } from '../support/access-hub.ts';
import { signedIn } from '../support/people.ts';
import { requestBody, requestEnvelope, SOAP_TYPE } from '../support/xds-peer.ts';

let hub: AccessHub;
let hidden: Laid;
/** Ids of what is hidden beside its exam, by FHIR type. */
const ids = new Map<string, string>();
const doctor = signedIn('doctor', 'physician', I1);
const bound: Caller = { id: 'h1', name: 'h1', role: 'query-platform', site: 'h1' as never, peer: 'test' };
const NOBODY = '00000000-0000-4000-8000-000000000000';
const NO_STUDY = '2.25.1';

before(async () => {
  hub = await startAccessHub();
  await hub.lay('A', 'h1', 'A1');
  hidden = await hub.lay('B', 'h3', 'B3', { label: 'hiv' });
  const deny = { effect: 'deny' as const, recipients: [], sources: [], purposes: [], classes: [], labels: [] };
  const rules = [{ ...deny, from: null, until: null, exceptionOf: null }];
  hub.consents.set(hidden.person, [{ consentId: 'no', version: 1, rules }]);
  const { rows } = await hub.fresh.database.pool.query<{ type: string; id: string }>(
    `select type, id from fhir_resource where owner = $1`,
    [`exam|${hidden.exam}`],
  );
  for (const { type, id } of rows) ids.set(type, id);
});
after(() => hub.close());

/** Of the moment, of the length of the id that was asked for, and drawn by chance. */
const UNLIKE = new Set(['date', 'keep-alive', 'connection', 'content-length']);
const undrawn = (text: string): string => text.replaceAll(/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/g, 'DRAWN');

/** `path` and `body` name what is hidden; the same with ids that nobody has must be told alike. */
async function same(caller: Caller, path: string, init: RequestInit = {}): Promise<void> {
  const all = [hidden.exam, hidden.person, hidden.order, ...ids.values()];
  const anonymous = (text: string): string =>
    all.reduce((told, id) => told.replaceAll(id, NOBODY), text).replaceAll(hidden.study, NO_STUDY);
  const ask = async (at: string, sent: RequestInit): Promise<readonly unknown[]> => {
    const answer = await hub.call(caller, at, sent);
    const headers = [...answer.headers]
      .filter(([name]) => !UNLIKE.has(name))
      .map(([name, value]) => [name, undrawn(value)]);
    return [answer.status, headers, undrawn(anonymous(await answer.text()))];
  };
  const { body } = init;
  const absent = await ask(anonymous(path), typeof body === 'string' ? { ...init, body: anonymous(body) } : init);
  assert.deepEqual(await ask(path, init), absent, `${caller.role} ${path}`);
}

const soap = (body: string): RequestInit => ({
  ...{ method: 'POST', headers: { 'Content-Type': SOAP_TYPE } },
  body: requestEnvelope(body),
});
const posted = (body: object): RequestInit => ({
  ...{ method: 'POST', headers: { 'Content-Type': 'application/json' } },
  body: JSON.stringify(body),
});

const REST = (): readonly (readonly [string, RequestInit?])[] => [
  [`/api/v1/exams/${hidden.exam}`],
  [`/api/v1/exams/${hidden.exam}/revisions`],
  [`/api/v1/exams/${hidden.exam}/provenance`],
  [`/api/v1/exams/${hidden.exam}/priors`],
  [`/api/v1/persons/${hidden.person}/timeline`],
  [`/api/v1/persons/${hidden.person}/consents`],
  ['/api/v1/viewer-launches', posted({ examId: hidden.exam })],
];

const IMAGES = (): readonly string[] => {
  const { study } = hidden;
  const [series, sop] = [`${study}/series/${study}.1`, `${study}/series/${study}.1/instances/${study}.1.1`];
  return [
    ...[study, series, sop].flatMap((at) =>
      ['', '/metadata', '/rendered', '/thumbnail'].map((one) => `/dicomweb/studies/${at}${one}`),
    ),
    ...[`${study}/series`, `${study}/instances`, `${series}/instances`].map((one) => `/dicomweb/studies/${one}`),
    ...[`${sop}/frames/1`, `${sop}/bulkdata/7FE00010`, `${series}/pixeldata`].map((one) => `/dicomweb/studies/${one}`),
    `/wado?requestType=WADO&studyUID=${study}&seriesUID=${study}.1&objectUID=${study}.1.1`,
  ];
};

for (const caller of [doctor, bound])
  test(`hidden and absent are told alike to a ${caller.role}`, async () => {
    for (const [path, init] of REST()) await same(caller, path, init);
    assert.ok(
      ['ServiceRequest', 'ImagingStudy', 'DiagnosticReport'].every((type) => ids.has(type)),
      [...ids.keys()].join(),
    );
    for (const [type, id] of [['Patient', hidden.person] as const, ...ids])
      for (const path of [
        `${type}/${id}`,
        `${type}/${id}/_history`,
        `${type}/${id}/_history/1`,
        `${type}/${id}?_format=xml`,
        `Provenance/${type}.${id}.1`,
      ])
        await same(caller, `/fhir/${path}`);
    for (const path of IMAGES()) await same(caller, path);
    const named = {
      study: hidden.study,
      series: `${hidden.study}.1`,
      sop: `${hidden.study}.1.1`,
      repository: '2.999.3',
    };
    await same(caller, '/xds/imaging-source', soap(requestBody([named], [])));
  });
