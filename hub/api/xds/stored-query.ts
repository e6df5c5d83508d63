/** What ITI-18 and ITI-51 share: the query read, run and audited, and its answer sent (ITI TF-2 §3.18.4.1, §3.51.4.1). */
import type { AffinityPatients, DocumentReader } from '../../core/document-ports.ts';
import type { PatientCx, RegistryProblem } from '../../core/document.ts';
import { patientsNamed } from '../../flow/patients-named.ts';
import { sightedDocuments } from '../../flow/sighted-documents.ts';
import { createStoredQuery, QUERY_LIMITS } from '../../flow/stored-query.ts';
import type { QueryAnswer } from '../../flow/stored-query.ts';
import { QUERY } from '../../../mappings/xds/ebrim-names.ts';
import { senderFault } from '../../../mappings/xds/soap.ts';
import type { SoapFault } from '../../../mappings/xds/soap.ts';
import { readStoredQuery } from '../../../mappings/xds/stored-query-request.ts';
import { writeQueryResponse } from '../../../mappings/xds/stored-query-response.ts';
import type { QueryDoor, StoredQuery, StoredQueryRequest } from '../../../mappings/xds/stored-query.ts';
import { is } from '../../../mappings/xds/xml.ts';
import { answerBody } from './answer.ts';
import type { RegistryDeps } from './registry-transaction.ts';
import type { SoapExchange } from './soap-exchange.ts';

export async function answerStoredQuery(
  deps: RegistryDeps,
  exchange: SoapExchange,
  door: QueryDoor,
  responseAction: string,
): Promise<SoapFault | null> {
  const { body } = exchange.message;
  if (!is(body, QUERY, 'AdhocQueryRequest')) return senderFault(`The body must be an AdhocQueryRequest of ${QUERY}.`);
  const read = readStoredQuery(body, door);
  const home = `urn:oid:${deps.homeCommunityOid}`;
  // Who asks for another patient by name is not told whether there is one.
  const asked = await askedFor(deps.registry, read.ok ? read.request.query : null);
  const refused = await exchange.refuseOthers(asked);
  if (refused) return refused;
  const answer = read.ok
    ? await run({ ...deps, registry: sightedDocuments(deps.registry, exchange.sight) }, read.request, home)
    : refusal(read.problems);
  const found = await exchange.refuseOthers(answer.objects.map(({ patientId }) => patientId));
  if (found) return found;
  await audit(deps.patients, exchange, read.ok ? read.request.query : null, answer, asked);
  const returnType = read.ok ? read.request.returnType : 'LeafClass';
  answerBody(exchange, responseAction, writeQueryResponse(answer, { returnType, home, location: home }));
  return null;
}

const refusal = (problems: readonly RegistryProblem[]): QueryAnswer => ({ objects: [], associations: [], problems });

/** A registry knows its own community only; for others there is the initiating gateway (ITI TF-2 §3.18.4.1.2.3.8). */
function run(
  deps: { readonly registry: DocumentReader },
  request: StoredQueryRequest,
  home: string,
): Promise<QueryAnswer> {
  if (request.home !== null && request.home !== home)
    return Promise.resolve(
      refusal([
        {
          code: 'XDSUnknownCommunity',
          severity: 'error',
          context: `The home of the AdhocQuery is not ${home}.`,
        },
      ]),
    );
  return createStoredQuery({ reader: deps.registry, limits: QUERY_LIMITS })(request);
}

/** Whose data: the patients asked about, found or not, and those of what is given (SECURITY L3-AU4). */
async function audit(
  patients: AffinityPatients,
  exchange: SoapExchange,
  query: StoredQuery | null,
  answer: QueryAnswer,
  asked: readonly PatientCx[],
): Promise<void> {
  const ids = new Set<PatientCx>([...asked, ...answer.objects.map(({ patientId }) => patientId)]);
  const persons = ids.size === 0 ? [] : [...new Set((await patients.personsOf([...ids])).values())];
  const codes = [...new Set(answer.problems.map(({ code }) => code))].join(' ');
  const objects = query === null ? [] : [query.name];
  if (codes === '') await exchange.audited('success', persons, objects);
  else await exchange.audited('failure', persons, objects, codes);
}

/** Whose documents a query is about, by name or by the ids of what has no patient of its own. */
export async function askedFor(
  registry: Pick<DocumentReader, 'byId' | 'associations'>,
  query: StoredQuery | null,
): Promise<readonly PatientCx[]> {
  if (query === null) return [];
  if ('criteria' in query) return query.criteria.patientIds;
  if (query.name === 'GetAssociations') return patientsNamed(registry, query.ids);
  return query.name === 'GetAll' ? [query.patientId] : [];
}
