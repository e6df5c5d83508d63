/** A CT series as the benches of retrieval use it, and the client that fetches it. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { writePart10 } from '../../mappings/dicom/write.ts';

const execute = promisify(execFile);
export const STUDY = '1.2.826.0.1.3680043.8.498.500';
export const SERIES = `${STUDY}.1`;

/** A CT slice of 512 x 512 x 16 bits: 512 KiB of pixels. */
export function slice(number: number): Buffer {
  const pixels = Buffer.alloc(512 * 512 * 2);
  for (let at = 0; at < pixels.length; at += 2) pixels.writeUInt16LE((at * 31 + number * 17) & 0xfff, at);
  return writePart10({
    SOPClassUID: '1.2.840.10008.5.1.4.1.1.2',
    SOPInstanceUID: `${SERIES}.${String(number)}`,
    StudyDate: '20260301',
    StudyTime: '080000',
    AccessionNumber: 'BENCH1',
    Modality: 'CT',
    Manufacturer: 'BENCH',
    StudyDescription: 'CHEST',
    SeriesDescription: 'THIN',
    PatientName: 'Bench^One',
    PatientID: 'BENCH1',
    PatientBirthDate: '19700101',
    PatientSex: 'F',
    SliceThickness: '1.0',
    KVP: '120',
    StudyInstanceUID: STUDY,
    SeriesInstanceUID: SERIES,
    SeriesNumber: '1',
    InstanceNumber: String(number),
    ImagePositionPatient: ['-250', '-250', String(number)],
    ImageOrientationPatient: ['1', '0', '0', '0', '1', '0'],
    FrameOfReferenceUID: `${STUDY}.9`,
    SamplesPerPixel: 1,
    PhotometricInterpretation: 'MONOCHROME2',
    Rows: 512,
    Columns: 512,
    PixelSpacing: ['0.9', '0.9'],
    BitsAllocated: 16,
    BitsStored: 12,
    HighBit: 11,
    PixelRepresentation: 0,
    WindowCenter: '40',
    WindowWidth: '400',
    RescaleIntercept: '-1024',
    RescaleSlope: '1',
    PixelData: pixels,
  });
}

export interface Fetched {
  readonly bytes: number;
  readonly ms: number;
}

/** curl as the client of both, in a process of its own, so that it takes nothing from the hub's event loop. `body`: a file. */
export async function fetched(url: string, headers: Readonly<Record<string, string>>, body?: string): Promise<Fetched> {
  const given = Object.entries(headers).flatMap(([name, value]) => ['-H', `${name}: ${value}`]);
  const write = ['-w', '%{http_code} %{size_download} %{time_total}'];
  const posted = body === undefined ? [] : ['--data-binary', `@${body}`];
  const { stdout } = await execute('curl', ['-s', '-o', '/dev/null', ...write, ...given, ...posted, url]);
  const [status = '', bytes = '', seconds = ''] = stdout.split(' ');
  if (status !== '200') throw new Error(`${url} answered ${status}`);
  return { bytes: Number(bytes), ms: Number(seconds) * 1000 };
}
