/** What an archive answers to C-FIND about one study (PS3.4 §C.6.2.1), read as a listing of its series and instances. */
import { lenientUid } from '../../hub/core/identifier.ts';
import type { PatientRef } from '../../hub/core/record.ts';
import type { SiteProfile } from '../../hub/core/site.ts';
import type { ListedInstance, ListedSeries } from '../../hub/core/view.ts';
import type { DataSet } from './data-set.ts';
import { HeaderSource } from './header-source.ts';
import { patientOf } from './instance-patient.ts';
import { TAG } from './tags.ts';
import type { Attributes } from './write.ts';

/** Keys of the three levels, all that an answer is read for. */
export const LISTING_KEYS = {
  study: { PatientID: '', IssuerOfPatientID: '' },
  series: {
    SeriesInstanceUID: '',
    Modality: '',
    SeriesNumber: '',
    SeriesDescription: '',
    SeriesDate: '',
    SeriesTime: '',
  },
  instance: { SOPInstanceUID: '', SOPClassUID: '', InstanceNumber: '', NumberOfFrames: '' },
} as const satisfies Record<string, Attributes>;

export const listedPatient = (found: DataSet, site: SiteProfile): PatientRef | null =>
  patientOf(new HeaderSource(found, site));

/** null: it does not say which series it is. */
export function listedSeries(found: DataSet, site: SiteProfile): Omit<ListedSeries, 'instances'> | null {
  const seriesUid = lenientUid(found.one(TAG.SeriesInstanceUID));
  if (seriesUid === null) return null;
  const source = new HeaderSource(found, site);
  const description = source.text(TAG.SeriesDescription).normalize('NFC');
  return {
    seriesUid,
    modality: found.one(TAG.Modality).toUpperCase().slice(0, 16),
    number: source.integer(TAG.SeriesNumber),
    description: description === '' ? null : description,
    startedAt: source.quietly(TAG.SeriesDate, TAG.SeriesTime),
  };
}

/** null: without its UID and its class an instance cannot be named in a manifest (PS3.3 Table 10-11). */
export function listedInstance(found: DataSet, site: SiteProfile): ListedInstance | null {
  const [sopUid, sopClass] = [lenientUid(found.one(TAG.SOPInstanceUID)), lenientUid(found.one(TAG.SOPClassUID))];
  if (sopUid === null || sopClass === null) return null;
  const source = new HeaderSource(found, site);
  const frames = source.integer(TAG.NumberOfFrames);
  return {
    sopUid,
    sopClass,
    number: source.integer(TAG.InstanceNumber),
    frames: frames !== null && frames > 0 ? frames : null,
  };
}
