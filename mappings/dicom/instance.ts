/**
 * A stored DICOM instance as a canonical record: what the index needs of its header. Without its four UIDs an instance
 * cannot be named and is refused; everything else degrades to a finding, since the bytes are kept as they came.
 */
import type { Mapped } from '../../hub/core/envelope.ts';
import { lenientUid, parseOid, parseResidentId, parseUid } from '../../hub/core/identifier.ts';
import type { Uid } from '../../hub/core/identifier.ts';
import { problem } from '../../hub/core/problem.ts';
import type { Finding, Problem } from '../../hub/core/problem.ts';
import type {
  Coded,
  ExamKeys,
  Identifier,
  InstanceRecord,
  PatientRef,
  Sex,
  SourceTime,
} from '../../hub/core/record.ts';
import type { SiteProfile } from '../../hub/core/site.ts';
import { chooseCharset } from './charset.ts';
import type { Charset } from './charset.ts';
import type { DataSet } from './data-set.ts';
import { tagText } from './dictionary.ts';
import type { Tag } from './dictionary.ts';
import type { ParsedHeader } from './parse.ts';
import { parsePersonName } from './person-name.ts';
import { TAG } from './tags.ts';
import { isPlaceholderDate, parseDate, parseDateTime, parseOffset, toUtc } from './time.ts';

/** Where the instance's bytes already are. */
export interface StoredObject {
  readonly object: string;
  readonly size: number;
  readonly digest: string;
  readonly dataSetOffset: number;
  readonly transferSyntax: Uid;
}

/** Text that decides the character set: the fields where hospitals write Chinese. */
const SAMPLES: readonly Tag[] = [
  TAG.PatientName,
  TAG.InstitutionName,
  TAG.StudyDescription,
  TAG.SeriesDescription,
  TAG.ReferringPhysicianName,
  TAG.InstitutionalDepartmentName,
  TAG.BodyPartExamined,
  TAG.PatientID,
];

/** The character set of a data set as this site's index reads it, with the reason where the declaration is not believed. */
export function readCharset(
  dataSet: DataSet,
  site?: SiteProfile,
): { readonly charset: Charset; readonly suspect: string | null } {
  const samples = SAMPLES.map((tag) => dataSet.raw(tag)).filter((bytes) => bytes.length > 0);
  return chooseCharset(dataSet.ascii(TAG.SpecificCharacterSet), samples, site?.dicom ?? {});
}

/** Reads the index record of one instance. `receivedAt` stands in where the header has no time of its own. */
export function readInstance(
  header: ParsedHeader,
  site: SiteProfile,
  stored: StoredObject,
  receivedAt: SourceTime,
): Mapped<InstanceRecord> {
  const source = new Source(header.dataSet, site);
  const study = source.uid(TAG.StudyInstanceUID);
  const series = source.uid(TAG.SeriesInstanceUID);
  const sop = source.uid(TAG.SOPInstanceUID);
  const sopClass = source.uid(TAG.SOPClassUID);
  for (const read of [study, series, sop, sopClass]) {
    if (typeof read !== 'string') return { ok: false, problem: read, findings: source.findings };
  }
  const uids = { study: study as Uid, series: series as Uid, sop: sop as Uid, sopClass: sopClass as Uid };
  const patient = source.patient();
  const record: InstanceRecord = {
    kind: 'instance',
    site: site.id,
    at: source.assertedAt(receivedAt),
    patient,
    keys: { ...source.keys(), studyUid: uids.study },
    demographics: source.demographics(patient),
    study: source.study(),
    series: { uid: uids.series, ...source.series() },
    instance: {
      uid: uids.sop,
      sopClass: uids.sopClass,
      transferSyntax: stored.transferSyntax,
      ...source.image(),
      object: stored.object,
      size: stored.size,
      digest: stored.digest,
      dataSetOffset: stored.dataSetOffset,
    },
  };
  return { ok: true, records: [record], findings: source.findings };
}

/** Modalities whose objects are about images, not images: they do not tell what kind of exam it was. */
const DERIVED = new Set([
  '',
  'KO',
  'PR',
  'SR',
  'SEG',
  'REG',
  'FID',
  'RTSTRUCT',
  'RTPLAN',
  'RTDOSE',
  'RTRECORD',
  'DOC',
  'AU',
  'PLAN',
  'OT',
]);
const MAX_OTHER_IDS = 32;

