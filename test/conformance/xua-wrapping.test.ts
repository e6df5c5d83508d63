/**
 * What was signed is what is used: signature wrapping (Somorovsky et al., On Breaking SAML, XSW 1 to 8, as they look in a
 * Security header), ids, algorithms, and XML that reads differently to different readers.
 */
import { deepEqual, equal, match, ok } from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import type { SecurityFaultCode } from '../../mappings/xds/security-header.ts';
import { openXml, XML_LIMITS } from '../../mappings/xds/xml.ts';
import { believed, checker, refused } from '../support/xua-check.ts';
import {
  assertionXml,
  DS,
  ENVELOPED,
  EXCLUSIVE,
  message,
  newSigner,
  SAML,
  signAssertion,
  SOAP,
  trust,
  WSSE,
} from '../support/xua.ts';
import type { SigningParts } from '../support/xua.ts';

const issuer = newSigner();
const issuerEc = newSigner('ec');
const NOW = Date.now() + 1_000;
const hub = checker([trust(issuer), trust(issuerEc, { issuer: 'ec' })], NOW);

const genuine = signAssertion(assertionXml(NOW, { id: '_good' }), issuer);
const [signature = ''] = /<ds:Signature[\s\S]*<\/ds:Signature>/.exec(genuine) ?? [];
const bare = genuine.replace(signature, '');
const evil = (id: string, inside = ''): string =>
  assertionXml(NOW, { id, nameId: 'eve@evil' }).replace('</saml2:Issuer>', `$&${inside}`);
const inObject = (content: string): string =>
  signature.replace('</ds:Signature>', `<ds:Object>${content}</ds:Object></ds:Signature>`);

const none = (what: string, envelope: string, code: SecurityFaultCode, reason = /./): void =>
  void test(what, () => {
    refused(hub.inspect(envelope), code, reason);
  });

describe('signature wrapping', () => {
  test('the genuine one is believed', () => {
    equal(believed(hub.inspect(message(NOW, genuine))).user.userId, 'dr.wang@h1');
  });
  const at = (content: string): string => message(NOW, content);
  none(
    'XSW1: the genuine one in an Object of the signature of the forged',
    at(evil('_evil', inObject(genuine))),
    'wsse:InvalidSecurity',
  );
  none(
    'XSW2: signature and genuine one detached, beside the forged',
    at(evil('_evil') + signature + bare),
    'wsse:InvalidSecurity',
  );
  none(
    'XSW3: the forged before the genuine',
    at(evil('_evil') + genuine),
    'wsse:InvalidSecurity',
    /more than one assertion/,
  );
  none(
    'XSW3: the forged after the genuine',
    at(genuine + evil('_evil')),
    'wsse:InvalidSecurity',
    /more than one assertion/,
  );
  none(
    'XSW4: the genuine one inside the forged',
    at(evil('_evil', genuine)),
    'wsse:InvalidSecurityToken',
    /not signed/,
  );
  none(
    'XSW4: with the signature on the forged',
    at(evil('_evil', signature + bare)),
    'wsse:InvalidSecurity',
    /reference/,
  );
  none(
    'XSW5: the signature on the forged, the genuine one at the end',
    at(evil('_evil', signature) + bare),
    'wsse:InvalidSecurity',
  );
  none(
    'XSW6: the genuine one inside the signature of the forged',
    at(evil('_evil', signature.replace('</ds:Signature>', `${bare}$&`))),
    'wsse:InvalidSecurity',
  );
  none(
    'XSW7: the forged with the same ID in an extension',
    at(`<Extensions xmlns="urn:x">${evil('_good')}</Extensions>${genuine}`),
    'wsse:InvalidSecurity',
  );
  none(
    'XSW8: the genuine one in an Object, the forged with its ID',
    at(evil('_good', inObject(bare))),
    'wsse:InvalidSecurity',
  );
  none(
    'the signature moved to the forged with the same ID',
    at(evil('_good', signature)),
    'wsse:FailedCheck',
    /changed/,
  );
  none(
    'the genuine one in the Body, its signature on the forged',
    message(NOW, evil('_evil', signature), { body: bare }),
    'wsse:InvalidSecurity',
    /reference/,
  );
  none(
    'the same ID in the Body',
    message(NOW, genuine, { body: evil('_good') }),
    'wsse:InvalidSecurity',
    /more than one element/,
  );
  none(
    'the same ID in the Body, by another attribute',
    message(NOW, genuine, { body: '<x Id="_good"/>' }),
    'wsse:InvalidSecurity',
    /more than one/,
  );
  none(
    'the same id twice in the header',
    message(NOW, genuine, { security: '<x Id="a"/><y xml:id="a"/>' }),
    'wsse:InvalidSecurity',
    /id/,
  );
  none(
    'another assertion in another header',
    at(genuine).replace('</wsse:Security>', `$&<x xmlns="urn:x">${evil('_evil')}</x>`),
    'wsse:InvalidSecurity',
    /stands where/,
  );
  none(
    'two Security headers',
    at(genuine).replace('</wsse:Security>', `$&<wsse:Security xmlns:wsse="${WSSE}">${evil('_evil')}</wsse:Security>`),
    'wsse:InvalidSecurity',
    /more than one Security/,
  );
  none(
    'two signatures on one assertion',
    at(genuine.replace('<saml2:Subject>', `${signature}$&`)),
    'wsse:InvalidSecurity',
    /more than one signature/,
  );
  none(
    'a second Header',
    message(NOW, genuine).replace('</env:Header>', '$&<env:Header><x/></env:Header>'),
    'wsse:InvalidSecurity',
    /more than one Header/,
  );
  test('in a Security header that is not in the Header, it is no credential', () => {
    const inBody = message(NOW, genuine).replace(/<wsse:Security[\s\S]*<\/wsse:Security>/, '');
    const [security = ''] = /<wsse:Security[\s\S]*<\/wsse:Security>/.exec(message(NOW, genuine)) ?? [];
    equal(hub.inspect(inBody.replace('</env:Body>', `${security}$&`)), null);
  });
  test('an assertion as evidence inside, signed with it, is part of it', () => {
    const inner = `<saml2:Advice>${assertionXml(NOW, { id: '_inner', nameId: 'other@h1' })}</saml2:Advice>`;
    const xml = assertionXml(NOW, { id: '_outer' }).replace('<saml2:AuthnStatement', `${inner}$&`);
    equal(believed(hub.inspect(message(NOW, signAssertion(xml, issuer)))).user.userId, 'dr.wang@h1');
  });
});

