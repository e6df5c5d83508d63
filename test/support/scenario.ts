/** One exam's life as canonical records, as three systems of a hospital would tell it: for the convergence tests. */
import { Derivation, siteId, type Uid } from '../../hub/core/identifier.ts';
import type { CanonicalRecord, InstanceRecord } from '../../hub/core/record.ts';

export const DERIVE = new Derivation(new Uint8Array(32).fill(7));
const site = siteId('h1');
const patient = { authority: '2.999.156.1.1', value: 'P0001' };
const uid = (text: string): Uid => text as Uid;
const minute = (n: number): string => `2026-03-01T08:${String(n).padStart(2, '0')}:00.000Z`;
export const STUDY = uid('1.2.826.0.1.3680043.99.1');

const registered = { text: '欧阳修', family: '欧阳', given: '修', representation: 'ideographic' } as const;

export function instance(n: number): InstanceRecord {
  return {
    kind: 'instance',
    site,
    at: minute(20),
    patient,
    keys: { studyUid: STUDY, accession: 'A100' },
    demographics: { names: [{ text: 'Ouyang Xiu', representation: 'alphabetic' }], sex: 'male' },
    study: { description: 'CHEST', startedAt: minute(20), modality: 'CT' },
    series: { uid: uid(`${STUDY}.1`), modality: 'CT', number: 1 },
    instance: {
      uid: uid(`${STUDY}.1.${String(n)}`),
      sopClass: uid('1.2.840.10008.5.1.4.1.1.2'),
      transferSyntax: uid('1.2.840.10008.1.2.1'),
      number: n,
      rows: 4,
      columns: 4,
      object: `test/${String(n)}`,
      size: 100,
      digest: `d${String(n)}`,
      dataSetOffset: 10,
    },
  };
}

/** Registration, its correction, order, schedule, cancel of a twin order, images, report and its revision. */
export const STORY: readonly CanonicalRecord[] = [
  {
    kind: 'patient',
    site,
    at: minute(1),
    patient,
    fields: {
      names: [registered],
      sex: 'male',
      birthDate: '1980-03-15',
      identifiers: [{ authority: '2.16.156.10011.1.3', value: '210102198003151239', type: 'NI' }],
    },
  },
  { kind: 'patient', site, at: minute(5), patient, fields: { phone: '13800000000', address: { text: '某市' } } },
  {
    kind: 'order',
    site,
    at: minute(2),
    patient,
    keys: { placer: 'PL1' },
    status: 'ordered',
    fields: { procedure: { code: 'CT01', system: 'urn:x', display: '胸部CT平扫' }, priority: 'routine' },
  },
  {
    kind: 'order',
    site,
    at: minute(6),
    patient,
    keys: { placer: 'PL1', filler: 'F1', accession: 'A100' },
    status: 'scheduled',
    fields: { priority: 'urgent', scheduledAt: minute(15) },
  },
  { kind: 'order', site, at: minute(18), patient, keys: { filler: 'F1' }, status: 'completed', fields: {} },
  {
    kind: 'study',
    site,
    at: minute(25),
    patient,
    keys: { accession: 'A100', studyUid: STUDY },
    fields: { instanceCount: 3 },
  },
  instance(1),
  instance(2),
  instance(3),
  {
    kind: 'report',
    site,
    at: minute(30),
    patient,
    keys: { accession: 'A100' },
    reportNumber: 'R1',
    status: 'final',
    content: { impression: '未见异常', auditedAt: minute(30) },
  },
  {
    kind: 'report',
    site,
    at: minute(45),
    patient,
    keys: { filler: 'F1' },
    reportNumber: 'R1',
    status: 'corrected',
    content: { impression: '右肺上叶结节', auditedAt: minute(45) },
  },
];

/** The exam of the story, declared void. */
export const VOID: CanonicalRecord = {
  kind: 'study',
  site,
  at: '2026-03-02T08:00:00.000Z',
  patient: null,
  keys: { accession: 'A100', studyUid: STUDY },
  fields: {},
  voided: true,
};
