/**
 * A whole hub asked by every identifier that a person ever had, on every face: before and after a merge, a split, their undo,
 * a hospital's own merge and a corrected resident ID. What a former id finds is what the person of today has.
 */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { residentCheck } from '../../hub/core/identifier.ts';
import { writePart10 } from '../../mappings/dicom/write.ts';
import { parseMessage } from '../../mappings/hl7v2/index.ts';
import { readQueryAnswer } from '../../mappings/xds/cross-query.ts';
import { writeRetrieveRequest } from '../../mappings/xds/document-set.ts';
import { QUERY, RIM } from '../../mappings/xds/ebrim-names.ts';
import { readSubmission } from '../../mappings/xds/ebrim-read.ts';
import { freshDatabase, type FreshDatabase } from '../support/database.ts';
import { dcmtk, withoutDcmtk } from '../support/dcmtk.ts';
import { dataFolder, startHub, type HubProcess } from '../support/hub.ts';
import { ask, ITI18, ITI38, ITI43, RAD69, retrieved } from '../support/xds-community.ts';
import { EXPLICIT, requestBody } from '../support/xds-peer.ts';
import { RawPeer } from '../wire/hl7v2-fixture.ts';

const TOKEN = 'a-token-of-the-test-0123456789abcdef';
const DOMAIN = '2.999.156.1';
const [H1, H3] = ['2.999.156.1.1', '2.999.156.1.3'];
const RESIDENT = '2.16.156.10011.1.3';
const numbered = (first17: string): string => first17 + residentCheck(first17);
const [FORMER_ID, NEW_ID] = [numbered('21010219800315122'), numbered('21010219800315142')];

interface Patient {
  readonly site: 'h1' | 'h3';
  readonly authority: string;
  readonly value: string;
  readonly study: string;
  readonly accession: string;
}
const one: Patient = { site: 'h1', authority: H1, value: 'W1', study: '2.25.5101', accession: 'FA1' };
const twin: Patient = { site: 'h1', authority: H1, value: 'W2', study: '2.25.5102', accession: 'FA2' };
const other: Patient = { site: 'h3', authority: H3, value: 'X1', study: '2.25.5103', accession: 'FX1' };
const ALL = [one, twin, other];

let fresh: FreshDatabase;
let folder: Awaited<ReturnType<typeof dataFolder>>;
let hub: HubProcess;
before(async () => {
  fresh = await freshDatabase();
  folder = await dataFolder();
  hub = startHub(folder.dir, [], { HUB_ADMIN_TOKEN: TOKEN, DATABASE_URL: fresh.url, HUB_STUDY_SETTLE_SECONDS: '1' });
  await hub.up(180_000);
  await register(one, { name: '王芳', sex: '2', birthDate: '1980-03-15', idType: '01', idNumber: FORMER_ID });
  await register(twin, { name: '孙小圣', sex: '2' });
  await register(other, { name: '李雷', sex: '1', birthDate: '1962-07-08' });
  for (const patient of ALL) await store(patient);
});
after(async () => {
  hub.signal('SIGTERM');
  await hub.ended();
  await folder.remove();
});

const get = async (path: string): Promise<{ readonly status: number; readonly text: string }> => {
  const answer = await fetch(`${hub.address()}${path}`, { headers: { Authorization: `Bearer ${TOKEN}` } });
  return { status: answer.status, text: await answer.text() };
};
async function post(path: string, body: object, token = TOKEN): Promise<unknown> {
  const answer = await fetch(`${hub.address()}${path}`, {
    method: 'POST',
    headers: { Authorization: `Bearer ${token}`, 'Content-Type': 'application/json' },
    body: JSON.stringify(body),
  });
  const text = await answer.text();
  assert.ok(answer.ok, `${path} ${text}`);
  return JSON.parse(text) as unknown;
}

