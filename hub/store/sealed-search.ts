/**
 * What a Patient is found by over FHIR without lying there to be read: identifiers, telephones and addresses by keyed hashes.
 * A text is found by its beginning and by its pairs of characters as well, each a hash of its own; what lies in the rows tells
 * that two patients share one, and not which.
 */
import type { Criterion, SearchValues } from '../core/fhir.ts';
import type { Vault } from '../core/sealing.ts';

const TYPE = 'Patient';
const SECRET_TOKENS = /^(identifier|telecom|phone)[=:]/;
const SECRET_TEXT = 'address';
/** Characters of a text by which it is found from its beginning. */
const LONGEST = 80;

const keyed = (vault: Vault, kind: string, value: string): string =>
  `${kind}#${vault.hash(`fhir ${kind}`, value).subarray(0, 12).toString('base64url')}`;

const secretToken = (vault: Vault, token: string): string => {
  const param = SECRET_TOKENS.exec(token)?.[1];
  return param === undefined ? token : keyed(vault, param, token);
};

const anyForm = (vault: Vault, token: string): string[] => {
  const secret = secretToken(vault, token);
  return secret !== token && vault.fields.acceptsClear ? [secret, token] : [secret];
};

const begin = (norm: string): string => Array.from(norm).slice(0, LONGEST).join('');

/** As rows hold them: nothing of another type is changed. */
export function sealSearch(vault: Vault, type: string, search: SearchValues): SearchValues {
  if (type !== TYPE) return search;
  const secret = search.strings.filter(({ param }) => param === SECRET_TEXT);
  const strings = search.strings.filter(({ param }) => param !== SECRET_TEXT);
  // A pair of characters (`~ab`) that only an address has would spell it.
  const spells = (token: string): boolean =>
    token.startsWith('~') && !strings.some(({ norm }) => norm.includes(token.slice(1)));
  const tokens = search.tokens.filter((token) => !spells(token)).map((token) => secretToken(vault, token));
  const found = secret.flatMap(({ norm, exact }) => {
    const characters = Array.from(norm);
    const starts = characters.slice(0, LONGEST).map((_, at) => characters.slice(0, at + 1).join(''));
    const pairs = characters.flatMap((one, at) => [`~${one}`, `~${one}${characters[at + 1] ?? ''}`]);
    return [
      ...starts.map((start) => keyed(vault, 'address-start', start)),
      ...[...new Set(pairs)].map((pair) => keyed(vault, 'address-pair', pair)),
      keyed(vault, 'address-equal', norm),
      keyed(vault, 'address-exact', exact),
    ];
  });
  return { ...search, strings, tokens: [...new Set([...tokens, ...found])] };
}

/** The same of what is asked: every way of comparing an address becomes hashes that its row must have (`grams`). */
export function sealCriteria(vault: Vault, type: string, criteria: readonly Criterion[]): readonly Criterion[] {
  if (type !== TYPE) return criteria;
  return criteria.map((one): Criterion => {
    if (one.kind === 'tokens') return { ...one, any: one.any.flatMap((token) => anyForm(vault, token)) };
    if (one.kind !== 'string' || !isSecretText(one.params)) return one;
    const hashes = ({ norm, exact, grams }: (typeof one.any)[number]): readonly string[] => {
      if (one.mode === 'exact') return [keyed(vault, 'address-exact', exact)];
      if (one.mode === 'equal') return [keyed(vault, 'address-equal', norm)];
      if (one.mode === 'contains') return grams.map((gram) => keyed(vault, 'address-pair', gram));
      return [keyed(vault, 'address-start', begin(norm))];
    };
    // Rows of before have their texts: they are compared as well while there may be any (store/fhir-query.ts).
    const text = (asked: string): string => (vault.fields.acceptsClear ? asked : '');
    return {
      ...one,
      any: one.any.map((asked) => ({ norm: text(asked.norm), exact: text(asked.exact), grams: hashes(asked) })),
    };
  });
}

export const isSecretText = (params: readonly string[]): boolean => params.includes(SECRET_TEXT);
