/**
 * Loads every hospital from its folder of data (site.yaml, codes.csv), checks all of it, and answers who a sender is.
 * A hospital is added, changed or removed by data alone; adapters/sites/README.md says how.
 */
import { readFile, readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { SiteProfile, Sites } from '../../hub/core/site.ts';
import { parseCodes } from './code-table.ts';
import { SiteDataError } from './fault.ts';
import type { SiteFault } from './fault.ts';
import { parseProfile } from './profile.ts';

export { SiteDataError } from './fault.ts';

const MAX_YAML = 256 * 1024;
const MAX_CSV = 16 * 1024 * 1024;
const SITE_ID = /^[a-z0-9][a-z0-9-]{0,31}$/;

/** Folders whose name starts with `_` or `.` are not sites (`_example`). Rejects with a `SiteDataError` that names all faults. */
export async function loadSites(folder: string): Promise<Sites> {
  const faults: SiteFault[] = [];
  const names = (await readdir(folder, { withFileTypes: true }))
    .filter((entry) => entry.isDirectory() && !/^[._]/.test(entry.name))
    .map((entry) => entry.name)
    .sort();
  if (names.length === 0) faults.push({ file: folder, path: '', text: 'there is no site folder in it' });
  const all: SiteProfile[] = [];
  for (const name of names) all.push(await loadSite(folder, name, faults));
  overlaps(all, faults);
  if (faults.length > 0) throw new SiteDataError(faults);
  return sitesOf(all);
}

/** Reads one site's folder; what is wrong is added to `faults`. */
export async function loadSite(folder: string, id: string, faults: SiteFault[]): Promise<SiteProfile> {
  const file = (name: string): string => `${id}/${name}`;
  if (!SITE_ID.test(id) && !id.startsWith('_'))
    faults.push({
      file: id,
      path: '',
      text: 'a site folder is named with small letters, digits and hyphens, at most 32',
    });
  const csv = await readText(folder, file('codes.csv'), MAX_CSV, faults);
  const codes = parseCodes(file('codes.csv'), csv ?? '');
  if (csv !== null) faults.push(...codes.faults);
  const yaml = await readText(folder, file('site.yaml'), MAX_YAML, faults);
  const fault = (path: string, text: string): void => {
    if (yaml !== null) faults.push({ file: file('site.yaml'), path, text });
  };
  return parseProfile(id, yaml ?? '', codes.table, fault);
}

async function readText(folder: string, file: string, most: number, faults: SiteFault[]): Promise<string | null> {
  try {
    const path = join(folder, file);
    if ((await stat(path)).size > most) {
      faults.push({ file, path: '', text: `is larger than ${String(most)} bytes` });
      return null;
    }
    return new TextDecoder('utf-8', { fatal: true }).decode(await readFile(path));
  } catch (error) {
    const text = error instanceof TypeError ? 'is not UTF-8: save it as UTF-8' : 'cannot be read: the file is needed';
    faults.push({ file, path: '', text });
    return null;
  }
}

const senderKey = (application: string, facility: string): string => `${application}|${facility}`;

/** A sender, an AE title or an institution must lead to one site only: two hospitals must never be mixed up. */
function overlaps(all: readonly SiteProfile[], faults: SiteFault[]): void {
  const seen = new Map<string, string>();
  const claim = (site: SiteProfile, path: string, what: string): void => {
    const owner = seen.get(what);
    if (owner === undefined) seen.set(what, site.id);
    else
      faults.push({
        file: `${site.id}/site.yaml`,
        path,
        text: `${what} already belongs to ${owner === site.id ? 'this site' : `site ${owner}`}`,
      });
  };
  for (const site of all) {
    claim(site, 'institutionCode', `institution ${site.institutionCode}`);
    claim(site, 'patientIds.defaultAuthority', `patient id authority ${site.patientIds.defaultAuthority}`);
    site.hl7v2.senders.forEach(({ application, facility }, at) =>
      claim(site, `hl7v2.senders[${String(at)}]`, `HL7 sender ${senderKey(application, facility)}`),
    );
    site.dicom.aeTitles.forEach((title, at) => claim(site, `dicom.aeTitles[${String(at)}]`, `AE title ${title}`));
  }
}

export function sitesOf(all: readonly SiteProfile[]): Sites {
  const byId = new Map(all.map((site) => [site.id as string, site]));
  const bySender = new Map(
    all.flatMap((site) =>
      site.hl7v2.senders.map(({ application, facility }) => [senderKey(application, facility), site] as const),
    ),
  );
  const byTitle = new Map(all.flatMap((site) => site.dicom.aeTitles.map((title) => [title, site] as const)));
  return {
    all,
    byId: (id) => byId.get(id) ?? null,
    byHl7Sender: (application, facility) => bySender.get(senderKey(application, facility)) ?? null,
    // PS3.5 §6.2: leading and trailing blanks of an AE title mean nothing.
    byAeTitle: (title) => byTitle.get(title.trim()) ?? null,
  };
}
