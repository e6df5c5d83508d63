/** The pages there are, area by area. An area adds its list below. */
import type { PortalPage, Role } from './page.ts';
import { CLINICAL } from './pages/clinical/pages.ts';

export const PAGES: readonly PortalPage[] = [...CLINICAL];

export const pagesOf = (role: Role | null): readonly PortalPage[] =>
  role === null ? [] : PAGES.filter(({ roles }) => roles.includes(role));
