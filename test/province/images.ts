/** The images of an exam as DICOM files: pixels from the phantoms, tags as each hospital's devices write them. */
import { endianness } from 'node:os';
import type { Attributes } from '../../mappings/dicom/write.ts';
import { writePart10 } from '../../mappings/dicom/write.ts';
import { addNoise, chest } from './chest.ts';
import type { ChestFinding } from './chest.ts';
import { uidOf } from './exams.ts';
import type { Exam } from './exams.ts';
import { head } from './head.ts';
import type { HeadFinding, Weighting } from './head.ts';
import { Volume } from './phantom.ts';
import type { Grid } from './phantom.ts';
import { chestRadiograph, handRadiograph } from './projection.ts';
import type { Radiograph } from './projection.ts';
import { seeded } from './random.ts';
import type { SiteName } from './persons.ts';

export interface DicomFile {
  readonly sopClass: string;
  readonly sopUid: string;
  readonly seriesUid: string;
  readonly studyUid: string;
  readonly bytes: Buffer;
}

const CT_CLASS = '1.2.840.10008.5.1.4.1.1.2';
const MR_CLASS = '1.2.840.10008.5.1.4.1.1.4';
const DX_CLASS = '1.2.840.10008.5.1.4.1.1.1.1';

/** All instances of the exam's study, in the order in which the device sends them. */
export function imagesOf(exam: Exam): readonly DicomFile[] {
  const { kind } = exam;
  switch (kind.part) {
    case 'chest-ct':
      return ctSeries(exam, chestVolume(exam.person.sex === 'F', kind.enhanced, kind.finding), kind.enhanced);
    case 'head-mr':
      return [...mrSeries(exam, kind.finding, 't1', 1), ...mrSeries(exam, kind.finding, 't2', 2)];
    case 'chest-dr':
      return [dxImage(exam, chestPlate(exam.person.sex === 'F', kind.finding), 'PA', 'CHEST PA')];
    case 'hand-dr':
      return [dxImage(exam, handPlate(kind.fracture), 'PA', 'HAND PA')];
  }
}

/** Phantoms are painted once for each shape; every exam has its own noise on top. */
function remembered<K extends readonly (string | boolean)[], V>(make: (...key: K) => V): (...key: K) => V {
  const made = new Map<string, V>();
  return (...key) => {
    const known = made.get(key.join());
    if (known !== undefined) return known;
    const value = make(...key);
    made.set(key.join(), value);
    return value;
  };
}

const CT_GRID: Grid = {
  columns: 256,
  rows: 256,
  slices: 24,
  spacing: [1.38, 1.38, 9.5],
  origin: [-176.6, -176.6, -125],
};
const MR_GRID: Grid = { columns: 256, rows: 256, slices: 18, spacing: [0.9, 0.9, 7], origin: [-115.2, -119.2, -58] };

const chestVolume = remembered((female: boolean, enhanced: boolean, finding: ChestFinding) =>
  chest(CT_GRID, { seed: female ? 12 : 11, female, enhanced, finding, noise: 0 }),
);
const headVolume = remembered((finding: HeadFinding, weighting: Weighting) =>
  head(MR_GRID, { seed: 21, finding, weighting }),
);
const chestPlate = remembered((female: boolean, finding: ChestFinding) =>
  chestRadiograph({ seed: female ? 12 : 11, female, finding }),
);
const handPlate = remembered((fracture: boolean) => handRadiograph({ seed: 31, fracture }));

function ctSeries(exam: Exam, clean: Volume, enhanced: boolean): DicomFile[] {
  const volume = new Volume(clean.grid, 0);
  volume.data.set(clean.data);
  addNoise(volume, seeded(exam.seed), 13);
  const { spacing, origin } = volume.grid;
  return Array.from({ length: volume.grid.slices }, (_, at) => {
    const z = origin[2] + (volume.grid.slices - 1 - at) * spacing[2];
    return file(exam, CT_CLASS, 1, at + 1, {
      ImageType: ['ORIGINAL', 'PRIMARY', 'AXIAL'],
      SeriesDescription: enhanced ? '胸部增强 纵隔窗 5.0' : '胸部平扫 纵隔窗 5.0',
      KVP: '120',
      XRayTubeCurrent: '180',
      ExposureTime: '500',
      ConvolutionKernel: 'B40f',
      GantryDetectorTilt: '0',
      ...geometry(volume, z),
      ...pixels(volume.slice(volume.grid.slices - 1 - at), (hu) => hu + 1024),
      RescaleIntercept: '-1024',
      RescaleSlope: '1',
      RescaleType: 'HU',
      WindowCenter: ['40', '-600'],
      WindowWidth: ['400', '1500'],
      WindowCenterWidthExplanation: ['MEDIASTINUM', 'LUNG'],
      ...(enhanced ? { ContrastBolusAgent: '碘海醇' } : {}),
    });
  });
}

function mrSeries(exam: Exam, finding: HeadFinding, weighting: 't1' | 't2', series: number): DicomFile[] {
  const volume = headVolume(finding, weighting);
  const t1 = weighting === 't1';
  return Array.from({ length: volume.grid.slices }, (_, at) =>
    file(exam, MR_CLASS, series, at + 1, {
      ImageType: ['ORIGINAL', 'PRIMARY', 'M', 'ND'],
      SeriesDescription: t1 ? 'T1WI TRA' : 'T2WI TRA',
      ScanningSequence: 'SE',
      SequenceVariant: 'SK',
      ScanOptions: '',
      MRAcquisitionType: '2D',
      RepetitionTime: t1 ? '450' : '4200',
      EchoTime: t1 ? '9' : '102',
      EchoTrainLength: t1 ? '1' : '17',
      MagneticFieldStrength: '1.5',
      FlipAngle: '90',
      ...geometry(volume, volume.grid.origin[2] + at * volume.grid.spacing[2]),
      ...pixels(volume.slice(at), (signal) => signal),
      WindowCenter: t1 ? '280' : '400',
      WindowWidth: t1 ? '560' : '800',
    }),
  );
}

