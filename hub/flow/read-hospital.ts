/**
 * Takes the manifests of a hospital's own registry into the index: asked patient by patient, in a bounded rhythm, and each
 * new manifest goes through the journal like any other input. Its images stay at the hospital; where they are is known now.
 */
import { createHash } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import type { Envelope, Intake } from '../core/envelope.ts';
import type { HospitalPatient, HospitalShelf } from '../core/hospital.ts';
import type { SiteId, Uid } from '../core/identifier.ts';
import type { IndexReader, Log, ObjectStore } from '../core/ports.ts';
import { codeOf, fail, ok, problem } from '../core/problem.ts';
import type { Problem, Result } from '../core/problem.ts';
import type { SiteProfile, SiteXds, Sites } from '../core/site.ts';
import { mapManifest, readManifest } from '../../mappings/dicom/kos-read.ts';
import type { ManifestStudy } from '../../mappings/dicom/kos-read.ts';
import { KEY_OBJECT_SELECTION } from '../../mappings/dicom/uids.ts';
import { keepOnce } from './manifest.ts';

/** A hospital's registry and repository; adapters/xds implements it. */
export interface HospitalPeer<M extends { readonly documentUid: string }> {
  manifestsOf(patientId: string): Promise<Result<readonly M[]>>;
  fetch(manifest: M): Promise<Result<Buffer>>;
}

export interface ReadHospitalDeps<M extends { readonly documentUid: string }> {
  readonly sites: Sites;
  readonly shelf: HospitalShelf;
  readonly hospital: (site: SiteId) => HospitalPeer<M> | null;
  readonly index: Pick<IndexReader, 'person'>;
  readonly objects: ObjectStore;
  readonly intake: Intake;
  readonly log: Log;
  readonly clock: () => Date;
}

export interface ReadHospital {
  /** Asks about one patient now; gives how many manifests were new. */
  ask(site: SiteId, patient: HospitalPatient): Promise<Result<number>>;
  start(): void;
  stop(): Promise<void>;
}

/** A registry that is away is left alone for so long, and longer each time. */
const BACKOFF_MS = [10_000, 60_000, 300_000, 900_000] as const;

export function createReadHospital<M extends { readonly documentUid: string }>(
  deps: ReadHospitalDeps<M>,
): ReadHospital {
  let ending = new AbortController();
  let loops: Promise<void>[] = [];
  return {
    ask: (id, patient) => {
      const site = deps.sites.byId(id);
      const peer = deps.hospital(id);
      if (!site?.xds || !peer)
        return Promise.resolve(fail(problem('not-found', undefined, 'The site has no registry.')));
      return ask(deps, { site, xds: site.xds, peer }, patient);
    },
    start() {
      ending = new AbortController();
      loops = deps.sites.all.flatMap((site) => {
        const peer = deps.hospital(site.id);
        return site.xds && peer ? [poll(deps, { site, xds: site.xds, peer }, ending.signal)] : [];
      });
    },
    async stop() {
      ending.abort();
      await Promise.all(loops);
    },
  };
}

interface Asked<M extends { readonly documentUid: string }> {
  readonly site: SiteProfile;
  readonly xds: SiteXds;
  readonly peer: HospitalPeer<M>;
}

/** One patient at a time, so many a minute at most. */
async function poll<M extends { readonly documentUid: string }>(
  deps: ReadHospitalDeps<M>,
  asked: Asked<M>,
  signal: AbortSignal,
): Promise<void> {
  const { perMinute, everyMinutes } = asked.xds.poll;
  let failures = 0;
  while (!signal.aborted) {
    const waits = BACKOFF_MS[Math.min(failures, BACKOFF_MS.length) - 1] ?? 60_000 / perMinute;
    const over = await pause(waits, false, { signal }).catch(() => true);
    if (over) return;
    try {
      const before = new Date(deps.clock().getTime() - everyMinutes * 60_000);
      const [patient] = await deps.shelf.takeDue(asked.site.id, before, 1);
      if (!patient) continue;
      const answer = await ask(deps, asked, patient);
      const away = !answer.ok && AWAY.has(answer.problem.code);
      failures = away ? failures + 1 : 0;
      if (away) await deps.shelf.putBack(patient.recordId);
    } catch (error) {
      failures++;
      deps.log.error({ site: asked.site.id, code: codeOf(error) }, 'asking a hospital failed; it is tried again');
    }
  }
}

/** What says that the hospital cannot be asked now, not that the patient cannot be asked about. */
const AWAY: ReadonlySet<string> = new Set(['timeout', 'unavailable', 'busy', 'forbidden']);

async function ask<M extends { readonly documentUid: string }>(
  deps: ReadHospitalDeps<M>,
  asked: Asked<M>,
  patient: HospitalPatient,
): Promise<Result<number>> {
  const { site, peer } = asked;
  const id = await idThere(deps, asked.xds.patientIdAuthority, patient);
  if (id === null) return ok(0);
  const told = await peer.manifestsOf(id);
  if (!told.ok) return missed(deps, site, told.problem);
  const uids = told.value.map(({ documentUid }) => documentUid);
  const known = await deps.shelf.known(site.id, uids);
  let filed = 0;
  for (const manifest of told.value) {
    if (known.has(manifest.documentUid)) continue;
    const bytes = await peer.fetch(manifest);
    // What cannot be fetched is no less registered: the others go on, and this one is asked for in the next turn.
    if (!bytes.ok) missed(deps, site, bytes.problem);
    else if (await file(deps, asked, patient, manifest.documentUid, bytes.value)) filed++;
  }
  await deps.shelf.standing(site.id, patient.recordId, uids);
  return ok(filed);
}

