/** The CapabilityStatement, made from what the face registers: it cannot promise what no code answers. */
import type { CapabilityStatement, CapabilityStatementRestResource } from 'fhir/r4.js';
import { PROFILES } from '../../../mappings/fhir/context.ts';
import { SEARCH_PARAMETERS } from '../../../mappings/fhir/generated/definitions.ts';
import { parametersOf, RESOURCE_TYPES, type Parameter, type ResourceType } from '../../../mappings/fhir/parameters.ts';
import { AUDIT_PARAMETERS } from './audit-search.ts';
import { allParameters } from './search-request.ts';

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
    fhirVersion: '4.0.1',
    format: ['application/fhir+json', 'application/fhir+xml', 'json', 'xml'],
    rest: [
      {
        mode: 'server',
        documentation:
          'Read-only projection of the provincial imaging index. Times without an offset are taken as UTC+08:00.',
        security: {
          cors: false,
          description: 'Bearer token, signed-in session or client certificate; every read is audited.',
        },
        resource: [...RESOURCE_TYPES.map(resource), binary, auditEvents],
        interaction: [{ code: 'history-system' }],
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
  const profile = type === 'Provenance' ? undefined : PROFILES[type];
  return {
    type,
    ...(profile === undefined ? {} : { supportedProfile: [profile] }),
    interaction: [
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
    conditionalUpdate: false,
    conditionalDelete: 'not-supported',
    ...(references.length === 0 ? {} : { searchInclude: references.map(({ name }) => `${type}:${name}`) }),
    ...(revincludes.length === 0 ? {} : { searchRevInclude: revincludes }),
    searchParam: allParameters(type).map((parameter) => searchParam(type, parameter)),
  };
}

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

function searchParam(
  type: ResourceType,
  parameter: Parameter,
): NonNullable<CapabilityStatementRestResource['searchParam']>[number] {
  const definition = SEARCH_PARAMETERS[`${type}.${parameter.name}`] ?? SEARCH_PARAMETERS[`Resource.${parameter.name}`];
  return { name: parameter.name, ...(definition === undefined ? {} : { definition }), type: parameter.kind };
}
