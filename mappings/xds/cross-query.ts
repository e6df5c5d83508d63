/**
 * Stored queries and their answers as a gateway sees them (IHE ITI TF-2 §3.18, §3.38): trees that are passed on, of which
 * only the query id, the home community and the patient are read, and in which only `home` is set.
 */
import { fail, ok, problem } from '../../hub/core/problem.ts';
import type { Result } from '../../hub/core/problem.ts';
import { readErrors, readStatus, statusUri, writeErrors } from './ebrs-errors.ts';
import type { EbrsError, EbrsStatus } from './ebrs-errors.ts';
import { QUERY, RIM } from './ebrim-names.ts';
import { childNamed, childrenNamed, is, xml } from './xml.ts';
import type { XmlElement } from './xml.ts';
import { writeXml } from './xml-write.ts';

export const ITI18_REQUEST = 'urn:ihe:iti:2007:RegistryStoredQuery';
export const ITI18_RESPONSE = `${ITI18_REQUEST}Response`;
export const ITI38_REQUEST = 'urn:ihe:iti:2007:CrossGatewayQuery';
export const ITI38_RESPONSE = `${ITI38_REQUEST}Response`;

/** Parameters that say whose documents are asked for (ITI TF-2 §3.18.4.1.2.3.7). */
const PATIENT_PARAMETERS = [
  '$XDSDocumentEntryPatientId',
  '$XDSSubmissionSetPatientId',
  '$XDSFolderPatientId',
  '$patientId',
];

export interface CrossQuery {
  readonly queryId: string;
  readonly home: string | null;
  /** CX as it stands in the query, without quotes; null where the query names objects instead. */
  readonly patientId: string | null;
  readonly body: XmlElement;
}

export function readCrossQuery(body: XmlElement): Result<CrossQuery> {
  const query = childNamed(body, RIM, 'AdhocQuery');
  if (!is(body, QUERY, 'AdhocQueryRequest') || !query)
    return fail(problem('unsupported-message', 'Body', 'The body must be an AdhocQueryRequest with an AdhocQuery.'));
  const home = query.attributes.get('home')?.trim() ?? '';
  return ok({
    queryId: query.attributes.get('id')?.trim() ?? '',
    home: home === '' ? null : home,
    patientId: patientOf(query),
    body,
  });
}

const slotName = (slot: XmlElement): string => slot.attributes.get('name') ?? '';
const isPatientSlot = (element: XmlElement): boolean =>
  is(element, RIM, 'Slot') && PATIENT_PARAMETERS.includes(slotName(element));

function patientOf(query: XmlElement): string | null {
  const list = childrenNamed(query, RIM, 'Slot').find(isPatientSlot);
  const values = list && childNamed(list, RIM, 'ValueList');
  const value = values ? childNamed(values, RIM, 'Value')?.text.trim() : undefined;
  const quoted = /^\(?\s*'((?:[^']|'')*)'\s*\)?$/.exec(value ?? '')?.[1];
  return quoted === undefined ? null : quoted.replaceAll("''", "'").trim();
}

/** The query for one community: with its `home`, and with the patient as that community knows them, where told. */
export function writeCrossQuery(query: CrossQuery, home: string | null, patientId: string | null): string {
  return writeXml({
    ...query.body,
    children: query.body.children.map((child) =>
      is(child, RIM, 'AdhocQuery')
        ? {
            ...withAttribute(child, 'home', home),
            children: child.children.map((slot) =>
              patientId !== null && isPatientSlot(slot) ? withValue(slot, patientId) : slot,
            ),
          }
        : child,
    ),
  });
}

const withValue = (slot: XmlElement, patientId: string): XmlElement => {
  const value = {
    namespace: RIM,
    name: 'Value',
    attributes: new Map(),
    children: [],
    text: `'${patientId.replaceAll("'", "''")}'`,
  };
  const list = { namespace: RIM, name: 'ValueList', attributes: new Map(), children: [value], text: '' };
  return { ...slot, children: [list] };
};

function withAttribute(element: XmlElement, name: string, value: string | null): XmlElement {
  const attributes = new Map(element.attributes);
  if (value === null) attributes.delete(name);
  else attributes.set(name, value);
  return { ...element, attributes };
}

export interface QueryAnswer {
  readonly status: EbrsStatus;
  readonly errors: readonly EbrsError[];
  readonly objects: readonly XmlElement[];
}

export function readQueryAnswer(body: XmlElement): Result<QueryAnswer> {
  if (!is(body, QUERY, 'AdhocQueryResponse'))
    return fail(problem('unsupported-message', 'Body', 'The body is not an AdhocQueryResponse.'));
  return ok({
    status: readStatus(body),
    errors: readErrors(body),
    objects: childNamed(body, RIM, 'RegistryObjectList')?.children ?? [],
  });
}

/** ITI TF-2 §3.38.4.1.3: every object, references included, tells the community that holds it. */
export const withHome = (object: XmlElement, home: string): XmlElement => withAttribute(object, 'home', home);

export const homeOf = (object: XmlElement): string | null => object.attributes.get('home')?.trim() ?? null;

/** patientId of entries, submission sets and folders (ITI TF-3 §4.2.3), as its community knows the patient. */
const PATIENT_SCHEMES = [
  'urn:uuid:58a6f841-87b3-4a3e-92fd-a8ffeff98427',
  'urn:uuid:6b5aea1a-874d-4603-a4bc-96a0a7b38446',
  'urn:uuid:f64ffdf0-4b97-4e06-b79f-a52b38ec2f8a',
];

export const patientsIn = (object: XmlElement): string[] =>
  childrenNamed(object, RIM, 'ExternalIdentifier')
    .filter(({ attributes }) => PATIENT_SCHEMES.includes(attributes.get('identificationScheme')?.trim() ?? ''))
    .map(({ attributes }) => attributes.get('value')?.trim() ?? '');

export function writeQueryAnswer({ status, errors, objects }: QueryAnswer): string {
  return (
    `<query:AdhocQueryResponse xmlns:query="${QUERY}" xmlns:rim="${RIM}" status="${xml(statusUri(status))}">${writeErrors(errors)}` +
    `<rim:RegistryObjectList>${objects.map(writeXml).join('')}</rim:RegistryObjectList></query:AdhocQueryResponse>`
  );
}
