/** Single logout in the back channel (SAML Bindings §3.2): what a provider says by itself, without a browser between. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { SignedXml } from 'xml-crypto';
import { BrowserSession } from '../support/browser-session.ts';
import { encoded, soapLogout } from '../support/saml-idp.ts';
import { startSamlHub } from '../support/saml-hub.ts';
import type { SamlHub } from '../support/saml-hub.ts';

let world: SamlHub;
before(async () => {
  world = await startSamlHub();
});
after(() => world.close());

const reason = async (): Promise<string | undefined> => (await world.hub.audit.list({}, { limit: 1 })).items[0]?.reason;

/** Signed on by h1, as a browser is. */
async function entered(): Promise<BrowserSession> {
  const { hub, h1 } = world;
  const at = new BrowserSession(hub.origin);
  const begun = await at.send('GET', '/saml/h1/login?return=/');
  const xml = await h1.respond(h1.asked(begun.headers.get('location') ?? ''));
  const posted = await fetch(`${hub.origin}/saml/h1/acs`, {
    ...{ method: 'POST', redirect: 'manual', headers: { Origin: h1.origin } },
    body: new URLSearchParams({ SAMLResponse: encoded(xml) }),
  });
  await at.send('GET', posted.headers.get('location') ?? '');
  return at;
}

test('single logout in the back channel: signed, once, the name in the clear or encrypted, and the answer is signed', async () => {
  const { hub, h1 } = world;
  const target = `${hub.origin}/saml/h1/logout`;
  const send = (body: string) =>
    fetch(target, { method: 'POST', headers: { 'Content-Type': 'text/xml; charset=utf-8' }, body });
  for (const hide of [false, true]) {
    const at = await entered();
    const stands = async (): Promise<number> => (await at.send('GET', '/api/v1/session')).status;
    assert.equal(await stands(), 200);
    const sound = soapLogout(h1, target, 'zhang.wei', hide);
    const elsewhere = soapLogout(h1, `${hub.origin}/saml/h2/logout`, 'zhang.wei', hide);
    const attacks: readonly string[] = [
      sound.replace(/<ds:Signature .*<\/ds:Signature>/, ''),
      sound.replace(/IssueInstant="[^"]+"/, `IssueInstant="${new Date().toISOString()}"`),
      sound.replace('<s:Body>', '<s:Body><x/>'),
      soapLogout(world.h2, target, 'zhang.wei', hide),
      elsewhere,
      '<x/>',
      '',
    ];
    for (const attack of attacks) {
      const refusedIt = await send(attack);
      assert.equal(refusedIt.status, 500);
      assert.match(await refusedIt.text(), /Fault/);
      assert.equal(await stands(), 200, attack.slice(0, 100));
    }
    const done = await send(sound);
    const answer = await done.text();
    assert.equal(done.status, 200, answer);
    assert.match(answer, /status:Success/);
    assert.equal(await stands(), 401);
    const response = /<samlp:LogoutResponse.*<\/samlp:LogoutResponse>/.exec(answer)?.[0] ?? '';
    assert.equal(
      response.includes(`InResponseTo="${/LogoutRequest[^>]* ID="([^"]+)"/.exec(sound)?.[1] ?? '?'}"`),
      true,
    );
    const check = new SignedXml({ publicCert: h1.partner ?? '' });
    check.loadSignature(/<ds:Signature .*<\/ds:Signature>/.exec(response)?.[0] ?? '');
    assert.equal(check.checkSignature(response), true, 'by another library');
    assert.equal((await send(sound)).status, 500);
    assert.equal(await reason(), 'the request was used before');
  }
  assert.match(await (await fetch(`${hub.origin}/saml/h1/metadata`)).text(), /bindings:SOAP/);
});
