/**
 * Rows of a bench are multiplied by SQL, which cannot seal each copy for its own place: those that are multiplied lie in
 * clear, as a release that did not seal wrote them, and the hub is told that it may meet such. What a figure then leaves out
 * is opening these rows, some microseconds each.
 */
import { setTimeout as pause } from 'node:timers/promises';
import type { HubId } from '../../hub/core/identifier.ts';
import { createDataKeyStore } from '../../hub/store/data-key.ts';
import { openDatabase } from '../../hub/store/database.ts';
import { openRow, type VersionRow } from '../../hub/store/fhir-version.ts';
import { openJson } from '../../hub/store/sealed.ts';
import { featuresContext, openExam, openFacts, type StoredExam } from '../../hub/store/sealed-facts.ts';
import type { PatientRow } from '../../hub/store/slice.ts';
import { openTestKeys } from '../support/keyring.ts';

/** The hub reads its keys again every ten seconds. */
const REFRESHED_MS = 11_000;

/** Tables that were made of those of the hub, by what they are made of. */
export interface Copied {
  readonly patients: string;
  readonly exams: string;
  readonly versions?: string;
  readonly features?: string;
}

/** Tells the hub that runs on it; it knows when this resolves. */
export async function acceptClear(url: string): Promise<void> {
  const keys = await openTestKeys(url);
  const database = openDatabase(url, { max: 1, name: 'bench' });
  await createDataKeyStore(database).saveState(keys.vault.fields.seal(Buffer.from('mixed'), 'sealing.state'));
  await database.close();
  await keys.close();
  await pause(REFRESHED_MS);
}

export async function layInClear(url: string, { patients, exams, versions, features }: Copied): Promise<void> {
  const keys = await openTestKeys(url);
  const { fields } = keys.vault;
  const database = openDatabase(url, { max: 1, name: 'bench', vault: keys.vault });
  const { pool } = database;
  for (const row of (await pool.query<PatientRow>(`select record_id, facts from ${patients}`)).rows)
    await pool.query(`update ${patients} set facts = $2 where record_id = $1`, [
      row.record_id,
      JSON.stringify(openFacts(fields, row.facts, row.record_id)),
    ]);
  const found = await pool.query<{ exam_id: HubId; facts: StoredExam }>(`select exam_id, facts from ${exams}`);
  for (const row of found.rows)
    await pool.query(`update ${exams} set facts = $2 where exam_id = $1`, [
      row.exam_id,
      JSON.stringify(openExam(fields, row.facts, row.exam_id)),
    ]);
  if (versions !== undefined)
    for (const row of (await pool.query<VersionRow>(`select * from ${versions}`)).rows)
      await pool.query(`update ${versions} set body = $4 where type = $1 and id = $2 and version = $3`, [
        ...[row.type, row.id, row.version, openRow(fields, row).body],
      ]);
  if (features !== undefined) {
    const all = await pool.query<{ record_id: string; features: object | string }>(`select * from ${features}`);
    for (const row of all.rows)
      await pool.query(`update ${features} set features = $2 where record_id = $1`, [
        row.record_id,
        JSON.stringify(openJson<object>(fields, row.features, featuresContext(row.record_id))),
      ]);
  }
  await database.close();
  await keys.close();
  await acceptClear(url);
}
