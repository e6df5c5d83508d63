/**
 * Rules and labels of sensitivity on PostgreSQL. What is written after a rule is labelled in its own transaction by a
 * trigger (sql/0035), what was written before by a sweep in pieces; a rule waits for writes under way, so none is between.
 */
import type { HubId, SiteId } from '../core/identifier.ts';
import { fail, ok, problem, type Result } from '../core/problem.ts';
import type {
  ExamLabels,
  LabelStep,
  RuleField,
  SensitivityDesk,
  SensitivityRule,
  SensitivitySweep,
} from '../core/sensitivity.ts';
import type { Sensitivity } from '../core/subject.ts';
import { isUuid } from './account.ts';
import type { Connection, Database } from './database.ts';

interface RuleRow {
  rule_id: string;
  field: RuleField;
  code: string;
  label: Sensitivity;
  site: SiteId | null;
  reason: string;
  created_at: Date;
  created_by: string;
}

const RULE = 'rule_id, field, code, label, site, reason, created_at, created_by';

const ruleOf = (row: RuleRow): SensitivityRule => ({
  ...{ ruleId: row.rule_id, field: row.field, code: row.code, label: row.label, site: row.site, reason: row.reason },
  ...{ createdAt: row.created_at.toISOString(), createdBy: row.created_by },
});

interface LabelRow {
  exam_id: HubId;
  person_id: HubId;
  site: SiteId;
  labels: {
    readonly label: Sensitivity;
    readonly source: 'rule' | 'hand';
    readonly set_at: string;
    readonly set_by: string;
    readonly reason: string;
  }[];
}

/** By any id that the exam had. */
const LABELS = `select e.exam_id, r.person_id, e.site, coalesce((
    select jsonb_agg(to_jsonb(l) - 'exam_id' order by l.label, l.source) from exam_label l where l.exam_id = e.exam_id), '[]') as labels
  from exam e join patient_record r on r.record_id = e.record_id
  where e.exam_id = coalesce((select a.exam_id from exam_alias a where a.alias = $1), $1::uuid) limit 1`;

export function createSensitivityDesk({ database, clock }: { database: Database; clock: () => Date }): SensitivityDesk {
  const { pool } = database;
  const read = async (connection: Connection, examId: string): Promise<ExamLabels | null> => {
    const { rows } = await connection.query<LabelRow>(LABELS, [examId]);
    const [row] = rows;
    if (row === undefined) return null;
    const labels = row.labels.map(({ label, source, set_at, set_by: setBy, reason }) => ({
      ...{ label, source, setBy, reason },
      setAt: new Date(set_at).toISOString(),
    }));
    return { examId: row.exam_id, personId: row.person_id, site: row.site, labels };
  };
  /** A change of the rules, after which every exam is looked at again. */
  const ruling = (change: (connection: Connection) => Promise<Result<SensitivityRule>>) =>
    database
      .transaction(async (connection) => {
        await connection.query("set local lock_timeout = '5s'");
        // Who writes an exam at this moment has read the rules of before: their end is waited for.
        await connection.query('lock table exam in share mode');
        const done = await change(connection);
        if (done.ok)
          await connection.query(
            `update sensitivity_sweep set after_record = null, after_exam = null, exams = 0, began_at = $1, ended_at = null`,
            [clock()],
          );
        return done;
      })
      .catch((error: unknown): Result<SensitivityRule> => {
        if (error instanceof Error && Reflect.get(error, 'code') === '55P03') return fail(problem('busy'));
        throw error;
      });
  return {
    async rules() {
      const [{ rows }, sweep] = await Promise.all([
        pool.query<RuleRow>(`select ${RULE} from sensitivity_rule order by created_at desc, rule_id limit 1000`),
        sweepOf(pool),
      ]);
      return { items: rows.map(ruleOf), sweep };
    },
    addRule: ({ field, code, label, site, reason }, by) =>
      ruling(async (connection) => {
        const { rows } = await connection.query<RuleRow>(
          `insert into sensitivity_rule (field, code, label, site, reason, created_at, created_by)
           values ($1, $2, $3, $4, $5, $6, $7) on conflict do nothing returning ${RULE}`,
          [field, code, label, site, reason, clock(), by],
        );
        return rows[0] === undefined ? fail(problem('conflict')) : ok(ruleOf(rows[0]));
      }),
    removeRule: async (ruleId) => {
      if (!isUuid(ruleId)) return fail(problem('not-found'));
      return ruling(async (connection) => {
        const { rows } = await connection.query<RuleRow>(
          `delete from sensitivity_rule where rule_id = $1 returning ${RULE}`,
          [ruleId],
        );
        return rows[0] === undefined ? fail(problem('not-found')) : ok(ruleOf(rows[0]));
      });
    },
    labelsOf: (examId) => (isUuid(examId) ? read(pool, examId) : Promise.resolve(null)),
    setLabels: async (examId, labels, { id, reason }) => {
      if (!isUuid(examId)) return null;
      return database.transaction(async (connection) => {
        const found = await read(connection, examId);
        if (found === null) return null;
        await connection.query(
          `delete from exam_label where exam_id = $1 and source = 'hand' and label <> all ($2::text[])`,
          [found.examId, labels],
        );
        await connection.query(
          `insert into exam_label (exam_id, label, source, set_at, set_by, reason)
           select $1, l, 'hand', $3, $4, $5 from unnest($2::text[]) l on conflict do nothing`,
          [found.examId, labels, clock(), id, reason],
        );
        return read(connection, examId);
      });
    },
  };
}

