/** The pages there are, area by area. An area adds its list below. */
import type { PortalPage, Role } from './page.ts';
import { ADMINISTRATION } from './pages/administration/pages.ts';
import { AUDIT } from './pages/audit/pages.ts';
import { CLINICAL } from './pages/clinical/pages.ts';
import { OPERATIONS } from './pages/operations/pages.ts';
import { PATIENT } from './pages/patient/pages.ts';

export const PAGES: readonly PortalPage[] = [...CLINICAL, ...OPERATIONS, ...ADMINISTRATION, ...AUDIT, ...PATIENT];

export const pagesOf = (role: Role | null): readonly PortalPage[] =>
  role === null ? [] : PAGES.filter(({ roles }) => roles.includes(role));
