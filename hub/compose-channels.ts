/** Wires the listeners: HL7 v2 and DICOM, plain and, where certificates are configured, TLS. Beside compose.ts, which it serves. */
import { readFileSync } from 'node:fs';
import { createDimseChannel } from '../adapters/dicom/index.ts';
import { createHl7Channel } from '../adapters/hl7v2/index.ts';
import type { Channel } from '../adapters/channel.ts';
import { transcode } from './archive/transcode.ts';
import type { Uid } from './core/identifier.ts';
import type { Caller } from './core/access.ts';
import type { PatientsSeen } from './core/patient-query.ts';
import { Failure } from './core/problem.ts';
import { createSeeing } from './flow/sighted-index.ts';
import type { Ground, Rooms } from './compose.ts';

/** Every listener, plain and, where certificates are configured, TLS. */
export function channels(ground: Ground, rooms: Rooms): Channel[] {
  const { config, sites, log, clock } = ground;
  const { audit } = rooms;
  const { connections, messageBytes, idleMs } = config.limits;
  const limits = { connections, messageBytes, idleMs };
  const queries = async (caller: Caller): ReturnType<PatientsSeen> =>
    rooms.queries.seenBy(await rooms.access.sight(caller));
  const hl7 = { host: config.host, intake: rooms.journal, sites, audit, queries, log, clock, limits };
  const dicom = {
    host: config.host,
    aeTitle: config.aeTitle,
    sink: rooms.sink,
    seeing: createSeeing(rooms.access, rooms.index, rooms.reader),
    images: rooms.images,
    sites,
    audit,
    log,
    limits: { associations: connections, idleMs },
    transcode: transcodeOrThrow,
  };
  const opened: Channel[] = [
    createHl7Channel({ ...hl7, port: config.mllpPort }),
    createDimseChannel({ ...dicom, port: config.dimsePort }),
  ];
  if (config.tls === null) return opened;
  const { cert, key, ca } = config.tls;
  const secrets = { cert: readFileSync(cert), key: readFileSync(key) };
  const authority = ca === null ? null : readFileSync(ca);
  if (config.mllpTlsPort !== null) {
    const tls = { ...secrets, ...(authority === null ? {} : { clientCa: authority }) };
    opened.push(named('hl7v2-tls', createHl7Channel({ ...hl7, port: config.mllpTlsPort, tls })));
  }
  if (config.dimseTlsPort !== null) {
    const tls = { ...secrets, ...(authority === null ? {} : { ca: authority }) };
    opened.push(named('dicom-tls', createDimseChannel({ ...dicom, port: config.dimseTlsPort, tls })));
  }
  return opened;
}

/** For a move whose peer takes no context of the stored syntax: what cannot be converted fails that one sub-operation. */
async function transcodeOrThrow(part10: Buffer, to: Uid): Promise<Buffer> {
  const made = await transcode(part10, to);
  if (!made.ok) throw new Failure(made.problem);
  return made.value;
}

/** The same channel under its own name, so that its readiness and address are told apart. */
const named = (name: string, channel: Channel): Channel => ({
  name,
  start: () => channel.start(),
  stop: (drainMs) => channel.stop(drainMs),
  health: () => channel.health(),
  address: () => channel.address(),
});
