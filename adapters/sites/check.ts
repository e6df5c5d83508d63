/**
 * Checks a hospital's folder before the hub sees it, and shows what its sample messages would become:
 * `node --import tsx adapters/sites/check.ts <site folder> [message files…]`. Writes nothing but its report.
 */
import { readFile } from 'node:fs/promises';
import { basename, dirname, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Mapped } from '../../hub/core/envelope.ts';
import type { CanonicalRecord } from '../../hub/core/record.ts';
import type { SiteProfile } from '../../hub/core/site.ts';
import { inspectHl7, mapHl7, splitBatch } from '../../mappings/hl7v2/index.ts';
import type { Kind } from '../../mappings/rest/index.ts';
import { mapRest, MESSAGE_TYPES } from '../../mappings/rest/index.ts';
import type { SiteFault } from './fault.ts';
import { SiteDataError } from './fault.ts';
import { loadSite, loadSites } from './load.ts';

interface Checked {
  readonly lines: readonly string[];
  /** Messages that would not be applied, and faults of the data. */
  readonly failures: number;
}

/** The kind of a REST sample is the beginning of its file name: `order-1.json`, `exam-void-2.json`. */
const KINDS: readonly (readonly [string, Kind])[] = [
  ['registration', 'Registration'],
  ['order', 'Order'],
  ['exam-void', 'ExamVoid'],
  ['exam', 'Exam'],
  ['report-withdrawal', 'ReportWithdrawal'],
  ['report', 'Report'],
];

function mapRestSample(
  file: string,
  bytes: Uint8Array,
  site: SiteProfile,
  receivedAt: string,
): Mapped<CanonicalRecord> | string {
  const kind = KINDS.find(([prefix]) => basename(file).startsWith(prefix))?.[1];
  if (kind === undefined) return `a JSON sample is named ${KINDS.map(([prefix]) => `${prefix}-….json`).join(', ')}`;
  const frame = { channel: 'rest', sender: 'check', peer: '', controlId: file, patientKey: '' } as const;
  const content = {
    messageType: MESSAGE_TYPES[kind],
    contentType: 'application/json',
    bytes,
    answer: new Uint8Array(0),
  };
  return mapRest({ ...frame, ...content, site: site.id, receivedAt }, site);
}

/** One line a record with its fields, one a finding; a sample is the hospital's own, so its content may be shown here. */
function told(name: string, mapped: Mapped<CanonicalRecord> | string): Checked {
  if (typeof mapped === 'string') return { lines: [`✗ ${name}: ${mapped}`], failures: 1 };
  const findings = mapped.findings.map(({ code, where, text }) => `    ! ${code} ${where}: ${text}`);
  if (!mapped.ok) {
    const { code, where, text } = mapped.problem;
    return {
      lines: [`✗ ${name}: ${code}${where === undefined ? '' : ` at ${where}`}: ${text}`, ...findings],
      failures: 1,
    };
  }
  const records = mapped.records.map(({ kind, site: _site, ...record }) => `    ${kind} ${JSON.stringify(record)}`);
  return { lines: [`✓ ${name}: ${String(mapped.records.length)} record(s)`, ...records, ...findings], failures: 0 };
}

function sender(bytes: Buffer, site: SiteProfile): string | null {
  const inspection = inspectHl7(bytes, site);
  if (!inspection.ok) return inspection.problem.text;
  const { application, facility } = inspection.value.header;
  const known = site.hl7v2.senders.some((one) => one.application === application && one.facility === facility);
  return known ? null : `MSH-3|MSH-4 ${application}|${facility} is no sender of ${site.id}: it would be refused`;
}

async function sample(file: string, site: SiteProfile, receivedAt: string): Promise<Checked[]> {
  const bytes = await readFile(file);
  if (file.endsWith('.json')) return [told(file, mapRestSample(file, bytes, site, receivedAt))];
  return splitBatch(bytes).messages.map((message, at) => {
    const name = `${file}${at === 0 ? '' : ` (${String(at + 1)})`}`;
    const stranger = sender(message, site);
    return told(name, stranger ?? mapHl7({ bytes: message, receivedAt }, site));
  });
}

/** Loads the site, and with it its neighbours: a sender that two hospitals claim is a fault of both. */
export async function checkSite(folder: string, files: readonly string[], receivedAt: string): Promise<Checked> {
  const [parent, id] = [dirname(resolve(folder)), basename(resolve(folder))];
  const faults: SiteFault[] = [];
  const site = await loadSite(parent, id, faults);
  if (faults.length === 0 && !id.startsWith('_')) {
    try {
      await loadSites(parent);
    } catch (error) {
      if (!(error instanceof SiteDataError)) throw error;
      faults.push(...error.faults);
    }
  }
  const wrong = faults.map(({ file, path, text }) => `✗ ${file}${path === '' ? '' : ` ${path}`}: ${text}`);
  if (wrong.length > 0) return { lines: wrong, failures: wrong.length };
  const results: Checked[] = [{ lines: [`✓ ${id}: ${site.name}, ${site.storage}, ${site.timeZone}`], failures: 0 }];
  for (const file of files) results.push(...(await sample(file, site, receivedAt)));
  return {
    lines: results.flatMap(({ lines }) => lines),
    failures: results.reduce((sum, { failures }) => sum + failures, 0),
  };
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [folder, ...files] = process.argv.slice(2);
  const usage = 'usage: node --import tsx adapters/sites/check.ts <site folder> [message files…]';
  const { lines, failures } =
    folder === undefined ? { lines: [usage], failures: 1 } : await checkSite(folder, files, new Date().toISOString());
  process.stdout.write(`${lines.join('\n')}\n`);
  process.exitCode = failures > 0 ? 1 : 0;
}
