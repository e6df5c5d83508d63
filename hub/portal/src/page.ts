/** What a page of the portal is: what it is called, which roles it is for, and where its code is. */
import type { ComponentType } from 'react';
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
  | 'patient'
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
