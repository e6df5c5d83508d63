/** The CapabilityStatement, made from what the face registers: it cannot promise what no code answers. */
import type { CapabilityStatement, CapabilityStatementRestResource } from 'fhir/r4.js';
import { PROFILES } from '../../../mappings/fhir/context.ts';
import { mhdProfile } from '../../../mappings/fhir/mhd-terms.ts';
import { SEARCH_PARAMETERS } from '../../../mappings/fhir/generated/definitions.ts';
import { parametersOf, RESOURCE_TYPES, type Parameter, type ResourceType } from '../../../mappings/fhir/parameters.ts';
import { AUDIT_PARAMETERS } from './audit-search.ts';
import { CONSENT_PARAMETERS } from './consent-search.ts';
import { allParameters } from './search-request.ts';

const TRANSACTION =
  'Provide Document Bundle (ITI-65): https://profiles.ihe.net/ITI/MHD/StructureDefinition/IHE.MHD.Minimal.ProvideBundle and its Comprehensive and UnContained.Comprehensive forms; no other transaction.';
const PROCESS_MESSAGE = 'http://hl7.org/fhir/OperationDefinition/MessageHeader-process-message';
const MESSAGES =
  'PMIR patient identity feed (ITI-93) alone, here or at the base; it creates, revises and merges, and takes no merge back.';
const IHE = 'https://profiles.ihe.net/ITI';

export interface Release {
  readonly version: string;
  /** When this release was made, R4 dateTime. */
  readonly date: string;
}

export function capabilityStatement(release: Release, base: string): CapabilityStatement {
  return {
    resourceType: 'CapabilityStatement',
    status: 'active',
    date: release.date,
    kind: 'instance',
    software: { name: 'Hutong', version: release.version },
    implementation: { description: 'Regional imaging interoperability hub', url: base },
    instantiates: ACTORS,
    fhirVersion: '4.0.1',
    format: ['application/fhir+json', 'application/fhir+xml', 'json', 'xml'],
    rest: [
      {
        mode: 'server',
        documentation:
          'Projection of the provincial imaging index, read only, and the documents of the affinity domain (IHE MHD). Times without an offset are taken as UTC+08:00.',
        security: {
          cors: false,
          description: 'Bearer token, signed-in session or client certificate; every read is audited.',
        },
        resource: [...RESOURCE_TYPES.map(resource), binary, auditEvents, consents],
        operation: [{ name: 'process-message', definition: PROCESS_MESSAGE, documentation: MESSAGES }],
        interaction: [{ code: 'history-system' }, { code: 'transaction', documentation: TRANSACTION }],
      },
    ],
  };
}

function resource(type: ResourceType): CapabilityStatementRestResource {
  const references = parametersOf(type).filter((parameter) => parameter.kind === 'reference');
  const revincludes = RESOURCE_TYPES.flatMap((source) =>
    parametersOf(source)
      .filter((parameter) => parameter.kind === 'reference' && parameter.targets.includes(type))
      .map((parameter) => `${source}:${parameter.name}`),
  );
  const profiles = [
    ...(type === 'Provenance' || type === 'List' ? [] : [PROFILES[type]]),
    ...(MHD_PROFILES[type] ?? []).map(mhdProfile),
    ...(type === 'Patient' ? [`${IHE}/PIXm/StructureDefinition/IHE.PIXm.Patient`] : []),
  ];
  return {
    type,
    ...(profiles.length === 0 ? {} : { supportedProfile: profiles }),
    interaction: [
      ...(type === 'DocumentReference' ? [{ code: 'create' as const }] : []),
      ...(type === 'Patient' ? [{ code: 'update' as const, documentation: PATIENT_FEED }] : []),
      { code: 'read' },
      { code: 'vread' },
      { code: 'history-instance' },
      { code: 'history-type' },
      { code: 'search-type' },
    ],
    versioning: 'versioned',
    readHistory: true,
    updateCreate: false,
    conditionalCreate: false,
    conditionalRead: 'full-support',
    conditionalUpdate: type === 'Patient',
    conditionalDelete: 'not-supported',
    ...(references.length === 0 ? {} : { searchInclude: references.map(({ name }) => `${type}:${name}`) }),
    ...(revincludes.length === 0 ? {} : { searchRevInclude: revincludes }),
    // `related:identifier` is a modifier of `related` (R4 §3.1.1.4.13), not a parameter of its own.
    searchParam: allParameters(type)
      .filter(({ name }) => !name.includes(':'))
      .map((parameter) => searchParam(type, parameter)),
    ...(type === 'Patient' ? { operation: OPERATIONS } : {}),
  };
}

