/** The security administrator's pages, and the one that asks whoever was flagged. */
import type { PortalPage, Role } from '../../page.ts';

const SECURITY = ['security-administrator', 'administrator'] as const;
/** hub/core/approval.ts: who may be the second person. */
const APPROVING = ['security-administrator', 'system-administrator', 'administrator'] as const;
const REGISTERING = ['security-administrator', 'system-administrator', 'interface-engineer', 'administrator'] as const;
const EVERYBODY: readonly Role[] = [
  'physician',
  'interface-engineer',
  'operator',
  'system-administrator',
  'security-administrator',
  'auditor',
  'regulator',
];

export const ADMINISTRATION: readonly PortalPage[] = [
  {
    path: '/administration/accounts',
    roles: SECURITY,
    title: { zh: '账号', en: 'Accounts' },
    inMenu: true,
    load: async () => (await import('./accounts-page.tsx')).AccountsPage,
  },
  {
    path: '/administration/accounts/:id',
    roles: SECURITY,
    title: { zh: '账号', en: 'Account' },
    inMenu: false,
    load: async () => (await import('./account-page.tsx')).AccountPage,
  },
  {
    path: '/administration/approvals',
    roles: APPROVING,
    title: { zh: '双人审批', en: 'Second person' },
    inMenu: true,
    load: async () => (await import('./approvals-page.tsx')).ApprovalsPage,
  },
  {
    path: '/administration/flags',
    roles: SECURITY,
    title: { zh: '账号标记', en: 'Account flags' },
    inMenu: true,
    load: async () => (await import('./flags-page.tsx')).AccountFlagsPage,
  },
  {
    path: '/administration/institutions',
    roles: REGISTERING,
    title: { zh: '医疗机构', en: 'Institutions' },
    inMenu: true,
    load: async () => (await import('./institutions-page.tsx')).InstitutionsPage,
  },
  {
    path: '/administration/institutions/:id',
    roles: REGISTERING,
    title: { zh: '医疗机构', en: 'Institution' },
    inMenu: false,
    load: async () => (await import('./institutions-page.tsx')).InstitutionPage,
  },
  {
    path: '/administration/practitioners',
    roles: REGISTERING,
    title: { zh: '医师', en: 'Doctors' },
    inMenu: true,
    load: async () => (await import('./practitioners-page.tsx')).PractitionersPage,
  },
  {
    path: '/administration/practitioners/:id',
    roles: REGISTERING,
    title: { zh: '医师', en: 'Doctor' },
    inMenu: false,
    load: async () => (await import('./practitioners-page.tsx')).PractitionerPage,
  },
  {
    path: '/administration/consortia',
    roles: SECURITY,
    title: { zh: '医联体', en: 'Consortia' },
    inMenu: true,
    load: async () => (await import('./consortia-page.tsx')).ConsortiaPage,
  },
  {
    path: '/administration/sensitivity',
    roles: SECURITY,
    title: { zh: '敏感规则', en: 'Sensitivity' },
    inMenu: true,
    load: async () => (await import('./sensitivity-page.tsx')).SensitivityPage,
  },
  {
    path: '/account/flags',
    roles: EVERYBODY,
    title: { zh: '访问说明', en: 'Access to explain' },
    inMenu: false,
    load: async () => (await import('./flags-page.tsx')).OwnFlagsPage,
  },
];
