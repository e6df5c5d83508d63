/** The pages there are: what each is called, which roles it is for, and where its code is. An area adds its list below. */
import type { ComponentType } from 'react';
import { CLINICAL } from './pages/clinical/pages.ts';
import { OPERATIONS } from './pages/operations/pages.ts';
import type { Language } from './text/dictionary.ts';

/** A role as the hub names it in the session. */
export type Role =
  | 'administrator'
  | 'physician'
  | 'interface-engineer'
  | 'operator'
  | 'system-administrator'
  | 'security-administrator'
  | 'auditor'
  | 'regulator'
  | 'query-platform'
  | 'hospital-feed';

export interface PortalPage {
  /** Of react-router. Its first word must be in PORTAL_PATHS of hub/api/portal.ts. */
  readonly path: string;
  readonly roles: readonly Role[];
  readonly title: Readonly<Record<Language, string>>;
  /** In the navigation; others are reached from a page. */
  readonly inMenu: boolean;
  readonly load: () => Promise<ComponentType>;
}

export const PAGES: readonly PortalPage[] = [...CLINICAL, ...OPERATIONS];

export const pagesOf = (role: Role | null): readonly PortalPage[] =>
  role === null ? [] : PAGES.filter(({ roles }) => roles.includes(role));
