/**
 * `npm run bench [-- name…]`: runs the named benches, or all, one after the other, each beside a peer in the same run,
 * and ends with one table of figures and targets. A bench that fails or lasts too long does not stop the next one.
 */
import { cpus, loadavg, totalmem } from 'node:os';
import { setTimeout as pause } from 'node:timers/promises';
import { isScaled, line, met, show, table, type Figure } from './measure.ts';

const LIMIT_MS = 240_000;

interface Named {
  readonly what: string;
  readonly load: () => Promise<Bench>;
  /** Where loading its data takes longer than a bench may. */
  readonly limitMs?: number;
}

/** In the order in which they run; loaded one by one, so that one does not weigh on the memory of another. */
const BENCHES: Readonly<Record<string, Named>> = {
  hl7: {
    what: 'HL7 v2 acknowledged and applied per second, beside raw committed inserts',
    load: () => import('./hl7.ts'),
  },
  'c-store': {
    what: 'C-STORE of a CT series, beside DCMTK storescp and Orthanc',
    load: () => import('./c-store.ts'),
  },
  'wado-rs': {
    what: 'WADO-RS of a series and its metadata, beside Orthanc; memory with 2 GB',
    load: () => import('./wado-rs.ts'),
  },
  repository: {
    what: 'ITI-41 of 1 GB and its memory, submissions per second; RAD-69 of a study beside WADO-RS',
    load: () => import('./repository.ts'),
  },
  xua: { what: 'SAML assertions judged per second, beside xml-crypto', load: () => import('./xua.ts') },
  audit: { what: 'audit records chained and proved, beside the unchained insert', load: () => import('./audit.ts') },
  access: { what: 'what the access decision adds to a request', load: () => import('./access.ts') },
  query: { what: 'patient and exam queries at 1x, 10x and 100x data', load: () => import('./query.ts') },
  portal: {
    what: 'search and time line as a physician at 1,000,000 exams',
    load: () => import('./portal.ts'),
    limitMs: 1_800_000,
  },
  identity: {
    what: 'registrations matched against 10,000 and 1,000,000 persons; merge of a person with 5,000 exams',
    load: () => import('./identity.ts'),
    limitMs: 1_800_000,
  },
  link: {
    what: 'persons linked beside the truth of FEBRL, OpenCR, splink and the cohort (BENCH_COHORT=1000000: all of it)',
    load: () => import('./link.ts'),
    limitMs: 3_600_000,
  },
  viewer: {
    what: 'a CT of 500 slices in the viewer, in Chromium: first image and whole series',
    load: () => import('./viewer.ts'),
    limitMs: 900_000,
  },
  registry: {
    what: 'stored queries and submissions at 10,000 and 1,000,000 document entries',
    load: () => import('./registry.ts'),
    limitMs: 900_000,
  },
};

interface Bench {
  readonly run: () => Promise<readonly Figure[]>;
}

function machine(): void {
  const [load = 0] = loadavg();
  const model = cpus()[0]?.model.trim() ?? 'unknown';
  show(`${String(cpus().length)} cores (${model}), ${(totalmem() / 2 ** 30).toFixed(1)} GiB, Node ${process.version}`);
  show(`load at start ${load.toFixed(2)}${load > 1 ? '  WARNING: the machine is busy, absolute figures are low' : ''}`);
  // As a hub without settings keeps them; the hubs of tests have a master key, and with one objects are sealed.
  const cipher = (process.env.HUB_OBJECT_CIPHER ??= 'none');
  show(`objects sealed: ${cipher} (HUB_OBJECT_CIPHER=aes-256-gcm measures what sealing them costs)`);
  if (isScaled()) show('WARNING: BENCH_SCALE is set: the sizes are not those of the targets');
}

/** A sign of life while a bench says nothing. */
async function bounded(name: string, limitMs: number, work: Promise<readonly Figure[]>): Promise<readonly Figure[]> {
  const done = new AbortController();
  const began = Date.now();
  const watch = async (): Promise<never> => {
    while (Date.now() - began < limitMs) {
      await pause(20_000, undefined, { signal: done.signal });
      show(`  ... ${name} runs since ${String(Math.round((Date.now() - began) / 1000))} s`);
    }
    throw new Error(`it did not end within ${String(limitMs / 1000)} seconds`);
  };
  const watched = watch();
  try {
    return await Promise.race([work, watched]);
  } finally {
    done.abort();
    await watched.catch(() => undefined); // it was told to end
  }
}

async function main(): Promise<number> {
  const named = process.argv.slice(2);
  const unknown = named.find((name) => BENCHES[name] === undefined);
  if (unknown !== undefined) {
    show(`there is no bench ${unknown}: they are ${Object.keys(BENCHES).join(', ')}`);
    return 2;
  }
  machine();
  const figures: Figure[] = [];
  let failed = 0;
  for (const [name, bench] of Object.entries(BENCHES)) {
    if (named.length > 0 && !named.includes(name)) continue;
    const began = Date.now();
    show(`\n== ${name}: ${bench.what}`);
    try {
      const { run } = await bench.load();
      figures.push(...(await bounded(name, bench.limitMs ?? LIMIT_MS, run())));
    } catch (error) {
      failed += 1;
      show(`${name} failed: ${error instanceof Error ? error.message : String(error)}`);
    }
    show(`   (${((Date.now() - began) / 1000).toFixed(0)} s)`);
  }
  show(`\n${table([['figure', 'measured', 'ratio (target)', ''], ...figures.map(line)])}`);
  const missed = figures.filter((figure) => met(figure) === 'MISSED').length;
  show(`\n${String(figures.length)} figures, ${String(missed)} below target, ${String(failed)} benches failed`);
  return failed === 0 ? 0 : 1;
}

// A bench that was given up may still hold sockets or timers: the table is out, so end.
process.exit(await main());
