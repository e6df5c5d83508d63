/**
 * Reads what is new in the audit, lane by lane, and flags what is odd by the rules of the core. What was read, what was
 * counted and what was flagged commit together, so that a process that dies counts nothing twice.
 */
import type { AuditRecord } from '../core/audit.ts';
import { actorOf, judge, type ActorFacts, type AuditWatch, type Raised } from '../core/audit-rules.ts';
import { AUDIT_COLUMNS, toRecord, type AuditRow } from './audit-row.ts';
import { vaultOf, type Connection, type Database } from './database.ts';

const LOCK = 4_857_218_029;
/** What is older when it is first seen is nobody's news: the first run of a hub that has years of audit. */
const OLD_DAYS = 2;
const HABIT_DAYS = 28;
const MOST_PERSONS = 500;
/** Persons and records that a flag shows. */
const SHOWN = 20;

const NEWS = `
with lanes as (
  select l.lane, coalesce(w.seq, 0) as seen, coalesce(w.at, l.from_at) as at
  from audit_lane l left join audit_watch w using (lane)
  where l.seq > coalesce(w.seq, 0) and l.at > $1::timestamptz - make_interval(days => $3))
select ${AUDIT_COLUMNS}, a.lane, a.seq::text
from audit a join lanes on lanes.lane = a.lane and a.seq > lanes.seen
where a.at >= (select min(at) from lanes) and a.at > $1::timestamptz - make_interval(days => $3)
order by a.at, a.id limit $2`;

type NewsRow = AuditRow & { lane: number; seq: string };

export function createAuditWatch(deps: { database: Database; clock: () => Date }): AuditWatch {
  const { database, clock } = deps;
  return {
    read: (limit) =>
      database.transaction(async (connection) => {
        const { rows: locked } = await connection.query<{ mine: boolean }>(
          'select pg_try_advisory_xact_lock($1) as mine',
          [LOCK],
        );
        if (locked[0]?.mine !== true) return 0;
        const { rows } = await connection.query<NewsRow>(NEWS, [clock(), limit, OLD_DAYS]);
        for (const row of rows) {
          const { lane: _lane, seq: _seq, ...record } = row;
          await look(connection, toRecord(vaultOf(connection).fields, record));
        }
        await markRead(connection, rows);
        return rows.length;
      }),
  };
}

async function markRead(connection: Connection, rows: readonly NewsRow[]): Promise<void> {
  const newest = new Map(rows.map((row) => [row.lane, row]));
  for (const [lane, { seq, at }] of newest)
    await connection.query(
      `insert into audit_watch (lane, seq, at) values ($1, $2, $3)
       on conflict (lane) do update set seq = excluded.seq, at = excluded.at`,
      [lane, seq, at],
    );
}

/** A system that reads by itself costs nothing here; refusals are counted of everybody. */
async function look(connection: Connection, record: AuditRecord): Promise<void> {
  const actor = actorOf(record);
  const isRefusal = record.outcome === 'refused' && record.callerId !== '' && record.callerId !== 'none';
  if (!isRefusal && (actor.name === null || record.persons.length === 0)) return;
  const facts = await factsOf(connection, record, isRefusal);
  for (const raised of judge(record, facts)) await flag(connection, record, raised);
}

async function factsOf(connection: Connection, record: AuditRecord, isRefusal: boolean): Promise<ActorFacts> {
  const actor = actorOf(record);
  const day = record.at.slice(0, 10);
  const none = { patientsThisHour: 0, patientsToday: 0, refusalsThisHour: 0, habit: [], patientNames: [] };
  if (isRefusal) {
    const { rows } = await connection.query<{ n: number }>(
      `select count(*)::int as n from audit where caller_id = $1 and outcome = 'refused'
         and at > $2::timestamptz - interval '1 hour' and at <= $2`,
      [record.callerId, record.at],
    );
    return { ...none, refusalsThisHour: rows[0]?.n ?? 0, colleagues: new Set() };
  }
  await connection.query(
    `insert into audit_actor_person (actor, day, hour, person)
     select $1, $2::date, extract(hour from $3::timestamptz at time zone 'UTC'), p from unnest($4::text[]) p
     on conflict do nothing`,
    [actor.id, day, record.at, record.persons.slice(0, MOST_PERSONS)],
  );
  const { rows: counts } = await connection.query<{ hour: number; day: number }>(
    `select count(*)::int as day,
       count(*) filter (where hour = extract(hour from $3::timestamptz at time zone 'UTC'))::int as hour
     from audit_actor_person where actor = $1 and day = $2::date`,
    [actor.id, day, record.at],
  );
  const { hour: patientsThisHour = 0, day: patientsToday = 0 } = counts[0] ?? {};
  const habit = await habitOf(connection, actor.id, day, patientsToday);
  const names = await namesAround(connection, record, actor);
  return { ...none, patientsThisHour, patientsToday, habit, ...names };
}

