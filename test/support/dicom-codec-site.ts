/** A plain site for mapping tests: no overrides, no codes. */
import { siteId } from '../../hub/core/identifier.ts';
import type { SiteProfile } from '../../hub/core/site.ts';

export const plainSite: SiteProfile = {
  id: siteId('h1'),
  name: 'H1',
  institutionCode: 'MA9990H1799010011A1001',
  timeZone: 'Asia/Shanghai',
  storage: 'centre',
  patientIds: { defaultAuthority: '2.999.156.1.1', authorities: { H1: '2.999.156.1.1' }, types: {} },
  accessionIssuer: '2.999.156.7.1',
  dicom: { aeTitles: [], addresses: [], certificates: [], nodes: [] },
  hl7v2: { senders: [], addresses: [], certificates: [], nameOrder: 'whole', dateFormats: [] },
  codes: { lookup: () => null },
};
