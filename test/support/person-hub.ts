/** Ingest, the desk of identities, reviews, rematch and FHIR over one fresh database: what the tests about persons use. */
import type { Envelope, Intake } from '../../hub/core/envelope.ts';
import type { FhirStore } from '../../hub/core/fhir.ts';
import { Derivation, siteId, type HubId } from '../../hub/core/identifier.ts';
import type { IdentityDesk } from '../../hub/core/identity.ts';
import { createMatching } from '../../hub/core/match/matcher.ts';
import type { ReviewQueue } from '../../hub/core/operation.ts';
import type { CanonicalRecord, PatientFields, PatientRecord } from '../../hub/core/record.ts';
import type { RematchDesk, RematchWork } from '../../hub/core/rematch.ts';
import type { SiteProfile } from '../../hub/core/site.ts';
import { createIngest, type Ingest } from '../../hub/flow/ingest.ts';
import type { Database } from '../../hub/store/database.ts';
import { openFhirStore } from '../../hub/store/fhir.ts';
import { createIdentityDesk, type DeskDeps } from '../../hub/store/identity-decision.ts';
import { createIndexWriter } from '../../hub/store/index-writer.ts';
import { createJournal } from '../../hub/store/journal.ts';
import { createRematchWork } from '../../hub/store/rematch-step.ts';
import { createRematchDesk } from '../../hub/store/rematch.ts';
import { createReviewQueue } from '../../hub/store/review.ts';
import { projectExam, projectPerson, renderProvenance } from '../../mappings/fhir/index.ts';
import { mapHl7 } from '../../mappings/hl7v2/index.ts';
import { romanise } from '../../mappings/romanise.ts';
import { freshDatabase, quiet, type FreshDatabase } from './database.ts';
import { DERIVE } from './scenario.ts';
import { siteProfile } from './site.ts';

export const OPERATOR = { id: 'op-1', name: '操作员一', role: 'operator', peer: 'test' } as const;
export const SECOND = { id: 'op-2', name: '操作员二', role: 'operator', peer: 'test' } as const;

export interface PersonHub {
  readonly fresh: FreshDatabase;
  readonly database: Database;
  readonly journal: Intake;
  readonly ingest: Ingest;
  readonly desk: IdentityDesk;
  readonly reviews: ReviewQueue;
  readonly rematch: RematchDesk;
  readonly work: RematchWork;
  readonly fhir: FhirStore;
  readonly deps: DeskDeps;
  accept(record: CanonicalRecord): Promise<void>;
  /** Accepts and applies. */
  send(...records: readonly CanonicalRecord[]): Promise<void>;
  /** Accepts and applies one HL7 v2 message as it comes. */
  hl7(site: string, bytes: Buffer, controlId?: string): Promise<void>;
  /** Which registrations are one person, each set and the whole sorted. */
  partition(): Promise<readonly (readonly string[])[]>;
  personOf(recordId: HubId): Promise<HubId>;
  wipe(): Promise<void>;
}

const TABLES = `patient_record, match_record, match_key, match_pair, match_cut, match_rules, identity_decision, ruling, record_tie,
  rematch, person, patient_name, exam, exam_key, exam_alias, report_version, study, series, instance, review, outbox, affinity_patient, visit,
  fhir_resource, fhir_version, fhir_text`;

