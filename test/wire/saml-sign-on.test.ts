/** Single sign-on by hospitals' providers: in, out from both sides, and every way in which an answer must not be believed. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { BrowserSession } from '../support/browser-session.ts';
import type { RestServer } from '../support/rest-server.ts';
import { encoded, withHiddenName } from '../support/saml-idp.ts';
import type { Asked, SamlIdp } from '../support/saml-idp.ts';
import { startSamlHub } from '../support/saml-hub.ts';
import type { SamlHub } from '../support/saml-hub.ts';
import { newSigner } from '../support/xua.ts';

let world: SamlHub;
let hub: RestServer;
let h1: SamlIdp;
before(async () => {
  world = await startSamlHub();
  ({ hub, h1 } = world);
});
after(() => world.close());

const reason = async (): Promise<string | undefined> => (await hub.audit.list({}, { limit: 1 })).items[0]?.reason;
const location = (headers: Headers): string => headers.get('location') ?? '';

async function begin(at: BrowserSession, back = '/', idp = 'h1', provider = h1): Promise<Asked> {
  const answer = await at.send('GET', `/saml/${idp}/login?return=${encodeURIComponent(back)}`);
  assert.equal(answer.status, 303);
  return provider.asked(location(answer.headers));
}

/** As the provider's page posts it: from another origin, so without the hub's cookies. */
async function post(xml: string, idp = 'h1', more: Readonly<Record<string, string>> = {}): Promise<string> {
  const answer = await fetch(`${hub.origin}/saml/${idp}/acs`, {
    method: 'POST',
    redirect: 'manual',
    headers: { Origin: h1.origin },
    body: new URLSearchParams({ SAMLResponse: encoded(xml), ...more }),
  });
  assert.equal(answer.status, 303, await answer.text());
  assert.deepEqual(answer.headers.getSetCookie(), [], 'nobody is in by the answer alone');
  return location(answer.headers);
}

async function enter(at: BrowserSession, back = '/'): Promise<string> {
  const asked = await begin(at, back);
  const finish = await post(await h1.respond(asked));
  assert.match(finish, /^\/saml\/h1\/finish\?code=/, await reason());
  return location((await at.send('GET', finish)).headers);
}

/** Refused, told so at the sign-in page, and in the audit with the reason. */
async function refused(xml: string, why: RegExp, idp = 'h1'): Promise<void> {
  assert.equal(await post(xml, idp), '/login?problem=refused');
  assert.match((await reason()) ?? '', why);
}

test('a physician comes in by the hospital’s account, encrypted assertion and all, and the account is bound to the hospital', async () => {
  const at = new BrowserSession(hub.origin);
  assert.equal(await enter(at, '/patients?tab=1'), '/patients?tab=1');
  const { json } = await at.send('GET', '/api/v1/session');
  const account = json['account'] as Record<string, unknown>;
  assert.deepEqual(
    [json['stage'], json['role'], json['factors'], account['loginName'], account['displayName'], account['department']],
    ['open', 'physician', ['saml'], 'zhang.wei@h1', '张伟', '放射科'],
  );
  assert.equal(account['institution'], '12210000463400001X');
  assert.equal((await at.send('GET', '/api/v1/sites')).status, 200);
  const again = new BrowserSession(hub.origin);
  await enter(again);
  const { rows } = await hub.fresh.database.pool.query('select from account');
  assert.equal(rows.length, 1, 'the same person again');
});

test('an assertion in the clear is taken too, and one of a signed response', async () => {
  const { partner } = h1;
  h1.partner = null;
  const at = new BrowserSession(hub.origin);
  h1.partner = partner;
  const asked = await begin(at);
  h1.partner = null;
  const xml = await h1.respond(asked, { signResponse: true });
  h1.partner = partner;
  assert.ok(xml.includes('<saml:Assertion') && !xml.includes('EncryptedAssertion'));
  assert.match(await post(xml), /finish/, await reason());
});

