/** Sending many files: an association that breaks off costs its own files only, and every file has one outcome, in order. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';
import { test } from 'node:test';
import { send } from '../../adapters/dicom/index.ts';
import type { Sending } from '../../adapters/dicom/index.ts';
import { writeDataSet } from '../../mappings/dicom/write.ts';
import { dicomSite, sitesOf, startHub } from '../support/dimse-hub.ts';

/** Of as many classes as two associations need (128 presentation contexts each, PS3.8 §9.3.2.2). */
const files = Array.from({ length: 70 }, (_, at): Sending => {
  const [sopClass, sopUid] = [`2.25.9000.${String(at)}`, `2.25.9001.${String(at)}`];
  const bytes = writeDataSet({
    SOPClassUID: sopClass,
    SOPInstanceUID: sopUid,
    StudyInstanceUID: '2.25.9002',
    SeriesInstanceUID: '2.25.9003',
    PatientID: 'P9',
    PixelData: { vr: 'OW', value: Buffer.alloc(4096, at) },
  });
  return {
    sopClass,
    sopUid,
    transferSyntax: '1.2.840.10008.1.2.1',
    async *dataSet() {
      yield await Promise.resolve(bytes);
    },
  };
});

test('a broken association loses its own files, not those of the next one', async () => {
  const hub = await startHub({ sites: sitesOf(dicomSite('h1', 'H1PACS')) });
  let connections = 0;
  const wire = createServer((client) => cutting(client, hub.port, ++connections === 1 ? 64 * 1024 : Infinity));
  wire.listen(0, '127.0.0.1');
  await once(wire, 'listening');
  const node = { aeTitle: 'HUTONG', host: '127.0.0.1', port: (wire.address() as AddressInfo).port };
  const sent = await send({ node, callingAe: 'H1PACS' }, files);
  assert.ok(sent.ok);
  assert.deepEqual(
    sent.value.map((one) => one.sopUid),
    files.map((one) => one.sopUid),
  );
  const statuses = sent.value.map((one) => one.status);
  assert.equal(statuses[0], 0);
  assert.equal(statuses[59], null);
  assert.deepEqual(statuses.slice(60), new Array(10).fill(0));
  await hub.filed();
  const stored = new Set(hub.intake.accepted.map((one) => one.controlId));
  for (const one of sent.value) assert.ok(one.status !== 0 || stored.has(one.sopUid), one.sopUid);
  wire.close();
  await hub.stop();
});

/** Passes bytes on, and ends the connection once the client has sent so many. */
function cutting(client: Socket, port: number, most: number): void {
  const server = connect(port, '127.0.0.1');
  let bytes = 0;
  const end = (): void => {
    client.destroy();
    server.destroy();
  };
  client.on('data', (chunk: Buffer) => {
    bytes += chunk.length;
    if (bytes > most) end();
    else server.write(chunk);
  });
  server.on('data', (chunk: Buffer) => void client.write(chunk));
  for (const one of [client, server]) one.on('error', end).on('close', end);
}