export async function personHub(): Promise<PersonHub> {
  const fresh = await freshDatabase({ max: 12 });
  const { database } = fresh;
  const context = {
    derive: DERIVE,
    examIndexOid: '2.999.1',
    affinityDomainOid: '2.999.156.1',
    repositoryOid: '2.999.3',
    site: () => siteProfile('h1'),
  };
  const deps: DeskDeps = {
    database,
    derive: DERIVE,
    clock: () => new Date(),
    matching: createMatching(romanise),
    projection: { person: (view) => projectPerson(view, context), exam: (view) => projectExam(view, context) },
    affinityDomainOid: '2.999.156.1',
  };
  const store = createIndexWriter({
    ...deps,
    indexDerive: new Derivation(new Uint8Array(32).fill(9)),
    site: (id) => siteProfile(id),
    settleMs: () => 1000,
  });
  const journal = createJournal({ database, clock: deps.clock, log: quiet, arrived: () => undefined });
  const ingest = createIngest({
    store,
    documents: { put: () => Promise.reject(new Error('no document in this test')) },
    site: (id) => siteProfile(id),
    map: (entry) =>
      entry.contentType === 'application/json'
        ? { ok: true, records: [JSON.parse(Buffer.from(entry.bytes).toString()) as CanonicalRecord], findings: [] }
        : mapHl7(entry, hospital(entry.site ?? '')),
    derive: DERIVE,
    log: quiet,
    ownerOf: () => null,
  });
  let sequence = 0;
  const arrive = async (
    what: Pick<Envelope, 'site' | 'contentType' | 'bytes' | 'patientKey'>,
    controlId?: string,
  ): Promise<void> => {
    sequence += 1;
    await journal.accept({
      ...what,
      channel: 'hl7v2',
      sender: 'TEST',
      peer: '127.0.0.1',
      controlId: controlId ?? `c${String(sequence)}`,
      messageType: 'TEST',
      answer: Buffer.from('ack'),
    });
  };
  const accept = (record: CanonicalRecord): Promise<void> => {
    const patient = 'patient' in record ? record.patient : 'survivor' in record ? record.survivor : null;
    const bytes = Buffer.from(JSON.stringify(record));
    const patientKey = `${record.site}|${patient?.value ?? ''}`;
    return arrive({ site: record.site, contentType: 'application/json', bytes, patientKey });
  };
  return {
    fresh,
    database,
    journal,
    ingest,
    desk: createIdentityDesk(deps),
    reviews: createReviewQueue({ ...deps, arrived: () => undefined }),
    rematch: createRematchDesk(deps),
    work: createRematchWork(deps),
    fhir: openFhirStore(database, { renderProvenance, searchTimeoutMs: 10_000, pageLifetimeMs: 1000 }),
    deps,
    accept,
    async send(...records) {
      for (const record of records) await accept(record);
      await ingest.drain();
    },
    async hl7(site, bytes, controlId) {
      await arrive({ site: siteId(site), contentType: 'x-application/hl7-v2+er7', bytes, patientKey: site }, controlId);
      await ingest.drain();
    },
    async partition() {
      const { rows } = await database.pool.query<{ ids: string[] }>(
        'select array_agg(record_id::text order by record_id) as ids from patient_record group by person_id order by 1',
      );
      return rows.map((row) => row.ids);
    },
    async personOf(recordId) {
      const { rows } = await database.pool.query<{ person_id: HubId }>(
        'select person_id from patient_record where record_id = $1',
        [recordId],
      );
      if (rows[0] === undefined) throw new Error('no such registration');
      return rows[0].person_id;
    },
    async wipe() {
      await database.pool.query(`truncate ${TABLES}`);
    },
  };
}

/** Its patients are filed under its own authority. */
const hospital = (site: string): SiteProfile =>
  siteProfile(site, { patientIds: { defaultAuthority: AUTHORITY(site), authorities: {}, types: {} } });

const AUTHORITY = (site: string): string => `2.999.156.9.${site.slice(1)}`;

export const recordId = (site: string, value: string): HubId => DERIVE.id('patient', site, AUTHORITY(site), value);

/** Registration `value` of hospital `site` (h1, h2 …), at minute `at`. */
export function registration(site: string, value: string, fields: Told, at = 1): PatientRecord {
  const { name, residentId, ...plain } = fields;
  return {
    kind: 'patient',
    site: siteId(site),
    at: `2026-03-01T${String(8 + Math.floor(at / 60)).padStart(2, '0')}:${String(at % 60).padStart(2, '0')}:00.000Z`,
    patient: { authority: AUTHORITY(site), value },
    fields: {
      ...(name === undefined ? {} : { names: [{ text: name, representation: 'ideographic' as const }] }),
      ...(residentId === undefined
        ? {}
        : { identifiers: [{ type: 'NI', authority: '2.16.156.10011.1.3', value: residentId }] }),
      ...plain,
    },
  };
}

export interface Told extends Omit<PatientFields, 'names' | 'identifiers'> {
  readonly name?: string;
  readonly residentId?: string;
}

export const patientOf = (site: string, value: string): { authority: string; value: string } => ({
  authority: AUTHORITY(site),
  value,
});

/** One order and its exam under a registration. */
export function exam(site: string, value: string, accession: string, at = '2026-03-01T09:00:00.000Z'): CanonicalRecord {
  return {
    kind: 'order',
    site: siteId(site),
    at,
    patient: patientOf(site, value),
    keys: { accession },
    status: 'completed',
    fields: { procedure: { code: 'CT01', system: 'urn:x' }, scheduledAt: at },
  };
}