describe('the profile of the signature', () => {
  const signedAs = (parts: SigningParts): string => message(NOW, signAssertion(assertionXml(NOW), issuer, parts));
  const sha1 = `${DS}sha1`;
  const inclusive = 'http://www.w3.org/TR/2001/REC-xml-c14n-20010315';
  none('rsa-sha1', signedAs({ method: `${DS}rsa-sha1` }), 'wsse:UnsupportedAlgorithm');
  none('SHA-1 digest', signedAs({ digest: sha1 }), 'wsse:UnsupportedAlgorithm');
  none('inclusive canonical form', signedAs({ canonical: inclusive }), 'wsse:UnsupportedAlgorithm');
  none('inclusive transform', signedAs({ transforms: [ENVELOPED, inclusive] }), 'wsse:UnsupportedAlgorithm');
  none(
    'canonical form with comments',
    signedAs({ transforms: [ENVELOPED, `${EXCLUSIVE}WithComments`] }),
    'wsse:UnsupportedAlgorithm',
  );
  none('not enveloped', signedAs({ transforms: [EXCLUSIVE] }), 'wsse:InvalidSecurity');
  for (const method of ['hmac-sha1', 'dsa-sha1'])
    none(
      method,
      message(NOW, genuine.replace('http://www.w3.org/2001/04/xmldsig-more#rsa-sha256', DS + method)),
      'wsse:UnsupportedAlgorithm',
    );
  const hmac = 'http://www.w3.org/2001/04/xmldsig-more#hmac-sha256';
  none(
    'hmac-sha256',
    message(NOW, genuine.replace('http://www.w3.org/2001/04/xmldsig-more#rsa-sha256', hmac)),
    'wsse:UnsupportedAlgorithm',
  );
  const xpath =
    '<ds:Transform Algorithm="http://www.w3.org/TR/1999/REC-xpath-19991116"><ds:XPath>1</ds:XPath></ds:Transform>';
  none(
    'an XPath transform',
    message(NOW, genuine.replace('<ds:Transforms>', `$&${xpath}`)),
    'wsse:UnsupportedAlgorithm',
  );
  const [reference = ''] = /<ds:Reference[\s\S]*<\/ds:Reference>/.exec(genuine) ?? [];
  none(
    'two references',
    message(NOW, genuine.replace(reference, reference + reference)),
    'wsse:InvalidSecurity',
    /one reference/,
  );
  none(
    'a reference to the whole document',
    message(NOW, genuine.replace('URI="#_good"', 'URI=""')),
    'wsse:InvalidSecurity',
  );
  none(
    'an XPointer',
    message(NOW, genuine.replace('URI="#_good"', `URI="#xpointer(id('_good'))"`)),
    'wsse:InvalidSecurity',
  );
  none('a file', message(NOW, genuine.replace('URI="#_good"', 'URI="file:///etc/passwd"')), 'wsse:InvalidSecurity');
  none(
    'no base64',
    message(NOW, genuine.replace(/<ds:SignatureValue>[^<]*/, '<ds:SignatureValue>!')),
    'wsse:InvalidSecurity',
  );
  none(
    'an empty signature',
    message(NOW, genuine.replace(signature, `<ds:Signature xmlns:ds="${DS}"/>`)),
    'wsse:InvalidSecurity',
  );

  test('RSA with SHA-384 and SHA-512, PSS, ECDSA', () => {
    const more = 'http://www.w3.org/2001/04/xmldsig-more#';
    for (const method of [
      `${more}rsa-sha384`,
      `${more}rsa-sha512`,
      'http://www.w3.org/2007/05/xmldsig-more#sha256-rsa-MGF1',
    ])
      believed(hub.inspect(signedAs({ method, digest: 'http://www.w3.org/2001/04/xmlenc#sha512' })));
    const ec = signAssertion(assertionXml(NOW, { issuer: 'ec' }), issuerEc, { method: `${more}ecdsa-sha256` });
    believed(hub.inspect(message(NOW, ec)));
    refused(hub.inspect(message(NOW, ec.replace('ecdsa-sha256', 'rsa-sha256'))), 'wsse:FailedCheck', /./);
  });
  test('inclusive namespace prefixes, declared here and above', () => {
    const namespaces = ' xmlns:xs="http://www.w3.org/2001/XMLSchema" xmlns:up="urn:up"';
    const xml = assertionXml(NOW, { namespaces });
    believed(hub.inspect(message(NOW, signAssertion(xml, issuer, { prefixes: ['xs', 'up'] }))));
  });
});

