/** XUA (ITI-40, WIRE §10): what an assertion must say and prove to be believed, each demand broken on purpose. */
import { deepEqual, equal } from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Role } from '../../hub/core/access.ts';
import { believed, checker, refused } from '../support/xua-check.ts';
import {
  assertionXml,
  BEARER,
  holderOfKey,
  iso,
  message,
  newSigner,
  prove,
  SAML,
  signAssertion,
  timestampXml,
  tokenReference,
  trust,
} from '../support/xua.ts';
import type { AssertionParts, MessageParts } from '../support/xua.ts';

const NOW = Date.now();
const MINUTE = 60_000;
const issuer = newSigner();
const stranger = newSigner();
const holder = newSigner();
const holderEc = newSigner('ec');
const hub = checker([trust(issuer)], NOW);

const signed = (parts: AssertionParts = {}, by = issuer): string => signAssertion(assertionXml(NOW, parts), by);
const sent = (parts: AssertionParts = {}, how: MessageParts = {}): string => message(NOW, signed(parts), how);

describe('what is believed', () => {
  test('user, organization, role, purpose of use, community', () => {
    const { user } = believed(hub.inspect(sent({ patient: 'P1^^^&amp;2.999.156.1&amp;ISO' })));
    deepEqual(
      [user.issuer, user.userId, user.userName, user.organization, user.organizationId, user.homeCommunityId],
      [
        'https://idp.h1.example',
        'dr.wang@h1',
        '王医生',
        '省第一人民医院',
        'urn:oid:2.999.156.1.1',
        'urn:oid:2.999.156.2',
      ],
    );
    deepEqual(user.roles, [{ code: 'physician', system: '2.999.1', display: 'physician' }]);
    deepEqual(user.purposes, [{ code: 'TREATMENT', system: '2.999.1', display: 'TREATMENT' }]);
    deepEqual(user.patientIds, ['P1^^^&2.999.156.1&ISO']);
    equal(user.role, 'query-platform');
  });
  test('two roles and two purposes: all are told, the one that is known counts', () => {
    const { user } = believed(
      hub.inspect(sent({ roles: ['clerk', 'physician'], purposes: ['TREATMENT', 'EMERGENCY'] })),
    );
    deepEqual(
      [user.roles.map(({ code }) => code), user.purposes.map(({ code }) => code)],
      [
        ['clerk', 'physician'],
        ['TREATMENT', 'EMERGENCY'],
      ],
    );
    equal(user.role, 'query-platform');
  });
  test('a role that no table of the issuer names stands for nothing', () => {
    equal(believed(hub.inspect(sent({ roles: ['PAT'] }))).user.role, null);
  });
  test('a role by code and system', () => {
    const roles = new Map<string, Role>([['physician^^2.999.1', 'query-platform']]);
    const own = checker([trust(issuer, { roles })], NOW);
    equal(believed(own.inspect(sent())).user.role, 'query-platform');
    equal(believed(own.inspect(message(NOW, signed({ roles: ['nurse'] })))).user.role, null);
  });
  test('consent and policy attributes, ids as HL7 II, codes as attributes of the value', () => {
    const attributes =
      '<saml2:Attribute Name="urn:ihe:iti:xua:2012:acp"><saml2:AttributeValue>urn:oid:1.2.3.4</saml2:AttributeValue></saml2:Attribute>' +
      '<saml2:Attribute Name="urn:ihe:iti:bppc:2007:docid"><saml2:AttributeValue>urn:oid:1.2.3.5</saml2:AttributeValue></saml2:Attribute>' +
      '<saml2:Attribute Name="urn:oasis:names:tc:xacml:2.0:resource:resource-id"><saml2:AttributeValue><id xmlns="urn:hl7-org:v3" extension="P9" root="2.999.7"/></saml2:AttributeValue></saml2:Attribute>' +
      '<saml2:Attribute Name="urn:oasis:names:tc:xacml:2.0:subject:role"><saml2:AttributeValue code="nurse" codeSystem="urn:oid:2.999.1"/></saml2:Attribute>';
    const { user } = believed(hub.inspect(sent({ attributes })));
    deepEqual([user.policies, user.patientIds], [['urn:oid:1.2.3.4', 'urn:oid:1.2.3.5'], ['P9^^^&2.999.7&ISO']]);
    deepEqual(user.roles.at(-1), { code: 'nurse', system: '2.999.1', display: '' });
  });
  test('an ID that begins with a digit, which xs:ID forbids and the field sends', () => {
    believed(hub.inspect(sent({ id: '0a7e2d9f-7990-4bee-b6ca-e5bd31aa808c' })));
  });
  test('no Security header, one without assertion, one for another role: nothing is stated', () => {
    equal(hub.inspect(message(NOW, '').replace(/<wsse:Security.*<\/wsse:Security>/, '')), null);
    equal(hub.inspect(message(NOW, '')), null);
    const elsewhere = sent().replace('env:mustUnderstand="true">', 'env:role="urn:other" $&');
    equal(hub.inspect(elsewhere.replace('<wsse:Security ', '<wsse:Security env:role="urn:other" ')), null);
  });
  test('any of several audiences, each of several restrictions', () => {
    const other = '<saml2:Audience>urn:other</saml2:Audience>';
    const mine = '<saml2:Audience>urn:hutong:test</saml2:Audience>';
    const restriction = (...names: string[]): string =>
      `<saml2:AudienceRestriction>${names.join('')}</saml2:AudienceRestriction>`;
    believed(hub.inspect(sent({ audience: null, conditions: restriction(other, mine) })));
    refused(hub.inspect(sent({ conditions: restriction(other) })), 'wsse:FailedAuthentication', /another audience/);
  });
});