/** PIXm's Remove Patient Option is not taken; a site takes a registration back by ITI-93, which loses nothing of it. */
const PATIENT_FEED =
  'Conditional update for ITI-104, by identifier=system|value of a site, by a system of that site; a merge is active=false with one link of type replaced-by. Nothing is removed here: a message of ITI-93 may take a registration back.';

/** Actors whose requirements this server fulfils; the PIXm Manager's statement also lists conditional create. */
const ACTORS = [
  `${IHE}/MHD/CapabilityStatement/IHE.MHD.DocumentResponder`,
  `${IHE}/MHD/CapabilityStatement/IHE.MHD.DocumentRecipient`,
  `${IHE}/MHD/CapabilityStatement/IHE.MHD.DocumentRecipient.Comprehensive`,
  `${IHE}/MHD/CapabilityStatement/IHE.MHD.DocumentRecipient.UnContained`,
  `${IHE}/MHD/CapabilityStatement/IHE.MHD.DocumentRecipient.Simplified`,
  `${IHE}/PDQm/CapabilityStatement/IHE.PDQm.PatientDemographicsSupplier`,
];
const OPERATIONS = [
  { name: 'ihe-pix', definition: `${IHE}/PIXm/OperationDefinition/IHE.PIXm.pix` },
  { name: 'match', definition: 'http://hl7.org/fhir/OperationDefinition/Patient-match' },
];
const MHD_PROFILES: Readonly<Partial<Record<ResourceType, readonly string[]>>> = {
  DocumentReference: [
    'Minimal.DocumentReference',
    'Comprehensive.DocumentReference',
    'SimplifiedPublish.DocumentReference',
  ],
  List: ['Minimal.SubmissionSet', 'Comprehensive.SubmissionSet', 'Minimal.Folder', 'Comprehensive.Folder'],
};

/** Binary is where documents are read; it is found through DocumentReference and DiagnosticReport. */
const binary: CapabilityStatementRestResource = { type: 'Binary', interaction: [{ code: 'read' }] };

/** For those who may read the audit (IHE ITI-81); every other reader gets 403. */
const auditEvents: CapabilityStatementRestResource = {
  type: 'AuditEvent',
  supportedProfile: ['Read', 'PatientRead', 'Query', 'PatientQuery'].map(
    (name) => `https://profiles.ihe.net/ITI/BALP/StructureDefinition/IHE.BasicAudit.${name}`,
  ),
  interaction: [{ code: 'read' }, { code: 'search-type' }],
  versioning: 'no-version',
  searchParam: AUDIT_PARAMETERS.map(([name, type]) => {
    const definition = SEARCH_PARAMETERS[`AuditEvent.${name}`] ?? SEARCH_PARAMETERS[`Resource.${name}`];
    return { name, ...(definition === undefined ? {} : { definition }), type };
  }),
};

/** For whoever records consents, and whoever reads records; it is withdrawn by an update to `inactive`. */
const consents: CapabilityStatementRestResource = {
  type: 'Consent',
  supportedProfile: [PROFILES.Consent],
  interaction: [
    { code: 'create' },
    { code: 'read' },
    { code: 'vread' },
    {
      code: 'update',
      documentation: 'A new version, or status inactive: withdrawn. If-Match names the version that was read.',
    },
    { code: 'history-instance' },
    { code: 'search-type' },
  ],
  versioning: 'versioned-update',
  readHistory: true,
  updateCreate: false,
  searchParam: CONSENT_PARAMETERS.map(([name, type]) => {
    const definition = SEARCH_PARAMETERS[`Consent.${name}`] ?? SEARCH_PARAMETERS[`Resource.${name}`];
    return { name, ...(definition === undefined ? {} : { definition }), type };
  }),
};

function searchParam(
  type: ResourceType,
  parameter: Parameter,
): NonNullable<CapabilityStatementRestResource['searchParam']>[number] {
  const definition =
    IHE_PARAMETERS[`${type}.${parameter.name}`] ??
    SEARCH_PARAMETERS[`${type}.${parameter.name}`] ??
    SEARCH_PARAMETERS[`Resource.${parameter.name}`];
  return { name: parameter.name, ...(definition === undefined ? {} : { definition }), type: parameter.kind };
}

/** Defined by IHE, or by an extension of HL7, not by R4. */
const IHE_PARAMETERS: Readonly<Record<string, string>> = {
  'DocumentReference.creation': `${IHE}/MHD/SearchParameter/DocumentReference-Creation`,
  'List.designationType': `${IHE}/MHD/SearchParameter/List-DesignationType`,
  'List.sourceId': `${IHE}/MHD/SearchParameter/List-SourceId`,
  'Patient.mothersMaidenName': 'http://hl7.org/fhir/SearchParameter/patient-extensions-Patient-mothersMaidenName',
};
