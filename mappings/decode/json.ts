/** A JSON message (the hub's own contract, or FHIR) member by member; what is not known to be harmless is hidden. */
import type { DecodedMessage, JournalSource } from '../../hub/core/decoded.ts';
import { decodeText } from '../rest/index.ts';
import { FIELDS } from '../rest/fields.ts';
import type { Sight } from './mask.ts';
import { Rows } from './row.ts';

const MAX_DEPTH = 16;

/** Under the contract's own names; aliases follow their field. */
const PLAIN =
  'sex age idType accessionNumber orderNumber fillerNumber studyInstanceUid provincialIndex hospitalCode eventTime procedureCode procedureName modality bodyPart method priority requestingDepartment patientClass device status requestedAt scheduledAt startedAt requestedProcedureId scheduledStepId seriesCount instanceCount voided maritalStatus ethnicGroup nationality deceased reportNumber replaces reportedAt auditedAt contentType';
const NAMED: Readonly<Record<string, Sight>> = {
  ...Object.fromEntries(PLAIN.split(' ').map((field) => [field, 'plain' as const])),
  name: 'name',
  namePinyin: 'name',
  requester: 'name',
  performer: 'name',
  reporter: 'name',
  auditor: 'name',
  birthDate: 'date',
  idNumber: 'number',
  patientId: 'number',
  phone: 'number',
  insuranceNumber: 'number',
  visitNumber: 'number',
  motherPatientId: 'number',
  priorPatientId: 'number',
};

/** Name as sent -> the contract's field and its Chinese title (the first alias). */
const KNOWN = new Map(
  Object.values(FIELDS).flatMap((kind) =>
    Object.entries(kind).flatMap(([field, others]) => {
      const [title = ''] = others.split(' ');
      return [field, ...others.split(' ')].map((name) => [name, { field, title }] as const);
    }),
  ),
);

/** Members of FHIR that say what something is, never who. */
const FHIR_PLAIN = new Set(
  'resourceType type mode status system code use active gender versionId lastUpdated method url fullUrl profile linkId event eventCoding timestamp'.split(
    ' ',
  ),
);

export function decodeJson(source: JournalSource, unmask: boolean): DecodedMessage {
  const rows = new Rows(source.findings, unmask);
  const text = decodeText(source.bytes, source.contentType);
  if (!text.ok) return rows.message('unreadable', null);
  try {
    const root: unknown = JSON.parse(text.value);
    const sightOf = source.channel === 'fhir' ? fhirSight : restSight;
    walk(root, '', '', 0, sightOf, rows);
    return rows.message('json', 'UTF-8');
  } catch {
    return rows.message('unreadable', null);
  }
}

type SightOf = (member: string, value: string) => Sight;
const restSight: SightOf = (member) => NAMED[KNOWN.get(member)?.field ?? member] ?? 'text';
const fhirSight: SightOf = (member, value) =>
  FHIR_PLAIN.has(member) && !/\d{8}/.test(member === 'fullUrl' || member === 'url' ? '' : value)
    ? 'plain'
    : member === 'birthDate'
      ? 'date'
      : 'text';

function walk(value: unknown, where: string, member: string, depth: number, sightOf: SightOf, rows: Rows): void {
  if (depth > MAX_DEPTH || rows.full) {
    rows.truncated = true;
    return;
  }
  const known = KNOWN.get(member);
  const place = { where, name: known?.field ?? '', nameZh: known?.title ?? '', depth: Math.max(0, depth - 1) };
  if (typeof value !== 'object' || value === null) {
    const text = typeof value === 'string' ? value : JSON.stringify(value);
    rows.add(place, text, value === null ? 'plain' : sightOf(member, text));
    return;
  }
  if (where !== '') rows.add(place, '', 'plain');
  if (Array.isArray(value))
    value.forEach((one: unknown, at) => walk(one, `${where}[${String(at)}]`, member, depth + 1, sightOf, rows));
  else
    for (const [name, one] of Object.entries(value))
      walk(one, where === '' ? name : `${where}.${name}`, name, depth + 1, sightOf, rows);
}
