/** A DICOM listener with recording ports around the real object store and instance sink, for the DIMSE tests. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createDimseChannel } from '../../adapters/dicom/index.ts';
import type { DimseChannel, DimseOptions } from '../../adapters/dicom/index.ts';
import type { SealedObjectStore } from '../../hub/archive/object-store-sealed.ts';
import { sealedFiles } from './data-keys.ts';
import type { AuditEvent } from '../../hub/core/audit.ts';
import type { Envelope, Journal, Receipt } from '../../hub/core/envelope.ts';
import type { HubId, Uid, SiteId } from '../../hub/core/identifier.ts';
import type { DicomIndex, DicomMatch, DicomQuery, IndexReader, InstanceLocated, Log } from '../../hub/core/ports.ts';
import { problem } from '../../hub/core/problem.ts';
import type { Problem } from '../../hub/core/problem.ts';
import type { InstanceRecord } from '../../hub/core/record.ts';
import type { SiteProfile, Sites } from '../../hub/core/site.ts';
import type { ExamView, InstanceView, SeriesView, StudyView } from '../../hub/core/view.ts';
import { Filing } from '../../hub/flow/file-instances.ts';
import { createInstanceSink } from '../../hub/flow/receive-instance.ts';
import { siteProfile } from './site.ts';
import { seeingAll } from './access.ts';

export const silent: Log = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
  child: () => silent,
};

/** Logs kept as lines, for tests that look for what must or must not be said. */
export function recordingLog(): Log & { readonly lines: string[] } {
  const lines: string[] = [];
  const say = (fields: object, message: string): void => {
    lines.push(`${message} ${JSON.stringify(fields)}`);
  };
  const log = { lines, debug: say, info: say, warn: say, error: say, child: () => log };
  return log;
}

export function dicomSite(id: string, aeTitle: string, more: Partial<SiteProfile['dicom']> = {}): SiteProfile {
  const site = siteProfile(id);
  return { ...site, dicom: { ...site.dicom, aeTitles: [aeTitle], ...more } };
}

export function sitesOf(...all: readonly SiteProfile[]): Sites {
  return {
    all,
    byId: (id) => all.find((site) => site.id === id) ?? null,
    byHl7Sender: () => null,
    byAeTitle: (title) => all.find((site) => site.dicom.aeTitles.includes(title)) ?? null,
  };
}

/** The journal's law in memory: same control id and digest is a duplicate, another digest a conflict. */
export class RecordingIntake implements Journal {
  readonly accepted: Envelope[] = [];
  readonly refused: { envelope: Envelope; problem: Problem }[] = [];
  readonly hastened: string[] = [];
  readonly #seen = new Map<string, string>();
  delayMs = 0;
  broken = false;

  async accept(envelope: Envelope): Promise<Receipt> {
    if (this.delayMs > 0) await new Promise((resolve) => setTimeout(resolve, this.delayMs));
    if (this.broken) throw new Error('the journal does not answer');
    const key = `${String(envelope.site)}|${envelope.channel}|${envelope.sender}|${envelope.controlId}`;
    const digest = envelope.digest ?? '';
    const before = this.#seen.get(key);
    if (before === digest) return { kind: 'duplicate', journalId: '1', answer: envelope.answer };
    if (before !== undefined) {
      this.refused.push({ envelope, problem: problem('control-id-reused') });
      return { kind: 'conflict', journalId: '1', problem: problem('control-id-reused', '(0008,0018)') };
    }
    this.#seen.set(key, digest);
    this.accepted.push(envelope);
    return { kind: 'accepted', journalId: String(this.accepted.length) };
  }

