/**
 * The KOS manifest of a complete study: made from what the index says, with UIDs derived from its own content, so that
 * making it again after a crash gives the same document and any change gives another one.
 */
import { createHash } from 'node:crypto';
import type { Derivation, Uid } from '../core/identifier.ts';
import type { ObjectStore } from '../core/ports.ts';
import type { SourceTime } from '../core/record.ts';
import type { ExamView, ListedStudy, ManifestView } from '../core/view.ts';
import { writeManifest } from '../../mappings/dicom/kos.ts';
import type { Manifest } from '../../mappings/dicom/kos.ts';

export interface ManifestInput {
  readonly exam: ExamView;
  /** With its instances. */
  readonly study: ListedStudy;
  readonly repositoryOid: string;
  readonly aeTitle: string;
  /** WADO-RS address of the study, where the hub knows its own public address. */
  readonly retrieveUrl?: string;
  readonly institution?: string;
  readonly accessionIssuer?: string;
  readonly timeZone: string;
  /** When the study became complete, as the index keeps it; never the clock, or a repeat would be another document. */
  readonly createdAt: SourceTime;
  readonly derive: Derivation;
  /** The study holds a reader's key images only, and says who marked which frames. */
  readonly keyImages?: Manifest['keyImages'];
}

export interface MadeManifest {
  readonly sopUid: Uid;
  readonly seriesUid: Uid;
  readonly createdAt: SourceTime;
  readonly bytes: Buffer;
}

/** Null for a study of which no instance is known: there is nothing to name. */
export function createManifest(input: ManifestInput): MadeManifest | null {
  const content = contentOf(input);
  if (content.study.series.length === 0) return null;
  const kind = input.keyImages === undefined ? 'manifest' : 'key-images';
  const words = JSON.stringify(content);
  const sopUid = input.derive.uid(kind, input.study.studyUid, words);
  const seriesUid = input.derive.uid(`${kind}-series`, input.study.studyUid, words);
  return { sopUid, seriesUid, createdAt: input.createdAt, bytes: writeManifest({ ...content, sopUid, seriesUid }) };
}

function contentOf(input: ManifestInput): Omit<Manifest, 'sopUid' | 'seriesUid'> {
  const { exam, study } = input;
  const { patient } = exam;
  return {
    createdAt: input.createdAt,
    timeZoneOffset: offsetOf(input.timeZone, input.createdAt),
    manufacturer: 'Hutong',
    ...given('institution', input.institution),
    retrieveAe: input.aeTitle,
    repositoryUniqueId: input.repositoryOid,
    ...given('keyImages', input.keyImages),
    ...given('retrieveUrl', input.retrieveUrl),
    patient: {
      id: patient.localId,
      issuerOid: patient.authority,
      names: patient.names,
      sex: patient.sex,
      birthDate: patient.birthDate,
    },
    study: {
      uid: study.studyUid,
      ...given('id', study.fields.studyId),
      ...given('accession', exam.keys.accession),
      ...given('accessionIssuerOid', input.accessionIssuer),
      ...given('placer', exam.keys.placer),
      ...given('filler', exam.keys.filler),
      ...given('description', study.fields.description),
      ...given('referringPhysician', study.fields.referringPhysician),
      ...given('startedAt', study.fields.startedAt),
      ...given('requestedProcedureId', exam.orders[0]?.fields.requestedProcedureId),
      series: seriesOf(study),
    },
  };
}

/** Exact optional properties: what is not known is left out. */
const given = <K extends string, V>(key: K, value: V | null | undefined): Partial<Record<K, V>> =>
  value === null || value === undefined ? {} : ({ [key]: value } as Partial<Record<K, V>>);

/** In the order of their numbers, then UIDs: the order in which the index lists them means nothing. */
function seriesOf(study: ListedStudy): Manifest['study']['series'] {
  const order = (a: { at: number; uid: Uid }, b: { at: number; uid: Uid }): number =>
    a.at - b.at || (a.uid < b.uid ? -1 : a.uid > b.uid ? 1 : 0);
  return study.series
    .filter((series) => series.instances.length > 0)
    .map((series) => ({ at: series.number ?? 0, uid: series.seriesUid, instances: series.instances }))
    .sort(order)
    .map((series) => ({
      uid: series.uid,
      instances: series.instances
        .map((instance) => ({ at: instance.number ?? 0, uid: instance.sopUid, sopClass: instance.sopClass }))
        .sort(order)
        .map(({ uid, sopClass }) => ({ sopUid: uid, sopClass })),
    }));
}

/** `+0800`: the offset of a zone at a time, as DICOM writes it (PS3.3 C.12.1.1.8). */
function offsetOf(timeZone: string, at: SourceTime): string {
  const parts = new Intl.DateTimeFormat('en', { timeZone, timeZoneName: 'longOffset' }).formatToParts(new Date(at));
  const name = parts.find(({ type }) => type === 'timeZoneName')?.value ?? '';
  const match = /^GMT(?:([+-]\d{2}):(\d{2}))?$/.exec(name);
  return match?.[1] === undefined ? '+0000' : `${match[1]}${match[2] ?? '00'}`;
}

/** Stores it once: the key is the document's own UID, so a repeat finds it there. */
export async function keepManifest(objects: ObjectStore, studyUid: Uid, made: MadeManifest): Promise<ManifestView> {
  const key = `manifests/${made.sopUid}.dcm`;
  await keepOnce(objects, key, made.bytes);
  const sha1 = createHash('sha1').update(made.bytes).digest('hex');
  return { studyUid, sopUid: made.sopUid, object: key, size: made.bytes.length, sha1, createdAt: made.createdAt };
}

/** Under a key that is the content's own. */
export async function keepOnce(objects: ObjectStore, key: string, bytes: Uint8Array): Promise<void> {
  if ((await objects.size(key)) !== null) return;
  const writer = await objects.write(key);
  try {
    await writer.write(bytes);
    await writer.commit();
  } catch (error) {
    await writer.abort();
    throw error;
  }
}
