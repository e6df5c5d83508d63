/** How alike two written values are: symmetric measures, bounded by the length they look at. */

/** Longer values are compared by their beginning: nobody's name or number needs more. */
const LONGEST = 64;

export type SlipKind = 'equal' | 'transposed' | 'one-edit' | 'different';

/** Typing slips of numbers and short words: two neighbours exchanged, or one character wrong, missing or too many. */
export function slip(a: string, b: string): SlipKind {
  if (a === b) return 'equal';
  if (Math.abs(a.length - b.length) > 1) return 'different';
  let from = 0;
  while (from < a.length && from < b.length && a[from] === b[from]) from++;
  let tail = 0;
  while (tail < a.length - from && tail < b.length - from && a[a.length - 1 - tail] === b[b.length - 1 - tail]) tail++;
  const restA = a.length - from - tail;
  const restB = b.length - from - tail;
  if (restA <= 1 && restB <= 1) return 'one-edit';
  if (restA === 2 && restB === 2 && a[from] === b[from + 1] && a[from + 1] === b[from]) return 'transposed';
  return 'different';
}

/** Jaro–Winkler (prefix scale 0.1, at most four), 0..1. The two are ordered first: greedy matching alone is not symmetric. */
export function jaroWinkler(left: string, right: string): number {
  if (left === right) return 1;
  const [a, b] =
    left < right
      ? [left.slice(0, LONGEST), right.slice(0, LONGEST)]
      : [right.slice(0, LONGEST), left.slice(0, LONGEST)];
  if (a.length === 0 || b.length === 0) return 0;
  const jaro = jaroOf(a, b);
  let prefix = 0;
  while (prefix < 4 && prefix < a.length && prefix < b.length && a[prefix] === b[prefix]) prefix++;
  return jaro + prefix * 0.1 * (1 - jaro);
}

function jaroOf(a: string, b: string): number {
  const reach = Math.max(0, Math.floor(Math.max(a.length, b.length) / 2) - 1);
  const taken = new Array<boolean>(b.length).fill(false);
  const matched: string[] = [];
  for (let at = 0; at < a.length; at++) {
    const to = Math.min(b.length - 1, at + reach);
    for (let other = Math.max(0, at - reach); other <= to; other++) {
      if (taken[other] === true || a[at] !== b[other]) continue;
      taken[other] = true;
      matched.push(a.charAt(at));
      break;
    }
  }
  if (matched.length === 0) return 0;
  let seen = 0;
  let moved = 0;
  for (let at = 0; at < b.length; at++) if (taken[at] === true && matched[seen++] !== b[at]) moved++;
  const m = matched.length;
  return (m / a.length + m / b.length + (m - moved / 2) / m) / 3;
}

const HAN = /\p{Script=Han}/u;

/**
 * How much of two addresses is the same, 0..1: of Chinese ones the shared pairs of characters (Dice), of Latin ones the
 * words that have a like word on the other side, the longer side counting.
 */
export function addressLikeness(a: string, b: string): number {
  if (a === b) return 1;
  return HAN.test(a) || HAN.test(b) ? dice(a, b) : words(a, b);
}

function dice(a: string, b: string): number {
  const pairs = (text: string): Map<string, number> => {
    const found = new Map<string, number>();
    const bounded = text.slice(0, LONGEST);
    for (let at = 0; at + 1 < bounded.length; at++) {
      const pair = bounded.slice(at, at + 2);
      found.set(pair, (found.get(pair) ?? 0) + 1);
    }
    return found;
  };
  const ofA = pairs(a);
  let shared = 0;
  let count = 0;
  for (const n of ofA.values()) count += n;
  for (const [pair, n] of pairs(b)) {
    shared += Math.min(n, ofA.get(pair) ?? 0);
    count += n;
  }
  return count === 0 ? 0 : (2 * shared) / count;
}

function words(left: string, right: string): number {
  const [a, b] = left < right ? [left, right] : [right, left];
  const rest = b.split(' ').slice(0, 16);
  const count = rest.length + Math.min(16, a.split(' ').length);
  let shared = 0;
  for (const word of a.split(' ').slice(0, 16)) {
    const at = rest.findIndex(
      (other) => other === word || (word.length > 3 && other.length > 3 && jaroWinkler(word, other) > 0.88),
    );
    if (at < 0) continue;
    rest.splice(at, 1);
    shared += 2;
  }
  return count === 0 ? 0 : shared / count;
}
