/**
 * Registrations matched against 10,000 and 1,000,000 persons, through ingest on a real PostgreSQL; then the merge and the
 * split of a person with 5,000 exams. What lies there before is loaded straight into the tables, by the hub's own features
 * and keys; what is measured is applied as any message is: claimed, compared, linked, rendered, committed.
 */
import { vaultOf } from '../../hub/store/database.ts';
import { sealJson } from '../../hub/store/sealed.ts';
import { featuresContext, matchKey, residentKey, sealFacts } from '../../hub/store/sealed-facts.ts';
import { residentCheck, type HubId } from '../../hub/core/identifier.ts';
import { patientView, type PatientState } from '../../hub/core/patient.ts';
import { ownPerson } from '../../hub/core/person.ts';
import { foldEntry } from '../../hub/core/fold.ts';
import { EMPTY } from '../../hub/core/slice.ts';
import { exam, OPERATOR, personHub, recordId, registration, type PersonHub, type Told } from '../support/person-hub.ts';
import { DERIVE } from '../support/scenario.ts';
import { percentile, scaled, show, type Figure } from './measure.ts';

const SMALL = 10_000;
const LARGE = scaled(1_000_000, 2 * SMALL);
const ASKED = 200;
const CHUNK = 5_000;
const EXAMS = 5_000;

const FAMILY =
  '王李张刘陈杨黄赵吴周徐孙马朱胡郭何林高罗郑梁谢宋唐许邓韩冯曹彭曾萧田董潘袁蔡蒋余于杜叶程魏苏吕丁任卢姚沈钟姜崔谭陆范汪廖';
const GIVEN =
  '伟芳娜秀英敏静丽强磊军洋勇艳杰娟涛明超兰霞平刚桂华玉萍红建国文辉力健俊峰宇浩然子轩梓涵欣怡雨泽思远嘉琪晨曦志鹏海燕雪梅春生庆云';

/** Park–Miller: the same persons in every run. */
function draw(seed: number): (most: number) => number {
  let state = (seed * 48_271 + 11) % 2_147_483_647;
  return (most) => {
    state = (state * 48_271) % 2_147_483_647;
    return state % most;
  };
}

function person(n: number): Told {
  const next = draw(n + 1);
  next(7);
  const char = (text: string, skew: number): string => {
    const chars = Array.from(text);
    return chars[Math.floor(chars.length * (next(10_000) / 10_000) ** skew)] ?? '';
  };
  const name = char(FAMILY, 2) + char(GIVEN, 1) + (next(10) < 8 ? char(GIVEN, 1) : '');
  const pad = (value: number, length = 2): string => String(value).padStart(length, '0');
  const birthDate = `${String(1935 + next(85))}-${pad(1 + next(12))}-${pad(1 + next(28))}`;
  const sex = next(2) === 0 ? 'male' : 'female';
  const sequence = pad(next(500) * 2 + (sex === 'male' ? 1 : 0), 3);
  const first17 = `9901${pad(1 + next(40))}${birthDate.replaceAll('-', '')}${sequence}`;
  return {
    name,
    sex,
    birthDate,
    phone: `1${String(3 + next(7))}${pad(next(1_000_000_000), 9)}`,
    address: { text: `虚构省虚构市长青路${String(next(4_000))}号${String(next(30))}室` },
    ...(next(10) < 9 ? { residentId: first17 + residentCheck(first17) } : {}),
  };
}

const stateOf = (n: number): PatientState => {
  const record = registration('h1', `P${String(n)}`, person(n));
  const folded = foldEntry(EMPTY, [{ record, journalId: '1', tie: 'd', forced: false }], DERIVE);
  const state = folded.ok ? [...folded.value.slice.patients.values()][0] : undefined;
  if (state === undefined) throw new Error('a registration is folded');
  return state;
};

export async function load(hub: PersonHub, from: number, to: number): Promise<void> {
  const { pool } = hub.database;
  const matcher = hub.deps.matching.under(null);
  const vault = vaultOf(pool);
  await pool.query('drop index if exists match_key_by_key');
  for (let at = from; at < to; at += CHUNK) {
    const rows = Array.from({ length: Math.min(CHUNK, to - at) }, (_, n) => {
      const state = stateOf(at + n);
      const features = hub.deps.matching.features(patientView(state));
      const { recordId: record_id, localId: local_id, site, authority, facts } = state;
      const person_id = ownPerson(record_id, DERIVE);
      const { residentId } = features;
      return {
        ...{ record_id, local_id, site, authority, person_id },
        facts: sealFacts(vault.fields, facts, record_id),
        resident_id: residentId === null ? null : residentKey(vault, residentId),
        resident_born: residentId === null ? null : Number(residentId.slice(6, 10)),
        features: sealJson(vault.fields, features, featuresContext(record_id)),
        keys: matcher.keys(features).map((key) => matchKey(vault, key)),
      };
    });
    await pool.query(
      `with input as (select * from jsonb_to_recordset($1::jsonb) as r(record_id uuid, local_id text, site text, authority text,
           facts jsonb, person_id uuid, features jsonb, keys jsonb, resident_id text, resident_born smallint)),
         p as (insert into patient_record (record_id, site, authority, local_id, person_id, facts, resident_id,
             resident_born)
           select record_id, site, authority, local_id, person_id, facts, resident_id, resident_born from input),
         o as (insert into person (person_id) select person_id from input),
         f as (insert into match_record (record_id, features) select record_id, features from input)
       insert into match_key (record_id, key)
       select distinct record_id, k::bigint from input, jsonb_array_elements_text(keys) k`,
      [JSON.stringify(rows)],
    );
  }
  await pool.query('create index match_key_by_key on match_key (key, record_id)');
  await pool.query('vacuum (analyze) patient_record, person, match_record, match_key');
}

