/**
 * The parts of the database that hold sealed values, each with how its rows are read in order and sealed anew. What
 * a row was, is part of the update: where somebody wrote it meanwhile, theirs stands, and it is sealed by today's key.
 */
import type { StoredVersion } from '../core/fhir.ts';
import type { HubId } from '../core/identifier.ts';
import type { Registers } from '../core/register.ts';
import type { Sealer, Vault } from '../core/sealing.ts';
import { pagesContext } from './fhir-page.ts';
import { bodyContext } from './fhir-version.ts';
import { keyContext } from './hub-key.ts';
import { bytesContextOf, bytesOf, type SealedBytesRow } from './journal-entry.ts';
import { documentContext } from './document-row.ts';
import { toldContext } from './link-notice.ts';
import { openBytes, openJson, openText, SEALED_TEXT, sealJson, sealText } from './sealed.ts';
import {
  featuresContext,
  openExam,
  openFacts,
  reportContext,
  residentKey,
  sealedText,
  sealExam,
  sealFacts,
  type StoredExam,
} from './sealed-facts.ts';
import { sealSearch } from './sealed-search.ts';

/** Text sealed by rooms that know of no rows (hub/security/seal.ts), by its purpose. */
export type TextSeals = Readonly<
  Record<'totp' | 'consumer' | 'consent', { open(text: string): string; close(text: string): string }>
>;

export interface ResealContext {
  readonly vault: Vault;
  readonly seals: TextSeals;
}

export interface Part {
  readonly name: string;
  /** Key columns with their types, in the order in which rows are walked, and what comes before all. */
  readonly key: readonly (readonly [column: string, type: string, first: string])[];
  readonly table: string;
  /** What is sealed in it, with its type. */
  readonly column: string;
  readonly type: 'bytea' | 'text' | 'jsonb' | 'text[]';
  /** Others that `anew` needs. */
  readonly needs?: string;
  readonly where?: string;
  /** null: the row is as it should be. */
  anew(row: never, context: ResealContext): unknown;
}

const isCurrentText = (fields: Sealer, text: string): boolean =>
  text.startsWith(SEALED_TEXT) && fields.isCurrent(Buffer.from(text.slice(0, 12), 'base64'));

/** JSON that is sealed whole. */
function jsonAnew(fields: Sealer, value: object | string, context: string): string | null {
  if (typeof value === 'string' && isCurrentText(fields, value)) return null;
  return sealJson(fields, openJson<object>(fields, value, context), context);
}

/** A facts column has one sealed member beside the rest, or none where there is nothing to seal. */
const isCurrentPart = (fields: Sealer, member: string | null, plain: object, sealed: object): boolean =>
  member === null ? JSON.stringify(plain) === JSON.stringify(sealed) : isCurrentText(fields, member);

const UUID = '00000000-0000-0000-0000-000000000000';

/** A text column that a room above seals, by its purpose. */
const textPart = (table: string, key: string, column: string, purpose: keyof TextSeals): Part => ({
  name: `${table}.${column}`,
  table,
  key: [[key, 'uuid', UUID]],
  column,
  type: 'text',
  where: `${column} is not null`,
  anew(row: Readonly<Record<string, string>>, { vault, seals }) {
    const text = row[column] ?? '';
    return isCurrentText(vault.fields, text) ? null : seals[purpose].close(seals[purpose].open(text));
  },
});

