/**
 * What a system says of patients by FHIR (ITI-104, ITI-93) or HL7 v3 (ITI-44), as a feed of its site: read once before
 * it is accepted, so that the sender hears at once what is wrong, kept in the journal, and applied like every feed.
 */
import { decide, type Caller } from '../core/access.ts';
import type { ChannelKind, Envelope, Intake, JournalState, Mapped } from '../core/envelope.ts';
import { fail, ok, problem, type Problem, type Result } from '../core/problem.ts';
import type { CanonicalRecord, PatientRef } from '../core/record.ts';
import type { SiteProfile, Sites } from '../core/site.ts';
import { refsOf } from '../core/slice.ts';

export interface FeedIdentityDeps {
  readonly sites: Sites;
  readonly intake: Intake;
  readonly clock: () => Date;
  readonly map: (envelope: Envelope & { readonly receivedAt: string }, site: SiteProfile) => Mapped<CanonicalRecord>;
}

export interface ToldIdentity {
  readonly channel: Extract<ChannelKind, 'fhir' | 'hl7v3'>;
  readonly messageType: string;
  readonly contentType: string;
  readonly bytes: Uint8Array;
  readonly controlId: string;
  /** Authorities of the numbers in it: they say of which site an administrator speaks. */
  readonly authorities: readonly string[];
}

export interface FedIdentity {
  readonly journalId: string;
  readonly site: SiteProfile;
  /** Registrations that it is about. */
  readonly refs: readonly PatientRef[];
}

const FOREIGN = problem(
  'forbidden',
  'patient identifier',
  'A site speaks of its own patient numbers only, and these are of another authority.',
);

/** Why these records cannot be taken, where it is the index that says so. */
type Against = (records: readonly CanonicalRecord[]) => Promise<Problem | null>;

/** Resolves when what was told is durable. A refusal of a known site's message is kept as refused. */
export async function feedIdentity(
  deps: FeedIdentityDeps,
  caller: Caller,
  told: ToldIdentity,
  against: Against = () => Promise.resolve(null),
): Promise<Result<FedIdentity>> {
  const site = siteOf(deps.sites, caller, told.authorities);
  if (site === null) return fail(FOREIGN);
  const decision = decide(caller, { kind: 'feed', site: site.id });
  if (!decision.allowed) return fail(problem('forbidden', undefined, `Refused: ${decision.reason}.`));
  const envelope = { ...envelopeOf(caller, site, told), patientKey: '' };
  const mapped = deps.map({ ...envelope, receivedAt: deps.clock().toISOString() }, site);
  const refuse = async (reason: Problem): Promise<Result<never>> => {
    await deps.intake.refuse(envelope, reason);
    return fail(reason);
  };
  if (!mapped.ok) return refuse(mapped.problem);
  const refs = mapped.records.flatMap(refsOf);
  const [first] = refs;
  if (first === undefined || !refs.every((ref) => isOwn(ref.authority, site, deps.sites))) return refuse(FOREIGN);
  const wrong = await against(mapped.records);
  if (wrong !== null) return refuse(wrong);
  const receipt = await deps.intake.accept({ ...envelope, patientKey: `${first.authority}|${first.value}` });
  return receipt.kind === 'conflict' ? fail(receipt.problem) : ok({ journalId: receipt.journalId, site, refs });
}

/** The caller's own site; for who may feed every site, the one whose numbers these are. */
function siteOf(sites: Sites, caller: Caller, authorities: readonly string[]): SiteProfile | null {
  if (caller.site !== undefined) return sites.byId(caller.site);
  return sites.all.find(({ patientIds }) => authorities.includes(patientIds.defaultAuthority)) ?? null;
}

/** Its own authority, or one that its data name and that no other site gives numbers under. */
function isOwn(authority: string, { patientIds }: SiteProfile, sites: Sites): boolean {
  if (authority === patientIds.defaultAuthority) return true;
  const others = sites.all.some((other) => other.patientIds.defaultAuthority === authority);
  return !others && Object.values(patientIds.authorities).includes(authority);
}

function envelopeOf(caller: Caller, site: SiteProfile, told: ToldIdentity): Omit<Envelope, 'patientKey'> {
  const { channel, messageType, contentType, bytes, controlId } = told;
  const { name: sender, peer } = caller;
  return {
    channel,
    site: site.id,
    sender,
    peer,
    controlId,
    messageType,
    contentType,
    bytes,
    answer: new Uint8Array(0),
  };
}

/** What became of an entry. */
export interface Settled {
  readonly state: JournalState;
  readonly problem: Problem | null;
}

/** Until it is settled, or the time is up: then it is still `received`, and will be applied. */
export async function awaitSettled(
  entry: (journalId: string) => Promise<Settled | null>,
  journalId: string,
  { withinMs, everyMs }: { readonly withinMs: number; readonly everyMs: number },
): Promise<Settled> {
  for (let waited = 0; ; waited += everyMs) {
    const found = await entry(journalId);
    if (found !== null && found.state !== 'received') return { state: found.state, problem: found.problem };
    if (waited >= withinMs) return { state: 'received', problem: null };
    await new Promise((resolve) => setTimeout(resolve, everyMs));
  }
}