test('metadata and the list of hospitals need nobody and hold no key', async () => {
  const answer = await fetch(`${hub.origin}/saml/h1/metadata`);
  const text = await answer.text();
  assert.match(text, /WantAssertionsSigned="true"/);
  assert.match(text, new RegExp(`Location="${hub.origin}/saml/h1/acs"`));
  assert.doesNotMatch(text, /PRIVATE/);
  const { items } = (await hub.call('GET', '/api/v1/identity-providers', { as: null })).json as { items: object[] };
  assert.deepEqual(items[0], {
    id: 'h1',
    name: '省第一人民医院',
    nameEn: 'First Provincial Hospital',
    loginUrl: '/saml/h1/login',
    citizens: false,
  });
  assert.equal((await fetch(`${hub.origin}/saml/nowhere/metadata`)).status, 404);
});

test('an answer serves once: replayed to the same request, to another, or by another browser', async () => {
  const at = new BrowserSession(hub.origin);
  const xml = await h1.respond(await begin(at));
  const finish = await post(xml);
  await refused(xml, /no request that waits/);
  const thief = new BrowserSession(hub.origin);
  await begin(thief);
  assert.equal(location((await thief.send('GET', finish)).headers), '/login?problem=refused');
  assert.equal(await reason(), 'begun in another browser');
  assert.equal(location((await at.send('GET', finish)).headers), '/login?problem=refused', 'the code is spent');
  assert.equal((await at.send('GET', '/api/v1/session')).status, 401);
});

test('an answer to nothing, to another’s request, to another hospital’s: nobody is in', async () => {
  const at = new BrowserSession(hub.origin);
  const asked = await begin(at);
  await refused(await h1.respond({ ...asked, id: '_never-asked' }), /no request that waits/);
  await refused(await h1.respond(asked, { inResponseTo: undefined }), /no request that waits/);
  const other = await begin(new BrowserSession(hub.origin));
  const plain = await clear(asked);
  await refused(plain.replace(`InResponseTo="${asked.id}"`, `InResponseTo="${other.id}"`), /confirmation/);
  await refused(await h1.respond(asked), /no request that waits/, 'h2');
});

const clear = async (asked: Asked, more: Readonly<Record<string, unknown>> = {}): Promise<string> => {
  const { partner } = h1;
  h1.partner = null;
  try {
    return await h1.respond(asked, more);
  } finally {
    h1.partner = partner;
  }
};

test('expired, for another audience, recipient or destination, by another issuer or key, weak, unsigned', async () => {
  const at = new BrowserSession(hub.origin);
  const asked = await begin(at);
  const stranger = newSigner();
  const key = stranger.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
  const wrong: readonly (readonly [object, RegExp])[] = [
    [{ lifetimeInSeconds: -600 }, /expired/],
    [{ audience: 'https://other.example' }, /audience/],
    [{ audience: world.h2.entityId }, /audience/],
    [{ recipient: 'https://evil.example/acs' }, /confirmation/],
    [{ destination: 'https://evil.example/acs' }, /destination/],
    [{ issuer: 'https://evil.example' }, /another provider/],
    [{ key, cert: stranger.certificate }, /signature .* does not hold/],
    [{ key, cert: h1.signer.certificate }, /signature .* does not hold/],
    [{ signatureAlgorithm: 'rsa-sha1' }, /weak/],
    [{ digestAlgorithm: 'sha1' }, /weak/],
    [{ signAssertion: false }, /not signed/],
    [{ signAssertion: false, signResponse: true }, /not signed/],
    [{ samlStatusCode: 'urn:oasis:names:tc:SAML:2.0:status:Responder' }, /did not sign the user on/],
  ];
  for (const [more, why] of wrong) {
    await refused(await clear(asked, more as Record<string, unknown>), why);
    // Inside an encrypted assertion the same holds.
    if (!('destination' in more) && !('samlStatusCode' in more))
      await refused(await h1.respond(asked, more as Record<string, unknown>), /./);
  }
  assert.equal((await at.send('GET', '/api/v1/session')).status, 401);
});