async function sweepOf(connection: Connection): Promise<SensitivitySweep> {
  const { rows } = await connection.query<{ began_at: Date; ended_at: Date | null; exams: string }>(
    'select began_at, ended_at, exams::text from sensitivity_sweep',
  );
  const [row] = rows;
  if (row === undefined) throw new Error('the sweep of labels has lost its row');
  return {
    beganAt: row.began_at.toISOString(),
    endedAt: row.ended_at?.toISOString() ?? null,
    exams: Number(row.exams),
  };
}

const NEXT = `select e.record_id, e.exam_id from exam e
  where ($2::uuid is null or (e.record_id, e.exam_id) > ($2, $3::uuid)) order by e.record_id, e.exam_id limit $1`;

const LABEL = `with piece as materialized (
    select e.exam_id, e.site, e.facts from exam e
    where (e.record_id, e.exam_id) in (select * from unnest($1::uuid[], $2::uuid[]))
  ), wanted as materialized (
    select p.exam_id, label from piece p cross join lateral exam_labels_wanted(p.site, p.facts) label
  ), gone as (
    delete from exam_label l using piece p where l.exam_id = p.exam_id and l.source = 'rule'
      and not exists (select from wanted w where w.exam_id = l.exam_id and w.label = l.label)
  )
  insert into exam_label (exam_id, label, source) select exam_id, label, 'rule' from wanted on conflict do nothing`;

/** One process at a time; a change of the rules begins it anew. */
export const createLabelStep =
  ({ database, clock }: { database: Database; clock: () => Date }): LabelStep =>
  (limit) =>
    database.transaction(async (connection) => {
      const { rows: places } = await connection.query<{ after_record: string | null; after_exam: string | null }>(
        'select after_record, after_exam from sensitivity_sweep where ended_at is null for update skip locked',
      );
      const [place] = places;
      if (place === undefined) return 0;
      const { rows } = await connection.query<{ record_id: string; exam_id: string }>(NEXT, [
        limit,
        place.after_record,
        place.after_exam,
      ]);
      await connection.query(LABEL, [rows.map((row) => row.record_id), rows.map((row) => row.exam_id)]);
      const last = rows.at(-1);
      await connection.query(
        `update sensitivity_sweep set after_record = coalesce($1, after_record), after_exam = coalesce($2, after_exam),
           exams = exams + $3, ended_at = $4`,
        [last?.record_id ?? null, last?.exam_id ?? null, rows.length, rows.length < limit ? clock() : null],
      );
      return rows.length;
    });
