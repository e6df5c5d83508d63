/** Every kind of resource the hub renders validates against R4 and against its profile, required bindings included. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { outputs } from '../../fhir-profiles/generate.ts';
import type { FhirBody } from '../../hub/core/fhir.ts';
import { capabilityStatement } from '../../hub/api/fhir/capability.ts';
import { renderProvenance } from '../../mappings/fhir/index.ts';
import type { OrderStatus, ReportStatus } from '../../hub/core/record.ts';
import type { StudyAvailability } from '../../hub/core/view.ts';
import {
  derive,
  documented,
  examResources,
  examView,
  orderView,
  patientView,
  personResources,
  personView,
  PROVENANCE,
  reportView,
  seriesView,
  siteResources,
  studyView,
} from '../support/fhir.ts';
import { faultsOf, profileDefinitions } from '../support/fhir-validation.ts';

function check(resources: readonly { readonly body: FhirBody }[]): void {
  assert.ok(resources.length > 0);
  for (const { body } of resources)
    if (body.resourceType !== 'Binary')
      assert.deepEqual(faultsOf(body), [], `${body.resourceType} ${JSON.stringify(body).slice(0, 400)}`);
}

test('the validator itself catches what it must', () => {
  assert.notDeepEqual(faultsOf({ resourceType: 'Patient', gender: 'xx' } as FhirBody), []);
  assert.notDeepEqual(faultsOf({ resourceType: 'Patient', birthDate: '2024-13-01' } as FhirBody), []);
  assert.notDeepEqual(faultsOf({ resourceType: 'Endpoint', status: 'active' } as FhirBody), []);
  const [study] = examResources(examView()).filter((one) => one.type === 'ImagingStudy');
  const lame = JSON.stringify({ ...study?.body, identifier: undefined });
  assert.notDeepEqual(faultsOf(JSON.parse(lame) as FhirBody), [], 'the profile asks for an identifier');
});

test('persons: full, nearly empty, rare characters, partial dates, replaced', () => {
  const empty = patientView({
    names: [],
    sex: null,
    birthDate: null,
    identifiers: [],
    phone: null,
    address: null,
    maritalStatus: null,
    ethnicGroup: null,
    deceased: null,
    residentId: null,
  });
  const rare = patientView({
    names: [{ text: '𠮷田\u0007䶮', representation: 'ideographic' }],
    birthDate: '1980-03',
    identifiers: [
      { authority: 'HIS 1', value: 'A<&"1', type: 'MR' },
      { authority: '2.999.1', value: '1', type: 'cv:03' },
    ],
    maritalStatus: { code: '90', system: '2.16.156.10011.2.3.3.5' },
  });
  for (const records of [
    [patientView()],
    [empty],
    [rare, patientView()],
    [patientView({ mergedInto: derive.id('x') })],
    [],
  ])
    check(personResources(personView({ records })));
  check(personResources(personView({ replacedBy: derive.id('person', '2') })));
  check(personResources(personView({ records: [patientView({ birthDate: '1980' })] })));
  check(personResources(personView({ records: [patientView({ birthDate: '1980-02-30' })] })));
});

test('exams: every order, report and image state', () => {
  const orderStates: OrderStatus[] = [
    'ordered',
    'scheduled',
    'arrived',
    'in-progress',
    'completed',
    'discontinued',
    'cancelled',
  ];
  for (const status of orderStates) check(examResources(examView({ orders: [orderView({ status })] })));
  const reportStates: ReportStatus[] = ['preliminary', 'final', 'corrected', 'withdrawn'];
  for (const status of reportStates) check(examResources(examView({ report: documented(reportView({ status })) })));
  const availabilities: StudyAvailability[] = ['registered', 'partial', 'complete', 'at-hospital'];
  for (const availability of availabilities)
    check(
      examResources(examView({ studies: [studyView({ availability }), studyView({ availability, voided: true })] })),
    );
  check(examResources(examView({ cancelled: true })));
});

test('exams with next to nothing known', () => {
  const bare = examView({
    orders: [orderView({ keys: {}, fields: {} })],
    studies: [
      studyView({
        fields: {},
        modalities: [],
        series: [
          seriesView({ number: -1, modality: '', bodyPart: '', laterality: 'X', startedAt: null, description: null }),
        ],
      }),
    ],
    index: null,
    keys: {},
    report: reportView({ content: {} }),
    manifests: [],
  });
  check(examResources(bare));
  check(examResources(examView({ orders: [], studies: [] })));
});

test('organizations, endpoints, provenance, capabilities', () => {
  check(siteResources());
  for (const body of [{ resourceType: 'Patient' }, null]) {
    const version = {
      type: 'Patient',
      id: derive.id('person', '1'),
      version: 2,
      at: '2024-11-22T03:00:01.000Z',
      body,
      site: 'h1',
      occurredAt: PROVENANCE.at,
      journalIds: ['1', '2'],
    };
    check([{ body: renderProvenance(version) }]);
  }
  check([{ body: capabilityStatement({ version: '1', date: '2026-11-22' }, 'http://127.0.0.1/fhir') }]);
});

test('the profiles are structure definitions themselves, and generated files are in step', () => {
  const definitions = profileDefinitions();
  assert.ok(definitions.length >= 16);
  for (const definition of definitions) assert.deepEqual(faultsOf(definition), [], definition.url);
  for (const [path, content] of outputs())
    assert.equal(readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8'), content, `${path} is out of step`);
});