test('signature wrapping: a forged assertion beside, around or inside the signed one, or in its place', async () => {
  const at = new BrowserSession(hub.origin);
  const asked = await begin(at);
  const good = await clear(asked);
  const assertion = /<saml:Assertion[\s\S]*<\/saml:Assertion>/.exec(good)?.[0] ?? '';
  const signature = /<Signature[\s\S]*<\/Signature>/.exec(assertion)?.[0] ?? '';
  assert.ok(assertion !== '' && signature !== '');
  const id = / ID="([^"]+)"/.exec(assertion)?.[1] ?? '';
  const forged = (newId: string, inside = ''): string =>
    assertion
      .replace(signature, inside)
      .replace(` ID="${id}"`, ` ID="${newId}"`)
      .replaceAll('zhang.wei', 'administrator');
  const object = (inner: string): string => signature.replace('</Signature>', `<Object>${inner}</Object></Signature>`);
  const attacks: Readonly<Record<string, string>> = {
    'forged beside, before': good.replace(assertion, forged('_evil') + assertion),
    'forged beside, after': good.replace(assertion, assertion + forged('_evil')),
    'forged with the same ID, before': good.replace(assertion, forged(id) + assertion),
    'signed one inside the forged one': good.replace(
      assertion,
      forged('_evil', `<saml:Advice>${assertion}</saml:Advice>`),
    ),
    'forged one holds the signature, the signed one in Object': good.replace(
      assertion,
      forged('_evil', object(assertion.replace(signature, ''))),
    ),
    'forged one under the signed ID, the signed one in Object': good.replace(
      assertion,
      forged(id, object(assertion.replace(signature, ''))),
    ),
    'signed one in Extensions': good.replace(
      assertion,
      `<samlp:Extensions>${assertion}</samlp:Extensions>${forged('_evil')}`,
    ),
    'signed one in a strange element': good.replace(assertion, `<x xmlns="urn:x">${assertion}</x>${forged('_evil')}`),
    'the content changed': good.replaceAll('zhang.wei', 'administrator'),
    'the NameID cut by a comment': good.replace('zhang.wei', 'administrator<!-- -->zhang.wei'),
    'the role changed': good.replace('医师', '工程师'),
    'the signature taken away': good.replace(signature, ''),
    'two signatures': good.replace(signature, signature + signature),
    'an entity': good.replace(/^/, '<!DOCTYPE x [<!ENTITY e "zhang.wei">]>').replace('>zhang.wei<', '>&e;<'),
    'a response in a response': good.replace(assertion, good),
  };
  for (const [name, xml] of Object.entries(attacks)) {
    assert.notEqual(xml, good, name);
    assert.equal(await post(xml), '/login?problem=refused', name);
    assert.notEqual(await reason(), undefined, name);
  }
  assert.match(await post(good), /finish/, 'and the good one is still taken');
});

test('what is hidden by encryption is judged like what is not, and what cannot be opened is refused', async () => {
  const at = new BrowserSession(hub.origin);
  const asked = await begin(at);
  const other = newSigner().certificate;
  await refused(await h1.respond(asked, { encryptionCert: other, encryptionPublicKey: other }), /decrypted/);
  const xml = await h1.respond(asked);
  const flipped = xml.replace(
    /(CipherValue>[A-Za-z0-9+/]{40})(.)/g,
    (_all, head: string, one: string) => `${head}${one === 'A' ? 'B' : 'A'}`,
  );
  await refused(flipped, /decrypted|no assertion|hold/);
});

