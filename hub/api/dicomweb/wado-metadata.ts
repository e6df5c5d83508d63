/** WADO-RS metadata (PS3.18 §10.4.1.1.2): a series is one ready buffer; a study is sent series by series. */
import type { SeriesLocated } from '../../core/ports.ts';
import { Failure, problem } from '../../core/problem.ts';
import type { JsonDataSet } from '../../../mappings/dicom/json.ts';
import type { DicomwebDeps } from './deps.ts';
import type { Exchange } from './exchange.ts';
import { instanceOf, seriesOf, studyOf } from './found.ts';
import { sendMultipart } from './multipart.ts';
import { nativeXml } from './native-xml.ts';
import { wantsXml } from './qido.ts';

export async function instanceMetadata(deps: DicomwebDeps, exchange: Exchange): Promise<void> {
  const xml = wantsXml(exchange.request);
  const found = await instanceOf(exchange.reader, exchange.request);
  await exchange.audited('read', [found.personId], [found.study.studyUid]);
  const body = await deps.metadata.instance(found, exchange.base);
  if (xml) await sendXml(deps, exchange, [body]);
  else exchange.response.type(JSON_TYPE).send(body);
}

export async function seriesMetadata(deps: DicomwebDeps, exchange: Exchange): Promise<void> {
  const { request, response, base } = exchange;
  const xml = wantsXml(request);
  const found = await seriesOf(exchange.reader, request);
  await exchange.audited('read', [found.personId], [found.study.studyUid]);
  if (xml) return sendXml(deps, exchange, [await deps.metadata.series(found, base, false)]);
  const gzip = !request.acceptsEncodings('identity') || takesGzip(request.headers['accept-encoding']);
  const body = await deps.metadata.series(found, base, gzip);
  response.setHeader('Vary', 'Accept-Encoding');
  if (gzip) response.setHeader('Content-Encoding', 'gzip');
  response.setHeader('Content-Type', JSON_TYPE);
  response.setHeader('Content-Length', body.length);
  if (request.method === 'HEAD') response.end();
  else response.end(body);
}

export async function studyMetadata(deps: DicomwebDeps, exchange: Exchange): Promise<void> {
  const { request, response, base } = exchange;
  const xml = wantsXml(request);
  const found = await studyOf(exchange.reader, request);
  await exchange.audited('read', [found.personId], [found.study.studyUid]);
  const series = found.study.series.filter((one) => one.instances.length > 0);
  const located = series.map((one): SeriesLocated => ({ ...found, series: one }));
  const [first] = located;
  if (first === undefined) throw new Failure(problem('not-found', 'study', 'There are no images of this study here.'));
  if (xml) {
    const all: Buffer[] = [];
    for (const one of located) all.push(await deps.metadata.series(one, base, false));
    return sendXml(deps, exchange, all);
  }
  // The first series is made before the head is sent, so that what fails at once is answered properly.
  let body = await deps.metadata.series(first, base, false);
  response.setHeader('Content-Type', JSON_TYPE);
  if (request.method === 'HEAD') return void response.end();
  response.write('[');
  for (const [at, next] of [...located.slice(1), null].entries()) {
    if (at > 0) response.write(',');
    const flowing = response.write(body.subarray(1, body.length - 1));
    if (!flowing && !response.destroyed) {
      await new Promise<void>((resolve) => {
        const done = (): void => {
          response.off('drain', done);
          response.off('close', done);
          resolve();
        };
        response.once('drain', done);
        response.once('close', done);
      });
    }
    if (response.destroyed) return;
    if (next !== null) body = await deps.metadata.series(next, base, false);
  }
  response.end(']');
}

const JSON_TYPE = 'application/dicom+json';

const takesGzip = (header: string | string[] | undefined): boolean =>
  typeof header === 'string' && /(^|,)\s*gzip\s*(?!;\s*q=0(\.0*)?\s*(,|$))/i.test(header);

async function sendXml(deps: DicomwebDeps, exchange: Exchange, arrays: readonly Buffer[]): Promise<void> {
  const models = arrays.flatMap((bytes) => JSON.parse(bytes.toString('utf8')) as JsonDataSet[]);
  const entities = models.map((model) => ({
    contentType: 'application/dicom+xml',
    body: { bytes: Buffer.from(nativeXml(model)) },
  }));
  await sendMultipart(deps, exchange, 'application/dicom+xml', entities);
}
