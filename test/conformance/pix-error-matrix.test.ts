/** The cases of a PIX query (ITI TF-2 §3.9.4.2.2.6, §3.45.4.2.3, §3.83.4.2.2), each asked on all three wires of one index. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { HL7V3 } from '../../mappings/xds/hl7v3.ts';
import { feedHub, H1, H3, type FeedHub } from '../support/feed-hub.ts';
import { envelope } from '../support/registry-hub.ts';

let hub: FeedHub;
before(async () => {
  hub = await feedHub();
  for (const [value, name] of [
    ['E1', '甲一'],
    ['E2', '乙二'],
    ['E0', '丙三'],
    ['E9', '丁四'],
    ['E5', '戊五'],
  ] as const)
    await hub.hl7('RIS|H1', 'ADT^A04^ADT_A01', 'EVN||20260101', `PID|1||${value}^^^&${H1}&ISO^PI||${name}`);
  const [one, two, old, lone] = ['E1', 'E2', 'E0', 'E9'].map((value) => `${value}^^^&${H1}&ISO^PI`);
  await hub.hl7('RIS|H1', 'ADT^A24', 'EVN||20260101', `PID|||${one ?? ''}`, `PID|||${two ?? ''}`);
  await hub.hl7('RIS|H1', 'ADT^A40^ADT_A39', 'EVN||20260101', `PID|||${lone ?? ''}`, `MRG|${old ?? ''}`);
  await hub.hl7('RIS|H1', 'ADT^A29^ADT_A21', 'EVN||20260101', `PID|||E5^^^&${H1}&ISO^PI`);
});
after(() => hub.close());

const UNKNOWN = '9.9.9';
/** Place of the fault in v2 (ERR-2) and v3 (location), or the outcome; and HTTP status with issue code in FHIR. */
const MATRIX: readonly {
  readonly row: string;
  readonly source: readonly [string, string];
  readonly targets: readonly string[];
  readonly v2: readonly string[];
  readonly v3: readonly string[];
  readonly fhir: string;
}[] = [
  { row: 'known, with others', source: ['E1', H1], targets: [], v2: ['AA', 'OK'], v3: ['AA', 'OK'], fhir: '200 1' },
  { row: 'known, in one domain', source: ['E1', H1], targets: [H1], v2: ['AA', 'OK'], v3: ['AA', 'OK'], fhir: '200 1' },
  {
    row: 'known, none in that domain',
    source: ['E1', H1],
    targets: [H3],
    v2: ['AA', 'NF'],
    v3: ['AA', 'NF'],
    fhir: '200 0',
  },
  {
    row: 'unknown patient',
    source: ['NOBODY', H1],
    targets: [],
    v2: ['AE', 'AE', 'QPD^1^3^1^1', '204'],
    v3: ['AE', 'AE', 'patientIdentifier/value/@extension', '204'],
    fhir: '404 not-found sourceIdentifier Patient Identifier not found',
  },
  {
    row: 'a number that was merged away',
    source: ['E0', H1],
    targets: [],
    v2: ['AE', 'AE', 'QPD^1^3^1^1', '204'],
    v3: ['AE', 'AE', 'patientIdentifier/value/@extension', '204'],
    fhir: '404 not-found sourceIdentifier Patient Identifier not found',
  },
  {
    row: 'a number that was taken back',
    source: ['E5', H1],
    targets: [],
    v2: ['AE', 'AE', 'QPD^1^3^1^1', '204'],
    v3: ['AE', 'AE', 'patientIdentifier/value/@extension', '204'],
    fhir: '404 not-found sourceIdentifier Patient Identifier not found',
  },
  {
    row: 'unknown source domain',
    source: ['E1', UNKNOWN],
    targets: [],
    v2: ['AE', 'AE', 'QPD^1^3^1^4', '204'],
    v3: ['AE', 'AE', 'patientIdentifier/value/@root', '204'],
    fhir: '400 code-invalid sourceIdentifier Assigning Authority not found',
  },
  {
    row: 'unknown target domain, second of two',
    source: ['E1', H1],
    targets: [H3, UNKNOWN],
    v2: ['AE', 'AE', 'QPD^1^4^2', '204'],
    v3: ['AE', 'AE', 'dataSource[2]/value/@root', '204'],
    fhir: '403 code-invalid targetSystem not found',
  },
];

