// Usable by everybody: axe finds nothing in any view, light, dark and on a phone; and by keyboard alone. With
// UPDATE_PICTURES=1 the pictures of the documentation are taken anew.
import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { ROOT } from '../../scripts/lib.mjs';
import { setUp, settled } from './support/open.mjs';
import { furnish } from './support/views.mjs';

const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const PICTURES = join(ROOT, 'docs/pictures');
const LOOKS = {
  light: { colorScheme: 'light' },
  dark: { colorScheme: 'dark' },
  phone: { colorScheme: 'light', viewport: { width: 390, height: 844 }, hasTouch: true },
};
/** Which pictures are kept: one of each view and of some states, some also dark and on a phone. */
const VIEWS = ['sign-in', 'overview', 'profile', 'user', 'usage', 'keys', 'audit', 'erasure', 'customers', 'customer', 'operators', 'suspended', 'erased'];
const STATES = ['export', 'export-fault', 'conflict', 'secret', 'failure', 'waiting'];
const KEPT = new Set([...[...VIEWS, ...STATES].map((name) => `${name}-light`), 'overview-dark', 'usage-dark', 'export-dark', 'overview-phone', 'keys-phone', 'export-phone']);
const GRAVE = new Set(['serious', 'critical']);

let views;
let states;
const shared = setUp({}, async (server) => {
  ({ views, states } = await furnish(server));
});

/** What axe finds that is serious or critical, in words. */
async function grave(page) {
  // Evaluated from outside, so the page's policy stays as it is.
  await page.evaluate(AXE);
  const { violations, passes } = await page.evaluate(() => globalThis.axe.run());
  assert.ok(passes.length > 10, 'axe looked at next to nothing');
  return violations
    .filter(({ impact }) => GRAVE.has(impact))
    .map(({ id, help, nodes }) => `${id}: ${help}: ${nodes.map(({ target, failureSummary }) => `${target} ${failureSummary}`).join('; ')}`);
}

/** Nothing grave, nothing wider than the screen, nothing that stands for what is there; and the picture of it, if kept. */
async function inspect(page, name, look) {
  assert.deepEqual(await grave(page), [], name);
  const [content, width] = await page.evaluate(() => [document.documentElement.scrollWidth, innerWidth]);
  assert.ok(content <= width, `${name} is ${content} wide on ${width}`);
  assert.doesNotMatch(await page.locator('body').innerText(), /\bN\/A\b|undefined|\bNaN\b|\[object/, name);
  if (process.env.UPDATE_PICTURES !== undefined && KEPT.has(`${name}-${look}`)) {
    await page.mouse.move(0, 0);
    const suffix = look === 'light' ? '' : `-${look}`;
    await page.screenshot({ path: join(PICTURES, `dashboard-${name}${suffix}.png`) });
  }
}

for (const [look, options] of Object.entries(LOOKS)) {
  test(`axe finds nothing serious in any view, ${look}, and nothing is wider than the page`, async () => {
    for (const [name, [token, path]] of Object.entries(views)) {
      const page = await shared.open(token, path, options);
      await settled(page);
      await inspect(page, name, look);
      await shared.close(page);
    }
  });

  test(`axe finds nothing serious in dialogs, faults, conflicts, waits and exports, ${look}`, async () => {
    for (const [name, [token, path, act, prepare = () => {}]] of Object.entries(states)) {
      const page = await shared.page(options);
      await prepare(page);
      await page.addInitScript((text) => sessionStorage.setItem('user-api-token', text), token);
      await page.goto(`${shared.server.origin}/dashboard#${path}`);
      await act(page);
      await inspect(page, name, look);
      await shared.close(page);
    }
  });

  test(`axe finds nothing serious when signing in, ${look}`, async () => {
    const page = await shared.page(options);
    await page.goto(`${shared.server.origin}/dashboard`);
    await page.getByLabel('Token').waitFor();
    await inspect(page, 'sign-in', look);
    await shared.close(page);
  });
}

describe('in production', () => {
  const live = setUp({ ENVIRONMENT: 'production' });

  for (const [look, options] of Object.entries(LOOKS)) {
    test(`axe finds nothing serious when signing in by cookie, ${look}`, async () => {
      const page = await live.page(options);
      await page.goto(`${live.server.origin}/dashboard`);
      await page.getByRole('link', { name: 'login.browser.test' }).waitFor();
      await inspect(page, 'sign-in-by-cookie', look);
      await live.close(page);
    });
  }
});

test('everything is reached by keyboard, and the focus is seen and follows', async () => {
  const page = await shared.open(views.keys[0], '/');
  await settled(page);
  await page.keyboard.press('Tab');
  assert.equal(await page.evaluate(() => document.activeElement.textContent.trim()), 'Skip to the content');
  await page.keyboard.press('Enter');
  assert.equal(await page.evaluate(() => document.activeElement.id), 'content');
  await page.getByRole('link', { name: 'API keys' }).focus();
  await page.keyboard.press('Enter');
  await page.getByRole('button', { name: 'Rotate Nightly report' }).waitFor();
  assert.equal(await page.evaluate(() => document.activeElement.tagName), 'H1');
  await page.keyboard.press('Tab');
  assert.equal(await page.evaluate(() => document.activeElement.textContent.trim()), 'New key');
  const outline = await page.evaluate(() => getComputedStyle(document.activeElement).outlineStyle);
  assert.equal(outline, 'solid');
  await page.keyboard.press('Enter');
  await page.getByRole('dialog').waitFor();
  await page.keyboard.press('Escape');
  await page.getByRole('dialog').waitFor({ state: 'detached' });
  // The focus goes back some milliseconds after the dialog has gone.
  await page.waitForFunction(() => document.activeElement.textContent.trim() === 'New key');
  await shared.close(page);
});

test('on a phone the navigation folds away and comes by a button', async () => {
  const page = await shared.open(views.overview[0], '/', LOOKS.phone);
  await settled(page);
  const link = page.getByRole('link', { name: 'API keys' });
  assert.equal(await link.isVisible(), false);
  await page.getByRole('button', { name: 'Menu' }).tap();
  await link.tap();
  await page.getByRole('heading', { name: 'API keys', level: 1 }).waitFor();
  assert.equal(await link.isVisible(), false);
  await shared.close(page);
});
