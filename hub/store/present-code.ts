/**
 * Codes by which a patient who is present lets a doctor see, on PostgreSQL. Only keyed hashes are kept; a code is used up
 * in the transaction that records its consent. Guesses are counted twice: against the patient's code, and against whoever
 * guesses over many patients.
 */
import { randomBytes, randomInt, randomUUID } from 'node:crypto';
import type { Caller } from '../core/access.ts';
import {
  PRESENT_CODE,
  presentRules,
  type ConsentContent,
  type ConsentRecord,
  type PresentCodes,
  type PresentTerms,
} from '../core/consent-ports.ts';
import type { Derivation, HubId } from '../core/identifier.ts';
import { fail, ok, problem, type Result } from '../core/problem.ts';
import { recordConsent, type ConsentStoreDeps } from './consent.ts';
import type { Connection } from './database.ts';
import { namesOf, personToday } from './person-names.ts';

export interface PresentCodeDeps extends ConsentStoreDeps {
  readonly derive: Derivation;
}

export function createPresentCodes(deps: PresentCodeDeps): PresentCodes {
  const { database, clock } = deps;
  return {
    async issue({ personId, kind, minutes, terms }, by) {
      const person = await personToday(database.pool, personId);
      if (person === null) return fail(problem('not-found', 'personId', 'Nobody has this id.'));
      const now = clock();
      const code =
        kind === 'token' ? randomBytes(16).toString('base64url') : String(randomInt(100_000_000)).padStart(8, '0');
      const expiresAt = new Date(now.getTime() + minutes * 60_000);
      const sealed = {
        ...terms,
        giverName: terms.giverName === null ? null : (await deps.seal()).close(terms.giverName),
      };
      const { rows } = await database.pool.query<{ code_id: string }>(
        `insert into patient_present_code (code_id, code_hash, kind, person_id, terms, issued_by, created_at, expires_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8) returning code_id`,
        [
          ...[
            randomUUID(),
            hashOf(deps.derive, kind === 'token' ? null : person.personId, code),
            kind,
            person.personId,
          ],
          ...[JSON.stringify(sealed), JSON.stringify({ id: by.id, name: by.name, role: by.role }), now, expiresAt],
        ],
      );
      return ok({ codeId: rows[0]?.code_id ?? '', code, expiresAt: expiresAt.toISOString() });
    },
    async redeem(request, by) {
      const guess = await guessing(deps, by);
      if (guess === null)
        return fail(
          problem('limit-exceeded', 'code', 'Too many wrong codes; try again in an hour, or ask at the desk.'),
        );
      const used = await database.transaction(async (connection) => {
        const claimed = await claim(deps, connection, request, by);
        return claimed === null ? null : consentOf(deps, connection, claimed, request.institution, by);
      });
      if (used === null) {
        await countWrong(deps, request.personId);
        return fail(WRONG);
      }
      await guess.wasRight();
      return used;
    },
  };
}

/** The same for a wrong code, an old one, a used one and another patient's: it tells nothing. */
const WRONG = problem('not-found', 'code', 'This code is not valid (any longer).');

const hashOf = (derive: Derivation, person: HubId | null, code: string): string =>
  person === null ? derive.base32('present-token', code) : derive.base32('present-digits', person, code);

/** Counted before it is looked at, so that guesses sent at once are not counted as one. null: there were too many. */
async function guessing(
  { database, clock }: PresentCodeDeps,
  by: Caller,
): Promise<{ readonly wasRight: () => Promise<void> } | null> {
  const now = clock();
  const since = new Date(now.getTime() - 3_600_000);
  await database.pool.query('insert into patient_present_guess (caller_id, at) values ($1, $2)', [by.id, now]);
  const { rows } = await database.pool.query<{ count: number }>(
    'select count(*)::int as count from patient_present_guess where caller_id = $1 and at > $2',
    [by.id, since],
  );
  if ((rows[0]?.count ?? 0) > PRESENT_CODE.wrongPerHour) return null;
  const wasRight = async (): Promise<void> => {
    await database.pool.query('delete from patient_present_guess where caller_id = $1 and at = $2', [by.id, now]);
  };
  return { wasRight };
}

/** It holds at once on a server whose clock is behind. */
const CLOCKS_DIFFER_MS = 60_000;

interface ClaimedRow {
  readonly code_id: string;
  readonly person_id: HubId;
  readonly terms: PresentTerms;
}

async function claim(
  { clock, derive }: PresentCodeDeps,
  connection: Connection,
  { code, personId, institution }: Parameters<PresentCodes['redeem']>[0],
  by: Caller,
): Promise<ClaimedRow | null> {
  const isDigits = /^\d{8}$/.test(code);
  const names = personId === null ? [] : (await namesOf(connection, [personId])).map(({ name }) => name);
  const hashes = isDigits ? names.map((name) => hashOf(derive, name, code)) : [hashOf(derive, null, code)];
  const { rows } = await connection.query<ClaimedRow>(
    `update patient_present_code set used_at = $2
     where code_hash = any ($1::text[]) and used_at is null and expires_at > $2 and wrong < $3
       and ($4::uuid[] is null or person_id = any ($4))
       and issued_by ->> 'id' <> $5 and coalesce(terms -> 'recipients' ? $6, true)
     returning code_id, person_id, terms`,
    [hashes, clock(), PRESENT_CODE.wrongPerCode, personId === null ? null : names, by.id, institution],
  );
  return rows[0] ?? null;
}

async function countWrong({ database, clock }: PresentCodeDeps, personId: string | null): Promise<void> {
  if (personId === null) return;
  const names = (await namesOf(database.pool, [personId])).map(({ name }) => name);
  await database.pool.query(
    `update patient_present_code set wrong = wrong + 1
     where person_id = any ($1::uuid[]) and kind = 'digits' and used_at is null and expires_at > $2`,
    [names, clock()],
  );
}

async function consentOf(
  deps: PresentCodeDeps,
  connection: Connection,
  { code_id: codeId, person_id: personId, terms }: ClaimedRow,
  institution: string,
  by: Caller,
): Promise<Result<ConsentRecord>> {
  const now = deps.clock();
  const after = (ms: number): string => new Date(now.getTime() + ms).toISOString();
  const [from, until] = [after(-CLOCKS_DIFFER_MS), after(terms.hours * 3_600_000)];
  const content: ConsentContent = {
    rules: presentRules(terms, institution, from, until),
    giver: terms.giver,
    giverName: terms.giverName === null ? null : (await deps.seal()).open(terms.giverName),
    giverRelation: terms.giverRelation,
    givenAt: now.toISOString(),
    channel: 'patient-present',
    form: terms.form,
    institution,
    evidence: terms.evidence ?? null,
  };
  const recorded = await recordConsent(deps, connection, personId, content, by);
  if (recorded.ok)
    await connection.query('update patient_present_code set consent_id = $2 where code_id = $1', [
      codeId,
      recorded.value.consentId,
    ]);
  return recorded;
}

/** Codes and guesses that are of no use any more. */
export async function prunePresentCodes({
  database,
  clock,
}: Pick<PresentCodeDeps, 'database' | 'clock'>): Promise<void> {
  const now = clock().getTime();
  await database.pool.query('delete from patient_present_code where expires_at < $1', [
    new Date(now - 30 * 86_400_000),
  ]);
  await database.pool.query('delete from patient_present_guess where at < $1', [new Date(now - 86_400_000)]);
}
