/** As much of DER (ITU-T X.690) as tells what a certificate says and node:crypto does not: elements with their content. */

export interface Der {
  readonly tag: number;
  readonly content: Uint8Array;
  /** Of an OBJECT IDENTIFIER. */
  readonly oid?: string;
}

/** The elements inside one. */
export const derChildren = (of: Der | undefined): readonly Der[] => (of === undefined ? [] : derElements(of.content));

/** What is no DER ends the list: whoever asks finds less than was needed, and refuses. */
export function derElements(bytes: Uint8Array): readonly Der[] {
  const found: Der[] = [];
  for (let at = 0; at + 2 <= bytes.length;) {
    const tag = bytes[at] ?? 0;
    const first = bytes[at + 1] ?? 0;
    const more = first < 0x80 ? 0 : first & 0x7f;
    if (more > 3) return found;
    const length = more === 0 ? first : bytes.slice(at + 2, at + 2 + more).reduce((sum, byte) => sum * 256 + byte, 0);
    const start = at + 2 + more;
    if (start + length > bytes.length) return found;
    const content = bytes.subarray(start, start + length);
    found.push(tag === 6 ? { tag, content, oid: oidOf(content) } : { tag, content });
    at = start + length;
  }
  return found;
}

/** X.690 §8.19. */
function oidOf(content: Uint8Array): string {
  const arcs: number[] = [];
  let arc = 0;
  for (const byte of content) {
    arc = arc * 128 + (byte & 0x7f);
    if (byte >= 0x80) continue;
    if (arcs.length === 0) {
      const top = Math.min(2, Math.floor(arc / 40));
      arcs.push(top, arc - top * 40);
    } else arcs.push(arc);
    arc = 0;
  }
  return arcs.join('.');
}
