/**
 * Who stands behind a document (authors, authenticator, the patient as the source knew them): XDS strings as contained
 * resources and back (ITI TF-3 §4.5.1.1, §4.2.3.1.4, §4.2.3.2.23).
 */
import type {
  Address,
  CodeableConcept,
  ContactPoint,
  Device,
  HumanName,
  Organization,
  Patient,
  Practitioner,
  PractitionerRole,
  Reference,
} from 'fhir/r4.js';
import type { DocumentAuthor } from '../../hub/core/document.ts';
import type { FhirBody } from '../../hub/core/fhir.ts';
import { compact, list, text } from './datatypes.ts';
import { MHD_EXTENSIONS, schemeOfSystem, systemOfScheme } from './mhd-terms.ts';
import {
  contactOfXtn,
  cxOf,
  identifierOfCx,
  organizationOfXon,
  practitionerOfXcn,
  xcnOf,
  xonOf,
  xtnOf,
} from './xds-values.ts';

type Person = Practitioner | Patient;
export type ContainedResource = Practitioner | PractitionerRole | Organization | Patient;
/** Finds what a reference leads to: contained, in the same bundle, or held by the hub. */
export type Resolve = (reference: Reference) => FhirBody | undefined;

/** Collects contained resources and gives each its id. */
export class Contained {
  readonly resources: ContainedResource[] = [];
  add(resource: ContainedResource): Reference {
    const id = `c${String(this.resources.length + 1)}`;
    this.resources.push({ ...resource, id });
    return { reference: `#${id}` };
  }
}

/** A role or specialty: a code `code^^^&scheme&ISO`, or words. */
function conceptOfRole(role: string): CodeableConcept {
  const match = /^([^^]+)\^\^\^&([^&^]+)&ISO$/.exec(role.trim());
  const system = match ? systemOfScheme(match[2] ?? '') : undefined;
  return match ? { coding: [compact({ system, code: match[1] })] } : { text: text(role) ?? '?' };
}
function roleOf(concept: CodeableConcept): string | undefined {
  const coding = (concept.coding ?? []).find((one) => one.code !== undefined);
  if (!coding) return text(concept.text);
  const scheme = schemeOfSystem(coding.system);
  return scheme === '' ? coding.code : `${coding.code ?? ''}^^^&${scheme}&ISO`;
}

const strings = <T>(values: readonly T[] | undefined, of: (value: T) => string | undefined): string[] =>
  (values ?? []).map(of).filter((one): one is string => one !== undefined && one !== '');

/** One author as one reference: to an organisation, to a person, or to the role in which the person acted. */
export function authorReference(author: DocumentAuthor, contained: Contained): Reference | undefined {
  const telecom = list(...author.telecoms.map(contactOfXtn));
  const institutions = author.institutions.map(organizationOfXon);
  const person = author.person === undefined ? undefined : practitionerOfXcn(author.person);
  const [first, ...more] = institutions;
  const plain = author.roles.length === 0 && author.specialties.length === 0 && more.length === 0;
  if (plain && first === undefined && person !== undefined)
    return contained.add(compact<Practitioner>({ ...person, telecom }));
  if (plain && first !== undefined && person === undefined)
    return contained.add(compact<Organization>({ ...first, telecom }));
  if (person === undefined && first === undefined && plain && telecom.length === 0) return undefined;
  return contained.add(
    compact<PractitionerRole>({
      resourceType: 'PractitionerRole',
      extension: more.map((one) => ({ url: MHD_EXTENSIONS.authorOrg, valueReference: contained.add(one) })),
      practitioner: person && contained.add(compact<Practitioner>({ ...person, telecom })),
      organization: first && contained.add(first),
      code: author.roles.map(conceptOfRole),
      specialty: author.specialties.map(conceptOfRole),
      telecom: person === undefined ? telecom : [],
    }),
  );
}

const xtns = (points: readonly ContactPoint[] | undefined): string[] => strings(points, xtnOf);
const NOBODY: DocumentAuthor = { institutions: [], roles: [], specialties: [], telecoms: [] };

/** What cannot be resolved is kept by its name, its identifier, or at least its reference. */
function named(reference: Reference): { readonly identifier?: Reference['identifier'][]; readonly name: string } {
  return { name: reference.display ?? reference.reference ?? '' };
}
const personAt = (reference: Reference): string =>
  reference.display !== undefined || reference.identifier === undefined
    ? xcnOf({ name: [{ family: named(reference).name }] })
    : xcnOf({ identifier: [reference.identifier] });
const institutionAt = (reference: Reference): string =>
  xonOf(compact({ identifier: list(reference.identifier), name: text(named(reference).name) }));

/** The person of a reference as XCN, whoever it is. */
export function personOf(reference: Reference, resolve: Resolve): string | undefined {
  const found = resolve(reference);
  if (found === undefined) return personAt(reference) || undefined;
  if (found.resourceType === 'PractitionerRole') {
    const { practitioner } = found as PractitionerRole;
    return practitioner && personOf(practitioner, resolve);
  }
  if (found.resourceType === 'Device') {
    const { deviceName, identifier } = found as Device;
    const family = deviceName?.[0]?.name;
    return xcnOf(compact({ identifier, name: family === undefined ? [] : [{ family }] })) || undefined;
  }
  if (found.resourceType === 'Organization') {
    const { name, identifier } = found as Organization;
    return xcnOf(compact({ identifier, name: name === undefined ? [] : [{ family: name }] })) || undefined;
  }
  return xcnOf(found as Person) || undefined;
}