function missed<M extends { readonly documentUid: string }>(
  { log }: ReadHospitalDeps<M>,
  site: SiteProfile,
  why: Problem,
): { ok: false; problem: Problem } {
  log.warn({ site: site.id, code: why.code, why: why.text }, 'a hospital did not give what it was asked for');
  return fail(why);
}

/** CX of the patient under the authority that the hospital's registry uses; null: no such number is known. */
async function idThere(
  { index }: Pick<ReadHospitalDeps<never>, 'index'>,
  authority: string,
  { recordId, personId, authority: own, localId }: HospitalPatient,
): Promise<string | null> {
  if (own === authority) return cx(localId, authority);
  const person = await index.person(personId);
  const record = person?.records.find((one) => one.recordId === recordId);
  const number = record?.identifiers.find((one) => one.authority === authority);
  return number === undefined ? null : cx(number.value, authority);
}

/** A number with delimiters of HL7 in it cannot be asked about. */
const cx = (value: string, authority: string): string | null =>
  /^[^|^~\\&\p{C}]{1,200}$/u.test(value) ? `${value}^^^&${authority}&ISO` : null;

async function file<M extends { readonly documentUid: string }>(
  deps: ReadHospitalDeps<M>,
  { site, xds }: Asked<M>,
  patient: HospitalPatient,
  documentUid: string,
  bytes: Buffer,
): Promise<boolean> {
  const now = deps.clock().toISOString();
  const digest = createHash('sha256').update(bytes).digest('hex');
  const object = `manifests/hospital/${digest}.dcm`;
  await keepOnce(deps.objects, object, bytes);
  const envelope: Envelope = {
    channel: 'xds',
    site: site.id,
    sender: xds.repository.oid,
    peer: new URL(xds.repository.url).hostname,
    controlId: documentUid,
    messageType: KEY_OBJECT_SELECTION,
    contentType: 'application/dicom',
    bytes,
    patientKey: `${patient.authority}|${patient.localId}`,
    answer: Buffer.alloc(0),
  };
  const filed = { site: site.id, documentUid, recordId: patient.recordId, object, madeAt: now };
  const mapped = mapManifest(bytes, site, now);
  const wrong = mapped.ok ? strangerIn(mapped.records, patient) : mapped.problem;
  if (!mapped.ok || wrong) {
    await deps.intake.refuse(envelope, wrong ?? problem('malformed'));
    await deps.shelf.file({ ...filed, studyUids: [] });
    missed(deps, site, wrong ?? problem('malformed'));
    return false;
  }
  const receipt = await deps.intake.accept(envelope);
  const studyUids = mapped.records.flatMap(({ keys }) => keys.studyUid ?? []);
  const isKept = receipt.kind !== 'conflict';
  await deps.shelf.file({ ...filed, madeAt: mapped.records[0]?.at ?? now, studyUids: isKept ? studyUids : [] });
  return isKept;
}

/** The registry says whose it is; a manifest inside that says otherwise would put an exam under another person. */
const strangerIn = (
  records: readonly { readonly patient: { readonly authority: string; readonly value: string } | null }[],
  { authority, localId }: HospitalPatient,
): Problem | null =>
  records.every(({ patient }) => patient?.authority === authority && patient.value === localId)
    ? null
    : problem('patient-mismatch', '(0010,0020)', 'The manifest names another patient than its registry.');

export interface ManifestDeps {
  readonly shelf: HospitalShelf;
  readonly objects: ObjectStore;
  readonly index: Pick<IndexReader, 'examOfStudy'>;
  readonly hospital: Pick<ReadHospital, 'ask'>;
}

/**
 * The instances of a study that its hospital keeps, as its manifest tells. Where none is known yet, somebody waits for it:
 * the hospital is asked about the patient now, out of turn.
 */
export async function manifestOfStudy(deps: ManifestDeps, site: SiteId, studyUid: Uid): Promise<Result<ManifestStudy>> {
  const object = (await deps.shelf.manifestOf(site, studyUid)) ?? (await askedFor(deps, site, studyUid));
  if (object === null)
    return fail(problem('not-found', undefined, 'The registry of the hospital told of no manifest of this study.'));
  const read = readManifest(await deps.objects.readAll(object));
  if (!read.ok) return read;
  const study = read.value.studies.find((one) => one.studyUid === studyUid);
  return study ? ok(study) : fail(problem('not-found', undefined, 'The manifest does not name this study.'));
}

async function askedFor({ index, hospital, shelf }: ManifestDeps, site: SiteId, studyUid: Uid): Promise<string | null> {
  const exam = await index.examOfStudy(studyUid);
  if (exam?.site !== site) return null;
  const { recordId, authority, localId } = exam.patient;
  const asked = await hospital.ask(site, { recordId, personId: exam.personId, authority, localId });
  return asked.ok ? shelf.manifestOf(site, studyUid) : null;
}
