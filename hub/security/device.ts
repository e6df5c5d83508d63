/**
 * Devices from which somebody has come in with both factors: a cookie that opens nothing, and keeps its owner from being
 * kept out. Strangers who guess at an account lock it, and a hospital's doctors share one address: neither may stop a doctor
 * at the usual desk. Guesses from such a device are counted by themselves.
 */
import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';

export interface Devices {
  /** What the browser keeps. */
  tokenFor(accountId: string): string;
  /** By what guesses from this device are counted; null: it is none of this account's. */
  counterOf(token: string | null, accountId: string): string | null;
}

export const DEVICE_SECONDS = 180 * 86_400;
const TOKEN = /^([0-9a-f-]{36})\.(\d{10})\.([\w-]{22})\.([\w-]{43})$/;

export function createDevices(key: Uint8Array, clock: () => Date): Devices {
  const own = createHmac('sha256', key).update('device').digest();
  const macOf = (text: string): string => createHmac('sha256', own).update(text).digest('base64url');
  return {
    tokenFor(accountId) {
      const seconds = String(Math.floor(clock().getTime() / 1_000));
      const text = [accountId, seconds, randomBytes(16).toString('base64url')].join('.');
      return `${text}.${macOf(text)}`;
    },
    counterOf(token, accountId) {
      const [, id = '', seconds = '', nonce = '', mac = ''] = TOKEN.exec(token ?? '') ?? [];
      const wanted = Buffer.from(macOf([id, seconds, nonce].join('.')));
      if (id !== accountId || !timingSafeEqual(wanted, Buffer.from(mac))) return null;
      return Number(seconds) + DEVICE_SECONDS > clock().getTime() / 1_000 ? `device ${nonce}` : null;
    },
  };
}