  seen({ site, channel, sender, controlId }: Parameters<Journal['seen']>[0]): Promise<boolean> {
    if (this.broken) return Promise.reject(new Error('the journal does not answer'));
    return Promise.resolve(this.#seen.has(`${String(site)}|${channel}|${sender}|${controlId}`));
  }

  hasten(site: SiteId, patientKeys: readonly string[]): Promise<void> {
    for (const patientKey of patientKeys) this.hastened.push(`${site}|${patientKey}`);
    return Promise.resolve();
  }

  refuse(envelope: Envelope, why: Problem): Promise<{ journalId: string }> {
    this.refused.push({ envelope, problem: why });
    return Promise.resolve({ journalId: String(this.refused.length) });
  }
}

export interface TestHub {
  readonly channel: DimseChannel;
  readonly port: number;
  readonly intake: RecordingIntake;
  readonly objects: SealedObjectStore;
  readonly root: string;
  readonly audits: AuditEvent[];
  /** What the index answers; tests fill it. */
  readonly matches: DicomMatch[];
  readonly queries: DicomQuery[];
  readonly located: InstanceLocated[];
  /** Resolves when everything that was answered is journalled. */
  filed(): Promise<void>;
  stop(): Promise<void>;
}

export async function startHub({
  index,
  ...more
}: Partial<DimseOptions> & { index?: DicomIndex } = {}): Promise<TestHub> {
  const root = await mkdtemp(join(tmpdir(), 'dimse-test-'));
  const objects = sealedFiles(root);
  const intake = new RecordingIntake();
  const audits: AuditEvent[] = [];
  const matches: DicomMatch[] = [];
  const queries: DicomQuery[] = [];
  const located: InstanceLocated[] = [];
  const log = more.log ?? silent;
  const filing = new Filing({ journal: intake, objects, log });
  const sites = more.sites ?? sitesOf(dicomSite('h1', 'H1PACS'));
  const own: DicomIndex = {
    find: (query) => {
      queries.push(query);
      return Promise.resolve(matches.slice(query.offset, query.offset + query.limit));
    },
  };
  const reader: IndexReader = {
    person: () => Promise.resolve(null),
    exam: () => Promise.resolve(null),
    examOfStudy: () => Promise.resolve(null),
    study: (uid) => Promise.resolve(located.find((one) => one.study.studyUid === uid) ?? null),
    series: (uid, series) =>
      Promise.resolve(located.find((one) => one.study.studyUid === uid && one.series.seriesUid === series) ?? null),
    instance: (uid, series, sop) =>
      Promise.resolve(
        located.find(
          (one) =>
            one.study.studyUid === uid &&
            (series === null || one.series.seriesUid === series) &&
            one.instance.sopUid === sop,
        ) ?? null,
      ),
  };
  const channel = createDimseChannel({
    host: '127.0.0.1',
    port: 0,
    aeTitle: 'HUTONG',
    sink: createInstanceSink({ objects, intake, sites, filing, log, clock: () => new Date() }),
    seeing: seeingAll(index ?? own, reader),
    images: { open: (one, range) => objects.read(one.instance.object, range) },
    sites,
    audit: {
      record: (event) => {
        audits.push(event);
        return Promise.resolve();
      },
    },
    log,
    ...more,
  });
  await channel.start();
  return {
    channel,
    port: channel.address().port,
    intake,
    objects,
    root,
    audits,
    matches,
    queries,
    located,
    filed: () => filing.settled(),
    async stop() {
      await channel.stop(2000);
      await filing.stop();
      await objects.close();
      await rm(root, { recursive: true, force: true });
    },
  };
}

/** Makes the index of the test hub hold what its intake accepted. */
export function indexAccepted(hub: TestHub): void {
  hub.matches.length = 0;
  hub.located.length = 0;
  const records = hub.intake.accepted.map((one) => JSON.parse(Buffer.from(one.bytes).toString()) as InstanceRecord);
  const studies = new Map<string, InstanceRecord[]>();
  for (const record of records) {
    const uid = record.keys.studyUid;
    studies.set(uid, [...(studies.get(uid) ?? []), record]);
  }
  for (const [studyUid, held] of studies) {
    const [first] = held;
    if (!first) continue;
    hub.matches.push({
      personId: 'person-1' as HubId,
      studyUid: first.keys.studyUid,
      attributes: {
        PatientName: first.demographics.names?.[0]?.text ?? '',
        PatientID: first.patient?.value ?? '',
        PatientSex: 'F',
        StudyInstanceUID: studyUid,
        StudyDate: '20260102',
        ModalitiesInStudy: ['CT', 'SR'],
        NumberOfStudyRelatedInstances: held.length,
        InstitutionSite: first.site,
      },
    });
    for (const record of held) hub.located.push(locatedFrom(record, held));
  }
}

function locatedFrom(record: InstanceRecord, study: readonly InstanceRecord[]): InstanceLocated {
  const view = ({ instance }: InstanceRecord): InstanceView => ({
    sopUid: instance.uid,
    sopClass: instance.sopClass,
    transferSyntax: instance.transferSyntax,
    number: instance.number ?? null,
    rows: instance.rows ?? null,
    columns: instance.columns ?? null,
    frames: instance.frames ?? null,
    bitsAllocated: instance.bitsAllocated ?? null,
    object: instance.object,
    size: instance.size,
    digest: instance.digest,
    dataSetOffset: instance.dataSetOffset,
  });
  const seriesView = (uid: Uid): SeriesView => ({
    seriesUid: uid,
    modality: 'CT',
    number: null,
    description: null,
    bodyPart: null,
    laterality: null,
    startedAt: null,
    stationName: null,
    manufacturer: null,
    instanceCount: study.filter((one) => one.series.uid === uid).length,
    instances: study.filter((one) => one.series.uid === uid).map(view),
  });
  const uids = [...new Set(study.map((one) => one.series.uid))];
  const studyView: StudyView = {
    studyId: 'study-1' as HubId,
    studyUid: record.keys.studyUid,
    site: record.site,
    fields: {},
    modalities: ['CT'],
    seriesCount: uids.length,
    instanceCount: study.length,
    availability: 'complete',
    voided: false,
    changedAt: '2026-03-01T08:30:00.000Z',
    series: uids.map(seriesView),
  };
  const exam: ExamView = {
    examId: 'exam-1' as HubId,
    site: record.site,
    recordId: 'record-1' as HubId,
    personId: 'person-1' as HubId,
    patient: {
      recordId: 'record-1' as HubId,
      site: record.site,
      authority: record.patient?.authority ?? '',
      localId: record.patient?.value ?? '',
      names: [],
      sex: null,
      birthDate: null,
      identifiers: [],
      phone: null,
      address: null,
      maritalStatus: null,
      ethnicGroup: null,
      nationality: null,
      deceased: null,
      residentId: null,
      mergedInto: null,
    },
    keys: {},
    index: null,
    cancelled: false,
    orders: [],
    studies: [studyView],
    report: null,
    manifests: [],
  };
  const series = seriesView(record.series.uid);
  return { exam, study: studyView, personId: 'person-1' as HubId, series, instance: view(record) };
}