describe('what is refused of an assertion', () => {
  const row = (what: string, parts: AssertionParts, code: Parameters<typeof refused>[1], reason: RegExp): void =>
    void test(what, () => {
      refused(hub.inspect(sent(parts)), code, reason);
    });
  row('expired', { notOnOrAfter: NOW - MINUTE }, 'wsse:FailedAuthentication', /expired/);
  row('not yet valid', { notBefore: NOW + 2 * MINUTE }, 'wsse:FailedAuthentication', /not valid yet/);
  row('issued in the future', { issuedAt: NOW + 2 * MINUTE }, 'wsse:FailedAuthentication', /future/);
  row('no NotBefore', { notBefore: null }, 'wsse:InvalidSecurityToken', /NotBefore/);
  row('no NotOnOrAfter', { notOnOrAfter: null }, 'wsse:InvalidSecurityToken', /NotOnOrAfter/);
  row('for another audience', { audience: 'urn:other' }, 'wsse:FailedAuthentication', /another audience/);
  row('no AudienceRestriction', { audience: null }, 'wsse:InvalidSecurityToken', /AudienceRestriction/);
  row('unknown issuer', { issuer: 'https://idp.other' }, 'wsse:FailedAuthentication', /issuer/);
  row('Version 1.1', { version: '1.1' }, 'wsse:InvalidSecurityToken', /Version/);
  row('no AuthnStatement', { authn: null }, 'wsse:InvalidSecurityToken', /AuthnStatement/);
  row('a condition nobody knows', { conditions: '<x xmlns="urn:x"/>' }, 'wsse:InvalidSecurityToken', /condition/);
  row('NameID empty', { nameId: ' ' }, 'wsse:InvalidSecurityToken', /NameID/);
  const authn = (instant: string, more: string, inner: string): AssertionParts => ({
    authn: `<saml2:AuthnStatement AuthnInstant="${instant}"${more}><saml2:AuthnContext>${inner}</saml2:AuthnContext></saml2:AuthnStatement>`,
  });
  const password = '<saml2:AuthnContextClassRef>urn:x</saml2:AuthnContextClassRef>';
  const at = iso(NOW - MINUTE);
  row('AuthnInstant that is no time', authn('yesterday', '', password), 'wsse:InvalidSecurityToken', /dateTime/);
  row('AuthnInstant ahead', authn(iso(NOW + 2 * MINUTE), '', password), 'wsse:InvalidSecurityToken', /AuthnStatement/);
  row('AuthnContext empty', authn(at, '', ''), 'wsse:InvalidSecurityToken', /dateTime/);
  row('session over', authn(at, ` SessionNotOnOrAfter="${at}"`, password), 'wsse:FailedAuthentication', /session/);
  const vouched = '<saml2:SubjectConfirmation Method="urn:oasis:names:tc:SAML:2.0:cm:sender-vouches"/>';
  row('sender-vouches only', { confirmation: vouched }, 'wsse:FailedAuthentication', /SubjectConfirmation/);
  row('no confirmation', { confirmation: '' }, 'wsse:FailedAuthentication', /SubjectConfirmation/);
  const over = BEARER.replace(
    '/>',
    `><saml2:SubjectConfirmationData NotOnOrAfter="${at}"/></saml2:SubjectConfirmation>`,
  );
  row('confirmation out of time', { confirmation: over }, 'wsse:FailedAuthentication', /SubjectConfirmation/);

  test('unsigned', () => {
    refused(hub.inspect(message(NOW, assertionXml(NOW))), 'wsse:InvalidSecurityToken', /not signed/);
  });
  test('tampered: the user, the role, the time', () => {
    for (const [from, to] of [
      ['dr.wang@h1', 'dr.li@h1'],
      ['code="physician"', 'code="surgeon"'],
      [iso(NOW + 300_000), iso(NOW + 9_000_000)],
    ] as const)
      refused(hub.inspect(sent().replace(from, to)), 'wsse:FailedCheck', /changed/);
  });
  test('signed by somebody else in the name of the issuer', () => {
    refused(hub.inspect(message(NOW, signed({}, stranger))), 'wsse:FailedCheck', /does not hold/);
  });
  test('bearer where the issuer is trusted for holders of keys only', () => {
    const strict = checker([trust(issuer, { confirmations: ['holder-of-key'] })], NOW);
    refused(strict.inspect(sent()), 'wsse:FailedAuthentication', /SubjectConfirmation/);
  });
  test('the certificate of the issuer has ended, or has not begun', () => {
    const own = checker([trust(issuer)], NOW);
    for (const then of [NOW + 31 * 86_400_000, NOW - 2 * 86_400_000]) {
      own.at(then);
      const sentThen = message(then, signAssertion(assertionXml(then), issuer));
      refused(own.inspect(sentThen), 'wsse:FailedAuthentication', /certificate/);
    }
    const long = signed({ notOnOrAfter: NOW + 40 * 86_400_000 });
    own.at(NOW);
    believed(own.inspect(message(NOW, long)));
    own.at(NOW + 31 * 86_400_000);
    refused(own.inspect(message(NOW + 31 * 86_400_000, long)), 'wsse:FailedAuthentication', /issuer/);
  });
  test('a cached assertion is judged anew when time has passed', () => {
    const own = checker([trust(issuer)], NOW);
    const assertion = signed({ notOnOrAfter: NOW + MINUTE });
    believed(own.inspect(message(NOW, assertion)));
    own.at(NOW + 2 * MINUTE);
    refused(own.inspect(message(NOW + 2 * MINUTE, assertion)), 'wsse:FailedAuthentication', /expired/);
  });
  test('encrypted assertion, SAML 1.1, UsernameToken', () => {
    for (const token of [
      `<saml2:EncryptedAssertion xmlns:saml2="${SAML}"/>`,
      '<Assertion xmlns="urn:oasis:names:tc:SAML:1.0:assertion" AssertionID="a"/>',
      '<wsse:UsernameToken><wsse:Username>u</wsse:Username></wsse:UsernameToken>',
    ])
      refused(hub.inspect(message(NOW, token)), 'wsse:UnsupportedSecurityToken', /SAML 2.0/);
  });
});

