/**
 * A hub that is told of patients on every wire and asked about them: real sites, journal, ingest with its real mappings,
 * FHIR and SOAP faces over HTTP, MLLP; for tests of identity feeds.
 */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import express from 'express';
import { createHl7Channel } from '../../adapters/hl7v2/index.ts';
import { setCaller } from '../../hub/api/caller.ts';
import { fhirFace } from '../../hub/api/fhir/index.ts';
import { pixManagerFace } from '../../hub/api/xds/patient-identity.ts';
import { identityFeed, linkNotices } from '../../hub/compose-identity.ts';
import type { Role } from '../../hub/core/access.ts';
import type { AuditEvent } from '../../hub/core/audit.ts';
import { Derivation, siteId, type SiteId } from '../../hub/core/identifier.ts';
import { linkSubscriptions } from '../../hub/core/link-notice.ts';
import { createMatching } from '../../hub/core/match/matcher.ts';
import type { OutboxEvent, OutboxOutcome } from '../../hub/core/outbox.ts';
import type { Sites } from '../../hub/core/site.ts';
import { createIngest, type Ingest } from '../../hub/flow/ingest.ts';
import { createPatientQueries } from '../../hub/flow/patient-queries.ts';
import { createAffinityPatients } from '../../hub/store/affinity-patients.ts';
import { createVisitIndex } from '../../hub/store/visit.ts';
import type { Database } from '../../hub/store/database.ts';
import { createIndexReader } from '../../hub/store/index-reader.ts';
import { createIndexWriter } from '../../hub/store/index-writer.ts';
import { createJournalReader } from '../../hub/store/journal-reader.ts';
import { createJournal } from '../../hub/store/journal.ts';
import { createMatchProbe } from '../../hub/store/match-probe.ts';
import { createOutbox } from '../../hub/store/outbox.ts';
import { identifierSystems, projectExam, projectPerson } from '../../mappings/fhir/index.ts';
import { parseMessage, type Message } from '../../mappings/hl7v2/index.ts';
import { map } from '../../mappings/index.ts';
import { romanise } from '../../mappings/romanise.ts';
import { demoSites, RawPeer } from '../wire/hl7v2-fixture.ts';
import { DOMAIN } from './affinity.ts';
import { freshDatabase, quiet } from './database.ts';
import { openStore } from './fhir.ts';
import { HOME } from './registry-hub.ts';
import { DERIVE } from './scenario.ts';
import { accessDesk } from './access.ts';

export const H1 = '2.999.156.1.1';
export const H3 = '2.999.156.1.3';
export { DOMAIN };

export interface FeedHub {
  readonly database: Database;
  readonly ingest: Ingest;
  readonly sites: Sites;
  readonly audits: AuditEvent[];
  readonly origin: string;
  /** As a system of the site, or with another role. */
  fetch(path: string, init: RequestInit & { readonly as?: string; readonly role?: Role }): Promise<Response>;
  /** Sends one message by MLLP; gives the answer. Ingest is drained before. */
  hl7(sender: string, type: string, ...segments: readonly string[]): Promise<Message>;
  /** ITI-9: numbers under which the patient is known elsewhere, `null` where unknown. */
  pix(value: string, authority: string): Promise<readonly string[] | null>;
  /** Tells subscribers all that is news, as the worker does; gives how many events were worked on. `laterMs`: by then. */
  tell(laterMs?: number): Promise<number>;
  /** Reasons of what waits in review. */
  reviews(): Promise<readonly string[]>;
  close(): Promise<void>;
}

