/** The auditor's pages, and the review of emergencies, which the security administration shares. */
import type { PortalPage } from '../../page.ts';

const AUDITORS = ['auditor', 'administrator'] as const;

export const AUDIT: readonly PortalPage[] = [
  {
    path: '/audit/records',
    roles: AUDITORS,
    title: { zh: '审计', en: 'Audit' },
    inMenu: true,
    load: async () => (await import('./records-page.tsx')).RecordsPage,
  },
  {
    path: '/audit/flags',
    roles: AUDITORS,
    title: { zh: '异常访问', en: 'Odd access' },
    inMenu: true,
    load: async () => (await import('./flags-page.tsx')).FlagsPage,
  },
  {
    path: '/audit/emergencies',
    roles: ['auditor', 'security-administrator', 'administrator'],
    title: { zh: '紧急调阅复核', en: 'Emergencies' },
    inMenu: true,
    load: async () => (await import('./emergencies-page.tsx')).EmergenciesPage,
  },
  {
    path: '/audit/proof',
    roles: AUDITORS,
    title: { zh: '完整性校验', en: 'Proof' },
    inMenu: true,
    load: async () => (await import('./proof-page.tsx')).ProofPage,
  },
];
