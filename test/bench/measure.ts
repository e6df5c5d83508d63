/** What every bench tells: its figures, with the target each is held to, and the statistics they are made of. */

export interface Figure {
  readonly what: string;
  readonly measured: string;
  /** Beside what, how many times as much, and how much is wanted; absent: told without a target. */
  readonly ratio?: { readonly of: string; readonly value: number; readonly target: number; readonly most?: boolean };
}

export const show = (line: string): void => void process.stdout.write(`${line}\n`);

export const median = (values: readonly number[]): number => percentile(values, 50);

export function percentile(values: readonly number[], percent: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor((sorted.length * percent) / 100))] ?? NaN;
}

/** Sizes of a run: BENCH_SCALE below 1 proves that a bench works, quickly; its figures are not to be quoted. */
export function scaled(count: number, least = 1): number {
  const scale = Number(process.env.BENCH_SCALE ?? '1');
  if (!(scale > 0 && scale <= 10)) throw new Error('BENCH_SCALE takes a number above 0 and up to 10');
  return Math.max(least, Math.round(count * scale));
}

export const isScaled = (): boolean => scaled(1000) !== 1000;

export function met({ ratio }: Figure): 'met' | 'MISSED' | '' {
  if (ratio === undefined) return '';
  return (ratio.most === true ? ratio.value <= ratio.target : ratio.value >= ratio.target) ? 'met' : 'MISSED';
}

/** A line of the table: what, the figure, the ratio beside its target. */
export function line(figure: Figure): readonly [string, string, string, string] {
  const { what, measured, ratio } = figure;
  if (ratio === undefined) return [what, measured, '', ''];
  const sign = ratio.most === true ? '<=' : '>=';
  return [what, measured, `${ratio.value.toFixed(2)} x ${ratio.of} (${sign} ${String(ratio.target)})`, met(figure)];
}

/** Columns padded to their widest cell; a Chinese character takes two places. */
export function table(rows: readonly (readonly string[])[]): string {
  const width = (text: string): number => Array.from(text).reduce((sum, c) => sum + (c >= '\u2e80' ? 2 : 1), 0);
  const widths = (rows[0] ?? []).map((_, at) => Math.max(...rows.map((row) => width(row[at] ?? ''))));
  const pad = (cell: string, at: number): string => cell + ' '.repeat((widths[at] ?? 0) - width(cell));
  return rows.map((row) => row.map(pad).join('  ').trimEnd()).join('\n');
}

/** How much the process has grown, at most, since the watch began or was reset; in MB. */
export function watchMemory(): { peak(): number; reset(): void; stop(): number } {
  let base = process.memoryUsage.rss();
  let most = base;
  const timer = setInterval(() => (most = Math.max(most, process.memoryUsage.rss())), 20);
  const grown = (): number => (most - base) / 1e6;
  return {
    peak: grown,
    reset: () => (most = base = process.memoryUsage.rss()),
    stop: () => {
      clearInterval(timer);
      return grown();
    },
  };
}
