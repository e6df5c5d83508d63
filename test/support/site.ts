/** A site profile for tests that need one and do not test the site's own data. */
import { siteId } from '../../hub/core/identifier.ts';
import type { SiteProfile } from '../../hub/core/site.ts';

export function siteProfile(id: string, changes: Partial<SiteProfile> = {}): SiteProfile {
  return {
    id: siteId(id),
    name: `Test site ${id}`,
    institutionCode: '47005172621010211A1001',
    timeZone: 'Asia/Shanghai',
    storage: 'centre',
    patientIds: { defaultAuthority: '2.999.156.1.1', authorities: {}, types: {} },
    hl7v2: {
      senders: [{ application: 'RIS', facility: id.toUpperCase() }],
      addresses: ['127.0.0.0/8', '::1/128'],
      certificates: [],
      nameOrder: 'whole',
      dateFormats: [],
    },
    dicom: {
      aeTitles: [`${id.toUpperCase()}PACS`],
      addresses: ['127.0.0.0/8', '::1/128'],
      certificates: [],
      nodes: [],
    },
    codes: { lookup: () => null },
    ...changes,
  };
}