describe('clock skew', () => {
  test('within 60 seconds either way it is in time, at 60 it is not', () => {
    believed(hub.inspect(sent({ notOnOrAfter: NOW - MINUTE + 1 })));
    believed(hub.inspect(sent({ notBefore: NOW + MINUTE })));
    refused(hub.inspect(sent({ notOnOrAfter: NOW - MINUTE })), 'wsse:FailedAuthentication', /expired/);
    refused(hub.inspect(sent({ notBefore: NOW + MINUTE + 1 })), 'wsse:FailedAuthentication', /not valid yet/);
  });
  test('as configured', () => {
    const none = checker([trust(issuer)], NOW, 0);
    refused(none.inspect(sent({ notBefore: NOW + 1 })), 'wsse:FailedAuthentication', /not valid yet/);
    refused(none.inspect(sent({ notOnOrAfter: NOW })), 'wsse:FailedAuthentication', /expired/);
  });
  test('times without zone are UTC, with an offset what they say', () => {
    const zoned = new Date(NOW + 3_600_000 * 8).toISOString().replace('Z', '+08:00');
    const xml = assertionXml(NOW).replace(`NotBefore="${iso(NOW - MINUTE)}"`, `NotBefore="${zoned}"`);
    believed(hub.inspect(message(NOW, signAssertion(xml, issuer))));
    const bare = assertionXml(NOW).replace(/(IssueInstant="[^"]*)Z"/, '$1"');
    believed(hub.inspect(message(NOW, signAssertion(bare, issuer))));
  });
});

