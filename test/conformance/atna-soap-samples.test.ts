/**
 * Requests that others wrote, taken apart for their audit record: the transaction, whose ids, which submission set,
 * which documents, the query as it was sent; and the message of each is valid and gives the query back.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { auditMessages, soapDetail } from '../../mappings/atna/index.ts';
import { parseXml, type XmlElement } from '../../mappings/xds/xml.ts';
import { record, SOURCE } from '../support/audit-events.ts';

const data = process.env.HUB_TEST_DATA ?? '';
const folder = join(data, 'ihe');
const schema = join(process.env.HUB_TEST_SCHEMA ?? join(data, '../schema'), 'atna/dicom2017c.xsd');
const missing = data === '' || !existsSync(folder) ? 'HUB_TEST_DATA is unset' : false;
const noSchema = missing !== false || !existsSync(schema) || spawnSync('xmllint', ['--version']).error !== undefined;

const ACTIONS: Readonly<Record<string, readonly [element: RegExp, action: string]>> = {
  'ITI-18': [/AdhocQueryRequest/, 'urn:ihe:iti:2007:RegistryStoredQuery'],
  'ITI-41': [/ProvideAndRegisterDocumentSetRequest/, 'urn:ihe:iti:2007:ProvideAndRegisterDocumentSet-b'],
  'ITI-42': [/SubmitObjectsRequest/, 'urn:ihe:iti:2007:RegisterDocumentSet-b'],
  'ITI-43': [/RetrieveDocumentSetRequest/, 'urn:ihe:iti:2007:RetrieveDocumentSet'],
  'ITI-44': [/PRPA_IN20130[124]UV02/, 'urn:hl7-org:v3:$&'],
  'ITI-45': [/PRPA_IN201309UV02/, 'urn:hl7-org:v3:$&'],
  'ITI-47': [/PRPA_IN201305UV02/, 'urn:hl7-org:v3:$&'],
};

function bodyOf(bytes: Buffer, wanted: RegExp): XmlElement | null {
  // Some samples are a whole HTTP message, or have something before the root.
  const text = bytes.toString('utf8');
  const parsed = parseXml(Buffer.from(text.slice(Math.max(0, text.indexOf('<')))));
  if (!parsed.ok) return null;
  const seek = (element: XmlElement): XmlElement | null => {
    if (wanted.test(element.name)) return element;
    for (const child of element.children) {
      const found = seek(child);
      if (found) return found;
    }
    return null;
  };
  return seek(parsed.value);
}

const CX = /^[^^]+\^\^\^&[0-9A-Za-z.-]*&ISO$/;
let counted = 0;

for (const [transaction, [element, template]] of Object.entries(ACTIONS))
  test(`samples of ${transaction} tell what their record needs`, { skip: missing }, () => {
    for (const name of readdirSync(join(folder, transaction)).sort()) {
      const bytes = readFileSync(join(folder, transaction, name));
      const body = bodyOf(bytes, element);
      if (body === null) continue;
      counted += 1;
      const action = template.replace('$&', body.name);
      const detail = soapDetail({ action, messageId: 'urn:uuid:1', body }, { endpoint: 'https://hub.example/xds' });
      assert.equal(detail.transaction, transaction, name);
      // One sample has a blank in the UUID, one no submission set: those tell none.
      if (/ITI-4[12]/.test(transaction))
        assert.equal(
          detail.submissionSet !== undefined,
          bytes.includes('urn:uuid:96fdda7c-d067-4183-912e-bf5ee74998a8'),
          name,
        );
      if (transaction === 'ITI-43')
        assert.ok(
          detail.documents?.every(({ repository }) => repository),
          name,
        );
      if (/ITI-(18|45|47)/.test(transaction)) {
        assert.ok(detail.query, name);
        const again = parseXml(Buffer.from(detail.query.content, 'base64'));
        assert.ok(again.ok, name);
        if (transaction === 'ITI-18') assert.deepEqual(again.value, withoutBlanks(body), name);
      }
      if (/ITI-(44|45)/.test(transaction)) assert.ok((detail.patientIds?.length ?? 0) > 0, name);
      for (const id of detail.patientIds ?? []) assert.match(id, CX, name);
      if (noSchema) continue;
      const messages = auditMessages(record({ operation: transaction, detail }), SOURCE);
      assert.equal(messages.length, detail.change === 'merge' ? 2 : 1, name);
      for (const message of messages) {
        const run = spawnSync('xmllint', ['--nonet', '--noout', '--schema', schema, '-'], {
          input: message,
          encoding: 'utf8',
        });
        assert.equal(run.status, 0, `${name}: ${run.stderr}`);
      }
    }
    assert.ok(counted > 0);
  });

/** Blanks between elements carry nothing, and are not written again. */
const withoutBlanks = (element: XmlElement): XmlElement => ({
  ...element,
  text: element.children.length > 0 ? '' : element.text,
  children: element.children.map(withoutBlanks),
});

