/** PIXV3 and PDQV3 over SOAP against a real index: each case of ITI TF-2 §3.45.4.2.3 and §3.47.4.2.3, and the messages of others. */
import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, test } from 'node:test';
import express from 'express';
import { setCaller } from '../../hub/api/caller.ts';
import { pdqSupplierFace, pixManagerFace } from '../../hub/api/xds/patient-identity.ts';
import type { Role } from '../../hub/core/access.ts';
import type { AuditEvent } from '../../hub/core/audit.ts';
import { createPatientQueries } from '../../hub/flow/patient-queries.ts';
import { createAffinityPatients } from '../../hub/store/affinity-patients.ts';
import { createVisitIndex } from '../../hub/store/visit.ts';
import { identifierSystems } from '../../mappings/fhir/index.ts';
import { attributeOf, down, HL7V3 } from '../../mappings/xds/hl7v3.ts';
import { parseXml, type XmlElement } from '../../mappings/xds/xml.ts';
import { feedOver, index } from '../support/affinity.ts';
import { freshDatabase, quiet, type FreshDatabase } from '../support/database.ts';
import { derive, openStore, patientView, personResources, personView, save, siteResources } from '../support/fhir.ts';
import { SAMPLE_DOMAINS, samplePatient } from '../support/ihe-patient.ts';
import { iheSamples, noIheSamples } from '../support/ihe-samples.ts';
import { envelope, HOME } from '../support/registry-hub.ts';
import { everythingSeen } from '../support/access.ts';

const H1 = '2.999.156.1.1';
const H3 = '2.999.156.1.3';
const DOMAIN = '2.999.156.1';
const RESIDENT = '2.16.156.10011.1.3';

const zhang = personView({
  records: [
    patientView(),
    patientView({ recordId: derive.id('record', 'h3', 'X9'), authority: H3, localId: 'X9', identifiers: [] }),
  ],
});
const alone = personView({
  personId: derive.id('person', '2'),
  records: [
    patientView({
      recordId: derive.id('record', 'h1', 'P2'),
      localId: 'P2',
      names: [{ text: '李 <四> & 五', representation: 'ideographic' }],
      residentId: null,
      identifiers: [],
      sex: 'female',
      birthDate: '1975-06-01',
    }),
  ],
});
const many = Array.from({ length: 5 }, (_, at) =>
  personView({
    personId: derive.id('person', `many${String(at)}`),
    records: [
      patientView({
        recordId: derive.id('record', 'h3', `M${String(at)}`),
        authority: H3,
        localId: `M${String(at)}`,
        names: [{ text: '王伟', family: '王', given: '伟', representation: 'ideographic' }],
        residentId: null,
        identifiers: [],
        birthDate: `198${String(at)}-01-02`,
      }),
    ],
  }),
);

let fresh: FreshDatabase;
let origin: string;
let close: () => void;
const audits: AuditEvent[] = [];
before(async () => {
  fresh = await freshDatabase();
  const persons = [zhang, alone, samplePatient, ...many];
  await save(fresh.database, [...siteResources(), ...persons.flatMap((person) => personResources(person))]);
  await index(
    fresh.database,
    persons.map(({ personId }) => personId),
  );
  const queries = createPatientQueries({
    store: openStore(fresh.database).store,
    patients: createAffinityPatients({ database: fresh.database, affinityDomainOid: DOMAIN }),
    domains: identifierSystems([DOMAIN, H1, H3, ...SAMPLE_DOMAINS]),
    affinityDomainOid: DOMAIN,
    visits: createVisitIndex(fresh.database),
  });
  const audit = { record: (event: AuditEvent) => Promise.resolve(void audits.push(event)) };
  const deps = { queries, homeCommunityOid: HOME, audit, log: quiet, feed: feedOver(fresh.database) };
  const app = express();
  app.use((request, response, next) => {
    const role = (request.get('x-role') ?? 'query-platform') as Role;
    setCaller(response, { id: request.get('x-id') ?? 'platform', name: 'test', role, peer: '127.0.0.1' });
    next();
  });
  app
    .use('/xds/pix-manager', pixManagerFace({ ...deps, access: everythingSeen }))
    .use('/xds/pdq-supplier', pdqSupplierFace({ ...deps, access: everythingSeen }));
  const server = createServer(app).listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  origin = `http://127.0.0.1:${String((server.address() as AddressInfo).port)}`;
  close = () => void server.close();
});
after(async () => {
  close();
  await fresh.drop();
});

