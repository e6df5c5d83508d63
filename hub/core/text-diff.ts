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
  return atLines(whole);
}

/**
 * What was put in or taken out between equal texts can often be told in several places; it reads best as whole lines or
 * sentences. 右|侧大量气胸。\n右|肺 is 右侧大量气胸。\n before 右肺.
 */
function atLines(parts: readonly TextPart[]): readonly TextPart[] {
  const moved = [...parts];
  for (let at = 1; at < moved.length; at++) {
    const [before, part, after] = [moved[at - 1], moved[at], moved[at + 1]];
    if (before?.kind !== 'same' || part === undefined || part.kind === 'same') continue;
    if (after !== undefined && after.kind !== 'same') continue;
    const by = bestMove(before.text, part.text);
    if (by === 0) continue;
    const turned = before.text.slice(before.text.length - by);
    moved[at - 1] = { kind: 'same', text: before.text.slice(0, before.text.length - by) };
    moved[at] = { kind: part.kind, text: turned + part.text.slice(0, part.text.length - by) };
    moved[at + 1] = { kind: 'same', text: turned + (after?.text ?? '') };
  }
  return moved.filter(({ text }) => text !== '');
}

const MOST_MOVED = 200;

/** How far to the left a change goes so that it ends with a line, or else a sentence; 0: it stays. */
function bestMove(before: string, change: string): number {
  let sentence = 0;
  for (let by = 0; by < Math.min(change.length, MOST_MOVED); by++) {
    const end = change[change.length - 1 - by];
    if (end === '\n') return by;
    if (sentence === 0 && by > 0 && /[。；;]/.test(end ?? '')) sentence = by;
    // A surrogate is half a character: nothing is parted there.
    if (before[before.length - 1 - by] !== end || /[\ud800-\udfff]/.test(end ?? '')) return sentence;
  }
  return sentence;
}
