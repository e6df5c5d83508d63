/** Somebody at the portal in a browser: signed in already, or by the hospital's button; and whether a page is sound. */
import assert from 'node:assert/strict';
import type { Page } from 'playwright-core';
import { barriers, isTooWide } from './browser.ts';
import type { Visit } from './browser.ts';
import type { SamlIdp } from './saml-idp.ts';
import type { SignedInTest } from './sign-in.ts';

/** The browser has the cookies of somebody who showed both factors. */
export async function wears(
  { context }: Visit,
  origin: string,
  { cookie }: Pick<SignedInTest, 'cookie'>,
): Promise<void> {
  await context.addCookies(
    cookie.split('; ').map((pair) => {
      const [name = '', value = ''] = pair.split('=');
      return { name, value, url: origin };
    }),
  );
}

/** From the portal's own page of signing in, by the hospital's button and on its page, back to where one wanted to go. */
export async function signsInBySaml(page: Page, idp: SamlIdp, button: string, wanted: string): Promise<void> {
  await page.goto(wanted);
  await page.waitForURL((url) => url.pathname === '/login');
  await page.getByRole('link', { name: button }).click();
  await page.waitForURL((url) => url.origin === idp.origin);
  await page.click('#go');
  await page.waitForURL((url) => url.pathname === wanted);
}

/** Nothing fails, nothing is blocked, nothing is asked of others, axe finds nothing and nothing sticks out. */
export async function assertSound({ page, faults, strangers }: Visit, own: readonly string[] = []): Promise<void> {
  assert.deepEqual(await barriers(page), [], page.url());
  assert.equal(await isTooWide(page), false, page.url());
  assert.deepEqual(faults, []);
  assert.deepEqual(
    strangers.filter((origin) => !own.includes(origin)),
    [],
  );
}
