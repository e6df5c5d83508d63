/** Times, sizes and durations as operators read them. */

const STAMP = new Intl.DateTimeFormat('sv-SE', {
  year: 'numeric',
  month: '2-digit',
  day: '2-digit',
  hour: '2-digit',
  minute: '2-digit',
  second: '2-digit',
});

/** `2026-03-01 08:30:12` in the reader's own zone. */
export const stamp = (at: string | null | undefined): string =>
  at === null || at === undefined || at === '' ? '' : STAMP.format(Date.parse(at));

export const millis = (ms: number | null): string =>
  ms === null ? '–' : ms < 10_000 ? `${String(ms)} ms` : `${(ms / 1000).toFixed(0)} s`;

export const bytes = (size: number): string =>
  size < 10_240
    ? `${String(size)} B`
    : size < 10 << 20
      ? `${(size / 1024).toFixed(0)} KB`
      : `${(size / (1 << 20)).toFixed(0)} MB`;

/** What a datetime-local field holds as the contract writes times; undefined where it is empty or no time. */
export const toUtc = (local: string): string | undefined => {
  const time = local === '' ? NaN : Date.parse(local);
  return Number.isNaN(time) ? undefined : new Date(time).toISOString();
};
