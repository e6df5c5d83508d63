/** What is written as ebRIM and read back is the same, whatever the text in it, and is valid against rim.xsd. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { DocumentAssociation, RegistryObject, RegistryProblem } from '../../hub/core/document.ts';
import { readObjectRefs, readSubmission } from '../../mappings/xds/ebrim-read.ts';
import { writeObjectRefs, writeSubmission } from '../../mappings/xds/ebrim-write.ts';
import { RIM } from '../../mappings/xds/ebrim-names.ts';
import { readRegistryResponse, statusOf, writeRegistryResponse } from '../../mappings/xds/registry-response.ts';
import { parseXml } from '../../mappings/xds/xml.ts';
import { REGISTRY_ERRORS } from '../../hub/core/document.ts';
import { anyAssociation, anyObject } from '../support/documents.ts';
import { invalid, noSchemas, schemaFile } from '../support/xsd.ts';

const parsed = (text: string) => {
  const root = parseXml(Buffer.from(text));
  assert.ok(root.ok, root.ok ? '' : root.problem.text);
  return root.value;
};

/** fast-check draws objects without a prototype. */
const plain = (value: unknown): unknown => JSON.parse(JSON.stringify(value));

test('objects and associations come back as they were written, strictly read', () => {
  fc.assert(
    fc.property(fc.array(fc.oneof(anyObject, anyAssociation), { maxLength: 6 }), (all) => {
      const { submission, problems } = readSubmission(parsed(writeSubmission(all)), { form: 'strict' });
      assert.deepEqual(problems, []);
      const objects = all.filter((one): one is RegistryObject => 'kind' in one);
      const associations = all.filter((one): one is DocumentAssociation => !('kind' in one));
      assert.deepEqual(submission.objects, plain(objects));
      assert.deepEqual(submission.associations, plain(associations));
    }),
    { numRuns: 200 },
  );
});

test('what is written is valid against lcm.xsd and rim.xsd', { skip: noSchemas }, () => {
  const samples = fc.sample(fc.oneof(anyObject, anyAssociation), { numRuns: 120, seed: 7 });
  // xs:ID does not apply: ebRIM ids are URIs; one document with all of them is one run of xmllint.
  assert.equal(invalid(writeSubmission(samples), schemaFile('ebRS30/lcm.xsd')), '');
});

test('a home community and references are written and read', () => {
  const list = `<rim:RegistryObjectList xmlns:rim="${RIM}">${writeObjectRefs(['urn:uuid:1', 'urn:uuid:2'], { home: 'urn:oid:2.999' })}</rim:RegistryObjectList>`;
  assert.deepEqual(readObjectRefs(parsed(list)), [
    { id: 'urn:uuid:1', home: 'urn:oid:2.999' },
    { id: 'urn:uuid:2', home: 'urn:oid:2.999' },
  ]);
});

const problems: fc.Arbitrary<RegistryProblem> = fc.record(
  {
    code: fc.constantFrom(...REGISTRY_ERRORS),
    severity: fc.constantFrom('error' as const, 'warning' as const),
    context: fc.string({ maxLength: 50 }),
    location: fc.string({ minLength: 1, maxLength: 20 }),
  },
  { requiredKeys: ['code', 'severity', 'context'] },
);

test('a registry response comes back as it was written; warnings alone are a success', () => {
  fc.assert(
    fc.property(fc.array(problems, { maxLength: 4 }), (list) => {
      const read = readRegistryResponse(parsed(writeRegistryResponse(list)));
      assert.ok(read.ok);
      assert.deepEqual(read.value, { status: statusOf(list), problems: plain(list) });
      assert.equal(
        read.value.status === 'success',
        list.every((one) => one.severity === 'warning'),
      );
    }),
  );
});