async function byV2([value, authority]: readonly [string, string], targets: readonly string[]): Promise<string[]> {
  const wanted = targets.map((one) => `^^^&${one}&ISO`).join('~');
  const qpd = `QPD|IHE PIX Query|TM|${value}^^^&${authority}&ISO|${wanted}`;
  const answer = await hub.hl7('PLATFORM|REGION', 'QBP^Q23^QBP_Q21', qpd, 'RCP|I');
  const err = answer.first('ERR');
  const status = [answer.first('MSA')?.text(1) ?? '', answer.first('QAK')?.text(2) ?? ''];
  assert.equal(answer.all('PID').length, status[1] === 'OK' ? 1 : 0);
  return err === undefined ? status : [...status, err.rawField(2), err.text(3)];
}

async function byV3([value, authority]: readonly [string, string], targets: readonly string[]): Promise<string[]> {
  const sources = targets.map(
    (root) => `<dataSource><value root="${root}"/><semanticsText>DataSource.id</semanticsText></dataSource>`,
  );
  const body =
    `<PRPA_IN201309UV02 xmlns="${HL7V3}" ITSVersion="XML_1.0"><id root="2.999.77" extension="1"/><creationTime value="20260101"/><processingCode code="P"/>` +
    `<controlActProcess classCode="CACT" moodCode="EVN"><queryByParameter><queryId root="2.999.78" extension="m"/><statusCode code="new"/><parameterList>${sources.join('')}` +
    `<patientIdentifier><value root="${authority}" extension="${value}"/><semanticsText>Patient.id</semanticsText></patientIdentifier></parameterList></queryByParameter></controlActProcess></PRPA_IN201309UV02>`;
  const action = `${HL7V3}:PRPA_IN201309UV02`;
  const response = await hub.fetch('/xds/pix-manager', {
    ...{
      method: 'POST',
      role: 'query-platform',
      headers: { 'content-type': `application/soap+xml; action="${action}"` },
    },
    body: envelope(action, body),
  });
  const text = await response.text();
  const of = (pattern: RegExp): string => pattern.exec(text)?.[1] ?? '';
  const status = [of(/<acknowledgement><typeCode code="(\w+)"/), of(/queryResponseCode code="(\w+)"/)];
  const place = of(/<location>[^<]*parameterList\/([^<]*)<\/location>/);
  return place === '' ? status : [...status, place, of(/acknowledgementDetail[^>]*><code code="(\d+)"/)];
}

async function byFhir([value, authority]: readonly [string, string], targets: readonly string[]): Promise<string> {
  const query = new URLSearchParams([
    ['sourceIdentifier', `urn:oid:${authority}|${value}`],
    ...targets.map((one): [string, string] => ['targetSystem', `urn:oid:${one}`]),
  ]);
  const response = await hub.fetch(`/fhir/Patient/$ihe-pix?${query.toString()}`, { role: 'query-platform' });
  const body = (await response.json()) as {
    parameter?: { valueIdentifier?: { system: string } }[];
    issue?: { code: string; diagnostics: string }[];
  };
  const numbers = (body.parameter ?? []).filter(({ valueIdentifier }) => valueIdentifier?.system === `urn:oid:${H1}`);
  const issue = body.issue?.[0];
  const told = issue === undefined ? String(numbers.length) : `${issue.code} ${issue.diagnostics}`;
  return `${String(response.status)} ${told}`;
}

for (const { row, source, targets, v2, v3, fhir } of MATRIX)
  test(row, async () => {
    assert.deepEqual(await byV2(source, targets), v2, 'ITI-9');
    assert.deepEqual(await byV3(source, targets), v3, 'ITI-45');
    assert.equal(await byFhir(source, targets), fhir, 'ITI-83');
  });
