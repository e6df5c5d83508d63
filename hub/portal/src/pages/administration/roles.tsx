/** Which roles an account holds, and of which hospital; the three administrators are kept apart as they are ticked. */
import type { ReactNode } from 'react';
import type { Schemas } from '../../api.ts';
import { useText } from '../../language.tsx';
import { administration } from '../../text/administration.ts';
import { shell } from '../../text/shell.ts';
import { Choice, useSites } from '../operations/parts.tsx';
import { Ticks } from './parts.tsx';

export type AccountRole = Schemas['AccountRole'];
export type PersonRole = Schemas['PersonRole'];

export const PERSON_ROLES = [
  'physician',
  'interface-engineer',
  'operator',
  'system-administrator',
  'security-administrator',
  'auditor',
  'regulator',
] as const satisfies readonly PersonRole[];
/** Of these an account holds one at most (hub/core/access.ts). */
const APART: readonly PersonRole[] = ['system-administrator', 'security-administrator', 'auditor'];

/** An interface engineer without a hospital is nobody's. */
export const isWhole = (roles: readonly AccountRole[]): boolean =>
  roles.length > 0 && roles.every(({ role, site }) => role !== 'interface-engineer' || (site ?? '') !== '');

export function RoleChoice(props: {
  readonly roles: readonly AccountRole[];
  readonly onChange: (roles: readonly AccountRole[]) => void;
}): ReactNode {
  const words = useText(administration).accounts;
  const names = useText(shell).roles;
  const sites = useSites();
  const { roles, onChange } = props;
  const held = roles.map(({ role }) => role);
  const apart = held.find((role) => APART.includes(role));
  const engineer = roles.find(({ role }) => role === 'interface-engineer');
  return (
    <>
      <Ticks
        legend={words.roles}
        choices={PERSON_ROLES.map((role) => [role, names[role]] as const)}
        ticked={held}
        disabled={apart === undefined ? [] : APART.filter((role) => role !== apart)}
        onChange={(ticked) =>
          onChange(ticked.map((role) => roles.find((one) => one.role === role) ?? { role, site: null }))
        }
      />
      {engineer === undefined ? null : (
        <Choice
          label={words.ofSite}
          value={engineer.site ?? ''}
          any="–"
          choices={sites.map(({ id, name }) => [id, name] as const)}
          onChange={(site) => onChange(roles.map((one) => (one === engineer ? { ...one, site } : one)))}
        />
      )}
      <p className="fine">{words.apart}</p>
    </>
  );
}
