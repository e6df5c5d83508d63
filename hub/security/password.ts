/**
 * Passwords at rest: scrypt (RFC 7914) with its parameters and salt beside the hash, so that they can be raised later
 * without anybody having to choose a new password.
 */
import { randomBytes, scrypt, timingSafeEqual } from 'node:crypto';
import { Failure, problem } from '../core/problem.ts';

export interface Passwords {
  make(password: string): Promise<string>;
  /** `stored` null: there is none; takes as long as if there were one, and is false. */
  check(password: string, stored: string | null): Promise<boolean>;
}

interface Cost {
  readonly N: number;
  readonly r: number;
  readonly p: number;
}

/** OWASP Password Storage: N = 2^15, r = 8, p = 3 (32 MB a check). */
const COST: Cost = { N: 32_768, r: 8, p: 3 };
const [SALT, KEY] = [16, 32];
/** Each check takes a thread and its memory: strangers must not take all of them. */
const AT_ONCE = 2;
const WAITING = 64;

export function createPasswords(cost: Cost = COST): Passwords {
  let running = 0;
  const waiting: (() => void)[] = [];
  const derive = async (password: string, salt: Buffer, { N, r, p }: Cost, length: number): Promise<Buffer> => {
    if (running >= AT_ONCE) {
      if (waiting.length >= WAITING) throw new Failure(problem('busy'));
      await new Promise<void>((go) => waiting.push(go));
    }
    running += 1;
    try {
      return await new Promise<Buffer>((done, broken) => {
        // NIST SP 800-63B §5.1.1.2: one form of what different keyboards write.
        const text = password.normalize('NFKC');
        scrypt(text, salt, length, { N, r, p, maxmem: 256 * N * r }, (error, key) =>
          error === null ? done(key) : broken(error),
        );
      });
    } finally {
      running -= 1;
      waiting.shift()?.();
    }
  };
  const nobody = `scrypt$${String(cost.N)}$${String(cost.r)}$${String(cost.p)}$${randomBytes(SALT).toString('base64url')}$${randomBytes(KEY).toString('base64url')}`;
  return {
    async make(password) {
      const salt = randomBytes(SALT);
      const key = await derive(password, salt, cost, KEY);
      const { N, r, p } = cost;
      return ['scrypt', N, r, p, salt.toString('base64url'), key.toString('base64url')].join('$');
    },
    async check(password, stored) {
      const [kind, N, r, p, salt = '', key = ''] = (stored ?? nobody).split('$');
      if (kind !== 'scrypt') throw new Error('a password is stored in a form that is not known');
      const wanted = Buffer.from(key, 'base64url');
      const given = { N: Number(N), r: Number(r), p: Number(p) };
      const found = await derive(password, Buffer.from(salt, 'base64url'), given, wanted.length);
      return timingSafeEqual(found, wanted) && stored !== null;
    },
  };
}