const register = (patient: Patient, more: object, minute = 1): Promise<unknown> =>
  post(`/api/v1/sites/${patient.site}/registrations`, {
    ...{ patientId: patient.value, eventTime: `2026-03-03 08:0${String(minute)}:00` },
    ...more,
  });

async function store({ site, value, study, accession }: Patient): Promise<void> {
  const order = { patientId: value, accessionNumber: accession, procedureCode: 'CT001', modality: 'CT' };
  await post(`/api/v1/sites/${site}/orders`, { ...order, eventTime: '2026-03-03 08:10:00' });
  const { token } = (await post('/api/v1/clients', { name: site, role: 'hospital-feed', site })) as { token: string };
  const file = writePart10({
    SOPClassUID: '1.2.840.10008.5.1.4.1.1.2',
    ...{ SOPInstanceUID: `${study}.1.1`, StudyInstanceUID: study, SeriesInstanceUID: `${study}.1` },
    ...{ PatientID: value, AccessionNumber: accession, StudyDate: '20260303', Modality: 'CT' },
    ...{ SeriesNumber: 1, InstanceNumber: 1, Rows: 8, Columns: 8 },
    PixelData: { vr: 'OW', value: Buffer.alloc(128, 7) },
  });
  const head = Buffer.from('--b\r\nContent-Type: application/dicom\r\n\r\n');
  const stored = await fetch(`${hub.address()}/dicomweb/studies`, {
    method: 'POST',
    headers: {
      Authorization: `Bearer ${token}`,
      'Content-Type': 'multipart/related; type="application/dicom"; boundary=b',
    },
    body: Buffer.concat([head, file, Buffer.from('\r\n--b--\r\n')]),
  });
  assert.equal(stored.status, 200, await stored.text());
}

/** Whose studies a text speaks of. */
const told = (text: string): readonly string[] =>
  ALL.filter(({ study }) => text.includes(study)).map(({ value }) => value);

async function settled(): Promise<void> {
  for (let tries = 0; tries < 300; tries++) {
    const counters = JSON.parse((await get('/api/v1/journal/counters')).text) as Record<string, number>;
    if (counters['pending'] === 0) return;
    await pause(50);
  }
  throw new Error('the journal does not drain');
}

async function personOf({ authority, value }: Pick<Patient, 'authority' | 'value'>): Promise<string> {
  const { text } = await get(`/fhir/Patient?identifier=urn:oid:${authority}%7C${value}`);
  const bundle = JSON.parse(text) as { entry?: { resource: { id: string } }[] };
  assert.equal(bundle.entry?.length, 1, `one Patient has ${value}: ${text}`);
  return bundle.entry[0]?.resource.id ?? '';
}

/** What each face has under a number of a hospital, or a resident ID. */
async function byNumber(authority: string, value: string): Promise<Readonly<Record<string, readonly string[]>>> {
  const asked = `patient.identifier=urn:oid:${authority}%7C${value}`;
  const identifier = authority === RESIDENT ? { value } : { authority, value };
  return {
    fhir: told((await get(`/fhir/ImagingStudy?${asked}`)).text),
    mhd: told((await get(`/fhir/DocumentReference?${asked}&status=current`)).text),
    rest: told(JSON.stringify(await post('/api/v1/exams/search', { identifier }))),
  };
}

const findDocuments = (person: string): string =>
  `<query:AdhocQueryRequest xmlns:query="${QUERY}" xmlns:rim="${RIM}"><query:ResponseOption returnComposedObjects="true" returnType="LeafClass"/>` +
  `<rim:AdhocQuery id="urn:uuid:14d4debf-8f97-4251-9a74-a90016b0af0d"><rim:Slot name="$XDSDocumentEntryPatientId"><rim:ValueList><rim:Value>'${person}^^^&amp;${DOMAIN}&amp;ISO'</rim:Value></rim:ValueList></rim:Slot>` +
  `<rim:Slot name="$XDSDocumentEntryStatus"><rim:ValueList><rim:Value>('urn:oasis:names:tc:ebxml-regrep:StatusType:Approved')</rim:Value></rim:ValueList></rim:Slot></rim:AdhocQuery></query:AdhocQueryRequest>`;