class Source {
  readonly findings: Finding[] = [];
  readonly #set: DataSet;
  readonly #site: SiteProfile;
  readonly #charset: Charset;
  readonly #zone: string;

  constructor(set: DataSet, site: SiteProfile) {
    this.#set = set;
    this.#site = site;
    const choice = readCharset(set, site);
    this.#charset = choice.charset;
    if (choice.suspect !== null) this.#find('charset-suspect', TAG.SpecificCharacterSet, choice.suspect);
    const offset = set.one(TAG.TimezoneOffsetFromUTC);
    if (offset !== '' && parseOffset(offset) === null)
      this.#find('invalid-value', TAG.TimezoneOffsetFromUTC, 'Not an offset; the zone of the site is used.');
    this.#zone = parseOffset(offset) === null ? site.timeZone : offset;
  }

  #find(code: Finding['code'], tag: Tag, text: string): void {
    this.findings.push({ code, where: tagText(tag), text });
  }

  #text(tag: Tag, set: DataSet = this.#set): string {
    return set.text(tag, this.#charset)[0] ?? '';
  }

  /** PS3.5 §9 UIDs, and such with leading zeros in a component; what could be a path never passes. */
  uid(tag: Tag): Uid | Problem {
    const text = this.#set.one(tag);
    if (text === '') return problem('required-missing', tagText(tag), 'The instance lacks a UID that names it.');
    const uid = parseUid(text) ?? lenientUid(text);
    if (uid === null) return problem('invalid-value', tagText(tag), 'A UID is digits and dots, at most 64 characters.');
    if (parseUid(text) === null) this.#find('invalid-value', tag, 'A component of the UID has a leading zero.');
    return uid;
  }

  patient(): PatientRef | null {
    const value = this.#text(TAG.PatientID);
    if (value === '') {
      this.#find('missing-optional', TAG.PatientID, 'The instance names no patient.');
      return null;
    }
    return { authority: this.#authority(this.#set), value };
  }

  /** The issuer of a patient identifier: its universal ID, else its namespace as the site's table knows it, else the site's own. */
  #authority(set: DataSet): string {
    const { defaultAuthority, authorities } = this.#site.patientIds;
    const qualifier = set.items(TAG.IssuerOfPatientIDQualifiersSequence)[0];
    const universal = qualifier ? this.#text(TAG.UniversalEntityID, qualifier) : '';
    const issuer =
      universal !== '' && parseOid(universal) !== null ? universal : this.#text(TAG.IssuerOfPatientID, set);
    if (issuer === '' || issuer === defaultAuthority) return defaultAuthority;
    const known = Object.hasOwn(authorities, issuer) ? authorities[issuer] : undefined;
    if (known !== undefined) return known;
    this.#find(
      'identifier-suspect',
      TAG.IssuerOfPatientID,
      'The issuer is not in the table of the site; it is kept as sent.',
    );
    return issuer;
  }

  demographics(patient: PatientRef | null): InstanceRecord['demographics'] {
    const names = parsePersonName(this.#text(TAG.PatientName));
    if (names.length === 0) this.#find('missing-optional', TAG.PatientName, 'The instance carries no name.');
    const sex = this.#sex();
    const birthDate = this.#birthDate();
    const identifiers = this.#identifiers(patient);
    return {
      ...(names.length > 0 ? { names } : {}),
      ...(sex === null ? {} : { sex }),
      ...(birthDate === null ? {} : { birthDate }),
      ...(identifiers.length > 0 ? { identifiers } : {}),
    };
  }

  #sex(): Sex | null {
    const code = this.#text(TAG.PatientSex);
    if (code === '') return null;
    const mapped = this.#site.codes.lookup('sex', code)?.code ?? SEX[code.toUpperCase()];
    if (mapped === 'male' || mapped === 'female' || mapped === 'other' || mapped === 'unknown') return mapped;
    this.#find('unmapped-code', TAG.PatientSex, 'The code of the sex is not in the table.');
    return null;
  }

  #birthDate(): string | null {
    const text = this.#set.one(TAG.PatientBirthDate);
    if (text === '') return null;
    const date = parseDate(text);
    if (date === null) this.#find('invalid-value', TAG.PatientBirthDate, 'Not a calendar date.');
    return date === null || isPlaceholderDate(date) ? null : date;
  }

  /** (0010,1002), the retired (0010,1000), and a resident ID wherever it was put. */
  #identifiers(patient: PatientRef | null): Identifier[] {
    const found: Identifier[] = [];
    const add = (value: string, authority: string, declared: string): void => {
      if (value === '' || found.length >= MAX_OTHER_IDS) return;
      const resident = parseResidentId(value);
      if (resident.ok)
        found.push({ type: 'NI', authority: this.#site.patientIds.defaultAuthority, value: resident.id });
      else if (value !== patient?.value) found.push({ type: this.#identifierType(declared), authority, value });
    };
    if (patient && parseResidentId(patient.value).ok) add(patient.value, patient.authority, 'NI');
    for (const item of this.#set.items(TAG.OtherPatientIDsSequence)) {
      add(this.#text(TAG.PatientID, item), this.#authority(item), this.#text(TAG.TypeOfPatientID, item));
    }
    for (const value of this.#set.text(TAG.OtherPatientIDs, this.#charset))
      add(value, this.#site.patientIds.defaultAuthority, '');
    const seen = new Set<string>();
    return found.filter((id) => {
      const key = `${id.type}|${id.authority}|${id.value}`;
      return !seen.has(key) && seen.add(key);
    });
  }

  #identifierType(declared: string): string {
    const { types } = this.#site.patientIds;
    // TypeOfPatientID says TEXT, RFID or BARCODE (PS3.3 §C.7.1.1): how it is written, not what it is.
    const known = Object.hasOwn(types, declared) ? types[declared] : undefined;
    return known === undefined || known === 'NI' ? 'PI' : known;
  }

  keys(): ExamKeys {
    const request = this.#set.items(TAG.RequestAttributesSequence)[0];
    const either = (tag: Tag): string => this.#text(tag) || (request ? this.#text(tag, request) : '');
    const [accession, placer, filler] = [
      either(TAG.AccessionNumber),
      either(TAG.PlacerOrderNumberImagingServiceRequest),
      either(TAG.FillerOrderNumberImagingServiceRequest),
    ];
    if (accession === '')
      this.#find('missing-optional', TAG.AccessionNumber, 'The instance names no order; its study UID alone ties it.');
    else this.#checkAccessionIssuer();
    return {
      ...(accession === '' ? {} : { accession }),
      ...(placer === '' ? {} : { placer }),
      ...(filler === '' ? {} : { filler }),
    };
  }

  #checkAccessionIssuer(): void {
    const issuer = this.#set.items(TAG.IssuerOfAccessionNumberSequence)[0];
    if (!issuer || this.#site.accessionIssuer === undefined) return;
    const universal = this.#text(TAG.UniversalEntityID, issuer);
    if (universal !== '' && universal !== this.#site.accessionIssuer) {
      this.#find(
        'identifier-suspect',
        TAG.IssuerOfAccessionNumberSequence,
        'The accession number was issued by another than this site.',
      );
    }
  }

  study(): InstanceRecord['study'] {
    const modality = this.#modality();
    const startedAt = this.#moment(TAG.StudyDate, TAG.StudyTime);
    const bodyPart = this.#bodyPart();
    return {
      ...(DERIVED.has(modality) ? {} : { modality }),
      ...(bodyPart === null || DERIVED.has(modality) ? {} : { bodyPart }),
      ...(startedAt === null ? {} : { startedAt }),
      ...this.#optional({ description: TAG.StudyDescription, studyId: TAG.StudyID }),
      ...(this.#referrer() === '' ? {} : { referringPhysician: this.#referrer() }),
      ...(DERIVED.has(modality) ? {} : this.#optional({ device: TAG.StationName })),
    };
  }

  #referrer(): string {
    const names = parsePersonName(this.#text(TAG.ReferringPhysicianName));
    return (names.find((name) => name.representation === 'ideographic') ?? names[0])?.text ?? '';
  }

  #modality(): string {
    return this.#set.one(TAG.Modality).toUpperCase().slice(0, 16);
  }

  #bodyPart(): Coded | null {
    const text = this.#text(TAG.BodyPartExamined);
    if (text === '') return null;
    const mapped = this.#site.codes.lookup('body-part', text);
    if (mapped) return mapped;
    // A defined term of PS3.16 Annex L is the province's own code; free text is not.
    if (/^[A-Z0-9_ ]{2,32}$/.test(text)) return { code: text, system: BODY_PARTS };
    this.#find('unmapped-code', TAG.BodyPartExamined, 'The body part is not in the table of the site.');
    return { code: text, system: `${BODY_PARTS}.${this.#site.id}`, display: text, source: { code: text } };
  }

  series(): Omit<InstanceRecord['series'], 'uid'> {
    const modality = this.#modality();
    if (modality === '') this.#find('missing-optional', TAG.Modality, 'The series has no modality; OT is used.');
    const number = this.#integer(TAG.SeriesNumber);
    const startedAt = this.#moment(TAG.SeriesDate, TAG.SeriesTime);
    return {
      modality: modality === '' ? 'OT' : modality,
      ...(number === null ? {} : { number }),
      ...(startedAt === null ? {} : { startedAt }),
      ...this.#optional({
        description: TAG.SeriesDescription,
        bodyPart: TAG.BodyPartExamined,
        laterality: TAG.Laterality,
        stationName: TAG.StationName,
        manufacturer: TAG.Manufacturer,
      }),
    };
  }

  image(): Pick<InstanceRecord['instance'], 'number' | 'rows' | 'columns' | 'frames' | 'bitsAllocated'> {
    const read = {
      number: this.#integer(TAG.InstanceNumber),
      rows: this.#set.number(TAG.Rows),
      columns: this.#set.number(TAG.Columns),
      frames: this.#integer(TAG.NumberOfFrames),
      bitsAllocated: this.#set.number(TAG.BitsAllocated),
    };
    return Object.fromEntries(
      Object.entries(read).filter(([, value]) => value !== null && (value >= 0 || value === read.number)),
    );
  }

  #optional<K extends string>(tags: Readonly<Record<K, Tag>>): Partial<Record<K, string>> {
    const found: Partial<Record<K, string>> = {};
    for (const [key, tag] of Object.entries(tags) as [K, Tag][]) {
      const text = this.#text(tag).normalize('NFC');
      if (text !== '') found[key] = text;
    }
    return found;
  }

  /** IS: a 32-bit integer in at most 12 characters. */
  #integer(tag: Tag): number | null {
    const text = this.#set.get(tag)?.vr === 'IS' ? this.#set.one(tag) : this.#text(tag);
    if (text === '') return null;
    if (/^[+-]?\d{1,11}$/.test(text) && Math.abs(Number(text)) < 2 ** 31) return Number(text);
    this.#find('invalid-value', tag, 'Not an integer.');
    return null;
  }

  #moment(date: Tag, time: Tag): SourceTime | null {
    const [day, clock] = [this.#set.one(date), this.#set.one(time)];
    if (day === '') return null;
    const moment = toUtc(day, clock, this.#zone) ?? toUtc(day, '', this.#zone);
    if (moment === null || toUtc(day, clock, this.#zone) === null)
      this.#find('invalid-value', moment === null ? date : time, 'Not a date and time of the calendar.');
    return moment;
  }

  /** When the header was true: as it was made; never later than it arrived, for clocks of devices run wrong. */
  assertedAt(receivedAt: SourceTime): SourceTime {
    const acquired = this.#set.one(TAG.AcquisitionDateTime);
    const moment =
      this.#quietly(TAG.InstanceCreationDate, TAG.InstanceCreationTime) ??
      this.#quietly(TAG.ContentDate, TAG.ContentTime) ??
      (acquired === '' ? null : parseDateTime(acquired, this.#zone)) ??
      this.#quietly(TAG.AcquisitionDate, TAG.AcquisitionTime) ??
      this.#quietly(TAG.SeriesDate, TAG.SeriesTime) ??
      this.#quietly(TAG.StudyDate, TAG.StudyTime);
    return moment !== null && moment <= receivedAt ? moment : receivedAt;
  }

  #quietly(date: Tag, time: Tag): SourceTime | null {
    return toUtc(this.#set.one(date), this.#set.one(time), this.#zone);
  }
}

/** System of the provincial body part codes: the terms of PS3.16 Annex L. */
const BODY_PARTS = 'urn:oid:2.999.156.4.2';

const SEX: Readonly<Record<string, Sex>> = {
  M: 'male',
  F: 'female',
  O: 'other',
  U: 'unknown',
  '1': 'male',
  '2': 'female',
  '0': 'unknown',
  '9': 'unknown',
  男: 'male',
  女: 'female',
};