async function habitOf(
  connection: Connection,
  actor: string,
  day: string,
  persons: number,
): Promise<readonly number[]> {
  await connection.query(
    `insert into audit_actor_day (actor, day, persons, reads, refusals) values ($1, $2::date, $3, 1, 0)
     on conflict (actor, day) do update set persons = excluded.persons, reads = audit_actor_day.reads + 1`,
    [actor, day, persons],
  );
  const { rows } = await connection.query<{ persons: number }>(
    'select persons from audit_actor_day where actor = $1 and day < $2::date and day >= $2::date - $3::int',
    [actor, day, HABIT_DAYS],
  );
  return rows.map((row) => row.persons);
}

async function namesAround(
  connection: Connection,
  record: AuditRecord,
  actor: ReturnType<typeof actorOf>,
): Promise<Pick<ActorFacts, 'patientNames' | 'colleagues'>> {
  await connection.query(
    `insert into audit_actor (actor, name, institution, seen_on) values ($1, $2, $3, $4::date)
     on conflict (actor) do update set name = excluded.name, institution = excluded.institution, seen_on = excluded.seen_on
     where (audit_actor.name, audit_actor.institution, audit_actor.seen_on) is distinct from
       (excluded.name, excluded.institution, excluded.seen_on)`,
    [actor.id, actor.name, actor.institution, record.at.slice(0, 10)],
  );
  // Who was shown in a list was not looked up: names matter of the one whom a record is about, or of a few.
  const persons = record.persons.filter((one) => UUID.test(one)).slice(0, SHOWN);
  const { rows } = await connection.query<{ name: string }>(
    'select distinct dicom_name as name from patient_record where person_id = any($1::uuid[]) limit 100',
    [persons],
  );
  const patientNames = rows.map(({ name }) => ideographic(name)).filter((name) => name !== '');
  if (patientNames.length === 0 || actor.institution === null) return { patientNames, colleagues: new Set() };
  const { rows: users } = await connection.query<{ name: string }>(
    'select name from audit_actor where institution = $1 and name = any($2::text[])',
    [actor.institution, patientNames],
  );
  return { patientNames, colleagues: new Set(users.map(({ name }) => name)) };
}

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** PS3.5 §6.2.1: the second component group, or the first where there is no other; without its carets. */
function ideographic(name: string): string {
  const [alphabetic = '', chinese = ''] = name.split('=');
  return (chinese || alphabetic).replaceAll('^', '').trim();
}

async function flag(connection: Connection, record: AuditRecord, { rule, explanation }: Raised): Promise<void> {
  const actor = actorOf(record);
  await connection.query(
    `insert into audit_flag (rule, actor, actor_name, institution, day, first_at, last_at, events, persons, records, explanation)
     values ($1, $2, $3, $4, $5::date, $6, $6, 1, $7, $8, $9)
     on conflict (rule, actor, day) do update set last_at = greatest(audit_flag.last_at, excluded.last_at),
       events = audit_flag.events + 1, explanation = excluded.explanation,
       persons = (select coalesce(array_agg(p), '{}') from (
         select distinct p from unnest(audit_flag.persons || excluded.persons) p limit ${String(SHOWN)}) x),
       records = (audit_flag.records || excluded.records)[greatest(1, cardinality(audit_flag.records) + 2 - ${String(SHOWN)}):]`,
    [
      ...[rule, actor.id, actor.name ?? record.callerName, actor.institution, record.at.slice(0, 10), record.at],
      ...[record.persons.slice(0, SHOWN), [`${String(Date.parse(record.at))}-${record.id}`], explanation],
    ],
  );
}

/** What habits need no more. */
export async function forgetHabits(database: Database, now: Date): Promise<void> {
  await database.pool.query(`delete from audit_actor_person where day < $1::date - 2`, [now]);
  await database.pool.query(`delete from audit_actor_day where day < $1::date - ${String(2 * HABIT_DAYS)}`, [now]);
}
