/** The physician's pages: find a patient, see every exam of every hospital on one line, read, compare. */
import type { PortalPage } from '../../page.ts';

const PHYSICIANS = ['physician'] as const;

export const CLINICAL: readonly PortalPage[] = [
  {
    path: '/patients',
    roles: PHYSICIANS,
    title: { zh: '患者检索', en: 'Find a patient' },
    inMenu: true,
    load: async () => (await import('./search-page.tsx')).SearchPage,
  },
  {
    path: '/persons/:id',
    roles: PHYSICIANS,
    title: { zh: '检查时间线', en: 'Time line' },
    inMenu: false,
    load: async () => (await import('./timeline-page.tsx')).TimelinePage,
  },
  {
    path: '/exams/:id',
    roles: PHYSICIANS,
    title: { zh: '检查详情', en: 'Exam' },
    inMenu: false,
    load: async () => (await import('./exam-page.tsx')).ExamPage,
  },
  {
    path: '/compare/:id/:other',
    roles: PHYSICIANS,
    title: { zh: '检查对比', en: 'Compare' },
    inMenu: false,
    load: async () => (await import('./compare-page.tsx')).ComparePage,
  },
];
