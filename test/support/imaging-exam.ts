/** An exam as its documents are made of it, and the context that the hub would give. */
import type { HubId, Oid } from '../../hub/core/identifier.ts';
import { siteId } from '../../hub/core/identifier.ts';
import type { ExamView, ReportView, StudyView } from '../../hub/core/view.ts';
import type { DocumentContext } from '../../mappings/xds/imaging-documents.ts';
import { DERIVE } from './scenario.ts';
import { siteProfile } from './site.ts';
import { image, studyOf } from './xds-peer.ts';

export const STUDY_UID = '1.2.826.0.1.3680043.99.7';
export const REPOSITORY_OID = '2.999.156.3' as Oid;

export const context: DocumentContext = {
  derive: DERIVE,
  repositoryOid: REPOSITORY_OID,
  affinityDomainOid: '2.999.156.1',
  wadoUrl: 'https://hub.example/dicomweb',
  site: (id) =>
    siteProfile(id, {
      name: '省第一人民医院',
      institutionCode: 'MA9990H1799010011A1001',
      accessionIssuer: '2.999.156.7.1',
    }),
};

export const FINDINGS =
  '双侧胸廓对称，纵隔居中。右肺上叶尖段见一大小约 12 mm×9 mm 磨玻璃结节影，边界欠清 <5 mm & “空泡征”。\n余双肺纹理清晰，未见明确实变影。';

export const report = (changes: Partial<ReportView> = {}): ReportView => ({
  reportId: '11111111-1111-8111-8111-111111111111' as HubId,
  reportNumber: 'RPT1',
  status: 'final',
  at: '2026-03-01T02:30:00.000Z',
  content: {
    title: 'CT 检查报告单',
    findings: FINDINGS,
    impression: '1. 右肺上叶磨玻璃结节，建议复查。\n2. 主动脉硬化。',
    suggestion: '结合临床。',
    reporter: '李医生',
    auditor: '王主任',
    reportedAt: '2026-03-01T01:30:00.000Z',
    auditedAt: '2026-03-01T02:30:00.000Z',
  },
  supersedes: 0,
  ...changes,
});

export function imagingStudy(studyUid = STUDY_UID, images = 3, changes: Partial<StudyView> = {}): StudyView {
  const stored = Array.from({ length: images }, (_, at) =>
    image(studyUid, `${studyUid}.1`, `${studyUid}.1.${String(at + 1)}`),
  );
  const located = studyOf(stored, studyUid);
  if (located === null) throw new Error('the fixture has no images');
  return {
    ...located.study,
    fields: { startedAt: '2026-03-01T00:30:00.000Z', description: 'CHEST', modality: 'CT' },
    changedAt: '2026-03-01T01:00:00.000Z',
    ...changes,
  };
}

export function imagingExam(changes: Partial<ExamView> = {}): ExamView {
  const study = imagingStudy();
  const located = studyOf([image('1.2', '1.2.1', '1.2.1.1')], '1.2');
  if (located === null) throw new Error('the fixture has no images');
  return {
    ...located.exam,
    examId: '22222222-2222-8222-8222-222222222222' as HubId,
    personId: '33333333-3333-8333-8333-333333333333' as HubId,
    site: siteId('h1'),
    patient: {
      ...located.exam.patient,
      localId: 'P0001',
      names: [
        { text: '欧阳修', family: '欧阳', given: '修', representation: 'ideographic' },
        { text: 'Ouyang Xiu', representation: 'alphabetic' },
      ],
      sex: 'male',
      birthDate: '1980-03-15',
      residentId: '210102198003151239',
      phone: '138 0000 0000',
    },
    keys: { accession: 'A100', placer: 'PL1', filler: 'F1', studyUid: study.studyUid },
    orders: [
      {
        orderId: '44444444-4444-8444-8444-444444444444' as HubId,
        keys: { placer: 'PL1', accession: 'A100' },
        status: 'completed',
        at: '2026-02-28T08:00:00.000Z',
        fields: {
          procedure: { code: 'CT01', system: 'urn:oid:2.999.156.8', display: '胸部 CT 平扫' },
          bodyPart: { code: '51185008', system: '2.16.840.1.113883.6.96', display: '胸部' },
          modality: 'CT',
          diagnosis: { code: 'R91', system: '2.16.156.10011.2.3.3.11', display: '肺部阴影' },
          requestingDepartment: { code: '0301', system: '2.999.156.9', display: '呼吸科' },
        },
      },
    ],
    studies: [study],
    report: report(),
    manifests: [manifestOf(study)],
    ...changes,
  };
}

/** As the index keeps it; the bytes play no part in what is tested with it. */
export const manifestOf = (study: StudyView): ExamView['manifests'][number] => ({
  studyUid: study.studyUid,
  sopUid: DERIVE.uid('manifest', study.studyUid, String(study.instanceCount)),
  object: `manifests/${study.studyUid}.${String(study.instanceCount)}.dcm`,
  size: 1000 + study.instanceCount,
  sha1: Buffer.from(`${study.studyUid}.${String(study.instanceCount)}`)
    .toString('hex')
    .padEnd(40, '0')
    .slice(-40),
  createdAt: study.changedAt,
});
