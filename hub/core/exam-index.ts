/** The provincial exam index (检查主索引, CODES §9): opaque, keyed, the same for the same institution, person and exam. */
import type { Derivation } from './identifier.ts';

/**
 * `idNumber`: canonical resident ID, so that 15 and 18 digits, x and X give one index; where the person has none, the
 * hub's temporary id of the registration, and the index of the real number takes its place when it is known.
 */
export function provincialIndex(
  derive: Derivation,
  of: { institutionCode: string; idType: 'NI' | 'TEMP'; idNumber: string; examNumber: string },
): string {
  const number = of.examNumber.normalize('NFKC').trim();
  return derive.base32(['v1', of.institutionCode, `${of.idType}:${of.idNumber.toUpperCase()}`, number].join('|'));
}