describe('the Timestamp of the message', () => {
  const row = (what: string, how: MessageParts, code: Parameters<typeof refused>[1], reason: RegExp): void =>
    void test(what, () => {
      refused(hub.inspect(sent({}, how)), code, reason);
    });
  row('missing', { timestamp: null }, 'wsse:InvalidSecurity', /Timestamp/);
  row('twice', { timestamp: timestampXml(NOW, null).repeat(2) }, 'wsse:InvalidSecurity', /Timestamp/);
  row('without Created', { timestamp: '<wsu:Timestamp/>' }, 'wsse:InvalidSecurity', /Created/);
  row('expired', { created: NOW - 600_000, expires: NOW - MINUTE }, 'wsu:MessageExpired', /expired/);
  row('from the future', { created: NOW + 2 * MINUTE }, 'wsu:MessageExpired', /future/);
  row('older than five minutes without Expires', { created: NOW - 400_000, expires: null }, 'wsu:MessageExpired', /./);
  row('made long ago for long', { created: NOW - 4_000_000, expires: NOW + 9e9 }, 'wsu:MessageExpired', /expired/);
  row(
    'no time at all',
    { timestamp: '<wsu:Timestamp><wsu:Created>now</wsu:Created></wsu:Timestamp>' },
    'wsse:InvalidSecurity',
    /Created/,
  );
  test('without Expires, fresh', () => void believed(hub.inspect(sent({}, { expires: null }))));
});

