/**
 * What one version of a text changed against another, character by character, since Chinese has no blanks: the least
 * number of changes (Myers, 1986), bounded; beyond the bound the middle is told as replaced.
 */

export interface TextPart {
  readonly kind: 'same' | 'added' | 'removed';
  readonly text: string;
}

/** Changes that are looked for before a text counts as written anew. */
const MOST_CHANGES = 600;

export function textDiff(before: string, after: string): readonly TextPart[] {
  const [a, b] = [Array.from(before), Array.from(after)];
  let start = 0;
  while (start < a.length && start < b.length && a[start] === b[start]) start += 1;
  let end = 0;
  while (end < a.length - start && end < b.length - start && a[a.length - 1 - end] === b[b.length - 1 - end]) end += 1;
  const middle = shortest(a.slice(start, a.length - end), b.slice(start, b.length - end));
  return joined([
    { kind: 'same', text: a.slice(0, start).join('') },
    ...middle,
    { kind: 'same', text: end === 0 ? '' : a.slice(-end).join('') },
  ]);
}

function shortest(a: readonly string[], b: readonly string[]): TextPart[] {
  const most = Math.min(a.length + b.length, MOST_CHANGES);
  // trace[d] is how far each diagonal reached after d changes; diagonals lie at an offset so that none is negative.
  const trace: Int32Array[] = [];
  let reached = new Int32Array(2 * most + 3);
  for (let changes = 0; changes <= most; changes++) {
    trace.push(reached.slice());
    for (let diagonal = -changes; diagonal <= changes; diagonal += 2) {
      let x = step(reached, diagonal, changes, most);
      while (x < a.length && x - diagonal < b.length && a[x] === b[x - diagonal]) x += 1;
      reached[diagonal + most + 1] = x;
      if (x >= a.length && x - diagonal >= b.length) return walkBack(a, b, trace, most);
    }
    reached = reached.slice();
  }
  return [
    { kind: 'removed', text: a.join('') },
    { kind: 'added', text: b.join('') },
  ];
}

/** Where a diagonal begins with one more change: down from the one above (an insertion), or right of the one below. */
function step(reached: Int32Array, diagonal: number, changes: number, most: number): number {
  const at = (k: number): number => reached[k + most + 1] ?? 0;
  const down = diagonal === -changes || (diagonal !== changes && at(diagonal - 1) < at(diagonal + 1));
  return down ? at(diagonal + 1) : at(diagonal - 1) + 1;
}

function walkBack(a: readonly string[], b: readonly string[], trace: readonly Int32Array[], most: number): TextPart[] {
  const parts: TextPart[] = [];
  let [x, y] = [a.length, b.length];
  for (let changes = trace.length - 1; changes >= 0; changes--) {
    const reached = trace[changes] ?? new Int32Array();
    const at = (k: number): number => reached[k + most + 1] ?? 0;
    const diagonal = x - y;
    const down = diagonal === -changes || (diagonal !== changes && at(diagonal - 1) < at(diagonal + 1));
    const before = down ? diagonal + 1 : diagonal - 1;
    const fromX = changes === 0 ? 0 : at(before);
    const fromY = changes === 0 ? 0 : fromX - before;
    while (x > fromX && y > fromY) {
      parts.push({ kind: 'same', text: a[x - 1] ?? '' });
      x -= 1;
      y -= 1;
    }
    if (changes === 0) break;
    parts.push(down ? { kind: 'added', text: b[y - 1] ?? '' } : { kind: 'removed', text: a[x - 1] ?? '' });
    [x, y] = [fromX, fromY];
  }
  return parts.reverse();
}

/** Neighbours of one kind are one part; of a change what went stands before what came. */
function joined(parts: readonly TextPart[]): readonly TextPart[] {
  const whole: TextPart[] = [];
  let removed = '';
  let added = '';
  const settle = (): void => {
    if (removed !== '') whole.push({ kind: 'removed', text: removed });
    if (added !== '') whole.push({ kind: 'added', text: added });
    removed = added = '';
  };
  for (const { kind, text } of parts) {
    if (kind === 'removed') removed += text;
    else if (kind === 'added') added += text;
    else if (text !== '') {
      settle();
      const last = whole.at(-1);
      if (last?.kind === 'same') whole[whole.length - 1] = { kind, text: last.text + text };
      else whole.push({ kind, text });
    }
  }
  settle();
  return whole;
}
