/**
 * What PDQm asks of a search for patients beyond R4 (ITI TF-2 §3.78.4.1.2.3): `identifier=urn:oid:1.2.3|` names the domains
 * whose identifiers are to be returned, and a domain that nobody knows is told.
 */
import { isUsed, type CrossReferenceDeps } from '../../flow/cross-reference.ts';
import { NOBODY, outcome, type Reply } from './reply.ts';
import { splitValues, unescape } from './search-value.ts';

/** Systems that stand without a value, over all `identifier` parameters. */
export function requestedDomains(parameters: URLSearchParams): readonly string[] {
  const values = parameters.getAll('identifier').flatMap((value) => splitValues(value, ','));
  return values
    .map((value) => splitValues(value, '|').map(unescape))
    .flatMap(([system = '', code]) => (code === '' && system !== '' ? [system] : []));
}

/** null: all are known. Case 4: 404 is the answer that the guide prefers, its issue a warning. */
export async function unknownDomain(
  stores: Pick<CrossReferenceDeps, 'store' | 'everything'>,
  domains: ReadonlySet<string>,
  requested: readonly string[],
): Promise<Reply | null> {
  for (const domain of requested.slice(0, 20)) {
    if (domains.has(domain) || (await isUsed(stores, domain))) continue;
    const body = outcome('warning', [{ code: 'not-found', text: 'targetSystem not found', expression: 'identifier' }]);
    return { status: 404, body, headers: {}, touched: NOBODY };
  }
  return null;
}