const headers = { Authorization: `Bearer ${TOKEN}` };

async function documents(
  face: string,
  action: string,
  person: string,
): Promise<readonly { study: string; id: string }[]> {
  const answered = await ask(`${hub.address()}/xds/${face}`, action, findDocuments(person), headers);
  const answer = answered.body === null ? null : readQueryAnswer(answered.body);
  assert.ok(answer?.ok, answered.envelope.toString());
  assert.equal(answer.value.status, 'success', JSON.stringify(answer.value.errors));
  const list = {
    namespace: RIM,
    name: 'RegistryObjectList',
    attributes: new Map(),
    children: answer.value.objects,
    text: '',
  };
  return readSubmission(list, { form: 'strict' }).submission.objects.flatMap((object) =>
    object.kind === 'document' && object.mimeType === 'application/dicom'
      ? [{ id: object.uniqueId, study: object.referenceIds.join() }]
      : [],
  );
}

/** What each face has under an id that a person has or had in the affinity domain. */
async function byPerson(person: string): Promise<Readonly<Record<string, readonly string[]>>> {
  const named = (found: readonly { study: string }[]): readonly string[] => told(JSON.stringify(found));
  return {
    fhir: told((await get(`/fhir/ImagingStudy?patient=Patient/${person}`)).text),
    mhd: told((await get(`/fhir/DocumentReference?patient=Patient/${person}&status=current`)).text),
    timeline: told((await get(`/api/v1/persons/${person}/timeline`)).text),
    'iti-18': named(await documents('registry', ITI18, person)),
    'iti-38': named(await documents('responding-gateway', ITI38, person)),
  };
}

/** Numbers that PIX gives for one, by FHIR; empty where it leads nowhere. */
async function pix(authority: string, value: string): Promise<readonly string[]> {
  const { status, text } = await get(`/fhir/Patient/$ihe-pix?sourceIdentifier=urn:oid:${authority}%7C${value}`);
  if (status !== 200) return [];
  const { parameter = [] } = JSON.parse(text) as {
    parameter?: { valueIdentifier?: { system: string; value: string } }[];
  };
  return parameter.flatMap(({ valueIdentifier: one }) => (one === undefined ? [] : [one.value])).sort();
}

/** PIDs of an answer to ITI-21 by a number, each as its numbers of hospitals. */
async function pdq(authority: string, value: string): Promise<readonly string[]> {
  const answer = await hl7(
    'PLATFORM|REGION',
    'QBP^Q22^QBP_Q21',
    `QPD|IHE PDQ Query|T|@PID.3.1^${value}~@PID.3.4.2^${authority}`,
    'RCP|I',
  );
  return answer.all('PID').map((pid) =>
    pid
      .repetitions(3)
      .filter(({ field }) => [H1, H3].includes(field.text(4, 2)))
      .map(({ field }) => field.text(1))
      .sort()
      .join('+'),
  );
}

let control = 0;
async function hl7(sender: string, type: string, ...segments: readonly string[]): ReturnType<typeof parsed> {
  const peer = await RawPeer.open(Number(/hl7v2 on \S+:(\d+)/.exec(hub.said())?.[1]));
  const msh = `MSH|^~\\&|${sender}|HUB|PROV|20260303120${String(control)}00+0800||${type}|FI${String(++control)}|P|2.5||||||UNICODE UTF-8`;
  peer.send(`${[msh, ...segments].join('\r')}\r`);
  const [text = ''] = await peer.answers(1, 10_000);
  peer.socket.destroy();
  await settled();
  return parsed(text);
}
async function parsed(text: string): Promise<Extract<ReturnType<typeof parseMessage>, { ok: true }>['value']> {
  const read = parseMessage(text, 'UTF-8');
  assert.ok(read.ok, text);
  return Promise.resolve(read.value);
}