interface Answered {
  readonly http: number;
  readonly name: string;
  readonly body: XmlElement;
}

async function send(
  path: string,
  action: string,
  body: string,
  headers: Record<string, string> = {},
): Promise<Answered> {
  const response = await fetch(`${origin}/xds/${path}`, {
    method: 'POST',
    headers: { 'Content-Type': `application/soap+xml; charset=UTF-8; action="${action}"`, ...headers },
    body: envelope(action, body),
  });
  const root = parseXml(Buffer.from(await response.arrayBuffer()));
  assert.ok(root.ok);
  const content = root.value.children.find(({ name }) => name === 'Body')?.children[0];
  assert.ok(content);
  return { http: response.status, name: content.name, body: content };
}

const wrapped = (name: string, control: string): string =>
  `<${name} xmlns="${HL7V3}" ITSVersion="XML_1.0"><id root="1.2.3" extension="77"/><creationTime value="20260101"/>` +
  `<interactionId root="2.16.840.1.113883.1.6" extension="${name}"/><processingCode code="T"/><processingModeCode code="T"/><acceptAckCode code="AL"/>` +
  '<receiver typeCode="RCV"><device classCode="DEV" determinerCode="INSTANCE"><id root="1.2.4"/></device></receiver>' +
  '<sender typeCode="SND"><device classCode="DEV" determinerCode="INSTANCE"><id root="1.2.5"/></device></sender>' +
  `<controlActProcess classCode="CACT" moodCode="EVN">${control}</controlActProcess></${name}>`;
const parameter = (name: string, value: string): string =>
  `<${name}>${value}<semanticsText>x</semanticsText></${name}>`;
const id = (root: string, extension?: string): string =>
  `<value root="${root}"${extension === undefined ? '' : ` extension="${extension}"`}/>`;
const question = (name: string, parameters: string, more = ''): string =>
  wrapped(
    name,
    `<code code="x"/><queryByParameter><queryId root="1.9" extension="Q1"/><statusCode code="new"/>${more}<parameterList>${parameters}</parameterList></queryByParameter>`,
  );
const pix = (root: string, extension: string, sources: readonly string[] = [], as = {}): Promise<Answered> =>
  send(
    'pix-manager',
    `${HL7V3}:PRPA_IN201309UV02`,
    question(
      'PRPA_IN201309UV02',
      sources.map((one) => parameter('dataSource', id(one))).join('') +
        parameter('patientIdentifier', id(root, extension)),
    ),
    as,
  );
const pdq = (parameters: string, quantity = '', as = {}): Promise<Answered> =>
  send(
    'pdq-supplier',
    `${HL7V3}:PRPA_IN201305UV02`,
    question('PRPA_IN201305UV02', parameters, quantity === '' ? '' : `<initialQuantity value="${quantity}"/>`),
    as,
  );
const goOn = (
  start: string,
  quantity: string,
  action = 'QUQI_IN000003UV01',
  status = 'waitContinuedQueryResponse',
  as = {},
): Promise<Answered> =>
  send(
    'pdq-supplier',
    `${HL7V3}:${action}`,
    wrapped(
      'QUQI_IN000003UV01',
      `<queryContinuation><queryId root="1.9" extension="Q1"/>${start === '' ? '' : `<startResultNumber value="${start}"/>`}<continuationQuantity value="${quantity}"/><statusCode code="${status}"/></queryContinuation>`,
    ),
    as,
  );