/** Of those that ask, half are known at another hospital, with a slip each; half are new. */
export function asking(n: number, size: number): Told {
  if (n % 2 === 1) return person(10_000_000 + n);
  const { residentId, phone, ...known } = person((n * 7919) % size);
  return {
    ...known,
    ...(n % 4 === 0 && residentId !== undefined ? { residentId } : {}),
    ...(n % 8 === 0 ? {} : { phone: phone ?? null }),
  };
}

export async function measure(hub: PersonHub, size: number, asked = ASKED): Promise<{ p50: number; p95: number }> {
  const times: number[] = [];
  for (let n = 0; n < asked + 20; n++) {
    await hub.accept(registration(`h${String(2 + (n % 3))}`, `Q${String(size)}-${String(n)}`, asking(n, size)));
    const began = performance.now();
    await hub.ingest.drain();
    if (n >= 20) times.push(performance.now() - began);
  }
  return { p50: percentile(times, 50), p95: percentile(times, 95) };
}

async function mergeLarge(hub: PersonHub): Promise<{ merge: number; split: number }> {
  await hub.send(registration('h1', 'BIG', { name: '单一一', birthDate: '1950-01-02', sex: 'male' }));
  await hub.send(registration('h2', 'OTHER', { name: '查二二', birthDate: '1960-03-04', sex: 'male' }));
  for (let n = 0; n < EXAMS; n++) await hub.accept(exam('h1', 'BIG', `BIG${String(n)}`));
  await hub.ingest.drain();
  const by = { caller: OPERATOR, reason: 'bench' };
  const [big, other]: [HubId, HubId] = [recordId('h1', 'BIG'), recordId('h2', 'OTHER')];
  const timed = async (work: () => Promise<{ readonly ok: boolean }>): Promise<number> => {
    const began = performance.now();
    const done = await work();
    if (!done.ok) throw new Error('the decision was refused');
    return performance.now() - began;
  };
  const [p, q] = [await hub.personOf(other), await hub.personOf(big)];
  const merge = await timed(() => hub.desk.merge(p, q, by));
  const split = await timed(() => hub.desk.split(p, [big], by));
  return { merge, split };
}

export async function run(): Promise<readonly Figure[]> {
  const hub = await personHub();
  await load(hub, 0, SMALL);
  const small = await measure(hub, SMALL);
  show(`  ${String(SMALL)} persons: p50 ${small.p50.toFixed(1)} ms, p95 ${small.p95.toFixed(1)} ms`);
  await load(hub, SMALL, LARGE);
  const large = await measure(hub, LARGE);
  show(`  ${String(LARGE)} persons: p50 ${large.p50.toFixed(1)} ms, p95 ${large.p95.toFixed(1)} ms`);
  const { merge, split } = await mergeLarge(hub);
  const of = LARGE.toLocaleString('en');
  const ms = (value: number): string => `${value.toFixed(1)} ms`;
  const within = (value: number, most: number): Figure['ratio'] => ({
    of: `${String(most)} ms`,
    value: value / most,
    target: 1,
    most: true,
  });
  const grown = { of: `that at ${SMALL.toLocaleString('en')}`, value: large.p95 / small.p95, target: 1.5, most: true };
  return [
    {
      what: `registration matched against ${of} persons, p95`,
      measured: ms(large.p95),
      ...ratio(within(large.p95, 25)),
    },
    { what: `registration matched against ${of} persons, p95`, measured: ms(large.p95), ...ratio(grown) },
    { what: `merge of a person with ${String(EXAMS)} exams`, measured: ms(merge), ...ratio(within(merge, 1000)) },
    { what: `split of a person with ${String(EXAMS)} exams`, measured: ms(split), ...ratio(within(split, 1000)) },
  ];
}

const ratio = (of: Figure['ratio']): Pick<Figure, 'ratio'> => (of === undefined ? {} : { ratio: of });
