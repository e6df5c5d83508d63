/**
 * Key Object Selection (PS3.3 §A.35.4, PS3.16 TID 2010) used as XDS-I manifest (IHE RAD TF-3 4.68.4.1.2): which instances a
 * study has and where they are retrieved; and as a reader's key images (IHE RAD TF-2 4.29). Pure: times and UIDs are
 * arguments, so the same study gives the same bytes.
 */
import type { Uid } from '../../hub/core/identifier.ts';
import type { PersonName, Sex, SourceTime } from '../../hub/core/record.ts';
import { KEY_OBJECT_SELECTION, referenceKind } from './uids.ts';
import { writePart10 } from './write.ts';
import type { Attributes } from './write.ts';

export interface Manifest {
  /** UIDs of the manifest itself, given so that it is derived and repeatable. */
  readonly sopUid: Uid;
  readonly seriesUid: Uid;
  /** Absent: all of the study, as a manifest. */
  readonly keyImages?: { readonly markedBy: string; readonly frames: Readonly<Record<string, readonly number[]>> };
  /** When the manifest was made; written in `timeZoneOffset` (`+0800`). */
  readonly createdAt: SourceTime;
  readonly timeZoneOffset: string;
  readonly manufacturer: string;
  readonly institution?: string;
  /** AE title that serves C-MOVE, repository unique id (OID) of the imaging document source, WADO-RS address of the study. */
  readonly retrieveAe: string;
  readonly repositoryUniqueId: string;
  readonly retrieveUrl?: string;
  readonly patient: {
    readonly id: string;
    /** Local namespace and OID of the authority that issued the id. */
    readonly issuer?: string;
    readonly issuerOid?: string;
    readonly names: readonly PersonName[];
    readonly sex: Sex | null;
    /** YYYY-MM-DD; shorter dates are left out. */
    readonly birthDate: string | null;
  };
  readonly study: {
    readonly uid: Uid;
    readonly id?: string;
    readonly accession?: string;
    readonly accessionIssuerOid?: string;
    readonly placer?: string;
    readonly filler?: string;
    readonly description?: string;
    readonly referringPhysician?: string;
    readonly startedAt?: SourceTime;
    readonly requestedProcedureId?: string;
    readonly series: readonly {
      readonly uid: Uid;
      readonly instances: readonly { readonly sopUid: Uid; readonly sopClass: Uid }[];
    }[];
  };
}

/** Writes the manifest as a Part-10 file. Throws for a study without instances: a manifest of nothing is a bug. */
export function writeManifest(manifest: Manifest): Buffer {
  const { study } = manifest;
  const series = study.series.filter(({ instances }) => instances.length > 0);
  if (series.length === 0) throw new Error('a manifest names at least one instance');
  const made = local(manifest.createdAt, manifest.timeZoneOffset);
  const started =
    study.startedAt === undefined ? { date: '', time: '' } : local(study.startedAt, manifest.timeZoneOffset);
  return writePart10({
    SpecificCharacterSet: 'ISO_IR 192',
    InstanceCreationDate: made.date,
    InstanceCreationTime: made.time,
    SOPClassUID: KEY_OBJECT_SELECTION,
    SOPInstanceUID: manifest.sopUid,
    StudyDate: started.date,
    SeriesDate: made.date,
    ContentDate: made.date,
    StudyTime: started.time,
    SeriesTime: made.time,
    ContentTime: made.time,
    AccessionNumber: study.accession ?? '',
    ...issuerOf('IssuerOfAccessionNumberSequence', study.accessionIssuerOid),
    Modality: 'KO',
    Manufacturer: manifest.manufacturer,
    ...(manifest.institution === undefined ? {} : { InstitutionName: manifest.institution }),
    ReferringPhysicianName: study.referringPhysician ?? '',
    TimezoneOffsetFromUTC: manifest.timeZoneOffset,
    ...(study.description === undefined ? {} : { StudyDescription: study.description }),
    SeriesDescription: manifest.keyImages === undefined ? 'Manifest' : 'Key Images',
    ReferencedPerformedProcedureStepSequence: [],
    ...patientAttributes(manifest.patient),
    StudyInstanceUID: study.uid,
    SeriesInstanceUID: manifest.seriesUid,
    StudyID: study.id ?? '',
    SeriesNumber: manifest.keyImages === undefined ? '1' : '9001',
    InstanceNumber: '1',
    ReferencedRequestSequence: requestItems(study),
    ...content(series, manifest.keyImages),
    CurrentRequestedProcedureEvidenceSequence: [evidence(manifest, series)],
  });
}

type Series = Manifest['study']['series'];

function patientAttributes(patient: Manifest['patient']): Attributes {
  const sex = patient.sex === null ? '' : { male: 'M', female: 'F', other: 'O', unknown: '' }[patient.sex];
  return {
    PatientName: personNameText(patient.names),
    PatientID: patient.id,
    ...(patient.issuer === undefined ? {} : { IssuerOfPatientID: patient.issuer }),
    ...issuerOf('IssuerOfPatientIDQualifiersSequence', patient.issuerOid),
    PatientBirthDate: patient.birthDate?.length === 10 ? patient.birthDate.replaceAll('-', '') : '',
    PatientSex: sex,
  };
}

const issuerOf = (keyword: string, oid: string | undefined): Attributes =>
  oid === undefined ? {} : { [keyword]: [{ UniversalEntityID: oid, UniversalEntityIDType: 'ISO' }] };

