/**
 * Resident numbers (GB 11643-1999): right ones, the 15-digit form of before, and what becomes of them at a counter.
 * The numbers are drawn and name nobody; that a living person has one of them cannot be ruled out, so they are never
 * to leave a test.
 */
import { residentCheck } from '../../../hub/core/identifier.ts';
import { pick } from '../random.ts';
import type { Random } from '../random.ts';

/** `sequence` 0–998, odd for men. */
export function residentNumber(code: string, born: string, sequence: number): string {
  const first17 = code + born.replaceAll('-', '') + String(sequence).padStart(3, '0');
  return first17 + residentCheck(first17);
}

/** The form of before 1999: no century, no check digit. */
export const fifteen = (number: string): string => number.slice(0, 6) + number.slice(8, 17);

/** Seen in place of a number; the sixth is the sample of the standard itself and passes its check. */
export const DUMMIES: readonly string[] = [
  '000000000000000000',
  '111111111111111111',
  '123456789012345678',
  '999999999999999999',
  '330000190001010000',
  '11010519491231002X',
  '无',
  '未带身份证',
];

export function wrongDigit(random: Random, number: string): string {
  const at = Math.floor(random() * (number.length - 1));
  const other = String((Number(number[at]) + 1 + Math.floor(random() * 9)) % 10);
  return number.slice(0, at) + other + number.slice(at + 1);
}

/** Two neighbours exchanged; the number itself where all neighbours are alike. */
export function transposed(random: Random, number: string): string {
  const open = Array.from(number.slice(0, -2)).flatMap((sign, at) => (sign === number[at + 1] ? [] : [at]));
  if (open.length === 0) return number;
  const at = pick(random, open);
  return number.slice(0, at) + (number[at + 1] ?? '') + (number[at] ?? '') + number.slice(at + 2);
}

/** The same number as untidy systems keep it. */
export function untidy(random: Random, number: string): string {
  const kind = random();
  if (kind < 0.3) return number.replace(/[\dX]/g, (sign) => String.fromCharCode(sign.charCodeAt(0) + 0xfee0));
  if (kind < 0.6) return `${number.slice(0, 6)} ${number.slice(6, 14)} ${number.slice(14)}`;
  return number.endsWith('X') ? number.toLowerCase() : `${number} `;
}
