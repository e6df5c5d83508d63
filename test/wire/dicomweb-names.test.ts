/** The referring physician as the modality wrote it: whole in queries and metadata, readable in FHIR. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { writePart10 } from '../../mappings/dicom/write.ts';
import { imagingStudy } from '../../mappings/fhir/imaging-study.ts';
import { startDicomwebHub } from '../support/dicomweb-hub.ts';
import type { DicomwebHub } from '../support/dicomweb-hub.ts';
import { context, examView, studyView } from '../support/fhir.ts';

const PN = 'Li^Jianping^^Dr=李^建平';
const STUDY = '1.2.826.0.1.3680043.8.498.77';
let hub: DicomwebHub;
before(async () => {
  hub = await startDicomwebHub();
  const file = writePart10(
    {
      SOPClassUID: '1.2.840.10008.5.1.4.1.1.2',
      SOPInstanceUID: `${STUDY}.1.1`,
      StudyInstanceUID: STUDY,
      SeriesInstanceUID: `${STUDY}.1`,
      PatientID: 'P1',
      PatientName: 'Zhang^San',
      Modality: 'CT',
      ReferringPhysicianName: PN,
    },
    { charset: 'ISO_IR 192' },
  );
  assert.equal((await hub.store([file])).status, 200);
});
after(() => hub.close());

test('QIDO-RS gives the name with its components and finds it by each way of writing it', async () => {
  for (const wanted of ['', PN, '李^建平', '李建平', 'Li^Jian*', '李*']) {
    const response = await hub.get(`/dicomweb/studies?ReferringPhysicianName=${encodeURIComponent(wanted)}`);
    const [found] = (await response.json()) as Record<string, { Value?: unknown[] }>[];
    assert.deepEqual(found?.['00080090']?.Value, [{ Alphabetic: 'Li^Jianping^^Dr', Ideographic: '李^建平' }], wanted);
  }
  const other = await hub.get('/dicomweb/studies?ReferringPhysicianName=Jianping');
  assert.deepEqual(await other.json(), []);
});

test('FHIR shows it as people read it', () => {
  const study = studyView({ fields: { referringPhysician: PN } });
  assert.equal(imagingStudy(examView(), study, context).referrer?.display, '李建平');
});