describe('holder of key', () => {
  const held = (by = holder, form: 'value' | 'certificate' = 'value'): string =>
    message(NOW, signed({ id: '_hok', confirmation: holderOfKey(by, form) }));
  const info = tokenReference('_hok');
  test('the Timestamp signed by the key of the confirmation, as value and as certificate', () => {
    equal(believed(hub.inspect(prove(held(), holder, info))).once.length, 1);
    believed(hub.inspect(prove(held(holder, 'certificate'), holder, info)));
  });
  test('with an EC key', () => {
    const method = 'http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha256';
    believed(hub.inspect(prove(held(holderEc), holderEc, info, { method })));
  });
  test('with the Body and the assertion under the signature as well', () => {
    const covers = ['Timestamp', 'Body', 'Assertion'].map((name) => `//*[local-name(.)='${name}']`);
    const proven = prove(held(), holder, info, { covers });
    believed(hub.inspect(proven));
    refused(
      hub.inspect(
        proven.replace('</env:Body>', '<x/>$&').replace('/></env:Envelope>', '><x/></env:Body></env:Envelope>'),
      ),
      'wsse:FailedCheck',
      /changed/,
    );
  });
  test('nobody signed the Timestamp', () => {
    refused(hub.inspect(held()), 'wsse:FailedCheck', /sign the Timestamp/);
  });
  test('somebody else signed it, the issuer included', () => {
    for (const other of [stranger, issuer])
      refused(hub.inspect(prove(held(), other, info)), 'wsse:FailedCheck', /SubjectConfirmation/);
  });
  test('a weak key proves nothing', () => {
    const weak = newSigner('weak');
    refused(hub.inspect(prove(held(weak), weak, info)), 'wsse:FailedCheck', /SubjectConfirmation/);
  });
  test('the Timestamp was changed afterwards', () => {
    const proven = prove(held(), holder, info);
    const later = proven.replace(iso(NOW + 240_000), iso(NOW + 250_000));
    refused(hub.inspect(later), 'wsse:FailedCheck', /changed/);
  });
  test('the signature covers something else than the Timestamp', () => {
    const covers = ["//*[local-name(.)='Assertion']"];
    refused(hub.inspect(prove(held(), holder, info, { covers })), 'wsse:FailedCheck', /cover the Timestamp/);
  });
  test('no SecurityTokenReference, or one to another assertion', () => {
    for (const other of ['', tokenReference('_other')])
      refused(hub.inspect(prove(held(), holder, other)), 'wsse:InvalidSecurity', /KeyInfo/);
  });
  test('sha-1 in the proof', () => {
    const digest = 'http://www.w3.org/2000/09/xmldsig#sha1';
    refused(hub.inspect(prove(held(), holder, info, { digest })), 'wsse:UnsupportedAlgorithm', /SHA-256/);
  });
  test('a bearer whose message is signed by a key that the assertion does not name', () => {
    const bearer = prove(message(NOW, signed({ id: '_hok' })), holder, info);
    refused(hub.inspect(bearer), 'wsse:FailedCheck', /SubjectConfirmation/);
  });
  test('both confirmations: without a proof it is a bearer', () => {
    believed(hub.inspect(message(NOW, signed({ confirmation: holderOfKey(holder) + BEARER }))));
  });
});

describe('replay', () => {
  test('OneTimeUse serves once', async () => {
    const own = checker([trust(issuer)], NOW);
    const assertion = signed({ conditions: '<saml2:OneTimeUse/>' });
    await own.use(message(NOW, assertion));
    refused(await own.use(message(NOW, assertion)), 'wsse:FailedAuthentication', /before/);
  });
  test('every assertion of an issuer that is trusted once', async () => {
    const own = checker([trust(issuer, { oneTime: true })], NOW);
    const assertion = signed();
    await own.use(message(NOW, assertion));
    refused(await own.use(message(NOW, assertion)), 'wsse:FailedAuthentication', /before/);
  });
  test('a bearer within its time serves again', async () => {
    const assertion = signed();
    for (let times = 0; times < 3; times++) {
      const used = await hub.use(message(NOW, assertion));
      equal(used && 'user' in used, true);
    }
  });
  test('a proof serves once, a new one for the same assertion again', async () => {
    const own = checker([trust(issuer)], NOW);
    const assertion = signed({ id: '_again', confirmation: holderOfKey(holder) });
    const proven = prove(message(NOW, assertion), holder, tokenReference('_again'));
    await own.use(proven);
    refused(await own.use(proven), 'wsse:FailedAuthentication', /before/);
    const next = await own.use(
      prove(message(NOW, assertion, { expires: NOW + 250_000 }), holder, tokenReference('_again')),
    );
    equal(next && 'user' in next, true);
  });
});