/** Every number of a group finds the exams of the group, on every face; nobody else's. */
async function holds(
  stage: string,
  groups: readonly (readonly Patient[])[],
  ids: ReadonlyMap<string, string>,
): Promise<void> {
  await settled();
  for (const group of groups) {
    const values = group.map(({ value }) => value).sort((a, b) => (a < b ? -1 : 1));
    for (const { authority, value } of group) {
      for (const [face, found] of Object.entries(await byNumber(authority, value)))
        assert.deepEqual(found, values, `${stage}: ${face} by ${value}`);
      assert.deepEqual(await pdq(authority, value), [values.join('+')], `${stage}: ITI-21 by ${value}`);
      const elsewhere = (await pix(authority, value)).filter((found) => ALL.some((patient) => patient.value === found));
      assert.deepEqual(
        elsewhere,
        values.filter((found) => found !== value),
        `${stage}: PIX by ${value}`,
      );
      const person = ids.get(value) ?? '';
      const isToday = person === (await personOf({ authority, value }));
      for (const [face, found] of Object.entries(await byPerson(person))) {
        // An id of the affinity domain that was merged away has no documents of its own (ITI TF-2 §3.18.4.1.2.3.9.1, 0017).
        const wanted = face.startsWith('iti-') && !isToday ? [] : values;
        assert.deepEqual(found, wanted, `${stage}: ${face} by the id that ${value} had`);
      }
      if (isToday) assert.ok((await pix(DOMAIN, person)).includes(value), `${stage}: PIX by the id that ${value} had`);
      const file = JSON.parse((await get(`/api/v1/persons/${person}`)).text) as { personId: string };
      assert.equal(file.personId, await personOf({ authority, value }), `${stage}: REST by the id that ${value} had`);
    }
  }
  for (const patient of ALL) await standing(stage, patient, await personOf(patient));
}

/** What is asked for by the study, or by the number on its images, is there in every stage. */
async function standing(stage: string, { value, study }: Patient, person: string, under = [value]): Promise<void> {
  const what = `${stage}: of ${value}`;
  assert.deepEqual(told((await get(`/dicomweb/studies?PatientID=${value}`)).text), under, `${what} QIDO-RS`);
  const manifest = (await documents('registry', ITI18, person)).find((found) => found.study.includes(study));
  assert.ok(manifest, what);
  const asked = { homeCommunityId: null, repositoryUniqueId: '2.999.156.3', documentUniqueId: manifest.id };
  const kos = retrieved(await ask(`${hub.address()}/xds/repository`, ITI43, writeRetrieveRequest([asked]), headers));
  assert.equal(kos.status, 'success', `${what} ITI-43`);
  const images = requestBody([{ study, series: `${study}.1`, sop: `${study}.1.1` }], [EXPLICIT]);
  const image = retrieved(await ask(`${hub.address()}/xds/imaging-source`, RAD69, images, headers));
  assert.equal(image.status, 'success', `${what} RAD-69`);
  if (withoutDcmtk !== false) return;
  const port = /dicom on \S+:(\d+)/.exec(hub.said())?.[1] ?? '';
  const keys = ['-k', 'QueryRetrieveLevel=STUDY', '-k', `PatientID=${value}`, '-k', 'StudyInstanceUID'];
  const found = await dcmtk('findscu', '-aet', 'H1PACS', '-aec', 'HUTONG', '-S', '-v', ...keys, '127.0.0.1', port);
  if (value.startsWith('W')) assert.deepEqual(told(found.output), under, `${what} C-FIND`);
}

async function manifests(ids: ReadonlyMap<string, string>): Promise<void> {
  for (const [value, person] of ids)
    for (let tries = 0; (await documents('registry', ITI18, person)).length === 0; tries++) {
      assert.ok(tries < 100, `${value} has no manifest`);
      await pause(200);
    }
}

