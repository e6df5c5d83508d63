/** A small mammogram as a device writes it for presentation: laterality and view are attributes, the description says nothing. */
import { writePart10 } from '../../mappings/dicom/write.ts';

const SIZE = 256;

/** `view` is laterality and position: `RCC`, `LMLO`. */
export function mammogram(study: string, view: string, number: number): Buffer {
  const pixels = Buffer.alloc(SIZE * SIZE * 2);
  const isLeft = view.startsWith('L');
  for (let row = 0; row < SIZE; row++)
    for (let column = 0; column < SIZE; column++) {
      const depth = isLeft ? column : SIZE - 1 - column;
      const inside = (depth / 150) ** 2 + ((row - 128) / 110) ** 2 < 1;
      pixels.writeUInt16LE(inside ? 1800 + ((row * 7 + column * 13) % 400) : 20, (row * SIZE + column) * 2);
    }
  return writePart10({
    SOPClassUID: '1.2.840.10008.5.1.4.1.1.1.2',
    SOPInstanceUID: `${study}.${String(number)}`,
    StudyDate: '20261120',
    StudyTime: '090000',
    AccessionNumber: 'MG1',
    Modality: 'MG',
    StudyDescription: '双侧乳腺摄影',
    SeriesDescription: '常规',
    PatientName: 'Wang^Xiuying=王^秀英',
    PatientID: 'MG0001',
    PatientBirthDate: '19700101',
    PatientSex: 'F',
    StudyInstanceUID: study,
    SeriesInstanceUID: `${study}.100`,
    SeriesNumber: '1',
    InstanceNumber: String(number),
    ImageLaterality: view.slice(0, 1),
    ViewPosition: view.slice(1),
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
    PixelData: pixels,
  });
}
