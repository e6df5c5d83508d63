/** HL7 codes of orders and results in the hub's own words (HL7 tables 0038, 0119, 0123, 0278, 0485; CODES §4). */
import type { OrderFields, OrderStatus, ReportStatus } from '../../hub/core/record.ts';

type Priority = NonNullable<OrderFields['priority']>;
const lookup =
  <V>(rows: Readonly<Record<string, V>>) =>
  (code: string): V | null => {
    const key = code.trim().toUpperCase();
    return Object.hasOwn(rows, key) ? (rows[key] ?? null) : null;
  };

/** ORC-1: what the control code alone says of the order; `follow` leaves it to ORC-5. */
export const controlMeaning = lookup<OrderStatus | 'follow'>({
  NW: 'ordered',
  SN: 'ordered',
  NA: 'follow',
  OK: 'follow',
  XO: 'follow',
  XX: 'follow',
  XR: 'follow',
  RO: 'follow',
  RP: 'follow',
  RU: 'follow',
  RQ: 'follow',
  SC: 'follow',
  SS: 'follow',
  SR: 'follow',
  PA: 'follow',
  CH: 'follow',
  RR: 'follow',
  UC: 'follow',
  UD: 'follow',
  UX: 'follow',
  HD: 'ordered',
  RL: 'ordered',
  OH: 'ordered',
  HR: 'ordered',
  RE: 'completed',
  CA: 'cancelled',
  OC: 'cancelled',
  CR: 'cancelled',
  OE: 'ordered',
  DC: 'discontinued',
  OD: 'discontinued',
  DR: 'discontinued',
});

/** ORC-5 (table 0038). */
export const orderStatusOf = lookup<OrderStatus>({
  A: 'in-progress',
  CA: 'cancelled',
  CM: 'completed',
  DC: 'discontinued',
  ER: 'ordered',
  HD: 'ordered',
  IP: 'in-progress',
  RP: 'ordered',
  SC: 'scheduled',
  AR: 'arrived',
});

/** OBR-25 of an order message (table 0123). */
export const resultAsOrderStatus = lookup<OrderStatus>({
  O: 'ordered',
  S: 'scheduled',
  I: 'in-progress',
  A: 'in-progress',
  P: 'completed',
  R: 'completed',
  C: 'completed',
  F: 'completed',
  X: 'cancelled',
});

/** OBR-25 of a report, and OBX-11 (table 0085) where OBR-25 is empty. */
export const reportStatusOf = lookup<ReportStatus>({
  O: 'preliminary',
  S: 'preliminary',
  I: 'preliminary',
  A: 'preliminary',
  R: 'preliminary',
  P: 'preliminary',
  F: 'final',
  U: 'final',
  C: 'corrected',
  K: 'corrected',
  M: 'corrected',
  X: 'withdrawn',
  D: 'withdrawn',
  W: 'withdrawn',
});

/** SCH-25 (table 0278). */
export const appointmentStatusOf = lookup<OrderStatus>({
  BOOKED: 'scheduled',
  PENDING: 'ordered',
  WAITLIST: 'ordered',
  OVERBOOK: 'scheduled',
  BLOCKED: 'scheduled',
  STARTED: 'in-progress',
  ARRIVED: 'arrived',
  CHECKEDIN: 'arrived',
  COMPLETE: 'completed',
  COMPLETED: 'completed',
  CANCELLED: 'cancelled',
  CANCELED: 'cancelled',
  DELETED: 'cancelled',
  DC: 'discontinued',
  NOSHOW: 'cancelled',
});

/** TQ1-9, ORC-7.6, OBR-5 (table 0485 and its elder). */
export const priorityOf = lookup<Priority>({
  S: 'stat',
  STAT: 'stat',
  A: 'urgent',
  ASAP: 'urgent',
  U: 'urgent',
  UR: 'urgent',
  T: 'urgent',
  C: 'urgent',
  P: 'routine',
  R: 'routine',
  ROUTINE: 'routine',
});

const TERMS =
  'AR AU BDUS BI BMD CR CT DG DX ECG EEG EMG EPS ES FID GM HC HD IO IVOCT IVUS KER KO LEN LS MG MR NM OAM OCT OP OPM OPT OPV OSS OT PR PT PX REG RF RG RTIMAGE RTPLAN RTRECORD RTSTRUCT RWV SC SM SMR SR SRF TG US VA XA XC';
const MODALITIES: ReadonlySet<string> = new Set(TERMS.split(' '));

/** A DICOM modality (PS3.3 §C.7.3.1.1.1) or the HL7 diagnostic service that means one (table 0074); null otherwise. */
export function modalityOf(code: string): string | null {
  const key = code.normalize('NFKC').trim().toUpperCase();
  if (MODALITIES.has(key)) return key;
  return lookup({
    NMR: 'MR',
    MRI: 'MR',
    RUS: 'US',
    OUS: 'US',
    VUS: 'US',
    CUS: 'US',
    NMS: 'NM',
    EC: 'ECG',
    DR: 'DX',
    PET: 'PT',
  })(key);
}
