/** The physician's pages: find a patient, see every exam of every hospital on one line, read, compare. */
import type { PortalPage } from '../../areas.ts';

const PHYSICIANS = ['physician'] as const;

export const CLINICAL: readonly PortalPage[] = [
  {
    path: '/patients',
    roles: PHYSICIANS,
    title: { zh: '患者检索', en: 'Find a patient' },
    inMenu: true,
    load: async () => (await import('./search-page.tsx')).SearchPage,
  },
];
