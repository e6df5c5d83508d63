/** Systems that call the hub, over REST: made, listed, revoked. One that reads records needs a second administrator. */
import { decide } from '../../core/access.ts';
import { reads } from '../../core/approval.ts';
import type { ApprovalDesk } from '../../core/approval.ts';
import type { Client, ClientStore } from '../../core/client.ts';
import { problem } from '../../core/problem.ts';
import type { Sites } from '../../core/site.ts';
import { publicKeys, thumbprintsOf } from '../../security/client-statement.ts';
import { drawTokenHalf } from '../../security/halves.ts';
import { drawToken, hashToken } from '../../security/token.ts';
import { askSecond, needsSecond } from './approvals.ts';
import type { Disclosure, Handlers, Refused } from './operation.ts';
import { pageOf } from './page.ts';
import { disclosed, notFound } from './scope.ts';

export interface ClientDeps {
  readonly clients: ClientStore;
  readonly approvals: ApprovalDesk;
  readonly sites: Sites;
}

const done = ({ id }: Client): Disclosure => disclosed('administer', `client/${id}`);

const refused = (text: string): Refused => ({
  problem: problem('invalid-value', 'site', text),
  errors: [{ pointer: '#/site', code: 'site', text }],
});

export function clientHandlers({
  clients,
  approvals,
  sites,
}: ClientDeps): Pick<Handlers, 'listClients' | 'createClient' | 'revokeClient' | 'letClientRecordConsents'> {
  return {
    listClients: async ({ query }) => {
      const page = await clients.list(pageOf(query));
      return { status: 200, body: { items: [...page.items], next: page.next } };
    },
    createClient: async ({ body, caller }) => {
      const right = decide(caller, { kind: reads(body.role) ? 'admit-readers' : 'administer' });
      if (!right.allowed) return { problem: problem('forbidden', 'role', right.reason) };
      const site = body.site === undefined ? null : sites.byId(body.site);
      if (body.site !== undefined && site === null) return refused('There is no such site.');
      if (body.role === 'hospital-feed' && site === null) return refused('A hospital feed is bound to a site.');
      const keys = body.jwks === undefined ? null : publicKeys(body.jwks.keys);
      if (keys === 'bad')
        return {
          problem: problem('invalid-value', 'jwks', 'RSA (2048 bits) or EC P-384 public keys with a kid each.'),
        };
      const certificate = body.certificate?.replaceAll(':', '').toLowerCase() ?? null;
      const made = { name: body.name.trim(), role: body.role, site: site?.id ?? null, certificate, keys };
      if (!reads(body.role) || !needsSecond(caller)) {
        const token = drawToken();
        const client = await clients.add({ ...made, createdBy: caller.id }, hashToken(token));
        return { status: 201, body: { ...client, token, approval: null }, disclosure: done(client) };
      }
      // Who is known by a key or a certificate of its own needs no secret that two people would carry to it.
      const half = keys === null && certificate === null ? drawTokenHalf('first') : null;
      const thumbprints = keys === null ? [] : await thumbprintsOf(keys);
      const asked = await askSecond(approvals, { kind: 'client', client: { ...made, thumbprints } }, caller, half);
      if ('refused' in asked) return asked.refused;
      const client = await clients.byId(asked.approval.clientId ?? '');
      if (client === null) throw new Error('a client is gone right after it was asked for');
      return { status: 201, body: { ...client, token: null, approval: asked.told }, disclosure: asked.disclosure };
    },
    revokeClient: async ({ path }) => {
      const client = await clients.revoke(path.id);
      return client === null ? notFound() : { status: 200, body: client, disclosure: done(client) };
    },
    letClientRecordConsents: async ({ path, body, caller }) => {
      const found = await clients.byId(path.id);
      if (found !== null && found.site === null)
        return { problem: problem('conflict', undefined, 'A system of no hospital has or lacks this by its role.') };
      const client = await clients.letRecordConsents(path.id, body.granted, caller.id);
      if (client === null) return notFound();
      const told = `${body.granted ? 'may' : 'may not'} record consents: ${body.reason}`;
      return {
        status: 200,
        body: client,
        disclosure: disclosed('administer', `client/${client.id}`, { reason: told }),
      };
    },
  };
}
