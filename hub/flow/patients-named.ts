/**
 * Whose data ids of the registry stand for: an association has no patient of its own, it is theirs whose objects it joins.
 * For the access decision and the audit, before anything is told or changed.
 */
import type { DocumentReader } from '../core/document-ports.ts';
import type { EntryId, PatientCx } from '../core/document.ts';

/** The patients of the objects with these ids, and of those that associations with these ids join. */
export async function patientsNamed(
  reader: Pick<DocumentReader, 'byId' | 'associations'>,
  ids: readonly EntryId[],
): Promise<readonly PatientCx[]> {
  if (ids.length === 0) return [];
  const associations = await reader.associations({ ids });
  const ends = associations.flatMap(({ source, target }) => [source, target]);
  const objects = await reader.byId([...new Set([...ids, ...ends])]);
  return [...new Set(objects.map(({ patientId }) => patientId))];
}
