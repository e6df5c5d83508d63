/**
 * `query:AdhocQueryResponse` (ITI TF-2 §3.18.4.1.3): full objects or references, and the errors. The RegistryObjectList
 * is there even when empty, as query.xsd demands.
 */
import type { DocumentAssociation, RegistryObject, RegistryProblem } from '../../hub/core/document.ts';
import { QUERY, RIM } from './ebrim-names.ts';
import { writeObjectRefs, writeObjects } from './ebrim-write.ts';
import type { WriteOptions } from './ebrim-write.ts';
import { RS, statusOf, statusUri, writeErrors } from './ebrs-errors.ts';
import type { StoredQueryRequest } from './stored-query.ts';

export interface QueryResult {
  readonly objects: readonly RegistryObject[];
  readonly associations: readonly DocumentAssociation[];
  readonly problems: readonly RegistryProblem[];
}

export interface QueryResponseOptions extends WriteOptions {
  readonly returnType: StoredQueryRequest['returnType'];
  /** Who found what is wrong, where a problem does not tell. */
  readonly location?: string;
  /** Some communities answered and some did not (ITI TF-2 §3.38.4.1.3). */
  readonly partial?: boolean;
}

export function writeQueryResponse(result: QueryResult, options: QueryResponseOptions): string {
  const { objects, associations, problems } = result;
  const all = [...objects, ...associations];
  const list =
    options.returnType === 'LeafClass'
      ? writeObjects(all, options)
      : writeObjectRefs(
          all.map(({ id }) => id),
          options,
        );
  const status = statusUri(statusOf(options.partial ?? false, problems));
  return (
    `<query:AdhocQueryResponse xmlns:query="${QUERY}" xmlns:rs="${RS}" xmlns:rim="${RIM}" status="${status}">` +
    `${writeErrors(problems, options.location)}<rim:RegistryObjectList>${list}</rim:RegistryObjectList></query:AdhocQueryResponse>`
  );
}
