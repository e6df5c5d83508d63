/** Messages of other implementers through the gateways' codecs: what was valid stays valid when it is passed on with a home. */
import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import {
  homeOf,
  readCrossQuery,
  readQueryAnswer,
  withHome,
  writeCrossQuery,
  writeQueryAnswer,
} from '../../mappings/xds/cross-query.ts';
import { readRetrieveAnswer, writeRetrieveAnswer } from '../../mappings/xds/cross-retrieve.ts';
import { readRetrieveRequest, writeRetrieveRequest } from '../../mappings/xds/document-set.ts';
import { SOAP } from '../../mappings/xds/soap.ts';
import { childNamed, parseXml } from '../../mappings/xds/xml.ts';
import type { XmlElement } from '../../mappings/xds/xml.ts';
import { invalid, noSchemas } from '../support/xsd.ts';

const data = process.env.HUB_TEST_DATA ?? '';
const HOME = 'urn:oid:2.999.156.12';
const folders = ['ITI-18', 'ITI-43', 'ITI-51']
  .map((name) => join(data, 'ihe', name))
  .filter((path) => data !== '' && existsSync(path));
const files = folders.flatMap((folder) => readdirSync(folder).map((name) => join(folder, name)));
const skip = files.length === 0 ? 'no samples under HUB_TEST_DATA/ihe' : noSchemas;

/** The body of a message, where it is one: some samples leave their namespaces out, and are no XML. */
function bodyOf(path: string): XmlElement | null {
  const text = readFileSync(path, 'utf8');
  const root = parseXml(Buffer.from(text.slice(Math.max(0, text.indexOf('<')))));
  if (!root.ok) return null;
  const body = childNamed(root.value, SOAP, 'Body')?.children[0];
  return body ?? root.value;
}

test('samples of queries and retrieves are read, and valid when passed on', { skip }, (context) => {
  const told = { passedOn: 0, refused: 0, notXml: 0 };
  for (const path of files) {
    const body = bodyOf(path);
    if (body === null) {
      told.notXml++;
      continue;
    }
    const written = passedOn(body);
    if (written === null) told.refused++;
    else {
      assert.equal(invalid(written), '', path);
      told.passedOn++;
    }
    context.diagnostic(`${path.slice(path.lastIndexOf('/') + 1)}: ${written === null ? 'refused' : 'passed on'}`);
  }
  assert.ok(told.passedOn > 0);
  context.diagnostic(JSON.stringify(told));
});

function passedOn(body: XmlElement): string | null {
  const query = readCrossQuery(body);
  if (query.ok) {
    const again = parseXml(Buffer.from(writeCrossQuery(query.value, HOME, query.value.patientId)));
    const read = again.ok ? readCrossQuery(again.value) : again;
    assert.ok(read.ok);
    assert.deepEqual([read.value.home, read.value.patientId], [HOME, query.value.patientId]);
    return writeCrossQuery(query.value, HOME, query.value.patientId);
  }
  const answer = readQueryAnswer(body);
  if (answer.ok) {
    const objects = answer.value.objects.map((object) => withHome(object, HOME));
    assert.ok(objects.length > 0 && objects.every((object) => homeOf(object) === HOME));
    return writeQueryAnswer({ ...answer.value, objects });
  }
  const request = readRetrieveRequest(body, { documents: 100 });
  if (request.ok) return writeRetrieveRequest(request.value.map((one) => ({ ...one, homeCommunityId: HOME })));
  const retrieved = readRetrieveAnswer(body);
  if (!retrieved.ok) return null;
  const documents = retrieved.value.documents.map(({ content: _content, ...given }, at) => ({
    given: { ...given, homeCommunityId: HOME },
    contentId: `${String(at)}@hub`,
  }));
  return writeRetrieveAnswer(retrieved.value.status, retrieved.value.errors, documents);
}
