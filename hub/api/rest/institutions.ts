/** What the REST face does about institutions, consortia and doctors: application, approval by somebody else, their ends. */
import type { components } from '../../../openapi/generated/hub.ts';
import type { Caller } from '../../core/access.ts';
import { isUscc } from '../../core/identifier.ts';
import { institutionCode, type Consortium } from '../../core/institution.ts';
import type { InstitutionDesk, PractitionerDesk, RegisteredInstitution } from '../../core/practitioner.ts';
import { problem, type Problem } from '../../core/problem.ts';
import type { Sites } from '../../core/site.ts';
import type { Disclosure, Handlers, Refused } from './operation.ts';
import { pageOf } from './page.ts';

export interface InstitutionDeps {
  readonly institutions: InstitutionDesk;
  readonly practitioners: PractitionerDesk;
  readonly sites: Pick<Sites, 'byId'>;
  /** Code of the institution for which the caller acts; null: for none. */
  readonly institutionOf: (caller: Caller) => string | null;
}

const notFound = (): Refused => ({ problem: problem('not-found') });
const refused = (why: Problem): Refused =>
  why.where === undefined
    ? { problem: why }
    : { problem: why, errors: [{ pointer: `#/${why.where}`, code: why.code, text: why.text }] };
const act = (object: string, reason: string): Disclosure => ({
  action: 'administer',
  persons: [],
  objects: [object],
  reason,
});

type Body = components['schemas']['Institution'];
const shown = ({ sites, ...rest }: RegisteredInstitution): Body => ({ ...rest, sites: [...sites] });
const shownConsortium = ({ members, ...rest }: Consortium): components['schemas']['Consortium'] => ({
  ...rest,
  members: [...members],
});

type Institutions = Pick<
  Handlers,
  | 'listInstitutions'
  | 'applyInstitution'
  | 'readInstitution'
  | 'stepInstitution'
  | 'listConsortia'
  | 'createConsortium'
  | 'updateConsortium'
>;

function institutions({ institutions: desk, sites }: InstitutionDeps): Institutions {
  const save = async (id: string | null, terms: components['schemas']['ConsortiumTerms']) =>
    desk.saveConsortium(id, {
      nameZh: terms.nameZh.trim(),
      nameEn: terms.nameEn ?? null,
      from: utc(terms.from),
      until: utc(terms.until),
      members: terms.members.map(institutionCode),
    });
  return {
    listInstitutions: async ({ query: { state, ...page } }) => {
      const found = await desk.list(state === undefined ? {} : { state }, pageOf(page));
      return { status: 200, body: { items: found.items.map(shown), next: found.next } };
    },
    applyInstitution: async ({ body, caller }) => {
      const { code, nameZh, nameEn, parent, kind, region, licence, uscc, sites: own = [] } = body;
      if (uscc !== undefined && !isUscc(uscc))
        return refused(problem('invalid-value', 'uscc', 'Its check digit is wrong.'));
      const known = own.flatMap((id) => sites.byId(id)?.id ?? []);
      if (known.length !== own.length) return refused(problem('invalid-value', 'sites', 'There is no such site.'));
      const result = await desk.apply(
        {
          code: institutionCode(code),
          nameZh: nameZh.trim(),
          nameEn: nameEn ?? null,
          parent: parent === undefined ? null : institutionCode(parent),
          kind: kind ?? 'hospital',
          region: region ?? null,
          sites: known,
          licence: licence ?? null,
          uscc: uscc ?? null,
        },
        caller,
      );
      if (!result.ok) return refused(result.problem);
      return { status: 201, body: shown(result.value), disclosure: act(`institution/${code}`, 'apply') };
    },
    readInstitution: async ({ path }) => {
      const found = await desk.read(path.id);
      if (found === null) return notFound();
      return { status: 200, body: { institution: shown(found.institution), history: [...found.history] } };
    },
    stepInstitution: async ({ path, body, caller }) => {
      const result = await desk.step(path.id, body, caller);
      if (!result.ok) return refused(result.problem);
      const disclosure = act(`institution/${path.id}`, `${body.step}: ${body.reason}`);
      return { status: 200, body: shown(result.value), disclosure };
    },
    listConsortia: async () => ({ status: 200, body: { items: (await desk.consortia()).map(shownConsortium) } }),
    createConsortium: async ({ body }) => {
      const result = await save(null, body);
      if (!result.ok) return refused(result.problem);
      const disclosure = act(`consortium/${result.value.id}`, 'found');
      return { status: 201, body: shownConsortium(result.value), disclosure };
    },
    updateConsortium: async ({ path, body }) => {
      const result = await save(path.id, body);
      if (!result.ok) return refused(result.problem);
      return { status: 200, body: shownConsortium(result.value), disclosure: act(`consortium/${path.id}`, 'change') };
    },
  };
}

const utc = (text: string | undefined): string | null => (text === undefined ? null : new Date(text).toISOString());

type Practitioners = Pick<
  Handlers,
  'listPractitioners' | 'applyPractitioner' | 'readPractitioner' | 'stepPractitioner'
>;

function practitioners({ practitioners: desk, institutionOf }: InstitutionDeps): Practitioners {
  /** Who is bound to a hospital looks after its own doctors; null: after any. */
  const boundTo = (caller: Caller): string | null =>
    caller.role === 'hospital-feed' || caller.role === 'interface-engineer' ? (institutionOf(caller) ?? '') : null;
  return {
    listPractitioners: async ({ query: { institution, state, ...page }, caller }) => {
      const own = boundTo(caller) ?? institution;
      const filter = { ...(own === undefined ? {} : { institution: own }), ...(state === undefined ? {} : { state }) };
      const found = await desk.list(filter, pageOf(page));
      return { status: 200, body: { items: [...found.items], next: found.next } };
    },
    applyPractitioner: async ({ body, caller }) => {
      const own = boundTo(caller);
      if (own !== null && own !== body.institution)
        return { problem: problem('forbidden', 'institution', 'Doctors are applied for at one’s own institution.') };
      const { institution, licence, name, department, title = '', accountId = null } = body;
      const trimmed = { name: name.trim(), department: department.trim(), title };
      const result = await desk.apply({ institution, licence, ...trimmed, accountId }, caller);
      if (!result.ok) return refused(result.problem);
      const disclosure = act(`practitioner/${result.value.practitionerId}`, 'apply');
      return { status: 201, body: result.value, disclosure };
    },
    readPractitioner: async ({ path, caller }) => {
      const found = await desk.read(path.id);
      const own = boundTo(caller);
      if (found === null || (own !== null && found.practitioner.institution !== own)) return notFound();
      return { status: 200, body: { practitioner: found.practitioner, history: [...found.history] } };
    },
    stepPractitioner: async ({ path, body, caller }) => {
      const result = await desk.step(path.id, body, caller);
      if (!result.ok) return refused(result.problem);
      const disclosure = act(`practitioner/${path.id}`, `${body.step}: ${body.reason}`);
      return { status: 200, body: result.value, disclosure };
    },
  };
}

export const institutionHandlers = (deps: InstitutionDeps): Institutions & Practitioners => ({
  ...institutions(deps),
  ...practitioners(deps),
});