const code = (answer: Answered, ...path: string[]): string => attributeOf(down([answer.body], ...path)[0], 'code');
/** Message, acknowledgement, status and response code of the query. */
const status = (answer: Answered): string[] => [
  answer.name,
  code(answer, 'acknowledgement', 'typeCode'),
  code(answer, 'controlActProcess', 'queryAck', 'statusCode'),
  code(answer, 'controlActProcess', 'queryAck', 'queryResponseCode'),
];
const patients = (answer: Answered): readonly XmlElement[] =>
  down([answer.body], 'controlActProcess', 'subject', 'registrationEvent', 'subject1', 'patient');
const numbers = (patient: XmlElement | undefined): string[] =>
  (patient === undefined ? [] : down([patient], 'id'))
    .map((one) => `${attributeOf(one, 'extension')} ${attributeOf(one, 'root')}`)
    .sort();
const fault = (answer: Answered): string[] => [
  code(answer, 'acknowledgement', 'acknowledgementDetail', 'code'),
  down([answer.body], 'acknowledgement', 'acknowledgementDetail', 'location')[0]?.text ?? '',
];
const name = (inner: string): string => parameter('livingSubjectName', `<value>${inner}</value>`);
const LIST = '/controlActProcess/queryByParameter/parameterList';

test('ITI-45: all other identifiers, or those of one source; no name; the question comes back', async () => {
  const all = await pix(H1, 'P1');
  assert.deepEqual(status(all), ['PRPA_IN201310UV02', 'AA', 'deliveredResponse', 'OK']);
  assert.equal(patients(all).length, 1);
  assert.deepEqual(
    numbers(patients(all)[0]),
    [`210102198003151239 ${RESIDENT}`, `X9 ${H3}`, `${zhang.personId} ${DOMAIN}`].sort(),
  );
  assert.equal(attributeOf(down(patients(all), 'patientPerson', 'name')[0], 'nullFlavor'), 'NA');
  const echoed = down(
    [all.body],
    'controlActProcess',
    'queryByParameter',
    'parameterList',
    'patientIdentifier',
    'value',
  )[0];
  assert.deepEqual([attributeOf(echoed, 'root'), attributeOf(echoed, 'extension')], [H1, 'P1']);
  assert.equal(attributeOf(down([all.body], 'controlActProcess', 'queryAck', 'queryId')[0], 'extension'), 'Q1');
  assert.equal(attributeOf(down([all.body], 'acknowledgement', 'targetMessage', 'id')[0], 'extension'), '77');
  assert.deepEqual(numbers(patients(await pix(DOMAIN, zhang.personId, [H1, H3]))[0]), [`P1 ${H1}`, `X9 ${H3}`]);
});

test('ITI-45: known without an identifier there is NF; each failure is AE with 204 and its place', async () => {
  assert.deepEqual(status(await pix(H1, 'P2', [H3])), ['PRPA_IN201310UV02', 'AA', 'deliveredResponse', 'NF']);
  for (const [root, extension, sources, place] of [
    [H1, 'NOBODY', [], `${LIST}/patientIdentifier/value/@extension`],
    ['9.9.9', 'P1', [], `${LIST}/patientIdentifier/value/@root`],
    [H1, 'P1', [H3, '9.9.9'], `${LIST}/dataSource[2]/value/@root`],
  ] as const) {
    const answer = await pix(root, extension, sources);
    assert.deepEqual(status(answer), ['PRPA_IN201310UV02', 'AE', 'aborted', 'AE'], place);
    assert.deepEqual(fault(answer), ['204', place]);
    assert.equal(patients(answer).length, 0);
  }
  assert.deepEqual(status(await pix('', '')), ['PRPA_IN201310UV02', 'AE', 'aborted', 'AE']);
});

