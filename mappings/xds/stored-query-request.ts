/** The request of ITI-18, ITI-38 and ITI-51: `query:AdhocQueryRequest` in, a stored query or its errors out. */
import type { RegistryErrorCode, RegistryProblem } from '../../hub/core/document.ts';
import { QUERY, RIM } from './ebrim-names.ts';
import { Parameters } from './stored-query-parameters.ts';
import { READERS } from './stored-query-readers.ts';
import type { QueryDoor, StoredQueryRequest } from './stored-query.ts';
import { childNamed } from './xml.ts';
import type { XmlElement } from './xml.ts';

export type StoredQueryRead =
  | { readonly ok: true; readonly request: StoredQueryRequest }
  | { readonly ok: false; readonly problems: readonly RegistryProblem[] };

const refuse = (code: RegistryErrorCode, context: string): StoredQueryRead => ({
  ok: false,
  problems: [{ code, severity: 'error', context }],
});

/** `body`: the `query:AdhocQueryRequest`. */
export function readStoredQuery(body: XmlElement, door: QueryDoor): StoredQueryRead {
  const adhoc = childNamed(body, RIM, 'AdhocQuery');
  if (!adhoc) return refuse('XDSRegistryError', 'The request has no AdhocQuery.');
  const returnType = childNamed(body, QUERY, 'ResponseOption')?.attributes.get('returnType')?.trim();
  if (returnType !== 'LeafClass' && returnType !== 'ObjectRef')
    return refuse('XDSRegistryError', 'The returnType of the ResponseOption must be LeafClass or ObjectRef.');
  const reader = READERS.get(adhoc.attributes.get('id')?.trim().toLowerCase() ?? '');
  if (reader?.door !== door)
    return refuse('XDSUnknownStoredQuery', 'The id of the AdhocQuery names no stored query of this transaction.');
  const parameters = new Parameters(adhoc);
  const query = reader.read(parameters);
  if (parameters.problems.length > 0) return { ok: false, problems: parameters.problems.slice(0, 100) };
  const home = adhoc.attributes.get('home')?.trim() ?? '';
  return { ok: true, request: { query, returnType, home: home === '' ? null : home } };
}