test('every identifier that ever named a person finds what the person has today, on every face', async () => {
  await settled();
  const ids = new Map<string, string>();
  for (const patient of ALL) ids.set(patient.value, await personOf(patient));
  const [first = '', third = ''] = [ids.get(one.value), ids.get(other.value)];
  await manifests(ids);
  await holds('apart', [[one], [twin], [other]], ids);
  const decided = async (act: string, of: string, body: object): Promise<string> => {
    const answer = (await post(`/api/v1/persons/${of}/${act}`, { reason: '本人到院核实', ...body })) as {
      decision: { decisionId: string };
    };
    return answer.decision.decisionId;
  };
  const merged = await decided('merge', first, { with: third });
  await holds('merged', [[one, other], [twin]], ids);
  assert.deepEqual((await byNumber(RESIDENT, FORMER_ID))['rest'], ['W1', 'X1']);
  const file = JSON.parse((await get(`/api/v1/persons/${first}`)).text) as {
    personId: string;
    registrations: { recordId: string; localId: string }[];
  };
  const leaves = file.registrations.filter(({ localId }) => localId === other.value).map(({ recordId }) => recordId);
  const split = await decided('split', file.personId, { records: leaves });
  await holds('split', [[one], [twin], [other]], ids);
  await decided('undo', await personOf(one), { decisionId: split });
  await holds('the split undone', [[one, other], [twin]], ids);
  await decided('undo', await personOf(one), { decisionId: merged });
  await holds('the merge undone', [[one], [twin], [other]], ids);
});

test('a hospital’s own merge: the number that ended, and the id it had, find what it was joined to', async () => {
  const [survivor, ended] = [await personOf(one), await personOf(twin)];
  const pid = `PID|||${one.value}^^^&${H1}&ISO^PI`;
  const merge = await hl7('RIS|H1', 'ADT^A40^ADT_A39', 'EVN||20260303', pid, `MRG|${twin.value}^^^&${H1}&ISO^PI`);
  assert.equal(merge.first('MSA')?.text(1), 'AA');
  const today = await personOf(one);
  for (const person of [survivor, ended])
    for (const [face, found] of Object.entries(await byPerson(person)))
      assert.deepEqual(found, face.startsWith('iti-') && person !== today ? [] : ['W1', 'W2'], `${face} merged`);
  assert.deepEqual(await pix(H1, twin.value), [], 'deprecated (ITI TF-2 §3.83.4.2.2.5)');
  for (const patient of [one, twin]) await standing('merged by the hospital', patient, today, ['W1', 'W2']);
  for (const { authority, value } of [one, twin])
    for (const [face, found] of Object.entries(await byNumber(authority, value)))
      assert.deepEqual(found, ['W1', 'W2'], `${face} by ${value}`);
});

test('a corrected resident ID gives exams a new index; the former one answers with the same exam', async () => {
  const exam = async (): Promise<{ examId: string; provincialIndex: string }> => {
    const found = (await post('/api/v1/exams/search', { identifier: { authority: H1, value: one.value } })) as {
      items: { examId: string; provincialIndex: string; studies: { studyInstanceUid: string }[] }[];
    };
    const its = found.items.find((item) => JSON.stringify(item).includes(one.study));
    assert.ok(its);
    return its;
  };
  const was = await exam();
  await register(one, { name: '王芳', sex: '2', birthDate: '1980-03-15', idType: '01', idNumber: NEW_ID }, 5);
  await settled();
  const is = await exam();
  assert.notEqual(is.provincialIndex, was.provincialIndex);
  assert.equal(is.examId, was.examId);
  for (const index of [was.provincialIndex, is.provincialIndex])
    for (const type of ['ImagingStudy', 'ServiceRequest']) {
      const answer = JSON.parse((await get(`/fhir/${type}?identifier=${index}`)).text) as { total: number };
      assert.equal(answer.total, 1, `${type} by ${index}`);
    }
});