test('a name that is encrypted to the hub is the name; one that cannot be opened, or is none, is nobody’s', async () => {
  const at = new BrowserSession(hub.origin);
  const asked = await begin(at);
  const to = h1.partner ?? '';
  const plain = await clear(asked);
  const hidden = withHiddenName(h1, plain, to);
  assert.ok(hidden.includes('EncryptedID') && !hidden.includes('zhang.wei<'));
  await refused(withHiddenName(h1, plain, newSigner().certificate), /NameID that can be read/);
  await refused(withHiddenName(h1, plain, to, '<x xmlns="urn:x">zhang.wei</x>'), /NameID that can be read/);
  await refused(withHiddenName(h1, plain, to, '<saml:NameID>zhang.wei</saml:NameID>'), /NameID that can be read/);
  const other = withHiddenName(h1, plain, to);
  const swapped = hidden.replace(
    /<saml:EncryptedID>.*<\/saml:EncryptedID>/s,
    /<saml:EncryptedID>.*<\/saml:EncryptedID>/s.exec(other)?.[0] ?? '',
  );
  assert.notEqual(swapped, hidden);
  await refused(swapped, /changed after it was signed/);
  const finish = await post(hidden);
  assert.match(finish, /finish/, await reason());
  await at.send('GET', finish);
  const { json } = await at.send('GET', '/api/v1/session');
  assert.equal((json['account'] as Record<string, unknown>)['loginName'], 'zhang.wei@h1', 'the account of before');
});

test('bodies that are no answer, too large, or not where they belong', async () => {
  assert.equal(await post(''), '/login?problem=refused');
  assert.equal(await post('<not-saml/>'), '/login?problem=refused');
  assert.equal(await post('\u0000'), '/login?problem=refused');
  const huge = await fetch(`${hub.origin}/saml/h1/acs`, {
    method: 'POST',
    redirect: 'manual',
    body: new URLSearchParams({ SAMLResponse: 'A'.repeat(800_000) }),
  });
  assert.equal(huge.status, 413);
  assert.equal(
    (await fetch(`${hub.origin}/saml/h1/finish?code=${'A'.repeat(43)}`, { redirect: 'manual' })).headers.get(
      'location',
    ),
    '/login?problem=refused',
  );
});

test('open redirect: only paths of the hub, whatever the link or the provider says', async () => {
  const hostile = [
    'https://evil.example/',
    '//evil.example',
    '/\\evil.example',
    '/%0d%0aX: y',
    'javascript:alert(1)',
    '/\u2028x',
    `/${'a'.repeat(600)}`,
  ];
  for (const back of hostile) {
    const at = new BrowserSession(hub.origin);
    const to = await enter(at, decodeURIComponent(back));
    assert.equal(to, '/', back);
  }
  const at = new BrowserSession(hub.origin);
  const finish = await post(await h1.respond(await begin(at)), 'h1', { RelayState: 'https://evil.example/' });
  assert.equal(location((await at.send('GET', finish)).headers), '/');
});

test('a role that the table does not know gives nothing; roles follow the hospital with every sign-on', async () => {
  const known = h1.user;
  h1.user = { nameId: 'li.na', name: '李娜', roles: ['保洁'] };
  assert.equal(await enter(new BrowserSession(hub.origin)), '/login?problem=role');
  h1.user = { ...h1.user, roles: ['医师', '工程师', 'system-administrator'] };
  const at = new BrowserSession(hub.origin);
  assert.equal(await enter(at), '/login?return=%2F');
  const { json } = await at.send('GET', '/api/v1/session');
  assert.deepEqual(json['roles'], [
    { role: 'interface-engineer', site: 'h1' },
    { role: 'physician', site: null },
  ]);
  assert.equal((await at.send('PATCH', '/api/v1/session', { role: 'physician' })).json['stage'], 'open');
  h1.user = { ...h1.user, roles: ['工程师'] };
  const later = new BrowserSession(hub.origin);
  await enter(later);
  assert.equal((await later.send('GET', '/api/v1/session')).json['role'], 'interface-engineer');
  assert.equal((await at.send('GET', '/api/v1/sites')).status, 401, 'the role is gone, and its session with it');
  h1.user = known;
});