/** PN of canonical names: `alphabetic=ideographic=phonetic`, each `family^given`. */
export function personNameText(names: readonly PersonName[]): string {
  const group = (kind: PersonName['representation']): string => {
    const name = names.find(({ representation }) => representation === kind);
    if (!name) return '';
    const parts = name.family !== undefined && name.given !== undefined ? [name.family, name.given] : [name.text];
    return parts.map((part) => part.replace(/[\\^=\r\n\f\x1b]/g, ' ')).join('^');
  };
  return [group('alphabetic'), group('ideographic'), group('phonetic')].join('=').replace(/=+$/, '');
}

/** (0040,A370): the order that the study fulfils, where the sources told it (type 2 attributes empty otherwise). */
function requestItems(study: Manifest['study']): Attributes[] {
  const { accession, placer, filler } = study;
  if (accession === undefined && placer === undefined && filler === undefined) return [];
  return [
    {
      AccessionNumber: accession ?? '',
      ...issuerOf('IssuerOfAccessionNumberSequence', study.accessionIssuerOid),
      ReferencedStudySequence: [],
      StudyInstanceUID: study.uid,
      RequestedProcedureDescription: study.description ?? '',
      RequestedProcedureCodeSequence: [],
      RequestedProcedureID: study.requestedProcedureId ?? study.id ?? '',
      PlacerOrderNumberImagingServiceRequest: placer ?? '',
      FillerOrderNumberImagingServiceRequest: filler ?? '',
    },
  ];
}

const MANIFEST = { CodeValue: '113030', CodingSchemeDesignator: 'DCM', CodeMeaning: 'Manifest' };
const OF_INTEREST = { CodeValue: '113000', CodingSchemeDesignator: 'DCM', CodeMeaning: 'Of Interest' };

/** TID 2010: the title, who marked, then every instance as CONTAINS IMAGE, WAVEFORM or COMPOSITE. */
function content(series: Series, keys: Manifest['keyImages']): Attributes {
  return {
    ValueType: 'CONTAINER',
    ConceptNameCodeSequence: [keys === undefined ? MANIFEST : OF_INTEREST],
    ContinuityOfContent: 'SEPARATE',
    ContentTemplateSequence: [{ MappingResource: 'DCMR', TemplateIdentifier: '2010' }],
    ContentSequence: [
      ...(keys === undefined ? [] : observer(keys.markedBy)),
      ...series.flatMap(({ instances }) =>
        instances.map(({ sopClass, sopUid }) => ({
          ReferencedSOPSequence: [
            {
              ReferencedSOPClassUID: sopClass,
              ReferencedSOPInstanceUID: sopUid,
              ...framesOf(keys?.frames[sopUid]),
            },
          ],
          RelationshipType: 'CONTAINS',
          ValueType: referenceKind(sopClass),
        })),
      ),
    ],
  };
}

const framesOf = (frames: readonly number[] | undefined): Attributes =>
  frames === undefined || frames.length === 0 ? {} : { ReferencedFrameNumber: frames.map(String) };

/** TID 1002, 1003: a person, by name. */
const observer = (name: string): Attributes[] => [
  {
    RelationshipType: 'HAS OBS CONTEXT',
    ValueType: 'CODE',
    ConceptNameCodeSequence: [{ CodeValue: '121005', CodingSchemeDesignator: 'DCM', CodeMeaning: 'Observer Type' }],
    ConceptCodeSequence: [{ CodeValue: '121006', CodingSchemeDesignator: 'DCM', CodeMeaning: 'Person' }],
  },
  {
    RelationshipType: 'HAS OBS CONTEXT',
    ValueType: 'PNAME',
    ConceptNameCodeSequence: [
      { CodeValue: '121008', CodingSchemeDesignator: 'DCM', CodeMeaning: 'Person Observer Name' },
    ],
    PersonName: name.replace(/[\\^=\r\n\f\x1b]/g, ' ').slice(0, 64),
  },
];

function evidence(manifest: Manifest, series: Series): Attributes {
  return {
    StudyInstanceUID: manifest.study.uid,
    ReferencedSeriesSequence: series.map(({ uid, instances }) => ({
      RetrieveAETitle: manifest.retrieveAe,
      ...(manifest.retrieveUrl === undefined ? {} : { RetrieveURL: `${manifest.retrieveUrl}/series/${uid}` }),
      ReferencedSOPSequence: instances.map(({ sopClass, sopUid }) => ({
        ReferencedSOPClassUID: sopClass,
        ReferencedSOPInstanceUID: sopUid,
      })),
      SeriesInstanceUID: uid,
      RetrieveLocationUID: manifest.repositoryUniqueId,
    })),
  };
}

/** UTC to the wall clock of an offset, as DA and TM. */
function local(at: SourceTime, offset: string): { date: string; time: string } {
  const match = /^([+-])(\d{2})(\d{2})$/.exec(offset);
  if (!match) throw new Error('a time zone offset is +HHMM or -HHMM');
  const minutes = (Number(match[2]) * 60 + Number(match[3])) * (match[1] === '-' ? -1 : 1);
  const text = new Date(Date.parse(at) + minutes * 60_000).toISOString();
  return { date: text.slice(0, 10).replaceAll('-', ''), time: text.slice(11, 19).replaceAll(':', '') };
}
