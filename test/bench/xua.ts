/** Assertions judged per second on one thread: ever new ones, one bearer again and again, holders of keys; beside xml-crypto. */
import { SignedXml } from 'xml-crypto';
import { checker } from '../support/xua-check.ts';
import {
  assertionXml,
  holderOfKey,
  message,
  newSigner,
  prove,
  signAssertion,
  tokenReference,
  trust,
} from '../support/xua.ts';
import type { Signer } from '../support/xua.ts';
import type { Figure } from './measure.ts';
import { scaled } from './measure.ts';

const COUNT = 400;

const WARM = 20;

/** Calls per second, after the first ones, which do not count. */
function rate(given: readonly Buffer[], judge: (envelope: Buffer) => void): number {
  given.slice(0, WARM).forEach(judge);
  const measured = given.slice(WARM);
  const began = process.hrtime.bigint();
  measured.forEach(judge);
  return measured.length / (Number(process.hrtime.bigint() - began) / 1e9);
}

/** What a verifier must do at least: find the signature, check it and its digest. It judges nothing else. */
function peer(issuer: Signer, envelope: Buffer): void {
  const text = envelope.toString();
  const [assertion = ''] = /<saml2:Assertion[\s\S]*<\/saml2:Assertion>/.exec(text) ?? [];
  const [signature = ''] = /<ds:Signature[\s\S]*<\/ds:Signature>/.exec(assertion) ?? [];
  const check = new SignedXml({ publicCert: issuer.certificate });
  check.loadSignature(signature);
  if (!check.checkSignature(assertion)) throw new Error('xml-crypto refused what it signed');
}

export function run(): Promise<readonly Figure[]> {
  const issuer = newSigner();
  const holder = newSigner();
  const now = Date.now() + 1_000;
  const hub = checker([trust(issuer)], now);
  const believed = (envelope: Buffer): void => {
    const judged = hub.inspect(envelope);
    if (judged === null || 'reason' in judged) throw new Error(judged?.reason ?? 'no assertion was seen');
  };
  const many = <T>(make: (at: number) => T): T[] =>
    Array.from({ length: WARM + scaled(COUNT, 20) }, (_, at) => make(at));
  const bearers = many(() => Buffer.from(message(now, signAssertion(assertionXml(now), issuer))));
  const theirs = rate(bearers, (envelope) => {
    peer(issuer, envelope);
  });
  const fresh = rate(bearers, believed);
  const again = signAssertion(assertionXml(now), issuer);
  const cached = rate(
    many(() => Buffer.from(message(now, again))),
    believed,
  );
  const held = many((at) => {
    const id = `_h${String(at)}`;
    const assertion = signAssertion(assertionXml(now, { id, confirmation: holderOfKey(holder) }), issuer);
    return Buffer.from(prove(message(now, assertion), holder, tokenReference(id)));
  });
  const proven = rate(held, believed);
  const figure = (what: string, value: number): Figure => ({ what, measured: `${value.toFixed(0)} /s` });
  return Promise.resolve([
    {
      ...figure('new assertions', fresh),
      ratio: { of: `xml-crypto (${theirs.toFixed(0)} /s)`, value: fresh / theirs, target: 1 },
    },
    figure('the same bearer again', cached),
    figure('holders of keys', proven),
  ]);
}