test('where the provider shows one factor only the hub asks for the second; a new account may have to wait for approval', async () => {
  const { h2 } = world;
  h2.user = { nameId: 'wang', name: '王芳', roles: [] };
  const come = async (at: BrowserSession, more: Record<string, unknown> = {}): Promise<string> => {
    const finish = await post(await h2.respond(await begin(at, '/', 'h2', h2), more), 'h2');
    return location((await at.send('GET', finish)).headers);
  };
  assert.equal(await come(new BrowserSession(hub.origin)), '/login?problem=account');
  const listed = await hub.call('GET', '/api/v1/accounts?state=pending');
  const [{ id } = { id: '' }] = listed.json['items'] as { id: string }[];
  assert.equal((await hub.call('PATCH', `/api/v1/accounts/${id}`, { body: { state: 'active' } })).status, 200);
  const at = new BrowserSession(hub.origin);
  assert.equal(await come(at), '/login?return=%2F');
  assert.equal((await at.send('GET', '/api/v1/session')).json['stage'], 'enrolment');
  assert.equal((await at.send('GET', '/api/v1/sites')).status, 401);
  const card = { authnContextClassRef: 'urn:oasis:names:tc:SAML:2.0:ac:classes:SmartcardPKI' };
  const strong = new BrowserSession(hub.origin);
  assert.equal(await come(strong, card), '/');
  await hub.call('PATCH', `/api/v1/accounts/${id}`, { body: { state: 'suspended' } });
  assert.equal((await strong.send('GET', '/api/v1/sites')).status, 401);
  assert.equal(await come(new BrowserSession(hub.origin), card), '/login?problem=account');
});

test('single logout from the hub: the provider is told, and what it answers leads to the sign-in page', async () => {
  const at = new BrowserSession(hub.origin);
  await enter(at);
  const { json } = await at.send('DELETE', '/api/v1/session');
  const told = await fetch(String(json['signOutUrl']), { redirect: 'manual' });
  assert.equal(h1.loggedOut.at(-1), 'zhang.wei');
  const back = await fetch(told.headers.get('location') ?? '', { redirect: 'manual' });
  assert.deepEqual([back.status, back.headers.get('location')], [303, '/login']);
});

test('single logout by the provider ends the sessions it names, once, and only signed by it', async () => {
  const [at, other] = [new BrowserSession(hub.origin), new BrowserSession(hub.origin)];
  await enter(at);
  await enter(other);
  const target = `${hub.origin}/saml/h1/logout`;
  const go = (url: string) => fetch(url, { redirect: 'manual' });
  const stands = async (one: BrowserSession): Promise<number> => (await one.send('GET', '/api/v1/session')).status;
  const url = h1.logoutUrl(target, 'zhang.wei', null);
  const attacks: readonly string[] = [
    url.replace(/&SigAlg.*/, ''),
    url.replace(/&Signature=[^&]+/, ''),
    url.replace(/Signature=.{8}/, 'Signature=AAAAAAAA'),
    world.h2.logoutUrl(target, 'zhang.wei', null),
    h1.logoutUrl(target, 'zhang.wei', null, { algorithm: 'http://www.w3.org/2000/09/xmldsig#rsa-sha1' }),
    h1.logoutUrl(`${hub.origin}/saml/h2/logout`, 'zhang.wei', null).replace('/saml/h2/', '/saml/h1/'),
    `${url}&SAMLRequest=x`,
  ];
  for (const attack of attacks) {
    assert.equal((await go(attack)).headers.get('location'), '/login?problem=refused');
    assert.deepEqual([await stands(at), await stands(other)], [200, 200], await reason());
  }
  const done = await go(url);
  assert.match(done.headers.get('location') ?? '', new RegExp(`^${h1.origin}/slo\\?SAMLResponse=.*Signature=`));
  assert.deepEqual([await stands(at), await stands(other)], [401, 401]);
  assert.equal((await go(url)).headers.get('location'), '/login?problem=refused');
  assert.equal(await reason(), 'the request was used before');
});

test('nothing of an answer that waits can be read in the database', async () => {
  const at = new BrowserSession(hub.origin);
  await post(await h1.respond(await begin(at)));
  const { rows } = await hub.fresh.database.pool.query<{ row: string }>(
    'select row_to_json(s)::text as row from saml_request s',
  );
  assert.doesNotMatch(rows.map(({ row }) => row).join('\n'), /zhang|张伟/);
  assert.ok(rows.length > 0);
});
