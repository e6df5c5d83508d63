/** Orthanc as the archive of a hospital: holds what it is given, and answers C-FIND and C-GET of anyone on loopback. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { freePort } from './dcmtk.ts';

const ORTHANC = '/usr/sbin/Orthanc';
const have = existsSync(ORTHANC);
if (!have && process.env.CI) throw new Error('Orthanc must be installed where CI is set');
/** For `skip:` of a test. */
export const withoutOrthanc = have ? false : 'Orthanc is not installed';

export interface Orthanc {
  readonly dicomPort: number;
  /** Takes a Part-10 file; gives Orthanc's own id of the instance. */
  keep(file: Buffer): Promise<string>;
  forget(id: string): Promise<void>;
  /** As a machine that is switched off; what it holds stays. */
  stop(): Promise<void>;
  start(): Promise<void>;
  /** Stops it for good. */
  remove(): Promise<void>;
}

export async function startOrthanc(aeTitle: string): Promise<Orthanc> {
  const root = await mkdtemp(join(tmpdir(), 'hutong-orthanc-'));
  const [httpPort, dicomPort] = [await freePort(), await freePort()];
  const config = {
    Name: aeTitle,
    DicomAet: aeTitle,
    DicomPort: dicomPort,
    HttpPort: httpPort,
    StorageDirectory: join(root, 'db'),
    RemoteAccessAllowed: false,
    AuthenticationEnabled: false,
    DicomAlwaysAllowEcho: true,
    DicomAlwaysAllowStore: true,
    DicomAlwaysAllowFind: true,
    DicomAlwaysAllowGet: true,
    DicomCheckCalledAet: false,
    TranscodeDicomProtocol: false,
    Plugins: [],
  };
  await writeFile(join(root, 'orthanc.json'), JSON.stringify(config));
  const origin = `http://127.0.0.1:${String(httpPort)}`;
  let halt = (): Promise<void> => Promise.resolve();
  const start = async (): Promise<void> => {
    // Without it each answer waits 40 ms for the acknowledgement of the one before.
    const env = { ...process.env, TCP_NODELAY: '1' };
    const child = spawn(ORTHANC, [join(root, 'orthanc.json')], { stdio: 'ignore', env });
    const ended = once(child, 'exit');
    halt = async () => {
      child.kill('SIGKILL');
      await ended;
    };
    for (let tries = 0; !(await answers(`${origin}/system`)); tries++) {
      if (tries > 150 || child.exitCode !== null) throw new Error('Orthanc does not come up');
      await pause(100);
    }
  };
  await start();
  return {
    dicomPort,
    async keep(file) {
      const response = await fetch(`${origin}/instances`, { method: 'POST', body: new Uint8Array(file) });
      if (!response.ok) throw new Error(`Orthanc refuses a file: ${String(response.status)} ${await response.text()}`);
      return ((await response.json()) as { ID: string }).ID;
    },
    async forget(id) {
      const response = await fetch(`${origin}/instances/${id}`, { method: 'DELETE' });
      if (!response.ok) throw new Error(`Orthanc does not remove an instance: ${String(response.status)}`);
      await response.arrayBuffer();
    },
    stop: () => halt(),
    start,
    async remove() {
      await halt();
      await rm(root, { recursive: true, force: true });
    },
  };
}

const answers = (url: string): Promise<boolean> =>
  fetch(url).then(
    (response) => response.ok,
    () => false,
  );