const soap = (body: string): XmlElement => {
  const parsed = parseXml(Buffer.from(body));
  assert.ok(parsed.ok);
  return parsed.value;
};

test('of a retrieve each record is about its own documents', () => {
  const body = soap(
    `<r:RetrieveDocumentSetRequest xmlns:r="urn:ihe:iti:xds-b:2007">${['1.1', '1.2', '1.3']
      .map(
        (id) =>
          `<r:DocumentRequest><r:HomeCommunityId>urn:oid:2.9</r:HomeCommunityId><r:RepositoryUniqueId>2.8</r:RepositoryUniqueId><r:DocumentUniqueId> ${id} </r:DocumentUniqueId></r:DocumentRequest>`,
      )
      .join('')}</r:RetrieveDocumentSetRequest>`,
  );
  const request = { action: 'urn:ihe:iti:2007:RetrieveDocumentSet', messageId: null, body };
  const of = (only: readonly string[]): string[] =>
    (soapDetail(request, { only }).documents ?? []).map(({ uniqueId }) => uniqueId);
  assert.deepEqual(of(['1.2']), ['1.2']);
  assert.deepEqual(of(['1.1', '1.3']), ['1.1', '1.3']);
  assert.deepEqual(of([]), ['1.1', '1.2', '1.3']);
  assert.deepEqual(soapDetail(request).documents?.[0], { uniqueId: '1.1', repository: '2.8', home: 'urn:oid:2.9' });
});

test('patients of a multi-patient query are each one', () => {
  const body = soap(
    `<q:AdhocQueryRequest xmlns:q="urn:q" xmlns:r="urn:r"><r:AdhocQuery id="urn:uuid:3d1bdb10-39a2-11de-89c2-2f44d94eaa9f" home="urn:oid:1.2"><r:Slot name="$XDSDocumentEntryPatientId"><r:ValueList><r:Value>('a''b^^^&amp;1.2&amp;ISO',</r:Value><r:Value>'c^^^&amp;1.2&amp;ISO')</r:Value></r:ValueList></r:Slot></r:AdhocQuery></q:AdhocQueryRequest>`,
  );
  const detail = soapDetail({ action: 'urn:ihe:iti:2009:MultiPatientStoredQuery', messageId: null, body });
  assert.deepEqual(detail.patientIds, ["a'b^^^&1.2&ISO", 'c^^^&1.2&ISO']);
  assert.equal(detail.query?.id, 'urn:uuid:3d1bdb10-39a2-11de-89c2-2f44d94eaa9f');
  assert.equal(detail.query.home, 'urn:oid:1.2');
});

test('an unknown action, an empty body and a giant one are recorded too', () => {
  assert.deepEqual(soapDetail({ action: 'x', messageId: null, body: soap('<a/>') }), {});
  const values = Array.from({ length: 50_000 }, (_, n) => `<Value>'${String(n)}^^^&amp;1.2&amp;ISO'</Value>`).join('');
  const body = soap(
    `<AdhocQueryRequest><AdhocQuery id="u"><Slot name="$patientId"><ValueList>${values}</ValueList></Slot></AdhocQuery></AdhocQueryRequest>`,
  );
  const began = performance.now();
  const detail = soapDetail({ action: 'urn:ihe:iti:2007:RegistryStoredQuery', messageId: null, body });
  assert.ok(performance.now() - began < 2_000);
  assert.equal(detail.patientIds?.length, 10_000);
  assert.equal(Buffer.from(detail.query?.content ?? '', 'base64').length, 32_768);
});
