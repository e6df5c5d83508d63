/** The patient's own pages: exams and reports, who looked, notices, consents, and the code to show the doctor. */
import type { PortalPage } from '../../page.ts';

const PATIENTS = ['patient'] as const;

export const PATIENT: readonly PortalPage[] = [
  {
    path: '/my/exams',
    roles: PATIENTS,
    title: { zh: '我的检查', en: 'My exams' },
    inMenu: true,
    load: async () => (await import('./exams-page.tsx')).MyExamsPage,
  },
  {
    path: '/my/exams/:id',
    roles: PATIENTS,
    title: { zh: '检查报告', en: 'Report' },
    inMenu: false,
    load: async () => (await import('./exam-page.tsx')).MyExamPage,
  },
  {
    path: '/my/accesses',
    roles: PATIENTS,
    title: { zh: '谁看过我的资料', en: 'Who looked' },
    inMenu: true,
    load: async () => (await import('./accesses-page.tsx')).MyAccessesPage,
  },
  {
    path: '/my/notices',
    roles: PATIENTS,
    title: { zh: '通知', en: 'Notices' },
    inMenu: true,
    load: async () => (await import('./notices-page.tsx')).MyNoticesPage,
  },
  {
    path: '/my/consents',
    roles: PATIENTS,
    title: { zh: '授权与拒绝', en: 'Consent' },
    inMenu: true,
    load: async () => (await import('./consents-page.tsx')).MyConsentsPage,
  },
  {
    path: '/my/code',
    roles: PATIENTS,
    title: { zh: '出示给医生的码', en: 'Code for the doctor' },
    inMenu: true,
    load: async () => (await import('./code-page.tsx')).MyCodePage,
  },
];
