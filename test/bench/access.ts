/**
 * What the access decision adds to a request: a system where nothing is restricted, a system where something is, and a
 * physician, each against the index of 100,000 exams; timed around the desk alone, as a face asks it.
 */
import { freshDatabase } from '../support/database.ts';
import { accessDesk } from '../support/access.ts';
import type { Caller, SignedIn } from '../../hub/core/access.ts';
import { institutionCode } from '../../hub/core/institution.ts';
import { percentile, scaled, type Figure } from './measure.ts';

const EXAMS = 100_000;
const CALLS = 2_000;
const uuid = (n: number): string => `00000000-0000-4000-8000-${String(n).padStart(12, '0')}`;

const FILL = [
  `insert into institution (code, name_zh, state) values ('I1', '一', 'approved'), ('I2', '二', 'approved')`,
  `insert into institution_site (site, institution) values ('h1', 'I1'), ('h2', 'I2')`,
  `insert into person (person_id) select ('00000000-0000-4000-8000-' || lpad(i::text, 12, '0'))::uuid from generate_series(0, $1 / 4 - 1) i`,
  `insert into patient_record (record_id, site, authority, local_id, person_id, facts)
   select ('00000000-0000-4000-8001-' || lpad(i::text, 12, '0'))::uuid, case when i % 2 = 0 then 'h1' else 'h2' end, 'a', i::text,
     ('00000000-0000-4000-8000-' || lpad((i / 2)::text, 12, '0'))::uuid,
     jsonb_build_object('sex', jsonb_build_array('2|' || to_char(now(), 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') || '|00|x', 'male'))
   from generate_series(0, $1 / 2 - 1) i`,
  `insert into exam (record_id, exam_id, site, facts, cancelled, has_order, has_report, has_images, performed_at)
   select ('00000000-0000-4000-8001-' || lpad((i / 2)::text, 12, '0'))::uuid, ('00000000-0000-4000-8000-' || lpad(i::text, 12, '0'))::uuid,
     case when (i / 2) % 2 = 0 then 'h1' else 'h2' end,
     jsonb_build_object('orders', jsonb_build_array(jsonb_build_object('facts', jsonb_build_object('requester', jsonb_build_array('2|2026-01-01T00:00:00.000Z|00|x', '李'))))),
     false, true, false, false, now()
   from generate_series(0, $1 - 1) i`,
];

export async function run(): Promise<readonly Figure[]> {
  const fresh = await freshDatabase();
  const { database } = fresh;
  const exams = scaled(EXAMS, 1_000);
  for (const text of FILL) await database.pool.query(text, text.includes('$1') ? [exams] : []);
  await database.pool.query('analyze');
  const desk = accessDesk(database);
  const platform: Caller = { id: 'p', name: 'platform', role: 'query-platform', peer: '' };
  const user: SignedIn = {
    ...{ accountId: 'a', loginName: 'li', displayName: '李', institution: institutionCode('I1'), sessionId: 's' },
    practitionerId: '李',
    purpose: 'TREATMENT',
    factors: ['password'],
  };
  const physician: Caller = { id: 'a', name: '李', role: 'physician', peer: '', user };
  const measure = async (what: string, caller: Caller): Promise<Figure> => {
    const times: number[] = [];
    for (let at = 0; at < scaled(CALLS, 100) + 100; at++) {
      const began = process.hrtime.bigint();
      const sight = await desk.sight(caller);
      if (!sight.whole) await sight.exams([uuid((at * 7919) % exams)]);
      if (at >= 100) times.push(Number(process.hrtime.bigint() - began) / 1e6);
    }
    const [median, p95] = [percentile(times, 50), percentile(times, 95)];
    return {
      what,
      measured: `${median.toFixed(3)} ms (p95 ${p95.toFixed(3)} ms)`,
      ratio: { of: '1 ms', value: median, target: 1, most: true },
    };
  };
  const figures = [await measure('decision for a system, nothing restricted', platform)];
  await database.pool.query(`insert into exam_label (exam_id, label, source) values ($1, 'vip', 'hand')`, [uuid(3)]);
  await new Promise((resolve) => setTimeout(resolve, 1_100));
  figures.push(await measure('decision for a system, one exam sensitive', platform));
  figures.push(await measure('decision for a physician on one exam', physician));
  await fresh.drop();
  return figures;
}