export const PARTS: readonly Part[] = [
  {
    name: 'hub_key.value',
    table: 'hub_key',
    key: [['name', 'text', '']],
    column: 'value',
    type: 'bytea',
    // A name of a store, which lies in that store as well (hub/store/store-identity.ts): no secret.
    where: `name <> 'object-store'`,
    anew(row: { name: string; value: Buffer }, { vault: { fields } }) {
      const context = keyContext(row.name);
      return fields.isCurrent(row.value) ? null : fields.seal(openBytes(fields, row.value, context), context);
    },
  },
  {
    name: 'patient_record.facts',
    table: 'patient_record',
    key: [['record_id', 'uuid', UUID]],
    column: 'facts',
    type: 'jsonb',
    anew(row: { record_id: HubId; facts: Registers }, { vault: { fields } }) {
      const plain = openFacts(fields, row.facts, row.record_id);
      const sealed = sealFacts(fields, plain, row.record_id);
      return isCurrentPart(fields, sealedText(row.facts), row.facts, sealed) ? null : sealed;
    },
  },
  {
    name: 'match_record.features',
    table: 'match_record',
    key: [['record_id', 'uuid', UUID]],
    column: 'features',
    type: 'jsonb',
    anew(row: { record_id: string; features: object | string }, { vault: { fields } }) {
      return jsonAnew(fields, row.features, featuresContext(row.record_id));
    },
  },
  {
    name: 'exam.facts',
    table: 'exam',
    key: [
      ['record_id', 'uuid', UUID],
      ['exam_id', 'uuid', UUID],
    ],
    column: 'facts',
    type: 'jsonb',
    anew(row: { exam_id: HubId; facts: StoredExam }, { vault: { fields } }) {
      const plain = openExam(fields, row.facts, row.exam_id);
      const sealed = sealExam(fields, plain, row.exam_id);
      return isCurrentPart(fields, sealedText(row.facts), row.facts, sealed) ? null : sealed;
    },
  },
  {
    name: 'report_version.content',
    table: 'report_version',
    key: [
      ['record_id', 'uuid', UUID],
      ['exam_id', 'uuid', UUID],
      ['report_number', 'text', ''],
      ['stamp', 'text', ''],
    ],
    column: 'content',
    type: 'jsonb',
    anew(row: { report_number: string; stamp: string; content: object | string }, { vault: { fields } }) {
      return jsonAnew(fields, row.content, reportContext(row.report_number, row.stamp));
    },
  },
  {
    name: 'registry_object.body',
    table: 'registry_object',
    key: [
      ['patient_id', 'text', ''],
      ['id', 'uuid', UUID],
    ],
    column: 'body',
    type: 'jsonb',
    anew(row: { id: string; body: object | string }, { vault: { fields } }) {
      return jsonAnew(fields, row.body, documentContext(row.id));
    },
  },
  {
    name: 'ruling.numbers',
    table: 'ruling',
    key: [
      ['record_id', 'uuid', UUID],
      ['other_id', 'uuid', UUID],
      ['decision_id', 'bigint', '0'],
    ],
    column: 'numbers',
    type: 'text[]',
    where: 'numbers is not null',
    anew(row: { numbers: readonly string[] }, { vault }) {
      const isClear = (number: string): boolean => /^\d{17}[\dX](\|\d{17}[\dX])?$/.test(number);
      if (!row.numbers.some(isClear)) return null;
      return row.numbers.map((number) => (isClear(number) ? residentKey(vault, number) : number));
    },
  },
  {
    name: 'link_told.numbers',
    table: 'link_told',
    key: [
      ['subscriber', 'text', ''],
      ['person_id', 'uuid', UUID],
    ],
    column: 'numbers',
    type: 'text[]',
    anew(row: { subscriber: string; person_id: string; numbers: readonly string[] }, { vault: { fields } }) {
      const context = toldContext(row.subscriber, row.person_id);
      if (row.numbers.every((number) => isCurrentText(fields, number))) return null;
      return row.numbers.map((number) => sealText(fields, openText(fields, number, context), context));
    },
  },
  {
    name: 'fhir_resource.tokens',
    table: 'fhir_resource',
    key: [['id', 'text', '']],
    column: 'tokens',
    type: 'text[]',
    needs: `(select json_agg(json_build_object('param', t.param, 'norm', t.norm, 'exact', t.exact)) from fhir_text t
      where t.type = 'Patient' and t.id = fhir_resource.id and t.version = fhir_resource.version) as texts`,
    where: `type = 'Patient' and tokens is not null`,
    anew(
      row: { tokens: readonly string[]; texts: { param: string; norm: string; exact: string }[] | null },
      { vault },
    ) {
      const search = { present: [], dates: [null, null], sortText: null, strings: row.texts ?? [] } as const;
      const isClear = row.tokens.some((token) => /^(identifier|telecom|phone)[=:]/.test(token));
      const addressed = search.strings.some(({ param }) => param === 'address');
      return isClear || addressed ? sealSearch(vault, 'Patient', { ...search, tokens: row.tokens }).tokens : null;
    },
  },
  {
    name: 'fhir_version.body',
    table: 'fhir_version',
    key: [
      ['type', 'text', ''],
      ['id', 'text', ''],
      ['version', 'int', '0'],
    ],
    column: 'body',
    type: 'text',
    where: 'body is not null',
    anew(row: Pick<StoredVersion, 'type' | 'id'> & { body: string }, { vault: { fields } }) {
      const context = bodyContext(row.type, row.id);
      return isCurrentText(fields, row.body) ? null : sealText(fields, openText(fields, row.body, context), context);
    },
  },
  {
    name: 'journal.bytes',
    table: 'journal',
    key: [
      ['received_at', 'timestamptz', '-infinity'],
      ['id', 'bigint', '0'],
    ],
    column: 'bytes',
    type: 'bytea',
    needs: 'site, channel, sender, control_id, digest',
    anew(row: SealedBytesRow, { vault: { fields } }) {
      if (fields.isCurrent(row.bytes)) return null;
      return fields.seal(bytesOf(fields, row), bytesContextOf(row));
    },
  },
  {
    name: 'fhir_page.state',
    table: 'fhir_page',
    key: [['handle', 'text', '']],
    column: 'state',
    type: 'text',
    needs: 'caller_id',
    anew(row: { caller_id: string; state: string }, { vault: { fields } }) {
      const context = pagesContext(row.caller_id);
      return isCurrentText(fields, row.state) ? null : sealText(fields, openText(fields, row.state, context), context);
    },
  },
  textPart('account', 'id', 'totp_secret', 'totp'),
  textPart('document_subscription', 'id', 'consumer', 'consumer'),
  textPart('break_glass', 'grant_id', 'note', 'consent'),
  textPart('account_flag', 'flag_id', 'explanation', 'consent'),
];
