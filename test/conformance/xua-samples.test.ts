/**
 * The XUA samples of other implementers ($HUB_TEST_DATA/ihe/XUA-SAML), each with the outcome that its standard demands: as
 * it stands today; at its own time with its own certificate trusted, where it has one; and signed anew by us with its
 * times moved to now, so that the rest of it is judged as well. None of their signatures can hold: they were edited.
 */
import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { describe, test } from 'node:test';
import { iheSamples, noIheSamples } from '../support/ihe-samples.ts';
import { checker } from '../support/xua-check.ts';
import type { Judged } from '../support/xua-check.ts';
import { message, newSigner, signAssertion, trust } from '../support/xua.ts';

const samples = iheSamples('XUA-SAML');
const textOf = (file: string): string => samples.find(({ name }) => name === file)?.text() ?? '';
const issuer = newSigner();
const NOW = Date.now() + 1_000;

interface Sample {
  readonly assertion: string;
  /** Namespaces that stand above the assertion in the sample. */
  readonly above: string;
  readonly issuedAt: number;
  readonly issuer: string;
  readonly audiences: readonly string[];
  readonly pem: string | null;
}

function readSample(file: string): Sample | null {
  const text = textOf(file).replace(/^\s*<\?xml[^>]*\?>/, '');
  const found = /<((?:[\w-]+:)?)Assertion\s[\s\S]*<\/\1Assertion>/.exec(text);
  if (!found) return null;
  const [assertion] = found;
  const above = new Map(
    [...text.slice(0, found.index).matchAll(/\sxmlns:([\w-]+)=(["'])([^"']*)\2/g)].map((one) => [one[1], one[3]]),
  );
  const own = /^<[^>]*>/.exec(assertion)?.[0] ?? '';
  const missing = [...above].filter(
    ([prefix]) => !own.includes(`xmlns:${prefix ?? ''}=`) && !['env', 'wsa', 'wsse', 'wsu'].includes(prefix ?? ''),
  );
  const der = /X509Certificate>([\s\S]*?)</.exec(assertion)?.[1]?.replace(/\s/g, '') ?? '';
  return {
    assertion,
    above: missing.map(([prefix, uri]) => ` xmlns:${prefix ?? ''}="${uri ?? ''}"`).join(''),
    // Some of them begin to hold later than they say that they were issued.
    issuedAt: Math.max(...['IssueInstant', 'NotBefore'].flatMap((name) => timeOf(assertion, name) ?? [])),
    issuer: /<(?:[\w-]+:)?Issuer[^>]*>([^<]*)</.exec(assertion)?.[1]?.trim() ?? '',
    audiences: [...assertion.matchAll(/Audience>([^<]*)</g)].map((one) => (one[1] ?? '').trim()),
    pem: isCertificate(der)
      ? `-----BEGIN CERTIFICATE-----\n${der.replace(/.{64}/g, '$&\n')}\n-----END CERTIFICATE-----`
      : null,
  };
}

const timeOf = (assertion: string, name: string): number | null => {
  const at = new RegExp(`\\s${name}="([^"]*)"`).exec(assertion)?.[1];
  return at === undefined ? null : Date.parse(at);
};

function isCertificate(der: string): boolean {
  try {
    return new X509Certificate(Buffer.from(der, 'base64')).subject !== '';
  } catch {
    return false;
  }
}

const told = (judge: () => Judged): string => {
  let judged: Judged;
  try {
    judged = judge();
  } catch (error) {
    assert.match(error instanceof Error ? error.message : '', /^not readable/);
    return 'not readable';
  }
  if (judged === null) return 'nothing';
  if ('reason' in judged) return `${judged.code} ${judged.reason}`;
  return `${judged.user.userId} ${judged.user.roles.map(({ code }) => code).join()} ${judged.user.purposes.map(({ code }) => code).join()}`.trim();
};

/** At the time of the sample, which trusts the key that the sample itself shows. */
function withOwnCertificate({ assertion, above, ...sample }: Sample): string {
  const { issuedAt, pem, audiences } = sample;
  if (pem === null) return 'no certificate';
  const own = trust(issuer, { issuer: sample.issuer, certificates: [pem], audiences });
  return told(() =>
    checker([own], issuedAt + 1_000).inspect(message(issuedAt + 1_000, assertion, { namespaces: above })),
  );
}

function signedAnew({ assertion, above, issuedAt, audiences, ...sample }: Sample): string {
  const bare = assertion
    .replace(/<((?:[\w-]+:)?)Signature[\s>][\s\S]*?<\/\1Signature>/, '')
    .replace(/^<[\w:-]+/, `$&${above}`)
    .replace(/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z/g, (at) =>
      new Date(Date.parse(at) - issuedAt + NOW).toISOString(),
    );
  if (sample.issuer === '' || Number.isNaN(issuedAt)) return 'cannot be signed';
  const own = checker([trust(issuer, { issuer: sample.issuer, audiences })], NOW);
  return told(() => own.inspect(message(NOW, signAssertion(bare, issuer))));
}

const outcomes = (file: string): readonly string[] => {
  const sample = readSample(file);
  if (!sample) return ['no assertion'];
  const today = told(() =>
    checker([trust(issuer)], NOW).inspect(message(NOW, sample.assertion, { namespaces: sample.above })),
  );
  return [today, withOwnCertificate(sample), signedAnew(sample)];
};

const UNTRUSTED = /^wsse:FailedAuthentication The issuer/;
const UNSIGNED = /^wsse:InvalidSecurityToken The assertion is not signed/;
const KEYLESS = /^no certificate$/;
const BROKEN = /^wsse:FailedCheck The signature of the assertion does not hold/;
const NAMELESS = /^cannot be signed$/;
const EMPTY = /^nothing$/;
/** Their session ends before they begin to hold. */
const SESSION_OVER = /^wsse:FailedAuthentication The session/;
const NO_AUDIENCE = /^wsse:InvalidSecurityToken .*AudienceRestriction/;
const NO_AUTHN = /^wsse:InvalidSecurityToken .*AuthnStatement/;
const NO_CONDITIONS = /^wsse:InvalidSecurityToken .*Conditions/;
/** No assertion at all: requests for one, answers about sessions, a text, and an empty file. */
const NOTHING: readonly RegExp[] = [/^no assertion$/];

const EXPECTED: Readonly<Record<string, readonly RegExp[]>> = {
  'connect__complete_saml.out.xml': NOTHING,
  'connect__complete_saml.xml': [UNSIGNED, KEYLESS, NO_CONDITIONS],
  'connect__saml_header_diff_order.xml': [UNTRUSTED, KEYLESS, NO_CONDITIONS],
  'connect__saml_missingValues.xml': [UNSIGNED, KEYLESS, NO_CONDITIONS],
  'epr__04_AuthnRequest.xml': NOTHING,
  'epr__04_AuthnRequest_raw.xml': NOTHING,
  'epr__06_Authn_redirect.txt': NOTHING,
  'epr__08_ArtifactResolve.xml': NOTHING,
  'epr__08_ArtifactResolve_raw.xml': NOTHING,
  'epr__09_ArtifactResponse.xml': [UNTRUSTED, KEYLESS, /^pjtt31$/],
  'epr__09_ArtifactResponse_raw.xml': [UNTRUSTED, BROKEN, /^pjtt31$/],
  'epr__1_Get_X-User_Assertion_Request-Healthcare_Provider.xml': [UNTRUSTED, KEYLESS, /^33166$/],
  'epr__1_Get_X-User_Assertion_Response-Healthcare_Provider.xml': [UNTRUSTED, KEYLESS, SESSION_OVER],
  'epr__1_Logout Request.xml': NOTHING,
  'epr__1_Logout Response.xml': NOTHING,
  'epr__2_Get_X-User_Assertion_Request-Assistant.xml': [UNTRUSTED, KEYLESS, /^33165$/],
  'epr__2_Get_X-User_Assertion_Response-Assistant.xml': [UNTRUSTED, KEYLESS, /^2000000090092 HCP NORM$/],
  'epr__2_Logout Request.xml': NOTHING,
  'epr__2_Logout Response.xml': NOTHING,
  'epr__3_Get_X-User_Assertion_Request-Technical_User.xml': [UNTRUSTED, KEYLESS, NO_AUDIENCE],
  'epr__3_Get_X-User_Assertion_Response-Technical_User.xml': [UNTRUSTED, KEYLESS, /^2000000090201 HCP AUTO$/],
  'epr__4_Get_X-User_Assertion_Request-Patient.xml': [UNTRUSTED, KEYLESS, /^33111$/],
  'epr__4_Get_X-User_Assertion_Response-Patient.xml': [UNTRUSTED, KEYLESS, SESSION_OVER],
  'epr__5_Get_X-User_Assertion_Request-Representative.xml': [UNTRUSTED, KEYLESS, /^33999$/],
  'epr__5_Get_X-User_Assertion_Response-Representative.xml': [UNTRUSTED, KEYLESS, SESSION_OVER],
  'epr__6_Get_X-User_Assertion_Request-Policy-Administrator.xml': [UNTRUSTED, KEYLESS, /^33111$/],
  'epr__6_Get_X-User_Assertion_Response-Policy-Administrator.xml': [UNTRUSTED, KEYLESS, SESSION_OVER],
  'epr__7_Get_X-User_Assertion_Request-Document-Administrator.xml': [UNTRUSTED, KEYLESS, /^33111$/],
  'epr__7_Get_X-User_Assertion_Response-Document-Administrator.xml': [UNTRUSTED, KEYLESS, SESSION_OVER],
  'epr__GetXAssertion_request.xml': [UNSIGNED, KEYLESS, NAMELESS],
  'epr__GetXAssertion_request_raw.xml': [
    UNTRUSTED,
    KEYLESS,
    /^d04bff0e2094d3391c6bdf38fa1a669990f9b93a054d240ffbf0ace40b409996$/,
  ],
  'epr__GetXAssertion_response.xml': [UNSIGNED, KEYLESS, NAMELESS],
  'epr__GetXAssertion_response_raw.xml': [UNTRUSTED, KEYLESS, /^9801000050702 HCP NORM$/],
  'epr__Renew_request.xml': [EMPTY, KEYLESS, NAMELESS],
  'epr__Renew_request_raw.xml': [UNSIGNED, KEYLESS, NAMELESS],
  'epr__Renew_response.xml': NOTHING,
  'epr__Renew_response_raw.xml': NOTHING,
  'epr__assertion_only.xml': [UNTRUSTED, BROKEN, /^7601002469191 HCP NORM$/],
  'ipf__saml2-assertion-for-xua.xml': [UNTRUSTED, KEYLESS, NO_AUTHN],
};

describe('XUA samples of other implementers', { skip: noIheSamples }, () => {
  for (const { name: file, verdict } of samples)
    test(file, () => {
      const found = outcomes(file);
      const expected = EXPECTED[file] ?? [];
      assert.equal(found.length, expected.length, found.join(' | '));
      found.forEach((one, at) => assert.match(one, expected[at] ?? /^$/));
      assert.equal(expected === NOTHING ? 'no-input' : 'refused', verdict);
    });
  test('a whole message, as CONNECT sent it in 2012', () => {
    const text = textOf('connect__saml_header_diff_order.xml');
    assert.match(
      told(() => checker([trust(issuer)], NOW).inspect(text)),
      /^wsu:MessageExpired/,
    );
    const then = checker([trust(issuer, { issuer: 'CN=SAML User,OU=SU,O=SAML User,L=Los Angeles,ST=CA,C=US' })], NOW);
    then.at(Date.parse('2012-12-12T01:37:00Z'));
    assert.match(
      told(() => then.inspect(text)),
      /^wsse:UnsupportedAlgorithm/,
    );
  });
});
