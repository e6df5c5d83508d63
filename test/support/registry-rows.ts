/**
 * A registry of any size, made by the server itself: patients with ten documents each, and for every tenth patient a
 * submission set and a folder with their memberships. Codes, times and bodies are such as a province would have.
 */
import type { RegistryObject } from '../../hub/core/document.ts';
import type { Sealer } from '../../hub/core/sealing.ts';
import type pg from 'pg';
import { documentEntry, cx, folder, submissionSet, code } from './documents.ts';
import { OBJECT_COLUMNS, objectRow } from '../../hub/store/document-row.ts';

export const DOCUMENTS_EACH = 10;
const DOMAIN = '2.999.156.1';

export const patientOf = (n: number): string => `B${String(n)}^^^&${DOMAIN}&ISO`;

const uuid = (kind: string, key: string): string => `md5('${kind}' || ${key})::uuid`;
const columns = OBJECT_COLUMNS.split(',').map((column) => column.trim().split(' ')[0] ?? '');

/** What stands in place of the template's column; the rest is copied. `p` is the patient, `d` the document of it. */
const DOCUMENT: Readonly<Record<string, string>> = {
  patient_id: `'B' || p || '^^^&${DOMAIN}&ISO'`,
  id: uuid('document', `p || '.' || d`),
  lid: uuid('document', `p || '.' || d`),
  unique_id: `'2.999.' || p || '.' || d`,
  status: `case when d = 9 then 'deprecated' else 'approved' end`,
  main_time: `to_char(timestamp '2016-01-01' + (p * 7919 + d * 31) % 3650 * interval '1 day' + (p % 86400) * interval '1 second', 'YYYYMMDDHH24MISS')`,
  class_code: `case when d % 2 = 0 then t.class_code else 'REPORTS^^2.999.5' end`,
  event_codes: `array[(array['CT','MR','DX','US','MG','XA'])[1 + (p + d) % 6] || '^^1.2.840.10008.2.6.1', 'REGION' || p % 200 || '^^2.16.840.1.113883.6.96']`,
  facility_type: `'FACILITY' || p % 50 || '^^2.999.5'`,
  reference_ids: `array['1.2.' || p || '.' || d || '^^^^urn:ihe:iti:xds:2016:studyInstanceUID', 'A' || p || '.' || d || '^^^&2.999.7&ISO^urn:ihe:iti:xds:2013:accession']`,
  body: `t.body || jsonb_build_object('hash', md5(p || '.' || d) || 'da39a3ee', 'size', p + d)`,
};
const SET: Readonly<Record<string, string>> = {
  ...Object.fromEntries(
    ['patient_id', 'main_time'].map((column) => [column, DOCUMENT[column]?.replaceAll('d *', '0 *') ?? '']),
  ),
  id: uuid('set', 'p'),
  lid: uuid('set', 'p'),
  unique_id: `'2.999.1.' || p`,
};
const FOLDER: Readonly<Record<string, string>> = {
  ...SET,
  id: uuid('folder', 'p'),
  lid: uuid('folder', 'p'),
  unique_id: `'2.999.2.' || p`,
  event_codes: `array['CASE' || p % 1000 || '^^2.999.5']`,
};

const insert = (values: Readonly<Record<string, string>>, from: string): string =>
  `insert into registry_object (${columns.join(', ')})
   select ${columns.map((column) => values[column] ?? `t.${column}`).join(', ')}
   from jsonb_to_record($1::jsonb) as t(${OBJECT_COLUMNS}), ${from}`;

/** As a release that did not seal wrote it: SQL cannot seal a body for each of a million rows. */
function clearRow(object: RegistryObject, sender: string): object {
  const { id: _id, lid: _lid, version: _v, status: _s, patientId: _p, uniqueId: _u, kind: _k, ...body } = object;
  return { ...objectRow(NOBODY, object, sender), body };
}

const NOBODY: Sealer = {
  seal: () => Buffer.alloc(0),
  open: () => Buffer.alloc(0),
  isSealed: () => false,
  isCurrent: () => false,
  acceptsClear: true,
};

const OBJECTS: readonly (readonly [template: object, text: string])[] = [
  [
    clearRow(
      documentEntry('urn:uuid:00000000-0000-4000-8000-000000000001', cx('T'), '1.2', {
        authors: [
          { person: '^王^芳', institutions: ['省第一人民医院'], roles: [], specialties: ['放射科'], telecoms: [] },
        ],
        eventCodes: [code('CT', '1.2.840.10008.2.6.1')],
        sourcePatientInfo: ['PID-5|王^芳', 'PID-7|19800315', 'PID-8|F'],
        serviceStartTime: '20260102020000',
        serviceStopTime: '20260102021500',
      }),
      'bench',
    ),
    insert(DOCUMENT, `generate_series($2::int, $3::int) p, generate_series(0, ${String(DOCUMENTS_EACH - 1)}) d`),
  ],
  [
    clearRow(submissionSet('urn:uuid:00000000-0000-4000-8000-000000000002', cx('T'), '1.3'), 'bench'),
    insert(SET, 'generate_series($2::int, $3::int) p where p % 10 = 0'),
  ],
  [
    clearRow(folder('urn:uuid:00000000-0000-4000-8000-000000000003', cx('T'), '1.4'), 'bench'),
    insert(FOLDER, 'generate_series($2::int, $3::int) p where p % 10 = 0'),
  ],
];

const MEMBERSHIPS = ['set', 'folder'].map(
  (kind) => `insert into document_association (patient_id, id, type, source, target, status, body)
    select ${DOCUMENT.patient_id ?? ''}, ${uuid(`${kind}-member`, `p || '.' || d`)}, 'HasMember', ${uuid(kind, 'p')}, ${DOCUMENT.id ?? ''}, 'approved', '{"extra":[]}'
    from generate_series($1::int, $2::int) p, generate_series(0, ${String(DOCUMENTS_EACH - 1)}) d where p % 10 = 0`,
);

/** Patients `from` to `to`, announced as by ITI-8; analyze afterwards. */
export async function growRegistry(client: pg.Pool | pg.Client, from: number, to: number): Promise<void> {
  await client.query(
    `insert into affinity_patient (patient_id) select ${DOCUMENT.patient_id ?? ''} from generate_series($1::int, $2::int) p`,
    [from, to],
  );
  for (const [template, text] of OBJECTS) await client.query(text, [JSON.stringify(template), from, to]);
  for (const text of MEMBERSHIPS) await client.query(text, [from, to]);
}

/** A person of the index behind each of these patients, registered by the outside source of the domain's ids. */
export async function growPersons(pool: pg.Pool, from: number, to: number): Promise<void> {
  const range = 'generate_series($1::int, $2::int) p';
  await pool.query(`insert into person (person_id) select ${uuid('person', 'p')} from ${range}`, [from, to]);
  await pool.query(
    `insert into patient_record (record_id, site, authority, local_id, person_id, facts)
     select ${uuid('record', 'p')}, 'region', '${DOMAIN}', 'B' || p, ${uuid('person', 'p')}, '{}' from ${range}`,
    [from, to],
  );
  await pool.query(
    `update affinity_patient a set record_id = ${uuid('record', 'p')} from ${range}
     where a.patient_id = 'B' || p || '^^^&${DOMAIN}&ISO'`,
    [from, to],
  );
}

export async function personOf(pool: pg.Pool, n: number): Promise<string> {
  const { rows } = await pool.query<{ id: string }>(`select ${uuid('person', '$1::text')} as id`, [String(n)]);
  return rows[0]?.id ?? '';
}
