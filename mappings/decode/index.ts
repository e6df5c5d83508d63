/** The door: any entry of the journal for a person to read, masked unless they may see all of it. Pure. */
import type { DecodedMessage, JournalSource } from '../../hub/core/decoded.ts';
import type { SiteProfile } from '../../hub/core/site.ts';
import { decodeDicom } from './dicom.ts';
import { decodeHl7 } from './hl7v2.ts';
import { decodeJson } from './json.ts';
import { Rows } from './row.ts';
import { decodeXml } from './xml.ts';

/** `file`: where the entry is an image, the first bytes of its file; null: they are not to be had. */
export function decode(
  source: JournalSource,
  site: SiteProfile,
  { file, unmask }: { readonly file: Buffer | null; readonly unmask: boolean },
): DecodedMessage {
  switch (source.channel) {
    case 'hl7v2':
      return decodeHl7(source, site, unmask);
    case 'dicom':
    case 'dicomweb':
      return file === null
        ? new Rows(source.findings, unmask).message('unreadable', null)
        : decodeDicom(source, file, site, unmask);
    case 'rest':
      return decodeJson(source, unmask);
    case 'fhir':
      return source.contentType.includes('xml') ? decodeXml(source, unmask) : decodeJson(source, unmask);
    case 'hl7v3':
      return decodeXml(source, unmask);
    case 'xds':
      return source.contentType.includes('xml')
        ? decodeXml(source, unmask)
        : decodeDicom(source, Buffer.from(source.bytes), site, unmask);
  }
}
