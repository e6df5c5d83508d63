/** Organization and its Endpoints: a hospital as data, and where the hub serves its images. */
import type { Endpoint, Organization } from 'fhir/r4.js';
import type { SiteId } from '../../hub/core/identifier.ts';
import type { SiteProfile } from '../../hub/core/site.ts';
import { EXTENSIONS, HUB_ORIGIN, PROFILES, SYSTEMS, type FhirContext } from './context.ts';
import { compact, extension, list, meta, text, typedIdentifier } from './datatypes.ts';

type Access = 'wado' | 'xdsi';

export const endpointId = (site: SiteId, access: Access, ctx: FhirContext): string =>
  ctx.derive.id('fhir-endpoint', site, access);

export function organization(site: SiteProfile, ctx: FhirContext): Organization {
  return compact<Organization>({
    resourceType: 'Organization',
    id: site.id,
    meta: meta(PROFILES.Organization),
    extension: list(extension(EXTENSIONS.institutionLevel, 'valueString', text(site.level))),
    identifier: list(
      typedIdentifier('XX', SYSTEMS.institution, site.institutionCode),
      typedIdentifier('XX', SYSTEMS.uscc, site.uscc),
    ),
    active: true,
    type: [{ coding: [{ system: SYSTEMS.organizationType, code: 'prov', display: 'Healthcare Provider' }] }],
    name: text(site.name) ?? site.id,
    endpoint: (['wado', 'xdsi'] as const).map((access) => ({
      reference: `Endpoint/${endpointId(site.id, access, ctx)}`,
    })),
  });
}

/** Wherever the pixels lie, callers get them from the hub: DICOMweb, or RAD-69 for XDS-I consumers. */
export function endpoints(site: SiteProfile, ctx: FhirContext): Endpoint[] {
  return [
    endpoint(site, 'wado', ctx, {
      code: 'dicom-wado-rs',
      display: 'DICOM WADO-RS',
      path: '/dicomweb',
      mime: 'application/dicom',
    }),
    endpoint(site, 'xdsi', ctx, {
      code: 'ihe-xds',
      display: 'IHE XDS',
      path: '/xds/imaging-source',
      mime: 'application/dicom',
    }),
  ];
}

function endpoint(
  site: SiteProfile,
  access: Access,
  ctx: FhirContext,
  kind: { code: string; display: string; path: string; mime: string },
): Endpoint {
  return compact<Endpoint>({
    resourceType: 'Endpoint',
    id: endpointId(site.id, access, ctx),
    meta: meta(PROFILES.Endpoint),
    status: 'active',
    connectionType: { system: SYSTEMS.connectionType, code: kind.code, display: kind.display },
    name: text(`${site.name} ${kind.display}`),
    managingOrganization: { reference: `Organization/${site.id}`, display: text(site.name) ?? site.id },
    payloadType: [{ text: access === 'wado' ? 'DICOM' : 'DICOM by RAD-69' }],
    payloadMimeType: [kind.mime],
    address: `${HUB_ORIGIN}${kind.path}`,
  });
}
