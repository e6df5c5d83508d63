/** The environment's say in how people sign on: limits of sessions and passwords, hospitals' providers, trusted proxies. */
import { isIP } from 'node:net';
import { resolve } from 'node:path';
import { readKeys, readProviders } from './config-saml.ts';
import { USUAL_POLICY } from './core/account.ts';
import type { AccountPolicy } from './core/account.ts';
import type { IdentityProvider } from './core/identity-provider.ts';

/** What hub/config.ts reads the environment with. */
interface Reading {
  text(name: string): string | null;
  integer(name: string, least: number, most: number, otherwise: number): number;
  fail(name: string, takes: string): never;
}

export interface SamlConfig {
  readonly providers: readonly IdentityProvider[];
  /** PEM. */
  readonly key: string;
  readonly certificate: string;
}

export interface SignOnConfig {
  readonly idleSeconds: number;
  readonly longestSeconds: number;
  readonly policy: AccountPolicy;
}

/** GB/T 22239 8.1.4.1: the limits may be set tighter or wider, never off. */
export function readSignOn(read: Reading): SignOnConfig {
  return Object.freeze({
    idleSeconds: read.integer('HUB_SESSION_IDLE_MINUTES', 1, 480, 30) * 60,
    longestSeconds: read.integer('HUB_SESSION_HOURS', 1, 24, 12) * 3_600,
    policy: Object.freeze({
      ...USUAL_POLICY,
      passwordDays: read.integer('HUB_PASSWORD_DAYS', 1, 366, USUAL_POLICY.passwordDays),
      unusedDays: read.integer('HUB_ACCOUNT_UNUSED_DAYS', 1, 366, USUAL_POLICY.unusedDays),
    }),
  });
}

/** Limits on failures and the audit go by address: a proxy that is not named here is itself the caller. */
export function readProxies(read: Reading): readonly string[] {
  const name = 'HUB_TRUSTED_PROXIES';
  const all = (read.text(name) ?? '').split(/[\s,]+/).filter((one) => one !== '');
  const isGood = (one: string): boolean => {
    const [address = '', bits = '0', ...more] = one.split('/');
    const family = isIP(address);
    return family !== 0 && more.length === 0 && /^\d{1,3}$/.test(bits) && Number(bits) <= (family === 4 ? 32 : 128);
  };
  if (!all.every(isGood)) read.fail(name, 'IP addresses or networks (10.0.0.0/8) of reverse proxies, with commas');
  return Object.freeze(all);
}

export function readSaml(read: Reading, publicUrl: string | null): SamlConfig | null {
  const name = 'HUB_SAML_IDPS';
  const value = read.text(name);
  if (value === null) return null;
  const [key, certificate] = [read.text('HUB_SAML_KEY'), read.text('HUB_SAML_CERT')];
  if (publicUrl === null) return read.fail('HUB_PUBLIC_URL', 'https://host[:port] when HUB_SAML_IDPS is set');
  if (key === null || certificate === null)
    return read.fail('HUB_SAML_KEY', 'with HUB_SAML_CERT the paths of PEM files when HUB_SAML_IDPS is set');
  try {
    return Object.freeze({ providers: readProviders(value), ...readKeys(resolve(key), resolve(certificate)) });
  } catch (error) {
    return read.fail(name, error instanceof Error ? error.message : 'a YAML list');
  }
}
