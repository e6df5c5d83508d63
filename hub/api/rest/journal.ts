/** What the REST face does with the journal: lists, fates, the bytes, the message decoded, and single retries. */
import { decode } from '../../../mappings/decode/index.ts';
import type { Caller } from '../../core/access.ts';
import type { JournalSource } from '../../core/decoded.ts';
import type { JournalFilter, JournalReader } from '../../core/operation.ts';
import { codeOf } from '../../core/problem.ts';
import type { Log, ObjectStore } from '../../core/ports.ts';
import type { Sites } from '../../core/site.ts';
import type { Handlers, Refused } from './operation.ts';
import { pageOf } from './page.ts';
import { asked, disclosed, FOREIGN, isTheirs, notFound, ownSite, rawRefusal } from './scope.ts';

export interface JournalDeps {
  readonly journal: JournalReader;
  readonly sites: Sites;
  /** Where files of images lie; their headers are shown from there. */
  readonly objects?: Pick<ObjectStore, 'readAll'>;
  readonly log: Log;
}

type JournalHandlers = Pick<
  Handlers,
  | 'listJournal'
  | 'countJournal'
  | 'readJournalEntry'
  | 'readJournalBytes'
  | 'readJournalDecoded'
  | 'unmaskJournalEntry'
  | 'retryJournalEntry'
>;

/** Most headers fit; what does not is cut off and said to be. */
const HEADER_BYTES = 256 * 1024;

export function journalHandlers(deps: JournalDeps): JournalHandlers {
  const { journal } = deps;

  /** The message, where it is one of the caller's. */
  async function source(id: string, caller: Caller): Promise<JournalSource | null> {
    const found = await journal.source(id);
    return found !== null && isTheirs(caller, found.site) ? found : null;
  }

  async function decoded(found: JournalSource, unmask: boolean) {
    const site = found.site === null ? null : deps.sites.byId(found.site);
    const file = found.object === null ? null : await header(deps, found.object);
    // Who belongs to no site is read as anybody would read them.
    const message = decode(found, site ?? NOBODY, { file, unmask });
    const rows = message.rows.map((row) => ({ ...row, findings: [...row.findings] }));
    return { journalId: found.journalId, ...message, masked: !unmask, rows, findings: [...message.findings] };
  }

  return {
    listJournal: async ({ query: { limit, after, ...filter }, caller }) => {
      const own = ownSite(caller, filter);
      return own === null
        ? FOREIGN
        : { status: 200, body: await journal.list(asked<JournalFilter>(own), pageOf({ limit, after })) };
    },
    countJournal: async ({ query, caller }) => {
      const own = ownSite(caller, query);
      return own === null ? FOREIGN : { status: 200, body: await journal.counters(asked<JournalFilter>(own)) };
    },
    readJournalEntry: async ({ path, caller }) => {
      const body = await journal.entry(path.id);
      return body === null || !isTheirs(caller, body.site) ? notFound() : { status: 200, body };
    },
    readJournalBytes: async ({ path, caller }) => {
      const found = await source(path.id, caller);
      const refusal = rawRefusal(caller, found?.site ?? null);
      if (refusal !== null) return { problem: refusal };
      if (found === null) return notFound();
      const body = { contentType: found.contentType, base64: Buffer.from(found.bytes).toString('base64') };
      return { status: 200, body, disclosure: disclosed('export', `journal/${path.id}`, { persons: found.persons }) };
    },
    readJournalDecoded: async ({ path, caller }) => {
      const found = await source(path.id, caller);
      if (found === null) return notFound();
      const disclosure = disclosed('read', `journal/${path.id}`, { persons: found.persons, reason: 'masked' });
      return { status: 200, body: await decoded(found, false), disclosure };
    },
    unmaskJournalEntry: async ({ path, body: { reason }, caller }) => {
      const found = await source(path.id, caller);
      const refusal = rawRefusal(caller, found?.site ?? null);
      if (refusal !== null) return { problem: refusal };
      if (found === null) return notFound();
      const disclosure = disclosed('read', `journal/${path.id}`, {
        persons: found.persons,
        reason: `unmasked: ${reason}`,
      });
      return { status: 200, body: await decoded(found, true), disclosure };
    },
    retryJournalEntry: async ({ path, caller }) => {
      const known = await journal.entry(path.id);
      if (known === null || !isTheirs(caller, known.site)) return notFound();
      const result = await journal.retry(path.id, caller);
      return result.ok
        ? {
            status: 200,
            body: result.value,
            disclosure: disclosed('change', `journal/${path.id}`, { reason: 'retry' }),
          }
        : ({ problem: result.problem } satisfies Refused);
    },
  };
}

/** The first bytes of the file; null where the store does not have it now. */
async function header({ objects, log }: JournalDeps, key: string): Promise<Buffer | null> {
  try {
    return (await objects?.readAll(key, { start: 0, end: HEADER_BYTES })) ?? null;
  } catch (error) {
    log.warn({ code: codeOf(error) }, 'the file of an image could not be read for the journal');
    return null;
  }
}

const NOBODY = {
  id: '' as never,
  name: '',
  institutionCode: '',
  timeZone: 'Asia/Shanghai',
  storage: 'centre',
  patientIds: { defaultAuthority: '', authorities: {}, types: {} },
  hl7v2: { senders: [], addresses: [], certificates: [], nameOrder: 'whole', dateFormats: [] },
  dicom: { aeTitles: [], addresses: [], certificates: [], nodes: [] },
  codes: { lookup: () => null },
} as const;
