/**
 * codes.csv: how one hospital's own codes translate to the province's. A local code means what the hospital says it
 * means (CODES §4: `4` is 体检 here and 其他 there), so every table is per site and none is global.
 */
import { codeKey } from '../../hub/core/code-mapping.ts';
import type { Coded } from '../../hub/core/record.ts';
import type { CodeTable } from '../../hub/core/site.ts';
import { TABLES } from '../../mappings/codes/table.ts';
import type { SiteFault } from './fault.ts';

const HEADER = ['table', 'source', 'source_display', 'code', 'display'] as const;
const MAX_ROWS = 100_000;

const keyOf = (table: string, code: string): string => `${table}\n${codeKey(code)}`;

/** RFC 4180 records with their line numbers; a quote that never closes ends with the text. */
function records(text: string): { line: number; cells: string[] }[] {
  const found: { line: number; cells: string[] }[] = [];
  let cells: string[] = [];
  let cell = '';
  let quoted = false;
  let line = 1;
  let start = 1;
  const endRecord = (): void => {
    cells.push(cell);
    if (cells.some((value) => value !== '')) found.push({ line: start, cells });
    cells = [];
    cell = '';
    start = line + 1;
  };
  for (let at = 0; at < text.length; at++) {
    const char = text.charAt(at);
    if (quoted) {
      if (char === '"' && text[at + 1] === '"') {
        cell += '"';
        at++;
      } else if (char === '"') quoted = false;
      else cell += char;
    } else if (char === '"' && cell === '') quoted = true;
    else if (char === ',') {
      cells.push(cell);
      cell = '';
    } else if (char === '\n') endRecord();
    else if (char !== '\r') cell += char;
    if (char === '\n') line++;
  }
  endRecord();
  return found;
}

export function parseCodes(file: string, text: string): { table: CodeTable; faults: SiteFault[] } {
  const faults: SiteFault[] = [];
  const codes = new Map<string, Coded>();
  // Lines that start with # are comments.
  const [header, ...rows] = records(text.replace(/^\uFEFF/, '')).filter(
    ({ cells }) => !(cells[0] ?? '').startsWith('#'),
  );
  if (header?.cells.join(',') !== HEADER.join(',')) {
    faults.push({ file, path: 'line 1', text: `the first line must read ${HEADER.join(',')}` });
  } else if (rows.length > MAX_ROWS) {
    faults.push({ file, path: '', text: `more than ${String(MAX_ROWS)} rows` });
  } else
    for (const row of rows) addRow(row, codes, (text) => faults.push({ file, path: `line ${String(row.line)}`, text }));
  const targets = (name: string): readonly Coded[] =>
    [...codes].filter(([key]) => key.startsWith(`${name}\n`)).map(([, coded]) => coded);
  return { table: { lookup: (name, code) => codes.get(keyOf(name, code)) ?? null, targets }, faults };
}

function addRow(row: { cells: string[] }, codes: Map<string, Coded>, fault: (text: string) => void): void {
  const [name = '', source = '', sourceDisplay = '', code = '', display = ''] = row.cells.map((cell) => cell.trim());
  const table = Object.hasOwn(TABLES, name) ? TABLES[name] : undefined;
  if (row.cells.length !== HEADER.length)
    fault(
      `${String(HEADER.length)} cells are needed, ${String(row.cells.length)} stand here; quote a cell that holds a comma`,
    );
  else if (table === undefined) fault(`table "${name}" is unknown; tables are ${Object.keys(TABLES).join(', ')}`);
  else if (source === '' || code === '') fault('source and code must not be empty');
  else if (table.codes !== undefined && !table.codes.test(code))
    fault(`"${code}" is not a code of table ${name}: it must match ${table.codes.source}`);
  else if (codes.has(keyOf(name, source))) fault(`${name} "${source}" is mapped twice`);
  else {
    codes.set(keyOf(name, source), {
      code,
      system: table.system,
      ...(display === '' ? {} : { display }),
      source: { code: source, ...(sourceDisplay === '' ? {} : { display: sourceDisplay }) },
    });
  }
}
