/**
 * The last part of the address that the hub gives a hospital's broker for its notifications (DSUB): a broker sends no
 * credentials of its own (WS-BaseNotification 1.3 §3.2), so the address is one that nobody guesses. It opens the door for
 * notifications of this hospital and nothing else, and closes with the subscription.
 */
import { createHmac, timingSafeEqual } from 'node:crypto';

export interface NotifyPass {
  issue(site: string, endsAt: Date): string;
  /** The site, where the hub issued it and its time is not over. */
  read(pass: string, now: Date): string | null;
}

const FORM = /^([^.]{1,64})\.([0-9a-z]{1,9})\.([A-Za-z0-9_-]{43})$/;

export function createNotifyPass(key: Uint8Array): NotifyPass {
  const own = createHmac('sha256', key).update('notify-pass').digest();
  const sign = (told: string): Buffer => createHmac('sha256', own).update(told).digest();
  return {
    issue(site, endsAt) {
      const told = `${site}.${Math.ceil(endsAt.getTime() / 1_000).toString(36)}`;
      return `${told}.${sign(told).toString('base64url')}`;
    },
    read(pass, now) {
      const [, site = '', ends = '', mac = ''] = FORM.exec(pass) ?? [];
      if (site === '' || !timingSafeEqual(sign(`${site}.${ends}`), Buffer.from(mac, 'base64url'))) return null;
      return Number.parseInt(ends, 36) * 1_000 > now.getTime() ? site : null;
    },
  };
}
