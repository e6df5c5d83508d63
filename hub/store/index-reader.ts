/** Reads of the master index for every face: a person, an exam by any id it ever had, a study down to its instances. */
import type { Derivation } from '../core/identifier.ts';
import type { IndexReader, InstanceLocated, SeriesLocated, StudyLocated } from '../core/ports.ts';
import type { ExamView } from '../core/view.ts';
import type { Database } from './database.ts';
import { examViews, personViews, seriesInstances, type Instances } from './view.ts';

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

export function createIndexReader(deps: { database: Database; derive: Derivation }): IndexReader {
  const { pool } = deps.database;

  async function examById(examId: string, instances: Instances): Promise<ExamView | null> {
    const [view] = await examViews(pool, [examId], { derive: deps.derive, instances });
    return view ?? null;
  }

  /** A study held under several registrations (a hospital's re-send) answers with the one that has the most images. */
  async function examIdOfStudy(studyUid: string): Promise<string | null> {
    const result = await pool.query<{ exam_id: string }>({
      name: 'exam-of-study',
      text: `select exam_id from study where study_uid = $1 and not voided
             order by instance_count desc, record_id limit 1`,
      values: [studyUid],
    });
    return result.rows[0]?.exam_id ?? null;
  }

  async function study(studyUid: string, instances: Instances): Promise<StudyLocated | null> {
    const examId = await examIdOfStudy(studyUid);
    if (examId === null) return null;
    const exam = await examById(examId, instances);
    const found = exam?.studies.find((one) => one.studyUid === studyUid);
    return exam && found ? { exam, study: found, personId: exam.personId } : null;
  }

  async function series(studyUid: string, seriesUid: string): Promise<SeriesLocated | null> {
    const located = await study(studyUid, 'none');
    const found = located?.study.series.find((one) => one.seriesUid === seriesUid);
    if (!located || !found) return null;
    const rows = await seriesInstances(pool, located.exam.recordId, studyUid, { seriesUid });
    return { ...located, series: { ...found, instances: rows.map((row) => row.instance) } };
  }

  async function instance(studyUid: string, seriesUid: string | null, sopUid: string): Promise<InstanceLocated | null> {
    const located = await study(studyUid, 'none');
    if (located === null) return null;
    const of = seriesUid === null ? { sopUid } : { seriesUid, sopUid };
    const [row] = await seriesInstances(pool, located.exam.recordId, studyUid, of);
    const found = located.study.series.find((one) => one.seriesUid === row?.seriesUid);
    return row && found ? { ...located, series: found, instance: row.instance } : null;
  }

  return {
    async person(personId) {
      let at = personId;
      for (let step = 0; step < 8 && UUID.test(at); step++) {
        const [view] = await personViews(pool, [at]);
        if (view === undefined) return null;
        if (view.replacedBy === null) return view;
        at = view.replacedBy;
      }
      return null;
    },
    async exam(examId) {
      const alias = await pool.query<{ exam_id: string }>('select exam_id from exam_alias where alias = $1', [examId]);
      const id = alias.rows[0]?.exam_id ?? examId;
      return UUID.test(id) ? examById(id, 'none') : null;
    },
    async examOfStudy(studyUid) {
      const examId = await examIdOfStudy(studyUid);
      return examId === null ? null : examById(examId, 'none');
    },
    study: (studyUid, options) => study(studyUid, options?.instances === true ? 'all' : 'none'),
    series,
    instance,
  };
}
