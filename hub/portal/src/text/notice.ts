/** What waits, in a line each. */
import { dictionary } from './dictionary.ts';

export const notice = dictionary(
  {
    label: '待办',
    ownFlags: (count: number) => `您有 ${count} 条访问须说明原因`,
    accountFlags: (count: number) => `${count} 个账号标记待处理`,
    auditFlags: (count: number) => `${count} 条异常访问待处理`,
    breakGlass: (count: number) => `${count} 次紧急调阅待复核`,
    applications: (count: number) => `${count} 份机构或医师申请待审核`,
    pendingAccounts: (count: number) => `${count} 个医院账号待批准`,
    approvals: (count: number) => `${count} 份申请待您作为第二人审批`,
  },
  {
    label: 'To do',
    ownFlags: (count: number) => `Accesses of yours to explain: ${count}`,
    accountFlags: (count: number) => `Account flags: ${count}`,
    auditFlags: (count: number) => `Odd access to look into: ${count}`,
    breakGlass: (count: number) => `Emergencies to review: ${count}`,
    applications: (count: number) => `Institutions and doctors to review: ${count}`,
    pendingAccounts: (count: number) => `Hospitals’ accounts to approve: ${count}`,
    approvals: (count: number) => `Requests that wait for a second person: ${count}`,
  },
);