describe('XML that reads in two ways', () => {
  const long = signAssertion(assertionXml(NOW, { nameId: 'admin@h1.evil.example' }), issuer);
  const inject = (text: string): string => message(NOW, long.replace('admin@h1.evil', `admin@h1${text}.evil`));
  test('a comment in the NameID changes nothing of what is read', () => {
    equal(believed(hub.inspect(inject('<!-- -->'))).user.userId, 'admin@h1.evil.example');
  });
  test('a CDATA section neither', () => {
    const cdata = message(NOW, long.replace('admin@h1.evil', '<![CDATA[admin@h1]]>.evil'));
    equal(believed(hub.inspect(cdata)).user.userId, 'admin@h1.evil.example');
  });
  test('a processing instruction and an element break the signature', () => {
    for (const text of ['<?x y?>', '<x/>']) refused(hub.inspect(inject(text)), 'wsse:FailedCheck', /changed/);
    const hidden = message(NOW, long.replace('admin@h1.evil.example', 'root<?x admin@h1.evil.example?>'));
    refused(hub.inspect(hidden), 'wsse:FailedCheck', /changed/);
  });
  test('a DOCTYPE, entities and deep nesting never reach the check', () => {
    for (const envelope of [
      `<!DOCTYPE x [<!ENTITY a "b">]>${message(NOW, genuine)}`,
      message(NOW, genuine).replace('dr.wang', '&user;'),
      message(NOW, genuine, { body: `${'<a>'.repeat(100)}${'</a>'.repeat(100)}` }),
      message(NOW, genuine).slice(0, -20),
    ]) {
      const opened = openXml(Buffer.from(envelope), XML_LIMITS, () => 'read');
      ok(!opened.ok);
      match(opened.problem.code, /^(malformed|limit-exceeded)$/);
    }
  });
  none(
    'a header with thousands of elements',
    message(NOW, genuine, { security: '<x/>'.repeat(6_000) }),
    'wsse:InvalidSecurity',
    /too many/,
  );
  test('prefixes and whitespace of the sender do not matter, those of the envelope neither', () => {
    const other = message(NOW, genuine, { namespaces: ' xmlns:saml2="urn:other" xml:lang="zh"' });
    believed(hub.inspect(other.replaceAll('env:', 'S:').replace('xmlns:env', 'xmlns:S').replace('="env', '="S')));
    believed(hub.inspect(`<?xml version="1.0" encoding="utf-8"?>\n${other}`));
    believed(hub.inspect(Buffer.from(`\ufeff${other}`, 'utf16le')));
    equal(SOAP.length > 0 && SAML.length > 0, true);
  });

  test('a stranger’s large message costs little more than to read it', () => {
    const stuffed = message(NOW, genuine, { body: '<x a="1">y</x>'.repeat(100_000) });
    const beside = message(NOW, genuine).replace('</env:Envelope>', `<z>${'<x/>'.repeat(100_000)}</z>$&`);
    for (const envelope of [stuffed, beside]) {
      const began = performance.now();
      openXml(Buffer.from(envelope), XML_LIMITS, () => null);
      const reading = performance.now() - began;
      const judging = performance.now();
      believed(hub.inspect(envelope));
      ok(performance.now() - judging < 4 * reading + 500);
    }
  });

  test('whatever is changed in a signed assertion, it says what it said or is refused', () => {
    const envelope = message(NOW, genuine);
    const from = envelope.indexOf('<saml2:Assertion');
    const to = envelope.indexOf('</saml2:Assertion>');
    const { user } = believed(hub.inspect(envelope));
    const piece = fc.oneof(
      fc.constantFrom('<', '>', '"', '&', '/', ' ', '\n', '<!---->', '<x/>', '&#65;', 'saml2:', '_good', ''),
      fc.string({ maxLength: 3 }),
    );
    fc.assert(
      fc.property(fc.integer({ min: from, max: to }), fc.nat({ max: 12 }), piece, (start, cut, put) => {
        const changed = envelope.slice(0, start) + put + envelope.slice(start + cut);
        const opened = openXml(Buffer.from(changed), XML_LIMITS, (open) => hub.check.inspect(open));
        if (!opened.ok || opened.value === null || 'reason' in opened.value) return;
        deepEqual(opened.value.user, user);
      }),
      { numRuns: 3_000 },
    );
  });
});
