/** The data directory: who may run on it, and that the accounts that work in it can reach what is theirs. */
import { randomUUID } from 'node:crypto';
import { chmod, mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Hold } from './process-lock.ts';
import { claimLock } from './process-lock.ts';

/**
 * Makes the folder whatever the umask is. As root it may be passed but not listed by others, since the embedded
 * server runs under an account of its own; as an ordinary user it is closed.
 */
export async function makeFolder(folder: string): Promise<void> {
  const first = await mkdir(folder, { recursive: true });
  if (first === undefined) return;
  const mode = process.getuid?.() === 0 ? 0o711 : 0o700;
  for (let made = folder; made.length >= first.length; made = dirname(made)) await chmod(made, mode);
}

/**
 * Names the process that receives with these roles on this data directory: the same after a restart, and no other's
 * while it runs, since a role is held by one process.
 */
export async function ownerName(dataDir: string, roles: readonly string[]): Promise<string> {
  const path = join(dataDir, 'run', 'owner');
  await makeFolder(dirname(path));
  // The first of two that draw at the same moment wins.
  await writeFile(path, randomUUID(), { flag: 'wx' }).catch((error: unknown) => {
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error;
  });
  const role = ['listen', 'api', 'worker'].find((each) => roles.includes(each)) ?? 'none';
  return `${(await readFile(path, 'utf8')).trim()}-${role}`;
}

/** Takes the roles on this data directory for this process, or rejects with one line that names who has them. */
export async function claimRoles(dataDir: string, roles: readonly string[]): Promise<Hold> {
  const folder = join(dataDir, 'run');
  await makeFolder(folder);
  const held: Hold[] = [];
  const release = async (): Promise<void> => {
    for (const hold of held) await hold.release();
  };
  for (const role of roles) {
    const claim = await claimLock(join(folder, `${role}.lock`), `hub with ${roles.join(', ')}`);
    if (claim.ok) {
      held.push(claim.hold);
      continue;
    }
    await release();
    throw new Error(
      `another hub (pid ${String(claim.holder.pid)}) already runs role ${role} on ${dataDir}: stop it or set another HUB_DATA_DIR`,
    );
  }
  return { release };
}
