/** Issuers that are trusted by their certificate authority: which chains are taken, and why each other one is not. */
import { spawnSync } from 'node:child_process';
import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { readIssuers } from '../../hub/config-xua.ts';
import { believed, checker, refused } from '../support/xua-check.ts';
import { assertionXml, AUDIENCE, message, newSigner, signAssertion, trust } from '../support/xua.ts';
import type { Signer } from '../support/xua.ts';

const dir = mkdtempSync(join(tmpdir(), 'hutong-chain-'));
after(() => {
  rmSync(dir, { recursive: true });
});
const NOW = Date.now();
const SUBJECT = 'idp.h1.example';
const CA = 'basicConstraints=critical,CA:true\nkeyUsage=critical,keyCertSign,cRLSign';
const LEAF = 'basicConstraints=critical,CA:false\nkeyUsage=critical,digitalSignature';

let serial = 0;
interface Made extends Signer {
  readonly name: string;
}
interface Wish {
  readonly by?: Made;
  readonly extensions?: string;
  readonly days?: number;
  readonly digest?: string;
  readonly name?: string;
  readonly bits?: number;
}

/** A certificate as OpenSSL makes it, signed by `by` or by itself. */
function certificate({ by, extensions = LEAF, days = 30, digest = 'sha256', name = SUBJECT, bits = 2048 }: Wish): Made {
  const pair: { publicKey: KeyObject; privateKey: KeyObject } = generateKeyPairSync('rsa', { modulusLength: bits });
  const path = (end: string, text: string | Buffer): string => {
    const file = join(dir, `${String(serial)}${end}`);
    writeFileSync(file, text);
    return file;
  };
  serial += 1;
  const openssl = (...args: string[]): string => {
    const ran = spawnSync('openssl', args, { encoding: 'utf8' });
    if (ran.status !== 0) throw new Error(ran.stderr);
    return ran.stdout;
  };
  const key = path('.key', pair.privateKey.export({ type: 'pkcs8', format: 'pem' }));
  const request = path('.csr', openssl('req', '-new', '-key', key, '-subj', `/CN=${name}`));
  const signing = by
    ? [
        '-CA',
        path('.ca', by.certificate),
        '-CAkey',
        path('.cakey', by.privateKey.export({ type: 'pkcs8', format: 'pem' })),
      ]
    : ['-signkey', key];
  const made = openssl(
    ...['x509', '-req', '-in', request, ...signing, '-set_serial', String(serial), '-days', String(days), `-${digest}`],
    ...['-extfile', path('.ext', extensions)],
  );
  return { ...pair, certificate: made, name };
}

const root = certificate({ extensions: CA, name: 'Health CA', days: 3650 });
const middle = certificate({ by: root, extensions: CA, name: 'Hospital CA', days: 365 });

const der = (one: Made): string => one.certificate.replace(/-----[^-]+-----|\s/g, '');
const keyInfo = (...sent: readonly Made[]): string =>
  `<ds:X509Data>${sent.map((one) => `<ds:X509Certificate>${der(one)}</ds:X509Certificate>`).join('')}</ds:X509Data>`;
const trusted = (subject = SUBJECT) => trust(root, { certificates: [], authorities: [root.certificate], subject });

const judge = (signer: Made, sent: readonly Made[], now = NOW, issuer = trusted()) =>
  checker([issuer], now).inspect(message(now, signAssertion(assertionXml(now), signer, { keyInfo: keyInfo(...sent) })));

test('a certificate of the authority signs, straight or by one between', () => {
  const leaf = certificate({ by: root });
  assert.equal(believed(judge(leaf, [leaf])).user.userId, 'dr.wang@h1');
  const deep = certificate({ by: middle });
  believed(judge(deep, [deep, middle]));
  believed(judge(deep, [middle, deep, root]));
  const named = certificate({ by: root, name: 'x', extensions: `${LEAF}\nsubjectAltName=URI:https://idp.h1.example` });
  believed(judge(named, [named], NOW, trusted('https://idp.h1.example')));
  const pss = certificate({ by: root });
  believed(judge(pss, [pss]));
});

test('pinned certificates are taken beside the authority', () => {
  const pinned = newSigner();
  const both = trust(pinned, { authorities: [root.certificate], subject: SUBJECT });
  const plain = message(NOW, signAssertion(assertionXml(NOW), pinned));
  believed(checker([both], NOW).inspect(plain));
  const leaf = certificate({ by: root });
  believed(judge(leaf, [leaf], NOW, both));
});

