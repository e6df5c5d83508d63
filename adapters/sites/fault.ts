/** What is wrong with a site's data, said so that the person who edits the file finds the place. */

export interface SiteFault {
  /** File relative to the sites folder: `h1/site.yaml`. */
  readonly file: string;
  /** Where in it: `hl7v2.senders[0].facility`, `line 12`. Empty: the file as a whole. */
  readonly path: string;
  readonly text: string;
}

/** Thrown by `loadSites`: the hub does not start on site data that is in doubt. Names every fault, not only the first. */
export class SiteDataError extends Error {
  readonly faults: readonly SiteFault[];

  constructor(faults: readonly SiteFault[]) {
    super(faults.map(({ file, path, text }) => `${file}${path === '' ? '' : ` ${path}`}: ${text}`).join('\n'));
    this.name = 'SiteDataError';
    this.faults = faults;
  }
}