function dxImage(exam: Exam, plate: Radiograph, view: string, description: string): DicomFile {
  const noisy = Float32Array.from(plate.pixels);
  const random = seeded(exam.seed);
  for (let at = 0; at < noisy.length; at++) noisy[at] = (noisy[at] ?? 0) + (random() - 0.5) * 14;
  return file(exam, DX_CLASS, 1, 1, {
    ImageType: ['DERIVED', 'PRIMARY'],
    SeriesDescription: description,
    PresentationIntentType: 'FOR PRESENTATION',
    ViewPosition: view,
    ImageLaterality: exam.bodyPart === 'HAND' ? 'R' : 'U',
    KVP: exam.bodyPart === 'HAND' ? '55' : '125',
    PixelIntensityRelationship: 'LOG',
    PixelIntensityRelationshipSign: { vr: 'SS', value: 1 },
    PresentationLUTShape: 'IDENTITY',
    BurnedInAnnotation: 'NO',
    LossyImageCompression: '00',
    ImagerPixelSpacing: [String(plate.spacing), String(plate.spacing)],
    Rows: plate.rows,
    Columns: plate.columns,
    ...pixels(noisy, (value) => value),
    RescaleIntercept: '0',
    RescaleSlope: '1',
    RescaleType: 'US',
    WindowCenter: '2000',
    WindowWidth: '3800',
  });
}

/** PS3.3 C.7.6.2: where the slice lies in the patient. */
function geometry({ grid }: Volume, z: number): Attributes {
  return {
    Rows: grid.rows,
    Columns: grid.columns,
    PixelSpacing: [String(grid.spacing[1]), String(grid.spacing[0])],
    SliceThickness: String(grid.spacing[2]),
    SpacingBetweenSlices: String(grid.spacing[2]),
    ImageOrientationPatient: ['1', '0', '0', '0', '1', '0'],
    ImagePositionPatient: [String(grid.origin[0]), String(grid.origin[1]), z.toFixed(2)],
    SliceLocation: z.toFixed(2),
    PatientPosition: 'HFS',
    PositionReferenceIndicator: '',
  };
}

function pixels(samples: Float32Array, stored: (value: number) => number): Attributes {
  const words = new Uint16Array(samples.length);
  for (let at = 0; at < samples.length; at++)
    words[at] = Math.max(0, Math.min(4095, Math.round(stored(samples[at] ?? 0))));
  const bytes = Buffer.from(words.buffer);
  if (endianness() === 'BE') bytes.swap16();
  return {
    SamplesPerPixel: 1,
    PhotometricInterpretation: 'MONOCHROME2',
    BitsAllocated: 16,
    BitsStored: 12,
    HighBit: 11,
    PixelRepresentation: 0,
    PixelData: { vr: 'OW', value: bytes },
  };
}

/** How each hospital's devices name people: declared GB18030, UTF-8, and GBK bytes that declare nothing. */
const HABITS: Readonly<
  Record<SiteName, { charset: 'GB18030' | 'ISO_IR 192'; declared: string; institution: string; device: string }>
> = {
  h1: { charset: 'GB18030', declared: 'GB18030', institution: '省第一人民医院', device: 'H1' },
  h2: { charset: 'ISO_IR 192', declared: 'ISO_IR 192', institution: '城东社区卫生服务中心', device: 'H2' },
  h3: { charset: 'GB18030', declared: '', institution: '省第三医院', device: 'H3' },
};

function file(exam: Exam, sopClass: string, series: number, number: number, own: Attributes): DicomFile {
  const habit = HABITS[exam.site];
  const seriesUid = uidOf(exam.studyUid, series);
  const sopUid = uidOf(exam.studyUid, series, number);
  const { person } = exam;
  const date = exam.startedAt.slice(0, 8);
  const time = exam.startedAt.slice(8);
  const attributes: Attributes = {
    SpecificCharacterSet: habit.declared,
    SOPClassUID: sopClass,
    SOPInstanceUID: sopUid,
    StudyDate: date,
    SeriesDate: date,
    AcquisitionDate: date,
    ContentDate: date,
    StudyTime: time,
    SeriesTime: time,
    AcquisitionTime: time,
    ContentTime: time,
    AccessionNumber: exam.accession,
    Modality: exam.modality,
    Manufacturer: 'Hutong Phantom Works',
    ManufacturerModelName: `Phantom ${exam.modality}`,
    InstitutionName: exam.institution ?? habit.institution,
    ReferringPhysicianName: '李建平',
    StationName: `${habit.device}${exam.modality}1`,
    StudyDescription: exam.procedure[1],
    PatientName: exam.site === 'h1' ? `${exam.person.pinyin.join('^')}=${person.name}` : person.name,
    PatientID: person.local[exam.site] ?? '',
    PatientBirthDate: person.born,
    PatientSex: person.sex,
    BodyPartExamined: exam.bodyPart,
    StudyInstanceUID: exam.studyUid,
    SeriesInstanceUID: seriesUid,
    StudyID: exam.accession,
    SeriesNumber: String(series),
    InstanceNumber: String(number),
    FrameOfReferenceUID: uidOf(exam.studyUid, 'frame'),
    AcquisitionNumber: '1',
    ...own,
  };
  return {
    sopClass,
    sopUid,
    seriesUid,
    studyUid: exam.studyUid,
    bytes: writePart10(attributes, { charset: habit.charset }),
  };
}