test('ITI-47: demographics find; what is told of a patient, in the order of the schema', async () => {
  const found = await pdq(
    name('<given>三</given><family>张</family>') +
      parameter('livingSubjectBirthTime', '<value value="19800315"/>') +
      parameter('livingSubjectAdministrativeGender', '<value code="M"/>'),
  );
  assert.deepEqual(status(found), ['PRPA_IN201306UV02', 'AA', 'deliveredResponse', 'OK']);
  const [patient] = patients(found);
  assert.ok(patient);
  assert.deepEqual(
    numbers(patient),
    [`210102198003151239 ${RESIDENT}`, `P1 ${H1}`, `X9 ${H3}`, `${zhang.personId} ${DOMAIN}`].sort(),
  );
  const [person] = down([patient], 'patientPerson');
  assert.deepEqual(
    person?.children.map((one) => one.name),
    ['name', 'name', 'telecom', 'administrativeGenderCode', 'birthTime', 'addr'],
  );
  assert.deepEqual(patient.children.map((one) => one.name).slice(-4), [
    'statusCode',
    'patientPerson',
    'providerOrganization',
    'subjectOf1',
  ]);
  assert.equal(attributeOf(down([patient], 'patientPerson', 'birthTime')[0], 'value'), '19800315');
  for (const parameters of [
    name('<family>Zh*</family>'),
    name('张三'),
    parameter('livingSubjectId', id(H3, 'X9')),
    parameter('livingSubjectId', id(DOMAIN, zhang.personId)),
    parameter('patientTelecom', '<value value="tel:13800000000"/>') + name('<family>张</family>'),
    parameter('patientAddress', '<value><streetAddressLine>中山路</streetAddressLine></value>') +
      name('<given>三</given>'),
  ])
    assert.deepEqual(
      patients(await pdq(parameters)).map((one) => attributeOf(down([one], 'patientPerson', 'birthTime')[0], 'value')),
      ['19800315'],
      parameters,
    );
  const odd = await pdq(parameter('livingSubjectBirthTime', '<value value="19750601"/>'));
  assert.equal(down(patients(odd), 'patientPerson', 'name')[0]?.text, '李 <四> & 五');
});

test('ITI-47: nobody is NF; only numbers of the domains asked for; unknown domains and parameters are AE', async () => {
  assert.deepEqual(status(await pdq(name('<family>王五</family>'))), [
    'PRPA_IN201306UV02',
    'AA',
    'deliveredResponse',
    'NF',
  ]);
  const scoped = (root: string): string => parameter('otherIDsScopingOrganization', id(root));
  assert.deepEqual(numbers(patients(await pdq(name('张三') + scoped(H3)))[0]), [`X9 ${H3}`]);
  const born = parameter('livingSubjectBirthTime', '<value value="19750601"/>');
  assert.deepEqual(status(await pdq(born + scoped(H3))).at(-1), 'NF');
  const unknown = await pdq(name('张三') + scoped(H3) + scoped('9.9.9'));
  assert.deepEqual(status(unknown), ['PRPA_IN201306UV02', 'AE', 'aborted', 'AE']);
  assert.deepEqual(fault(unknown), ['204', `${LIST}/otherIDsScopingOrganization[2]/value/@root`]);
  for (const parameters of [
    '',
    parameter('livingSubjectAdministrativeGender', '<value code="M"/>'),
    name('张三') + parameter('mothersMaidenName', '<value>李</value>'),
    name('<family>*</family>'),
  ])
    assert.deepEqual(status(await pdq(parameters)).slice(1), ['AE', 'aborted', 'AE'], parameters);
});

test('ITI-47: a long answer is continued from where its reader says, until it is cancelled; for its asker alone', async () => {
  const first = await pdq(name('王伟'), '2');
  assert.deepEqual(status(first), ['PRPA_IN201306UV02', 'AA', 'waitContinuedQueryResponse', 'OK']);
  const quantities = (answer: Answered): string[] =>
    ['resultTotalQuantity', 'resultCurrentQuantity', 'resultRemainingQuantity'].map((one) =>
      attributeOf(down([answer.body], 'controlActProcess', 'queryAck', one)[0], 'value'),
    );
  assert.deepEqual(quantities(first), ['5', '2', '3']);
  const second = await goOn('3', '2');
  const third = await goOn('5', '2');
  assert.deepEqual(
    [quantities(second), quantities(third)],
    [
      ['5', '2', '1'],
      ['5', '1', '0'],
    ],
  );
  assert.deepEqual(status(third), ['PRPA_IN201306UV02', 'AA', 'deliveredResponse', 'OK']);
  assert.equal(new Set([first, second, third].flatMap(patients).map((one) => numbers(one).join())).size, 5);
  assert.deepEqual(status(await goOn('3', '2', undefined, undefined, { 'x-id': 'other' })).slice(1), [
    'AE',
    'aborted',
    'AE',
  ]);
  const cancelled = await goOn('', '0', 'QUQI_IN000003UV01_Cancel', 'aborted');
  assert.deepEqual([cancelled.name, code(cancelled, 'acknowledgement', 'typeCode')], ['MCCI_IN000002UV01', 'CA']);
  assert.deepEqual(status(await goOn('3', '2')), ['PRPA_IN201306UV02', 'AE', 'aborted', 'AE']);
});

