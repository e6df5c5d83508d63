/**
 * How far a hospital's own system is believed about a patient's will: of the hospital's own patients alone, and where it
 * opens records, to that hospital alone and with a paper behind it. Else whoever makes a client could open what he likes.
 */
import { isHospitalSystem, type Caller } from '../core/access.ts';
import type { House } from '../core/access-ports.ts';
import type { ConsentContent, ConsentRecord, PresentTerms } from '../core/consent-ports.ts';
import { fail, ok, problem, type Problem, type Result } from '../core/problem.ts';

export interface HospitalWordDeps {
  /** Code of the institution for which the caller acts; null: for none. */
  readonly institutionOf: (caller: Caller) => string | null;
  readonly house: (institution: string, persons: readonly string[]) => Promise<House>;
}

/** The same for whom nobody knows. */
export const NOBODY = problem('not-found', 'personId', 'Nobody has this id.');

const EVIDENCE = problem('required-missing', 'evidence', 'A hospital names the paper by which records are opened.');

export interface HospitalWord {
  /** What stands against recording this; null: nothing. */
  againstConsent(caller: Caller, personId: string, content: ConsentContent): Promise<Problem | null>;
  /** What stands against these new words, or, without any, against taking it back. */
  againstChange(caller: Caller, record: ConsentRecord, content: ConsentContent | undefined): Promise<Problem | null>;
  /** The terms with those who may use the code. */
  presentTerms(caller: Caller, personId: string, terms: PresentTerms): Promise<Result<PresentTerms>>;
}

export function createHospitalWord({ institutionOf, house }: HospitalWordDeps): HospitalWord {
  /** null: not its patient. */
  const houseOf = async (caller: Caller, personId: string): Promise<House | null> => {
    const institution = institutionOf(caller);
    const found = institution === null ? null : await house(institution, [personId]);
    return found?.patients.has(personId) === true ? found : null;
  };
  return {
    async againstConsent(caller, personId, content) {
      if (!isHospitalSystem(caller)) return null;
      const own = await houseOf(caller, personId);
      if (own === null) return NOBODY;
      return content.rules.some(({ effect }) => effect === 'permit') ? againstOpening(content, own) : null;
    },
    async againstChange(caller, { personId, rules }, content) {
      if (!isHospitalSystem(caller)) return null;
      const before = rules.some(({ effect }) => effect === 'deny');
      // To take a permission back closes: that waits for nothing.
      if (content === undefined && !before) return null;
      const own = await houseOf(caller, personId);
      if (own === null) return problem('forbidden', undefined, 'The patient is no longer one of this hospital.');
      const opens = content !== undefined && (before || content.rules.some(({ effect }) => effect === 'permit'));
      return opens ? againstOpening(content, own) : null;
    },
    async presentTerms(caller, personId, terms) {
      if (!isHospitalSystem(caller)) return ok(terms);
      const own = await houseOf(caller, personId);
      if (own === null) return fail(NOBODY);
      return terms.evidence === undefined ? fail(EVIDENCE) : ok({ ...terms, recipients: [...own.parts] });
    },
  };
}

function againstOpening({ rules, evidence }: ConsentContent, { parts }: House): Problem | null {
  if (evidence === null) return EVIDENCE;
  const isOwn = (recipients: readonly string[]): boolean =>
    recipients.length > 0 && recipients.every((one) => parts.has(one));
  const at = rules.findIndex(({ effect, recipients }) => effect === 'permit' && !isOwn(recipients));
  return at < 0
    ? null
    : problem('invalid-value', `rules/${String(at)}/recipients`, 'A hospital records whom its own people may see.');
}
