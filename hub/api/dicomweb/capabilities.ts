/** What the service can do (PS3.18 §8.9), as a small WADL: enough for a client to find the transactions and their forms. */
import type { RequestHandler } from 'express';

interface Offer {
  readonly path: string;
  readonly method: 'GET' | 'POST';
  readonly id: string;
  readonly produces: readonly string[];
}

const DICOM = 'multipart/related; type="application/dicom"';
const JSON_TYPE = 'application/dicom+json';
const XML_TYPE = 'multipart/related; type="application/dicom+xml"';
const PICTURES = ['image/jpeg', 'image/png', 'image/gif'];
const LEVELS = [
  'studies/{study}',
  'studies/{study}/series/{series}',
  'studies/{study}/series/{series}/instances/{instance}',
];
const INSTANCE = LEVELS[2] ?? '';

const OFFERS: readonly Offer[] = [
  ...[
    'studies',
    'series',
    'instances',
    'studies/{study}/series',
    'studies/{study}/instances',
    `${LEVELS[1] ?? ''}/instances`,
  ].map((path): Offer => ({ path, method: 'GET', id: 'Search', produces: [JSON_TYPE, XML_TYPE] })),
  ...LEVELS.flatMap((path): Offer[] => [
    { path, method: 'GET', id: 'Retrieve', produces: path === INSTANCE ? [DICOM, 'application/dicom'] : [DICOM] },
    { path: `${path}/metadata`, method: 'GET', id: 'RetrieveMetadata', produces: [JSON_TYPE, XML_TYPE] },
    { path: `${path}/rendered`, method: 'GET', id: 'RetrieveRendered', produces: PICTURES },
    { path: `${path}/thumbnail`, method: 'GET', id: 'RetrieveThumbnail', produces: PICTURES },
  ]),
  { path: `${LEVELS[1] ?? ''}/pixeldata`, method: 'GET', id: 'RetrievePixelData', produces: ['multipart/related'] },
  {
    path: `${INSTANCE}/frames/{frames}`,
    method: 'GET',
    id: 'RetrieveFrames',
    produces: ['multipart/related', 'application/octet-stream'],
  },
  { path: `${INSTANCE}/frames/{frames}/rendered`, method: 'GET', id: 'RetrieveRenderedFrames', produces: PICTURES },
  {
    path: `${INSTANCE}/bulkdata/{path}`,
    method: 'GET',
    id: 'RetrieveBulkdata',
    produces: ['multipart/related', 'application/octet-stream'],
  },
  { path: 'studies', method: 'POST', id: 'Store', produces: [JSON_TYPE, 'application/dicom+xml'] },
  { path: 'studies/{study}', method: 'POST', id: 'StoreInStudy', produces: [JSON_TYPE, 'application/dicom+xml'] },
];

function wadl(base: string): string {
  const resources = OFFERS.map(({ path, method, id, produces }) => {
    const forms = produces.map((type) => `<representation mediaType="${type.replaceAll('"', '&quot;')}"/>`).join('');
    const request =
      method === 'POST' ? `<request><representation mediaType="${DICOM.replaceAll('"', '&quot;')}"/></request>` : '';
    return `<resource path="${path}"><method name="${method}" id="${id}">${request}<response status="200">${forms}</response></method></resource>`;
  });
  return `<?xml version="1.0" encoding="UTF-8"?>\n<application xmlns="http://wadl.dev.java.net/2009/02"><resources base="${base}">${resources.join('')}</resources></application>\n`;
}

export const capabilities: RequestHandler = (request, response) => {
  response.setHeader('Allow', 'GET, HEAD, POST, OPTIONS');
  response.type('application/vnd.sun.wadl+xml').send(wadl(request.baseUrl));
};
