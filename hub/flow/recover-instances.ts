/**
 * After a crash: instances that a sender was told are stored, and that no journal row names yet. Their bytes and the head
 * that the hub wrote before them say all that the journal needs.
 */
import { createHash } from 'node:crypto';
import type { ObjectStore } from '../core/ports.ts';
import { problem } from '../core/problem.ts';
import { hashed, type InstanceRecord } from '../core/record.ts';
import type { SiteProfile } from '../core/site.ts';
import { InstancePrefix } from '../../mappings/dicom/instance-prefix.ts';
import { readInstance } from '../../mappings/dicom/instance.ts';
import { parsePart10Header } from '../../mappings/dicom/parse.ts';
import { IMPLEMENTATION_CLASS } from '../../mappings/dicom/write.ts';
import { settle } from './file-instances.ts';
import { envelopeOf, instanceEnvelope, STORED_BY_DIMSE, type ReceiveOptions } from './receive-instance.ts';

/** All that a header needs (instance-prefix.ts). */
const HEAD_BYTES = 1024 * 1024;

const NO_SITE = problem(
  'unknown-sender',
  '(0002,0016)',
  'Received before a restart; its AE title belongs to no site any more. Add the data of the site and send it again.',
);

/** How many were journalled. To run before anything is received. */
export async function recoverInstances(options: ReceiveOptions): Promise<number> {
  let recovered = 0;
  for await (const key of options.objects.unfiled?.() ?? []) {
    // A posted file was answered after its journal row: without one, nobody was told that it is stored.
    if (key.startsWith(`${STORED_BY_DIMSE}/`) && (await refile(key, options))) recovered++;
  }
  return recovered;
}

async function refile(key: string, options: ReceiveOptions): Promise<boolean> {
  const { objects, intake, log } = options;
  const size = await objects.size(key);
  if (size === null) return false;
  const head = await objects.readAll(key, { start: 0, end: Math.min(size, HEAD_BYTES) });
  const parsed = parsePart10Header(head);
  const sender = parsed.ok ? parsed.value.meta.one(0x00020016) : '';
  if (!parsed.ok || parsed.value.meta.one(0x00020012) !== IMPLEMENTATION_CLASS) {
    log.warn({ object: key }, 'an object that no journal row names was left by a process before this one');
    return false;
  }
  const site = options.sites.byAeTitle(sender);
  if (site === null) {
    const { meta, dataSetOffset } = parsed.value;
    const named = { controlId: meta.one(0x00020003), messageType: meta.one(0x00020002) };
    const digest = await digestFrom(objects, key, dataSetOffset, size);
    const stranger = { channel: 'dicom', site: null, sender, peer: '' } as const;
    // Its sender was told that it is stored: it stays to be found, with the reason.
    await intake.refuse(
      envelopeOf(stranger, key, digest, named, { object: key, size, digest, dataSetOffset }),
      NO_SITE,
    );
    return false;
  }
  const record = await readStored(key, head, size, site, options);
  if (record === null) {
    log.warn(
      { object: key },
      'an object that no journal row names is not a whole instance; its sender was not answered',
    );
    return false;
  }
  const arrival = { channel: 'dicom', site: site.id, sender, peer: '' } as const;
  const receipt = await intake.accept(instanceEnvelope(arrival, key, record));
  await settle(receipt, { key, filed: () => undefined }, objects, log);
  return receipt.kind === 'accepted';
}

async function readStored(
  key: string,
  head: Buffer,
  size: number,
  site: SiteProfile,
  { objects, clock }: ReceiveOptions,
): Promise<InstanceRecord | null> {
  const prefix = new InstancePrefix(null);
  prefix.add(head);
  const start = prefix.startOfFile();
  if (!start.ok) return null;
  const { dataSetOffset } = start.value;
  const header = prefix.header(size - dataSetOffset);
  if (!header.ok) return null;
  const { transferSyntax } = header.value;
  const stored = { object: key, size, dataSetOffset, transferSyntax };
  const mapped = readInstance(header.value, site, stored, clock().toISOString());
  const record = mapped.ok ? mapped.records[0] : undefined;
  return record === undefined ? null : hashed(record, await digestFrom(objects, key, dataSetOffset, size));
}

async function digestFrom(
  objects: Pick<ObjectStore, 'read'>,
  key: string,
  start: number,
  end: number,
): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of await objects.read(key, { start, end })) hash.update(chunk as Buffer);
  return hash.digest('hex');
}
