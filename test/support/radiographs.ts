/** Small radiographs as devices write them for presentation: laterality and view are attributes, the description says nothing. */
import { writePart10 } from '../../mappings/dicom/write.ts';
import type { Attributes } from '../../mappings/dicom/write.ts';

const SIZE = 256;

/** `view` is laterality and position: `RCC`, `LMLO`. */
export const mammogram = (study: string, view: string, number: number): Buffer =>
  radiograph(study, number, view.startsWith('L'), {
    SOPClassUID: '1.2.840.10008.5.1.4.1.1.1.2',
    AccessionNumber: 'MG1',
    Modality: 'MG',
    StudyDescription: '双侧乳腺摄影',
    ImageLaterality: view.slice(0, 1),
    ViewPosition: view.slice(1),
  });

/** `view` is the position: `PA`, `LL`. */
export const chest = (study: string, view: string, number: number, more: Attributes = {}): Buffer =>
  radiograph(study, number, true, {
    SOPClassUID: '1.2.840.10008.5.1.4.1.1.1.1',
    AccessionNumber: 'DX1',
    Modality: 'DX',
    StudyDescription: '胸部摄影',
    ImageLaterality: 'U',
    ViewPosition: view,
    ...more,
  });

function painted(isLeft: boolean): Buffer {
  const pixels = Buffer.alloc(SIZE * SIZE * 2);
  for (let row = 0; row < SIZE; row++)
    for (let column = 0; column < SIZE; column++) {
      const depth = isLeft ? column : SIZE - 1 - column;
      const inside = (depth / 150) ** 2 + ((row - 128) / 110) ** 2 < 1;
      pixels.writeUInt16LE(inside ? 1800 + ((row * 7 + column * 13) % 400) : 20, (row * SIZE + column) * 2);
    }
  return pixels;
}

function radiograph(study: string, number: number, isLeft: boolean, kind: Attributes): Buffer {
  return writePart10({
    SOPInstanceUID: `${study}.${String(number)}`,
    StudyDate: '20261120',
    StudyTime: '090000',
    SeriesDescription: '常规',
    PatientName: 'Wang^Xiuying=王^秀英',
    PatientID: 'MG0001',
    PatientBirthDate: '19700101',
    PatientSex: 'F',
    StudyInstanceUID: study,
    SeriesInstanceUID: `${study}.100`,
    SeriesNumber: '1',
    InstanceNumber: String(number),
    PresentationIntentType: 'FOR PRESENTATION',
    SamplesPerPixel: 1,
    PhotometricInterpretation: 'MONOCHROME2',
    Rows: SIZE,
    Columns: SIZE,
    ImagerPixelSpacing: ['0.1', '0.1'],
    BitsAllocated: 16,
    BitsStored: 12,
    HighBit: 11,
    PixelRepresentation: 0,
    WindowCenter: '2000',
    WindowWidth: '2000',
    PixelData: painted(isLeft),
    ...kind,
  });
}
