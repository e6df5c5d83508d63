/** A document registry in memory for unit and property tests: the rules of ITI-42 and ITI-57 that the hub's own source meets. */
import type {
  DocumentEntry,
  EntryId,
  PatientCx,
  Registered,
  RegistryErrorCode,
  RegistryObject,
  Submission,
} from '../../hub/core/document.ts';
import type { DocumentRegistry, SubmissionOrigin } from '../../hub/core/document-ports.ts';

export class FakeRegistry implements Pick<DocumentRegistry, 'byLogicalId' | 'register' | 'update'> {
  readonly objects = new Map<EntryId, RegistryObject>();
  readonly bytes = new Map<string, string>();
  submissions = 0;
  /** Makes the next so many calls fail: before anything was stored, or after (an answer that was lost). */
  failing: ('before' | 'after')[] = [];

  byLogicalId(ids: readonly EntryId[]): Promise<readonly RegistryObject[]> {
    return Promise.resolve([...this.objects.values()].filter(({ lid }) => ids.includes(lid)));
  }

  register(submission: Submission, origin: SubmissionOrigin): Promise<Registered> {
    return this.#act(submission, () => {
      for (const object of submission.objects) {
        if (this.objects.has(object.id)) return 'XDSRegistryMetadataError';
        const same = [...this.objects.values()].filter(
          ({ kind, uniqueId }) => kind === object.kind && uniqueId === object.uniqueId,
        );
        for (const other of same) {
          if (object.kind !== 'document' || other.kind !== 'document') return 'XDSDuplicateUniqueIdInRegistry';
          if (other.hash !== object.hash) return 'XDSNonIdenticalHash';
        }
        if (object.patientId !== submission.objects[0]?.patientId) return 'XDSPatientIdDoesNotMatch';
        const bytes = origin.documents.find(({ uniqueId }) => uniqueId === object.uniqueId);
        if (object.kind === 'document' && bytes?.hash !== object.hash) return 'XDSRepositoryMetadataError';
      }
      const replaced: DocumentEntry[] = [];
      for (const { type, source, target } of submission.associations) {
        if (type !== 'RPLC') continue;
        const [old, next] = [this.objects.get(target), submission.objects.find(({ id }) => id === source)];
        if (old?.kind !== 'document' || next === undefined) return 'UnresolvedReferenceException';
        if (old.status !== 'approved') return 'XDSRegistryDeprecatedDocumentError';
        if (old.patientId !== next.patientId) return 'XDSPatientIdDoesNotMatch';
        replaced.push(old);
      }
      for (const object of submission.objects) this.objects.set(object.id, object);
      for (const old of replaced) this.objects.set(old.id, { ...old, status: 'deprecated' });
      for (const { uniqueId, object } of origin.documents) this.bytes.set(uniqueId, object);
      return null;
    });
  }

  update(submission: Submission): Promise<Registered> {
    return this.#act(submission, () => {
      const [set] = submission.objects;
      if (set === undefined || this.objects.has(set.id)) return 'XDSMetadataUpdateError';
      const deprecated: DocumentEntry[] = [];
      const updated: DocumentEntry[] = [];
      for (const { type, source, target, extra } of submission.associations) {
        const made = submission.objects.find(({ id }) => id === target);
        if (type === 'HasMember' && made?.kind === 'document') {
          const code = source === set.id ? this.#versionFault(made, extra) : 'XDSMetadataUpdateOperationError';
          if (code !== null) return code;
          updated.push(made);
          continue;
        }
        const entry = this.objects.get(target);
        const told = extra.map(({ name, values }) => `${name}=${values.join()}`).join(' ');
        if (type !== 'UpdateAvailabilityStatus' || entry?.kind !== 'document') return 'XDSMetadataUpdateError';
        if (!/OriginalStatus=\S+Approved NewStatus=\S+Deprecated$/.test(told)) return 'XDSMetadataUpdateError';
        if (entry.status !== 'approved') return 'XDSMetadataUpdateOperationError';
        if (entry.patientId !== set.patientId) return 'XDSPatientIdDoesNotMatch';
        deprecated.push(entry);
      }
      this.objects.set(set.id, set);
      for (const entry of deprecated) this.objects.set(entry.id, { ...entry, status: 'deprecated' });
      for (const made of updated) {
        const before = this.#newest(made.lid);
        if (before) this.objects.set(before.id, { ...before, status: 'deprecated' });
        this.objects.set(made.id, made);
      }
      return null;
    });
  }

  #newest(lid: EntryId): DocumentEntry | undefined {
    return this.entries()
      .filter((entry) => entry.lid === lid)
      .sort((a, b) => b.version - a.version)[0];
  }

  #versionFault(made: DocumentEntry, extra: DocumentEntry['extra']): RegistryErrorCode | null {
    const before = this.#newest(made.lid);
    if (before === undefined || this.objects.has(made.id)) return 'XDSMetadataIdentifierError';
    const previous = extra.find(({ name }) => name === 'PreviousVersion')?.values[0];
    if (previous !== String(before.version) || made.version !== before.version + 1) return 'XDSMetadataVersionError';
    if (before.status !== 'approved') return 'XDSMetadataUpdateOperationError';
    const fixed = ['patientId', 'uniqueId', 'hash', 'size', 'repositoryUniqueId'] as const;
    return fixed.some((name) => made[name] !== before[name]) ? 'UnmodifiableMetadataError' : null;
  }

  #act(submission: Submission, work: () => RegistryErrorCode | null): Promise<Registered> {
    const failure = this.failing.shift();
    if (failure === 'before') return Promise.reject(new Error('the registry is away'));
    const code = work();
    if (code === null) this.submissions += 1;
    if (failure === 'after') return Promise.reject(new Error('the answer was lost'));
    return Promise.resolve(
      code === null
        ? { ok: true, warnings: [], submission }
        : { ok: false, problems: [{ code, severity: 'error', context: 'refused' }] },
    );
  }

  entries(): DocumentEntry[] {
    return [...this.objects.values()].filter((object) => object.kind === 'document');
  }

  /** What a consumer finds: without the ids and versions, which tell how often things changed. */
  approved(): string[] {
    return this.entries()
      .filter(({ status }) => status === 'approved')
      .map(({ id: _id, lid: _lid, version: _version, ...entry }) => JSON.stringify(entry))
      .sort();
  }

  /** Somebody else changes metadata (ITI-57): a new version with another id, the old one deprecated. */
  revise(id: EntryId, as: EntryId, changes: Partial<DocumentEntry>): void {
    const entry = this.objects.get(id);
    if (entry?.kind !== 'document') throw new Error('no such entry');
    this.objects.set(id, { ...entry, status: 'deprecated' });
    this.objects.set(as, { ...entry, ...changes, id: as, version: entry.version + 1 });
  }
}

export const cxOf = (personId: string): PatientCx => `${personId}^^^&2.999.156.1&ISO` as PatientCx;
