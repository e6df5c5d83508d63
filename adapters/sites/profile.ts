/** site.yaml: from a YAML text to a checked `SiteProfile`. Defaults stand here and in `_example/site.yaml`, nowhere else. */
import { parseDocument } from 'yaml';
import { isUscc, parseOid, siteId } from '../../hub/core/identifier.ts';
import { parseNetwork } from '../../hub/core/network.ts';
import type { CodeTable, SiteProfile } from '../../hub/core/site.ts';
import { MapReader } from './reader.ts';
import type { Check, Fault } from './reader.ts';
import { readPixNotify } from './notify-section.ts';
import { readXds } from './xds-section.ts';

const matching =
  (pattern: RegExp, expected: string): Check =>
  (text) =>
    pattern.test(text) ? null : `must be ${expected}`;

const oid: Check = (text) => (parseOid(text) === null ? 'must be an OID such as 2.999.156.1.1' : null);
const network: Check = (text) =>
  parseNetwork(text) === null ? 'must be an IP address or CIDR block such as 10.1.2.0/24, host bits zero' : null;
const certificate = matching(
  /^[0-9a-f]{64}$/,
  'the SHA-256 fingerprint of the client certificate, 64 lower-case hex digits',
);
// PS3.5 §6.2, AE: at most 16 characters, no backslash, no control character, not only blanks.
const aeTitle = matching(
  /^(?! )[\x20-\x5b\x5d-\x7e]{1,16}(?<! )$/,
  'an AE title: at most 16 printable ASCII characters, no backslash',
);
const charset = matching(
  /^(UTF-8|GB18030|GBK|GB2312|Big5|ASCII|ISO-8859-1)$/,
  'one of UTF-8, GB18030, GBK, GB2312, Big5, ASCII, ISO-8859-1',
);
// HL7 v2.5.1 §2.5.4: these would end the field in the sender's own message.
const hl7Name = matching(/^[^|^~\\&\p{C}]{1,180}$/u, 'text without HL7 delimiters');
const host = matching(/^[A-Za-z0-9.:-]{1,253}$/, 'a host name or address');
// 22 characters of WS 218-2002, or another number of the licence kept verbatim (CODES §2); it goes into the exam index.
const institution = matching(/^[0-9A-Z-]{4,32}$/, '4 to 32 capital letters, digits or hyphens');
const anyText: Check = (text) => (text.length <= 200 ? null : 'must be at most 200 characters');
const identifierType = matching(/^([A-Z]{1,8}|cv:\d{2,3})$/, 'a code of HL7 table 0203 such as PI, MR, NI, or cv:NN');
const dateFormat = matching(/^[yMdHhmsSTZX/.:\- ']{4,40}$/, 'a date format such as yyyy/M/d H:mm:ss');

const timeZone: Check = (text) => {
  try {
    new Intl.DateTimeFormat('en', { timeZone: text });
    return null;
  } catch {
    // RangeError is how Intl says that it does not know the zone.
    return 'must be an IANA time zone such as Asia/Shanghai';
  }
};

export function parseProfile(id: string, text: string, codes: CodeTable, fault: Fault): SiteProfile {
  const document = parseDocument(text, { uniqueKeys: true, merge: false });
  for (const error of document.errors)
    fault(`line ${String(error.linePos?.[0].line ?? 1)}`, error.message.split('\n')[0] ?? '');
  // Aliases are refused by the bound of 0: a profile needs none, and they are how small YAML becomes large.
  let tree: unknown = null;
  try {
    tree = document.errors.length > 0 ? null : document.toJS({ maxAliasCount: 0 });
  } catch {
    fault('', 'YAML aliases are not allowed');
  }
  const root = new MapReader(tree, '', fault);
  const named = root.required('id');
  if (named !== id) fault('id', `must be the name of its folder, ${id}`);
  const uscc = root.text('uscc', (value) =>
    isUscc(value) ? null : 'must be a unified social credit code with a right check character',
  );
  const level = root.text('level', anyText);
  const settleSeconds = root.integer('settleSeconds', 1, 86_400);
  const accessionIssuer = root.text('accessionIssuer', oid);
  const metadataForm = root.choice('metadataForm', ['lenient', 'strict']);
  const profile: SiteProfile = {
    id: siteId(id),
    name: root.required('name', anyText),
    institutionCode: root.required('institutionCode', institution),
    ...(uscc === undefined ? {} : { uscc }),
    ...(level === undefined ? {} : { level }),
    timeZone: root.text('timeZone', timeZone) ?? 'Asia/Shanghai',
    storage: root.choice('storage', ['centre', 'centre-and-local', 'hospital']) ?? 'centre',
    ...(settleSeconds === undefined ? {} : { settleSeconds }),
    patientIds: readPatientIds(root.map('patientIds')),
    ...(accessionIssuer === undefined ? {} : { accessionIssuer }),
    ...(metadataForm === undefined ? {} : { metadataForm }),
    hl7v2: readHl7(root.map('hl7v2'), fault),
    dicom: readDicom(root.map('dicom'), fault),
    codes,
  };
  const xds = readXds(root.section('xds'), profile.patientIds.defaultAuthority, fault);
  const pixNotify = readPixNotify(root.section('pixNotify'), profile, fault);
  root.done();
  return { ...profile, ...(xds === null ? {} : { xds }), ...(pixNotify === null ? {} : { pixNotify }) };
}

function readPatientIds(reader: MapReader): SiteProfile['patientIds'] {
  const visitAuthority = reader.text('visitAuthority', oid);
  const accountAuthority = reader.text('accountAuthority', oid);
  const patientIds = {
    defaultAuthority: reader.required('defaultAuthority', oid),
    ...(visitAuthority === undefined ? {} : { visitAuthority }),
    ...(accountAuthority === undefined ? {} : { accountAuthority }),
    authorities: reader.table('authorities', anyText, oid),
    types: reader.table('types', anyText, identifierType),
  };
  reader.done();
  return patientIds;
}

function readHl7(reader: MapReader, fault: Fault): SiteProfile['hl7v2'] {
  const senders = reader.maps('senders').map((sender) => {
    const names = {
      application: sender.required('application', hl7Name),
      facility: sender.required('facility', hl7Name),
    };
    sender.done();
    return names;
  });
  const [override, fallback] = [reader.text('charset', charset), reader.text('defaultCharset', charset)];
  const query = reader.flag('query');
  const hl7v2 = {
    senders,
    addresses: reader.texts('addresses', network),
    certificates: reader.texts('certificates', certificate),
    ...(query === undefined ? {} : { query }),
    ...(override === undefined ? {} : { charset: override }),
    ...(fallback === undefined ? {} : { defaultCharset: fallback }),
    nameOrder: reader.choice('nameOrder', ['whole', 'family-given']) ?? 'whole',
    dateFormats: reader.texts('dateFormats', dateFormat),
  };
  reader.done();
  if (senders.length > 0 && hl7v2.addresses.length + hl7v2.certificates.length === 0)
    fault('hl7v2.addresses', 'a sender needs an address or a certificate: nobody is let in by name alone');
  return hl7v2;
}

function readDicom(reader: MapReader, fault: Fault): SiteProfile['dicom'] {
  const nodes = reader.maps('nodes').map((node) => {
    const place = {
      aeTitle: node.required('aeTitle', aeTitle),
      host: node.required('host', host),
      port: node.integer('port', 1, 65_535) ?? 104,
    };
    node.done();
    return place;
  });
  const imageSource = reader.text('imageSource', (value) =>
    nodes.some(({ aeTitle: title }) => title === value) ? null : 'must be the AE title of one of the nodes',
  );
  const [override, fallback] = [reader.text('charset', charset), reader.text('defaultCharset', charset)];
  const query = reader.flag('query');
  const dicom = {
    aeTitles: reader.texts('aeTitles', aeTitle),
    addresses: reader.texts('addresses', network),
    certificates: reader.texts('certificates', certificate),
    ...(query === undefined ? {} : { query }),
    ...(override === undefined ? {} : { charset: override }),
    ...(fallback === undefined ? {} : { defaultCharset: fallback }),
    nodes,
    ...(imageSource === undefined ? {} : { imageSource }),
  };
  reader.done();
  if (dicom.aeTitles.length > 0 && dicom.addresses.length + dicom.certificates.length === 0)
    fault('dicom.addresses', 'an AE title needs an address or a certificate: nobody is let in by name alone');
  return dicom;
}
