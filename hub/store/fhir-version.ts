/** Rows of fhir_version as the versions that the face reads. */
import type { FhirBody, StoredVersion } from '../core/fhir.ts';
import type { Sealer } from '../core/sealing.ts';
import { openText } from './sealed.ts';

export interface VersionRow {
  readonly type: string;
  readonly id: string;
  readonly version: number;
  readonly at: Date;
  readonly body: string | null;
  readonly site: string;
  readonly occurred_at: Date;
  readonly journal_ids: readonly string[];
}

export const VERSION_COLUMNS = 'v.type, v.id, v.version, v.at, v.body, v.site, v.occurred_at, v.journal_ids';

export const bodyContext = (type: string, id: string): string => `fhir_version.body ${type}/${id}`;

/** As it was rendered; versions of one resource share their place, so that an earlier release's may be sealed later. */
export const openRow = (fields: Sealer, row: VersionRow): VersionRow =>
  row.body === null ? row : { ...row, body: openText(fields, row.body, bodyContext(row.type, row.id)) };

export const toVersion = (row: VersionRow): StoredVersion => ({
  type: row.type,
  id: row.id,
  version: row.version,
  at: row.at.toISOString(),
  body: row.body === null ? null : (JSON.parse(row.body) as FhirBody),
  site: row.site,
  occurredAt: row.occurred_at.toISOString(),
  journalIds: row.journal_ids,
});
