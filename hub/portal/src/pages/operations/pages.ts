/** The operators' pages: channels, messages, reviews, codes, replays, figures and clients. */
import type { PortalPage } from '../../page.ts';

const OPERATE = ['operator', 'interface-engineer', 'system-administrator', 'administrator'] as const;

export const OPERATIONS: readonly PortalPage[] = [
  {
    path: '/operations/channels',
    roles: OPERATE,
    title: { zh: '通道状态', en: 'Channels' },
    inMenu: true,
    load: async () => (await import('./channels-page.tsx')).ChannelsPage,
  },
  {
    path: '/operations/messages',
    roles: OPERATE,
    title: { zh: '消息日志', en: 'Messages' },
    inMenu: true,
    load: async () => (await import('./messages-page.tsx')).MessagesPage,
  },
  {
    path: '/operations/messages/:id',
    roles: OPERATE,
    title: { zh: '消息', en: 'Message' },
    inMenu: false,
    load: async () => (await import('./message-page.tsx')).MessagePage,
  },
  {
    path: '/operations/reviews',
    roles: OPERATE,
    title: { zh: '人工核对', en: 'Reviews' },
    inMenu: true,
    load: async () => (await import('./reviews-page.tsx')).ReviewsPage,
  },
  {
    path: '/operations/reviews/:id',
    roles: OPERATE,
    title: { zh: '核对', en: 'Review' },
    inMenu: false,
    load: async () => (await import('./review-page.tsx')).ReviewPage,
  },
  {
    path: '/operations/codes',
    roles: OPERATE,
    title: { zh: '代码对照', en: 'Codes' },
    inMenu: true,
    load: async () => (await import('./codes-page.tsx')).CodesPage,
  },
  {
    path: '/operations/replays',
    roles: OPERATE,
    title: { zh: '重放任务', en: 'Replays' },
    inMenu: true,
    load: async () => (await import('./replays-page.tsx')).ReplaysPage,
  },
  {
    path: '/operations/dashboard',
    roles: OPERATE,
    title: { zh: '运行统计', en: 'Dashboard' },
    inMenu: true,
    load: async () => (await import('./dashboard-page.tsx')).DashboardPage,
  },
  {
    path: '/operations/clients',
    roles: ['system-administrator', 'security-administrator', 'administrator'],
    title: { zh: '接入系统', en: 'Clients' },
    inMenu: true,
    load: async () => (await import('./clients-page.tsx')).ClientsPage,
  },
];
