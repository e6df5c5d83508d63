/** The viewer's own words, Chinese first; and the Chinese of what OHIF's own translation leaves in English. */

const zh = {
  name: '互通影像',
  report: '报告',
  exam: '检查',
  priors: '历次检查',
  findings: '影像所见',
  impression: '影像诊断',
  suggestion: '建议',
  noReport: '尚无报告。',
  statuses: { preliminary: '临时报告', final: '正式报告', corrected: '更正报告', withdrawn: '已撤回' },
  unsigned: '未经审核或已撤回，仅供参考',
  critical: '！危急值',
  unread: '报告无法读取，请重新打开。',
  reporter: '报告医生',
  auditor: '审核医生',
  keyImage: '标为关键图像',
  saved: '已保存到检查中。',
  notSaved: '未能保存，请稍后再试。',
  open: '当前',
  language: 'English',
  mayNotSave: '您没有保存标注的权限。',
  loading: '正在读取…',
  mip: '最大密度投影（MIP）',
  noVolume: '所选序列不能重建为容积',
  preview: '预览，不用于诊断；浏览器正在启动…',
};

const en: typeof zh = {
  name: 'Hutong images',
  report: 'Report',
  exam: 'Exam',
  priors: 'Exams of this patient',
  findings: 'Findings',
  impression: 'Impression',
  suggestion: 'Suggestion',
  noReport: 'There is no report yet.',
  statuses: { preliminary: 'Preliminary', final: 'Final', corrected: 'Corrected', withdrawn: 'Withdrawn' },
  unsigned: 'not signed, or taken back: for information only',
  critical: '! Critical value',
  unread: 'The report cannot be read; open the viewer again.',
  reporter: 'Reported by',
  auditor: 'Verified by',
  keyImage: 'Mark as key image',
  saved: 'Saved with the exam.',
  notSaved: 'Not saved; try again later.',
  open: 'open',
  language: '中文',
  mayNotSave: 'You may not save annotations.',
  loading: 'Loading…',
  mip: 'Maximum intensity projection (MIP)',
  noVolume: 'The selected series is no volume',
  preview: 'Preview, not for diagnosis; the viewer is starting…',
};

/** By namespace of OHIF's words. */
export const MORE_CHINESE: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  Modes: { 'Basic Viewer': '影像浏览' },
  Header: { About: '关于', Preferences: '偏好设置', 'INVESTIGATIONAL USE ONLY': '仅供研究' },
  InvestigationalUseDialog: {
    'for investigational use only': '仅供研究，未经医疗器械注册',
    'Learn more about OHIF Viewer': '关于 OHIF 浏览器',
    'Confirm and hide': '知道了',
  },
  PatientInfo: { MRN: '病历号' },
};

export type Language = 'zh' | 'en';
/** The portal keeps its choice under the same key. */
const KEY = 'hutong.language';
/** OHIF's own memory of the language. */
const OHIF_KEY = 'i18nextLng';

export const language = (): Language => {
  const asked = new URLSearchParams(location.search).get('lng') ?? localStorage.getItem(KEY);
  return asked?.startsWith('en') === true ? 'en' : 'zh';
};

export const words = (): typeof zh => (language() === 'en' ? en : zh);

/** Before OHIF starts: it looks into the cookie, then here, then at the browser. */
export function settleLanguage(): void {
  const chosen = language() === 'en' ? 'en-US' : 'zh';
  localStorage.setItem(OHIF_KEY, chosen);
  document.cookie = `i18next=${chosen}; path=/viewer; samesite=lax`;
  document.documentElement.lang = chosen === 'zh' ? 'zh-CN' : 'en';
}

export function switchLanguage(): void {
  localStorage.setItem(KEY, language() === 'zh' ? 'en' : 'zh');
  const url = new URL(location.href);
  url.searchParams.delete('lng');
  location.assign(url);
}
