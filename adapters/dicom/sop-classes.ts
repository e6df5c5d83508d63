/** Which abstract syntaxes the hub speaks, and what it does with each (PS3.4 Annexes A, B, C). */

export const VERIFICATION = '1.2.840.10008.1.1';

export type Root = 'patient' | 'study';
export type Verb = 'find' | 'move' | 'get';

export interface QueryModel {
  readonly root: Root;
  readonly verb: Verb;
}

/** PS3.4 §C.6.1.3 and §C.6.2.3. */
export const QUERY_MODELS: Readonly<Record<string, QueryModel>> = {
  '1.2.840.10008.5.1.4.1.2.1.1': { root: 'patient', verb: 'find' },
  '1.2.840.10008.5.1.4.1.2.1.2': { root: 'patient', verb: 'move' },
  '1.2.840.10008.5.1.4.1.2.1.3': { root: 'patient', verb: 'get' },
  '1.2.840.10008.5.1.4.1.2.2.1': { root: 'study', verb: 'find' },
  '1.2.840.10008.5.1.4.1.2.2.2': { root: 'study', verb: 'move' },
  '1.2.840.10008.5.1.4.1.2.2.3': { root: 'study', verb: 'get' },
};

export function modelUid(root: Root, verb: Verb): string {
  const found = Object.entries(QUERY_MODELS).find(([, model]) => model.root === root && model.verb === verb);
  if (!found) throw new Error(`no query model ${root} ${verb}`);
  return found[0];
}

/** Storage classes that do not stand under 1.2.840.10008.5.1.4.1.1 (PS3.4 Annex GG, PS3.6 Table A-1). */
const OTHER_STORAGE =
  /^1\.2\.840\.10008\.5\.1\.4\.(38\.1|39\.1|43\.1|44\.1|45\.1|34\.7|34\.10)$|^1\.2\.840\.10008\.5\.1\.4\.1\.1\./;

export type Purpose = 'verify' | 'query' | 'store';

/**
 * null: not a service of the hub. A class outside the standard's own root is a private storage class until it proves
 * otherwise: vendors' raw data must not be lost because its class is unknown here.
 */
export function purposeOf(abstractSyntax: string): Purpose | null {
  if (abstractSyntax === VERIFICATION) return 'verify';
  if (Object.hasOwn(QUERY_MODELS, abstractSyntax)) return 'query';
  if (OTHER_STORAGE.test(abstractSyntax)) return 'store';
  return abstractSyntax.startsWith('1.2.840.10008.') ? null : 'store';
}