export function authorOf(reference: Reference, resolve: Resolve): DocumentAuthor | undefined {
  const found = resolve(reference);
  const type =
    found?.resourceType ?? reference.type ?? /(?:^|\/)([A-Z][A-Za-z]+)\//.exec(reference.reference ?? '')?.[1];
  if (type === 'Organization') {
    const organization = found as Organization | undefined;
    const institution = organization ? xonOf(organization) : institutionAt(reference);
    const author = {
      ...NOBODY,
      institutions: strings([institution], (one) => one),
      telecoms: xtns(organization?.telecom),
    };
    return isNobody(author) ? undefined : author;
  }
  if (found?.resourceType === 'PractitionerRole') return roleAuthor(found as PractitionerRole, resolve);
  const person = personOf(reference, resolve);
  const telecoms = xtns((found as { telecom?: ContactPoint[] } | undefined)?.telecom);
  const author = compact<DocumentAuthor>({ ...NOBODY, person, telecoms });
  return isNobody({ ...NOBODY, ...author }) ? undefined : { ...NOBODY, ...author };
}

const isNobody = (author: DocumentAuthor): boolean =>
  author.person === undefined && author.institutions.length + author.telecoms.length + author.roles.length === 0;

function roleAuthor(role: PractitionerRole, resolve: Resolve): DocumentAuthor {
  const practitioner = role.practitioner && resolve(role.practitioner);
  const person = role.practitioner && personOf(role.practitioner, resolve);
  const more = (role.extension ?? []).filter(({ url }) => url === MHD_EXTENSIONS.authorOrg);
  const references = list(role.organization, ...more.map((one) => one.valueReference));
  const institutions = references.map((one) => {
    const found = resolve(one);
    return found?.resourceType === 'Organization' ? xonOf(found as Organization) : institutionAt(one);
  });
  return {
    ...(person === undefined ? {} : { person }),
    institutions: strings(institutions, (one) => one),
    roles: strings(role.code, roleOf),
    specialties: strings(role.specialty, roleOf),
    telecoms: [...xtns(role.telecom), ...xtns((practitioner as Practitioner | undefined)?.telecom)],
  };
}

const GENDERS: Readonly<Record<string, Patient['gender']>> = {
  M: 'male',
  F: 'female',
  O: 'other',
  A: 'other',
  U: 'unknown',
};

/** `PID-3|…`, `PID-5|…` (ITI TF-3 §4.2.3.2.23): names, birth date, sex and address; other fields have no place. */
export function sourcePatient(sourceId: string | undefined, info: readonly string[]): Patient | undefined {
  const field = (name: string): string[] =>
    info.filter((one) => one.startsWith(`${name}|`)).flatMap((one) => one.slice(name.length + 1).split('~'));
  const ids = [...new Set([...(sourceId === undefined ? [] : [sourceId]), ...field('PID-3')])];
  const birth = /^(\d{4})(\d{2})?(\d{2})?/.exec(field('PID-7')[0] ?? '');
  const patient = compact<Patient>({
    resourceType: 'Patient',
    identifier: list(...ids.map(identifierOfCx)),
    name: list(...field('PID-5').map(nameOfXpn)),
    gender: GENDERS[field('PID-8')[0] ?? ''],
    birthDate: birth ? birth.slice(1).filter(Boolean).join('-') : undefined,
    address: list(...field('PID-11').map(addressOfXad)),
  });
  return Object.keys(patient).length === 1 ? undefined : patient;
}

function nameOfXpn(xpn: string): HumanName | undefined {
  const [name] = practitionerOfXcn(`^${xpn}`).name ?? [];
  return name;
}
function addressOfXad(xad: string): Address | undefined {
  const [street, other, city, state, zip, country] = xad.split('^').map((part) => text(part));
  const address = compact<Address>({
    line: list(street, other),
    city,
    state,
    postalCode: zip,
    country,
  });
  return Object.keys(address).length === 0 ? undefined : address;
}
const trimmed = (components: readonly (string | undefined)[]): string =>
  components
    .map((one) => (one ?? '').replace(/[\^|~&]/g, ' '))
    .join('^')
    .replace(/\^+$/, '');

export function sourcePatientOf(patient: Patient): { readonly id?: string; readonly info: readonly string[] } {
  const identifiers = (patient.identifier ?? []).filter(({ value }) => value !== undefined);
  // sourcePatientId is a CX of an OID (ITI TF-3 §4.2.3.2.22); other identifiers stand in PID-3.
  const chosen = identifiers.find(({ system }) => system?.startsWith('urn:oid:'));
  const first = chosen && cxOf(chosen);
  const others = identifiers.filter((one) => one !== chosen).map(cxOf);
  const code = Object.entries(GENDERS).find(([, gender]) => gender === patient.gender)?.[0];
  const names = (patient.name ?? []).map((name) =>
    trimmed([
      name.family ?? (name.given ? undefined : name.text),
      name.given?.[0],
      name.given?.slice(1).join(' '),
      name.suffix?.[0],
      name.prefix?.[0],
    ]),
  );
  const addresses = (patient.address ?? []).map((one) =>
    trimmed([one.line?.[0] ?? one.text, one.line?.[1], one.city, one.state, one.postalCode, one.country]),
  );
  const lines = [
    ...strings(others, (one) => `PID-3|${one}`),
    ...strings(names, (one) => one && `PID-5|${one}`),
    ...(patient.birthDate === undefined ? [] : [`PID-7|${patient.birthDate.replaceAll('-', '')}`]),
    ...(code === undefined ? [] : [`PID-8|${code}`]),
    ...strings(addresses, (one) => one && `PID-11|${one}`),
  ];
  return { ...(first === undefined ? {} : { id: first }), info: lines };
}