export async function feedHub(of: (sites: Sites) => Sites = (sites) => sites): Promise<FeedHub> {
  const fresh = await freshDatabase({ max: 12 });
  const { database } = fresh;
  const clock = (): Date => new Date();
  const sites = of(await demoSites());
  const context = {
    ...{ derive: DERIVE, examIndexOid: '2.999.1', affinityDomainOid: DOMAIN, repositoryOid: '2.999.3' },
    site: (id: SiteId) => sites.byId(id),
  };
  const store = createIndexWriter({
    ...{ database, clock, derive: DERIVE, affinityDomainOid: DOMAIN, settleMs: () => 1000 },
    matching: createMatching(romanise),
    linkSubscribers: linkSubscriptions(sites.all).map(({ id }) => id),
    indexDerive: new Derivation(new Uint8Array(32).fill(9)),
    projection: { person: (view) => projectPerson(view, context), exam: (view) => projectExam(view, context) },
    site: (id) => sites.byId(id),
  });
  const owners = new Map(sites.all.map(({ id, patientIds }) => [patientIds.defaultAuthority, id]));
  const ingest = createIngest({
    ...{ store, map, derive: DERIVE, log: quiet },
    documents: { put: () => Promise.reject(new Error('no document in this test')) },
    site: (id) => sites.byId(id),
    ownerOf: (authority) => owners.get(authority) ?? null,
  });
  const arrived = (): void => ingest.wake();
  const journal = createJournal({ database, clock, log: quiet, arrived });
  const reader = createJournalReader({ database, clock, arrived, derive: DERIVE });
  const audits: AuditEvent[] = [];
  const audit = { record: (event: AuditEvent) => Promise.resolve(void audits.push(event)) };
  const systems = identifierSystems(sites.all.map(({ patientIds }) => patientIds.defaultAuthority));
  const affinity = openStore(database);
  const queries = createPatientQueries({
    store: affinity.store,
    patients: createAffinityPatients({ database, affinityDomainOid: DOMAIN }),
    ...{ domains: systems, affinityDomainOid: DOMAIN },
    visits: createVisitIndex(database),
  });
  const feed = identityFeed({ sites, clock, journal, reader });
  const probe = createMatchProbe({ database, matching: createMatching(romanise) });
  const access = accessDesk(database);
  const app = express();
  app.use((request, response, next) => {
    const [site, role] = [request.get('x-site'), (request.get('x-role') ?? 'hospital-feed') as Role];
    const caller = { id: `c-${site ?? ''}`, name: 'test', role, peer: '127.0.0.1' };
    setCaller(response, site === undefined ? caller : { ...caller, site: siteId(site) });
    next();
  });
  app.use('/xds/pix-manager', pixManagerFace({ queries, homeCommunityOid: HOME, access, audit, log: quiet, feed }));
  app.use(
    '/fhir',
    fhirFace({
      store: affinity.store,
      domain: { ...affinity.domain, systems, feed, probe },
      objects: { read: () => Promise.reject(new Error('no object in this test')) },
      ...{ access, audit, log: quiet, release: { version: '0.1.0', date: '2026-11-22' }, origin: null },
    }),
  );
  const server = createServer(app).listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const channel = createHl7Channel({
    ...{
      host: '127.0.0.1',
      port: 0,
      intake: journal,
      sites,
      audit,
      queries: () => Promise.resolve(queries),
      log: quiet,
      clock,
    },
  });
  await channel.start();
  ingest.start(1, 200);
  const origin = `http://127.0.0.1:${String((server.address() as AddressInfo).port)}`;
  let count = 0;
  const hl7: FeedHub['hl7'] = async (sender, type, ...segments) => {
    const peer = await RawPeer.open(channel.address().port);
    // With milliseconds: of two words about the same numbers in one second, neither would be the later one.
    const time = new Date().toISOString().replace(/[-:TZ]/g, '');
    const msh = `MSH|^~\\&|${sender}|HUB|PROV|${time}+0000||${type}|F${String(++count)}|P|2.5||||||UNICODE UTF-8`;
    peer.send(`${[msh, ...segments].join('\r')}\r`);
    const [text = ''] = await peer.answers(1);
    peer.socket.destroy();
    const parsed = parseMessage(text, 'UTF-8');
    if (!parsed.ok) throw new Error(`no answer: ${text}`);
    await applied(database);
    return parsed.value;
  };
  const ahead = { ms: 2_000 };
  const later = (): Date => new Date(Date.now() + ahead.ms);
  const outbox = createOutbox({ database, clock: later });
  const notices = linkNotices({
    ...{ sites, database, clock: later, log: quiet, access, audit },
    config: { affinityDomainOid: DOMAIN, homeCommunityOid: HOME },
    reader: createIndexReader({ database, derive: DERIVE }),
  });
  const tell = async (laterMs = 2_000): Promise<number> => {
    await applied(database);
    ahead.ms = laterMs;
    const handle = (event: OutboxEvent): Promise<OutboxOutcome> =>
      event.topic === 'tell-links' ? notices.notify(event.key) : Promise.resolve({ done: true });
    const due = await outbox.due(100);
    for (const { id } of due) await outbox.work(id, handle);
    return due.length;
  };
  return {
    ...{ database, ingest, sites, audits, origin, hl7, tell },
    fetch: (path, { as, role, ...init }) => {
      const headers = new Headers(init.headers);
      if (as !== undefined) headers.set('x-site', as);
      if (role !== undefined) headers.set('x-role', role);
      return fetch(`${origin}${path}`, { ...init, headers });
    },
    async pix(value, authority) {
      await applied(database);
      const asked = [`QPD|IHE PIX Query|T${String(++count)}|${value}^^^&${authority}&ISO|`, 'RCP|I'];
      const answer = await hl7('PLATFORM|REGION', 'QBP^Q23^QBP_Q21', ...asked);
      if (answer.first('QAK')?.text(2) === 'AE') return null;
      const numbers = answer.first('PID')?.repetitions(3) ?? [];
      return numbers
        .map(({ field }) => `${field.text(1)} ${field.text(4, 2)}`)
        .filter((one) => !one.endsWith(` ${DOMAIN}`))
        .sort();
    },
    async reviews() {
      await applied(database);
      const { rows } = await database.pool.query<{ text: string }>(
        `select problem ->> 'text' as text from review where kind = 'message' order by opened_at, id`,
      );
      return rows.map(({ text }) => text);
    },
    async close() {
      await channel.stop(0);
      await notices.close();
      await ingest.stop();
      server.closeAllConnections();
      server.close();
      await fresh.drop();
    },
  };
}

/** Until nothing waits. */
async function applied(database: Database): Promise<void> {
  for (let tries = 0; tries < 400; tries++) {
    const { rowCount } = await database.pool.query('select from pending limit 1');
    if (rowCount === 0) return;
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
  throw new Error('what was sent was not applied in time');
}
