/**
 * Every kind of audit message against the published schema (dicom2017c.xsd), by xmllint; and the samples of other
 * implementers beside ours: the valid ones have the structure that ours has for the same event.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import fc from 'fast-check';
import type { AuditRecord } from '../../hub/core/audit.ts';
import { auditMessages } from '../../mappings/atna/index.ts';
import { parseXml, type XmlElement } from '../../mappings/xds/xml.ts';
import { EVERY_KIND, record, SOURCE } from '../support/audit-events.ts';
import { iheSamples } from '../support/ihe-samples.ts';

const data = process.env.HUB_TEST_DATA ?? '';
const schemas = process.env.HUB_TEST_SCHEMA ?? (data === '' ? '' : join(data, '../schema'));
const schema = join(schemas, 'atna/dicom2017c.xsd');
const missing =
  schemas === '' || !existsSync(schema)
    ? 'HUB_TEST_SCHEMA is unset and no schema folder stands beside HUB_TEST_DATA'
    : spawnSync('xmllint', ['--version']).error
      ? 'xmllint is not installed'
      : false;

/** One run for all: name -> what is wrong, empty where nothing is. */
function validate(messages: ReadonlyMap<string, string>): Map<string, string> {
  const folder = mkdtempSync(join(tmpdir(), 'atna-'));
  try {
    const files = [...messages].map(([name, text], at) => {
      const file = join(folder, `${String(at)}.xml`);
      writeFileSync(file, text);
      return [name, file] as const;
    });
    const run = spawnSync('xmllint', ['--nonet', '--noout', '--schema', schema, ...files.map(([, file]) => file)], {
      encoding: 'utf8',
    });
    return new Map(
      files.map(([name, file]) => [
        name,
        run.stderr.split('\n').includes(`${file} validates`)
          ? ''
          : run.stderr
              .split('\n')
              .filter((line) => line.startsWith(file))
              .join('\n') || 'not validated',
      ]),
    );
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

const parse = (text: string): XmlElement => {
  const root = parseXml(Buffer.from(text));
  assert.ok(root.ok, text.slice(0, 200));
  return root.value;
};
const all = (element: XmlElement, name: string): XmlElement[] =>
  element.children.filter((child) => child.name === name);
const one = (element: XmlElement, name: string): XmlElement => {
  const [found] = all(element, name);
  assert.ok(found, name);
  return found;
};

test('every kind of record is a valid message', { skip: missing }, () => {
  const messages = new Map(
    EVERY_KIND.map(([name, , , event]) => {
      const [message] = auditMessages(event, SOURCE, (person) => `${person}^^^&2.999.156.1&ISO`);
      return [name, message ?? ''];
    }),
  );
  for (const [name, wrong] of validate(messages)) assert.equal(wrong, '', name);
});

for (const [name, event, action, of] of EVERY_KIND)
  test(`${name} is event ${event} with action ${action}`, () => {
    const [message] = auditMessages(of, SOURCE);
    const root = parse(message ?? '');
    const identification = one(root, 'EventIdentification');
    assert.equal(one(identification, 'EventID').attributes.get('csd-code'), event);
    assert.equal(identification.attributes.get('EventActionCode'), action);
    const transaction = of.detail?.transaction;
    if (transaction !== undefined)
      assert.equal(one(identification, 'EventTypeCode').attributes.get('csd-code'), transaction);
    assert.equal(
      all(root, 'ActiveParticipant').filter((who) => who.attributes.get('UserIsRequestor') === 'true').length,
      1 + (of.onBehalfOf === undefined ? 0 : 1) + (of.detail?.initiated === true ? 1 : 0),
      'who asks, and for whom',
    );
  });

test('source and destination follow the data, whoever asked', () => {
  const roles = (of: AuditRecord): string =>
    all(parse(auditMessages(of, SOURCE)[0] ?? ''), 'ActiveParticipant')
      .map(
        (who) => `${who.attributes.get('UserID') ?? ''} ${all(who, 'RoleIDCode')[0]?.attributes.get('csd-code') ?? ''}`,
      )
      .join(', ');
  const of = (transaction: string, initiated: boolean): AuditRecord =>
    record({ detail: { transaction, initiated, endpoint: 'https://x.example/y' } });
  assert.equal(roles(of('ITI-41', false)), 'c1 110153, https://x.example/y 110152');
  assert.equal(roles(of('ITI-43', false)), 'https://x.example/y 110153, c1 110152');
  assert.equal(
    roles(of('ITI-43', true)),
    'https://x.example/y 110153, https://hub.example/xds 110152, c1 query-platform',
  );
  assert.equal(
    roles(of('ITI-18', true)),
    'https://hub.example/xds 110153, https://x.example/y 110152, c1 query-platform',
  );
});

test('by what right, from which institution and in which session stands in every message, as it does in the record', () => {
  const told = { basis: 'treating(region)', institution: '省人民医院', session: 'f00d', agent: 'Mozilla/5.0' };
  for (const more of [{}, { action: 'sign-on' }, { outcome: 'refused' }] as const) {
    const [message = ''] = auditMessages(record({ ...more, ...told }), SOURCE);
    const objects = all(parse(message), 'ParticipantObjectIdentification');
    const [found] = objects.filter((object) => object.attributes.get('ParticipantObjectTypeCode') === '4');
    assert.ok(found, message);
    const details = all(found, 'ParticipantObjectDetail').map(({ attributes }) => [
      attributes.get('type'),
      Buffer.from(attributes.get('value') ?? '', 'base64').toString(),
    ]);
    assert.deepEqual(Object.fromEntries(details), told);
  }
});

test('a record about many is several messages, each bounded, none left out', () => {
  const persons = Array.from({ length: 250 }, (_, n) => `p${String(n)}`);
  const objects = Array.from({ length: 430 }, (_, n) => `1.2.${String(n)}`);
  const messages = auditMessages(record({ persons, objects }), SOURCE);
  assert.equal(messages.length, 5);
  const named = messages.flatMap((text) =>
    all(parse(text), 'ParticipantObjectIdentification').map((object) => object.attributes.get('ParticipantObjectID')),
  );
  assert.deepEqual(named.slice().sort(), [...persons, ...objects].sort());
});

test('whatever stands in a record, its message is valid and says it', { skip: missing }, () => {
  const text = fc.string({ unit: 'binary', maxLength: 30 });
  const records = fc.sample(
    fc.record({
      face: fc.oneof(fc.constantFrom('xds', 'fhir', 'dimse', 'dicomweb', 'hl7v2', 'rest', 'hub', 'http'), text),
      action: fc.constantFrom('read', 'search', 'export', 'feed', 'change', 'refuse', 'administer'),
      outcome: fc.constantFrom('success', 'refused', 'failure'),
      operation: fc.oneof(fc.constantFrom('ITI-18', 'GET /fhir/Patient', 'GET /fhir/', 'C-FIND'), text),
      callerId: text,
      callerName: text,
      callerRole: text,
      peer: fc.oneof(fc.ipV4(), fc.ipV6(), text),
      persons: fc.array(text, { maxLength: 3 }),
      objects: fc.array(text, { maxLength: 3 }),
      reason: text,
      onBehalfOf: fc.record({
        userId: text,
        userName: text,
        issuer: text,
        roles: fc.array(fc.record({ code: text, system: text, display: text }), { maxLength: 2 }),
        purposes: fc.array(fc.record({ code: text, system: text, display: text }), { maxLength: 2 }),
        emergency: fc.boolean(),
      }),
      detail: fc.record(
        {
          transaction: fc.oneof(fc.constantFrom('ITI-18', 'ITI-41', 'ITI-43', 'RAD-69', 'ITI-62'), text),
          initiated: fc.boolean(),
          endpoint: fc.oneof(fc.webUrl(), text),
          messageId: text,
          patientIds: fc.array(text, { maxLength: 2 }),
          submissionSet: text,
          documents: fc.array(fc.record({ uniqueId: text, repository: text, home: text }), { maxLength: 2 }),
          query: fc.record({ id: text, content: text, home: text }),
        },
        { requiredKeys: [] },
      ),
    }),
    { numRuns: 400, seed: 20261125 },
  );
  const messages = new Map(
    records.flatMap((change, at) =>
      auditMessages(record(change as Partial<AuditRecord>), SOURCE).map((message, part) => [
        `${String(at)}.${String(part)}`,
        message,
      ]),
    ),
  );
  assert.ok(messages.size >= records.length);
  for (const [name, wrong] of validate(messages)) assert.equal(wrong, '', `${name}: ${messages.get(name) ?? ''}`);
});

const samples = iheSamples('ATNA-audit');

test('samples of other implementers are valid or not as known', { skip: missing || samples.length === 0 }, () => {
  const outcomes = validate(new Map(samples.map((sample) => [sample.name, sample.text()])));
  for (const { name, verdict } of samples) assert.equal(outcomes.get(name) === '' ? 'read' : 'refused', verdict, name);
  assert.equal(outcomes.size, samples.length);
});

/** Event, roles of participants, kinds of objects: what a repository sorts messages by. */
function structure(root: XmlElement): object {
  const identification = one(root, 'EventIdentification');
  return {
    event: one(identification, 'EventID').attributes.get('csd-code'),
    action: identification.attributes.get('EventActionCode'),
    type: one(identification, 'EventTypeCode').attributes.get('csd-code'),
    roles: ['110153', '110152'].map(
      (role) =>
        all(root, 'ActiveParticipant').filter((who) =>
          all(who, 'RoleIDCode').some((code) => code.attributes.get('csd-code') === role),
        ).length,
    ),
    objects: all(root, 'ParticipantObjectIdentification')
      .map((object) =>
        ['ParticipantObjectTypeCode', 'ParticipantObjectTypeCodeRole']
          .map((name) => object.attributes.get(name))
          .join('/'),
      )
      .filter((kind) => kind !== '4/26')
      .sort(),
  };
}

const PATIENT = 'P1^^^&2.999&ISO';
const SAME: Readonly<Record<string, AuditRecord>> = {
  'epr__iti-45-log.xml': record({ detail: { transaction: 'ITI-45', patientIds: [PATIENT], query: { content: '' } } }),
  'epr__iti-47-log.xml': record({ detail: { transaction: 'ITI-47', patientIds: [PATIENT], query: { content: '' } } }),
  'ipf__atna-record-2.xml': record({
    detail: {
      transaction: 'ITI-43',
      initiated: true,
      patientIds: [PATIENT],
      documents: [{ uniqueId: '1.2^x', repository: '1.2', home: '1.3' }],
    },
  }),
};
for (const [name, ours] of Object.entries(SAME))
  test(
    `our message of the event of ${name} has its structure`,
    { skip: samples.length === 0 && 'HUB_TEST_DATA is unset' },
    () => {
      const theirs = structure(
        parse((samples.find((one) => one.name === name)?.text() ?? '').replace(/^\ufeff?\s*/, '')),
      );
      assert.deepEqual(structure(parse(auditMessages(ours, SOURCE)[0] ?? '')), theirs);
    },
  );
