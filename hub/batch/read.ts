/** Reads the files of a batch once: features of every row to the working file, blocking keys to memory. */
import { createReadStream } from 'node:fs';
import { blockingKeys } from '../core/match/blocking.ts';
import { featuresOfWritten } from '../core/match/registration.ts';
import { Failure, problem, type Result } from '../core/problem.ts';
import { CsvParser, decoderFor, type TextDecoderOfFile } from '../../mappings/batch/csv.ts';
import { rowReader, type Fields } from '../../mappings/batch/row.ts';
import { romanise } from '../../mappings/romanise.ts';
import { KeyList } from './blocks.ts';
import { RowWriter } from './rows.ts';

export interface ReadRows {
  readonly count: number;
  /** First row of the second file; 0: there is one file. */
  readonly second: number;
  readonly offsets: Float64Array;
  readonly keys: SharedArrayBuffer;
  /** Rows without a record id, left out. */
  readonly nameless: number;
}

type Tell = (line: string) => void;
const TOLD_EVERY = 100_000;
const CHUNK = 1 << 20;

export async function readRows(files: readonly string[], fields: Fields, to: string, tell: Tell): Promise<ReadRows> {
  const writer = new RowWriter(to);
  const keys = new KeyList();
  const offsets: number[] = [];
  let nameless = 0;
  let second = 0;
  for (const [at, file] of files.entries()) {
    if (at === 1) second = offsets.length;
    const seen = new Set<string>();
    // In two files each is taken as free of duplicates: two rows of one file are two persons (Veto `same-issuer`).
    const issuer = files.length === 1 ? '' : String(at + 1);
    let read: ReturnType<typeof rowReader> | undefined;
    for await (const cells of rowsOf(file)) {
      if (read === undefined) {
        read = rowReader(cells, fields, issuer);
        continue;
      }
      const written = wanted(read)(cells);
      if (written === null) {
        nameless++;
        continue;
      }
      if (seen.has(written.recordId))
        throw new Failure(problem('invalid-value', `file ${String(at + 1)}`, 'A record id stands twice in one file.'));
      seen.add(written.recordId);
      const features = featuresOfWritten(written, romanise);
      for (const key of blockingKeys(features)) keys.add(offsets.length, key);
      offsets.push(writer.add(features));
      if (offsets.length % TOLD_EVERY === 0) tell(`read ${String(offsets.length)} rows`);
    }
  }
  const count = offsets.length;
  offsets.push(writer.close());
  return { count, second, offsets: Float64Array.from(offsets), keys: keys.sorted(), nameless };
}

function wanted<T>(result: Result<T>): T {
  if (!result.ok) throw new Failure(result.problem);
  return result.value;
}

async function* rowsOf(file: string): AsyncGenerator<string[]> {
  const parser = new CsvParser();
  let decoder: TextDecoderOfFile | undefined;
  for await (const chunk of createReadStream(file, { highWaterMark: CHUNK })) {
    const bytes = chunk as Buffer;
    decoder ??= decoderFor(bytes);
    yield* wanted(parser.push(decoder.write(bytes)));
  }
  yield* wanted(parser.push(decoder?.end() ?? ''));
  yield* wanted(parser.end());
}