test('everything else is refused, by name', () => {
  const stranger = certificate({ extensions: CA, name: 'Health CA' });
  const forged = certificate({ by: stranger });
  const other = certificate({ by: root, name: 'idp.h2.example' });
  const old = certificate({ by: root, days: 1 });
  const sha1 = certificate({ by: root, digest: 'sha1' });
  const weak = certificate({ by: root, bits: 1024 });
  const cipher = certificate({ by: root, extensions: 'basicConstraints=CA:false\nkeyUsage=keyEncipherment' });
  const posing = certificate({ by: root, extensions: LEAF, name: 'Not a CA' });
  const below = certificate({ by: posing });
  const short = certificate({ by: root, extensions: CA.replace('CA:true', 'CA:true,pathlen:0'), name: 'Short' });
  const tooDeep = certificate({ by: short, extensions: CA, name: 'Too deep' });
  const tooDeepLeaf = certificate({ by: tooDeep });
  const leaf = certificate({ by: root });
  const DAYS = 86_400_000;
  const rows: readonly [Made, readonly Made[], RegExp, number?][] = [
    [forged, [forged], /not issued by an authority/],
    [forged, [forged, stranger], /not issued by an authority/],
    [other, [other], /brings no certificate of the issuer/],
    [leaf, [], /brings no certificate of the issuer/],
    [root, [root], /brings no certificate of the issuer/],
    [old, [old], /not valid at this time/, NOW + 3 * DAYS],
    [sha1, [sha1], /SHA-1, or has a weak key/],
    [weak, [weak], /SHA-1, or has a weak key/],
    [cipher, [cipher], /not for signing/],
    [below, [below, posing], /not issued by an authority|may not issue others/],
    [tooDeepLeaf, [tooDeepLeaf, tooDeep, short], /may not issue others/],
  ];
  for (const [signer, sent, reason, at] of rows) refused(judge(signer, sent, at), 'wsse:FailedAuthentication', reason);
  // Another's certificate beside one's own signature.
  refused(judge(other, [leaf]), 'wsse:FailedCheck', /does not hold/);
});

test('what was believed once is not believed after its certificate ended', () => {
  const brief = certificate({ by: root, days: 1 });
  const later = NOW + 2 * 86_400_000;
  const long = signAssertion(assertionXml(NOW, { notOnOrAfter: later + 600_000 }), brief, { keyInfo: keyInfo(brief) });
  const judging = checker([trusted()], NOW);
  believed(judging.inspect(message(NOW, long)));
  judging.at(later);
  refused(judging.inspect(message(later, long)), 'wsse:FailedAuthentication', /not trusted|not valid/);
});

test('an encrypted assertion is named in its fault', () => {
  const encrypted = '<saml2:EncryptedAssertion xmlns:saml2="urn:oasis:names:tc:SAML:2.0:assertion"/>';
  refused(
    checker([trusted()], NOW).inspect(message(NOW, encrypted)),
    'wsse:UnsupportedSecurityToken',
    /EncryptedAssertion/,
  );
});

test('HUB_XUA_ISSUERS takes authorities with the name of the signer, and purposes of use', () => {
  const path = join(dir, 'root.pem');
  writeFileSync(path, root.certificate);
  const leafPath = join(dir, 'leaf.pem');
  writeFileSync(leafPath, certificate({ by: root }).certificate);
  const entry = { issuer: 'i', audience: AUDIENCE, ca: [path], subject: SUBJECT, purposes: ['TREATMENT'] };
  const [read] = readIssuers(JSON.stringify([entry]));
  assert.deepEqual([read?.authorities.length, read?.subject, read?.certificates], [1, SUBJECT, []]);
  assert.deepEqual(read?.purposes, new Set(['TREATMENT']));
  const { subject: _subject, ...nameless } = entry;
  for (const [wrong, text] of [
    [nameless, /subject/],
    [{ ...entry, ca: [leafPath] }, /authorities/],
    [{ ...entry, ca: [] }, /ca, a list/],
    [{ issuer: 'i', audience: AUDIENCE }, /certificates/],
    [{ ...entry, purposes: 7 }, /purposes/],
  ] as const)
    assert.throws(() => readIssuers(JSON.stringify([wrong])), text);
});

test('purposes of use: one that is not given has no right, an emergency always has', async () => {
  const { decide } = await import('../../hub/core/access.ts');
  const leaf = certificate({ by: root });
  const issuer = { ...trusted(), purposes: new Set(['TREATMENT']) };
  for (const [purposes, allowed] of [
    [['TREATMENT'], true],
    [['MARKETING'], false],
    [['MARKETING', 'TREATMENT'], true],
    [['ETREAT'], true],
    [[], false],
  ] as const) {
    const xml = signAssertion(assertionXml(NOW, { purposes }), leaf, { keyInfo: keyInfo(leaf) });
    const { user } = believed(checker([issuer], NOW).inspect(message(NOW, xml)));
    const caller = { id: 'c', name: 'c', role: 'query-platform', peer: '', onBehalfOf: user } as const;
    assert.equal(decide(caller, { kind: 'read-record' }).allowed, allowed, purposes.join());
  }
});