test('who has no right to ask is refused with 403; both stand in the audit, with transaction and persons', async () => {
  assert.equal((await pdq(name('张三'), '', { 'x-role': 'hospital-feed' })).http, 403);
  assert.deepEqual([audits.at(-1)?.action, audits.at(-1)?.outcome], ['refuse', 'refused']);
  await pdq(name('张三'));
  const last = audits.at(-1);
  assert.deepEqual(
    [last?.action, last?.outcome, last?.operation, last?.detail?.transaction, last?.persons],
    ['search', 'success', 'ITI-47', 'ITI-47', [zhang.personId]],
  );
  await pix(H1, 'P1');
  assert.deepEqual([audits.at(-1)?.operation, audits.at(-1)?.detail?.transaction], ['ITI-45', 'ITI-45']);
});

test('the body must be the message that the action names', async () => {
  const wrong = await send('pdq-supplier', `${HL7V3}:PRPA_IN201305UV02`, question('PRPA_IN201309UV02', ''));
  assert.equal(wrong.name, 'Fault');
});

/** Acknowledgement, response code, and where it fails; what is not here finds nobody. */
const UNKNOWN = 'AE AE 204 patientIdentifier/value/@extension';
const ANSWERS: Readonly<Record<string, string>> = {
  'epr__ITI-45_request_raw.xml': UNKNOWN,
  'ipf__NistPixpdq_Mesa10501-04_Example_01.xml': UNKNOWN,
  'ipf__NistPixpdq_Mesa10501-05_Example_01.xml': 'AA OK',
  'ipf__NistPixpdq_Mesa10502-03~UnknownId_Example_01.xml': UNKNOWN,
  'ipf__NistPixpdq_Mesa10503-01~UnknownAssigningAuth_Example_01.xml': 'AE AE 204 patientIdentifier/value/@root',
  'ipf__PDQ.xml': 'AA OK',
};
const FACES = { 'ITI-45': 'pix-manager', 'ITI-47': 'pdq-supplier' } as const;

test(
  'questions of other implementers are answered, never with a fault; what is none gets a fault',
  { skip: noIheSamples },
  async (t) => {
    for (const [folder, face] of Object.entries(FACES))
      for (const { name: file, verdict, why, text } of iheSamples(folder)) {
        const content = text();
        const found = /<(\w+:)?(PRPA_IN2013\d\dUV02)[\s>][\s\S]*<\/\1\2>/.exec(content);
        assert.ok(found, file);
        // Line numbers stand within tags too: such a text is sent as it is.
        const [body] = /^\d+ /m.test(content) ? [content] : found;
        const answer = await send(face, `${HL7V3}:${found[2] ?? ''}`, body);
        t.diagnostic(`${folder}/${file}: ${status(answer).join(' ')}`);
        if (verdict === 'accepted') {
          assert.equal(answer.http, 200, file);
          assert.match(answer.name, /^PRPA_IN2013(10|06)UV02$/, file);
          const [, ack, , response] = status(answer);
          const place = fault(answer).map((one) => one.replace(`${LIST}/`, ''));
          assert.equal([ack, response, ...place].join(' ').trim(), ANSWERS[file] ?? 'AA NF', file);
        } else assert.deepEqual([answer.http, answer.name, verdict], [400, 'Fault', 'refused'], `${file}: ${why}`);
      }
  },
);
