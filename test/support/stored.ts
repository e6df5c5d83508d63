/** Rows as they lie sealed, opened for a test that looks behind the faces. */
import type { DocumentEntry } from '../../hub/core/document.ts';
import type { HubId } from '../../hub/core/identifier.ts';
import { patientView } from '../../hub/core/patient.ts';
import type { PatientView } from '../../hub/core/view.ts';
import { vaultOf, type Connection } from '../../hub/store/database.ts';
import { documentContext } from '../../hub/store/document-row.ts';
import { openJson } from '../../hub/store/sealed.ts';
import { PATIENT_COLUMNS, patientState, type PatientRow } from '../../hub/store/slice.ts';

/** Of registry_object. */
export const openDocument = (
  connection: Connection,
  { id, body }: { readonly id: string; readonly body: DocumentEntry | string },
): DocumentEntry => openJson<DocumentEntry>(vaultOf(connection).fields, body, documentContext(id));

/** Of patient_record, by record id. */
export async function registered(connection: Connection, recordId: HubId): Promise<PatientView | null> {
  const { rows } = await connection.query<PatientRow>(
    `select ${PATIENT_COLUMNS} from patient_record where record_id = $1`,
    [recordId],
  );
  const [row] = rows;
  return row === undefined ? null : patientView(patientState(vaultOf(connection).fields, row));
}
