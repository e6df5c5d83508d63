/**
 * codes.csv: how one hospital's own codes translate to the province's. A local code means what the hospital says it
 * means (CODES §4: `4` is 体检 here and 其他 there), so every table is per site and none is global.
 */
import type { Coded } from '../../hub/core/record.ts';
import type { CodeTable } from '../../hub/core/site.ts';
import { ICD10 } from '../../mappings/codes/diagnosis.ts';
import type { SiteFault } from './fault.ts';

/** The tables a site may fill: the system of the provincial code, and the codes allowed where the set is closed. */
export const TABLES: Readonly<Record<string, { readonly system: string; readonly codes?: RegExp }>> = {
  // The four that mappings turn into enumerations of the records have the hub's own words as targets.
  sex: { system: 'urn:oid:2.999.156.4.10', codes: /^(male|female|other|unknown)$/ },
  'result-status': { system: 'urn:oid:2.999.156.4.11', codes: /^(preliminary|final|corrected|withdrawn)$/ },
  'order-status': {
    system: 'urn:oid:2.999.156.4.12',
    codes: /^(ordered|scheduled|arrived|in-progress|completed|discontinued|cancelled)$/,
  },
  priority: { system: 'urn:oid:2.999.156.4.13', codes: /^(routine|urgent|stat)$/ },
  // GB/T 2261.2-2003, GB/T 3304-1991, GB/T 2659
  marital: { system: 'urn:oid:2.16.156.10011.2.3.3.5', codes: /^\d{2}$/ },
  ethnic: { system: 'urn:oid:2.16.156.10011.2.3.3.3', codes: /^\d{2}$/ },
  nationality: { system: 'urn:iso:std:iso:3166', codes: /^[A-Z]{2,3}$/ },
  // CV09.00.404 patient type
  'patient-class': { system: 'urn:oid:2.16.156.10011.2.3.1.271', codes: /^[1239]$/ },
  // DICOM PS3.3 C.7.3.1.1.1 defined terms
  modality: { system: 'http://dicom.nema.org/resources/ontology/DCM', codes: /^[A-Z0-9]{2,16}$/ },
  // The province's own: exam items, body parts (terms of PS3.16 Annex L), departments (诊疗科目名录)
  procedure: { system: 'urn:oid:2.999.156.4.1' },
  'body-part': { system: 'urn:oid:2.999.156.4.2', codes: /^[A-Z0-9_ ]{2,32}$/ },
  department: { system: 'urn:oid:2.999.156.4.3', codes: /^\d{2}(\.\d{2}){0,2}$/ },
  diagnosis: { system: ICD10 },
  conclusion: { system: 'urn:oid:2.999.156.4.4' },
};

const HEADER = ['table', 'source', 'source_display', 'code', 'display'] as const;
const MAX_ROWS = 100_000;

/** Width (full, half), blanks and case of a code differ between the screens of one hospital; its meaning does not. */
const keyOf = (table: string, code: string): string => `${table}\n${code.normalize('NFKC').trim().toUpperCase()}`;

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
  return { table: { lookup: (name, code) => codes.get(keyOf(name, code)) ?? null }, faults };
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
