/** The look of Ant Design's components here: calm, dense, and no text below the contrast that WCAG 2.2 AA asks (1.4.3). */
import type { ThemeConfig } from 'antd';

export const THEME: ThemeConfig = {
  token: {
    colorPrimary: '#0b5f6b',
    colorInfo: '#0b5f6b',
    colorError: '#b3261e',
    colorWarning: '#8a5a00',
    colorSuccess: '#1f6b3a',
    colorLink: '#0b5f6b',
    colorText: '#1b262c',
    colorTextSecondary: '#4a5a63',
    colorTextTertiary: '#55646d',
    colorTextDescription: '#55646d',
    colorTextPlaceholder: '#66757e',
    colorTextDisabled: '#66757e',
    colorBorder: '#8a989f',
    colorBgLayout: '#f4f6f7',
    borderRadius: 4,
    fontSize: 14,
    controlHeight: 34,
    motion: false,
    fontFamily:
      "'PingFang SC', 'Microsoft YaHei', 'Noto Sans CJK SC', 'Source Han Sans SC', system-ui, -apple-system, sans-serif",
  },
};
