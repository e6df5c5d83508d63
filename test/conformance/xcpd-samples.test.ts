/**
 * XCPD (ITI-55 and ITI-56) as other implementers speak it, to each face that another community could take for a responder:
 * the hub does not offer it, and says so by the fault of WS-Addressing; nothing is looked up, and the next is answered.
 */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { parseXml, type XmlElement } from '../../mappings/xds/xml.ts';
import { down, HL7V3 } from '../../mappings/xds/hl7v3.ts';
import { iheSamples, noIheSamples, type Sample } from '../support/ihe-samples.ts';
import { openRegistry, type RegistryHub } from '../support/registry-hub.ts';
import { ask, gateways, type GatewayUnderTest } from '../support/xds-community.ts';

/** ITI TF-2 §3.55.4 and §3.56.4; what was asked later is answered by an action of its own. */
const ACTION: Readonly<Record<string, readonly string[]>> = {
  PRPA_IN201305UV02: [
    `${HL7V3}:PRPA_IN201305UV02:CrossGatewayPatientDiscovery`,
    `${HL7V3}:PRPA_IN201305UV02:Deferred:CrossGatewayPatientDiscovery`,
  ],
  PRPA_IN201306UV02: [`${HL7V3}:PRPA_IN201306UV02:Deferred:CrossGatewayPatientDiscovery`],
  PatientLocationQueryRequest: ['urn:ihe:iti:2009:PatientLocationQuery'],
  PatientLocationQueryResponse: ['urn:ihe:iti:2009:PatientLocationQueryResponse'],
};

let hub: GatewayUnderTest;
let registry: RegistryHub;
before(async () => {
  hub = await gateways({});
  registry = await openRegistry();
});
after(() => hub.close());

function rootOf(sample: Sample): XmlElement {
  const root = parseXml(sample.bytes());
  assert.ok(root.ok, sample.name);
  return root.value;
}
const bodyOf = (sample: Sample): string => sample.text().replace(/^\s*<\?xml[^>]*\?>/, '');

/** The fault of an action that a face does not know (WS-Addressing 1.0 SOAP Binding §6.4.2). */
const NOT_SUPPORTED = /<env:Fault>.*ActionNotSupported/s;

for (const folder of ['ITI-55', 'ITI-56'])
  for (const sample of iheSamples(folder))
    test(`${folder}/${sample.name} is ${sample.verdict}: ${sample.why}`, { skip: noIheSamples }, async () => {
      const actions = ACTION[rootOf(sample).name] ?? [];
      assert.ok(actions.length > 0);
      for (const action of actions) {
        for (const face of ['responding', 'initiating']) {
          const answered = await ask(`${hub.url}${face}`, action, bodyOf(sample));
          assert.equal(answered.status, 400, `${face} ${action}`);
          assert.match(answered.envelope.toString(), NOT_SUPPORTED);
        }
        const answer = await registry.send(action, bodyOf(sample), { invalid: true });
        assert.deepEqual([answer.http, answer.status], [400, 'Fault']);
        assert.match(answer.text, NOT_SUPPORTED);
      }
      assert.equal(sample.verdict, 'refused');
      assert.equal(await registry.rows(), 0);
      assert.equal((await registry.remove([])).http, 200, 'the registry answers what it knows');
    });

test('requests and answers are what they claim to be', { skip: noIheSamples }, () => {
  for (const sample of iheSamples('ITI-55')) {
    const root = rootOf(sample);
    assert.equal(root.namespace, HL7V3);
    const id = down([root], 'interactionId')[0]?.attributes.get('extension');
    assert.equal(id, root.name);
    const patients = down([root], 'controlActProcess', 'subject', 'registrationEvent', 'subject1', 'patient');
    assert.equal(patients.length > 0, root.name === 'PRPA_IN201306UV02', sample.name);
  }
  for (const sample of iheSamples('ITI-56')) {
    const root = rootOf(sample);
    assert.equal(root.namespace, 'urn:ihe:iti:xcpd:2009');
    const places = root.children.filter(({ name }) => name === 'PatientLocationResponse');
    assert.equal(places.length, root.name === 'PatientLocationQueryResponse' ? 2 : 0);
  }
});
