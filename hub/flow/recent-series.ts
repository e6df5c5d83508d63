/**
 * The index for who reads a series image by image: what one image's request found of the series serves the next ones for a
 * moment. A viewer asks for five hundred images at once; each alone would read the whole exam again.
 */
import type { IndexReader, SeriesLocated } from '../core/ports.ts';

/** A study that is withdrawn is gone for the next request after this. */
const KEPT_MS = 2_000;
const SERIES = 64;

interface Kept {
  readonly located: Promise<SeriesLocated | null>;
  readonly until: number;
}

export function createRecentReader(reader: IndexReader): IndexReader {
  const kept = new Map<string, Kept>();
  const seriesOf = (studyUid: string, seriesUid: string): Promise<SeriesLocated | null> => {
    const key = `${studyUid} ${seriesUid}`;
    const known = kept.get(key);
    const now = performance.now();
    if (known !== undefined && known.until > now) return known.located;
    const [oldest] = kept.keys();
    if (kept.size >= SERIES && oldest !== undefined) kept.delete(oldest);
    const located = reader.series(studyUid, seriesUid);
    kept.delete(key);
    kept.set(key, { located, until: now + KEPT_MS });
    located.catch(() => kept.delete(key)); // reported where it is awaited
    return located;
  };
  return {
    ...reader,
    async instance(studyUid, seriesUid, sopUid) {
      const located = seriesUid === null ? null : await seriesOf(studyUid, seriesUid);
      const instance = located?.series.instances.find((one) => one.sopUid === sopUid);
      // An image that came a moment ago, or a path without its series, is looked for itself.
      return located && instance ? { ...located, instance } : reader.instance(studyUid, seriesUid, sopUid);
    },
  };
}
