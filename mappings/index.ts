/** The door of the mappings: one journal entry of any channel into canonical records, or into what to do about it. Pure. */
import type { Envelope, JournalEntry, Mapped } from '../hub/core/envelope.ts';
import { problem } from '../hub/core/problem.ts';
import type { CanonicalRecord, InstanceRecord } from '../hub/core/record.ts';
import type { SiteProfile } from '../hub/core/site.ts';
import { recoded } from './dicom/instance-codes.ts';
import { mapManifest } from './dicom/kos-read.ts';
import { mapPatientFeed } from './fhir/patient-feed.ts';
import { mapHl7 } from './hl7v2/index.ts';
import { mapRest } from './rest/index.ts';
import { mapIdentityFeed } from './xds/identity-feed.ts';

/** What it reads of an entry: the same before it is accepted as after. */
type Arrived = Envelope & Pick<JournalEntry, 'receivedAt'>;

export function map(entry: Arrived, site: SiteProfile): Mapped<CanonicalRecord> {
  switch (entry.channel) {
    case 'hl7v2':
      return mapHl7(entry, site);
    case 'rest':
      return mapRest(entry, site);
    case 'fhir':
      return mapPatientFeed(entry, site);
    case 'hl7v3':
      return mapIdentityFeed(entry, site);
    case 'dicom':
    case 'dicomweb':
      return mapInstance(entry, site);
    case 'xds':
      // Manifests of hospitals that run their own registry; other documents of theirs stay with them.
      return mapManifest(Buffer.from(entry.bytes), site, entry.receivedAt);
  }
}

/** The record was read from the header when the instance arrived; its journal entry carries it as JSON the hub wrote itself. */
function mapInstance(entry: Arrived, site: SiteProfile): Mapped<InstanceRecord> {
  try {
    return recoded(JSON.parse(Buffer.from(entry.bytes).toString('utf8')) as InstanceRecord, site);
  } catch {
    return { ok: false, problem: problem('malformed', 'bytes', 'The instance record is not readable.'), findings: [] };
  }
}
