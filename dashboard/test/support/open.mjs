// A browser with the dashboard in it, signed in by a pasted token. Whatever the page's policy forbids, and whatever
// the page throws, fails the test.
import assert from 'node:assert/strict';
import { after, before } from 'node:test';
import { launchBrowser } from '../../../scripts/browser.mjs';
import { startServer } from './server.mjs';

const PATIENCE_MS = 15_000;

/** A server and a browser for all tests of a file; `prepare` fills the server. */
export function setUp(settings = {}, prepare = async () => {}) {
  const shared = {};
  const contexts = [];
  before(async () => {
    [shared.server, shared.browser] = await Promise.all([startServer(settings), launchBrowser()]);
    await prepare(shared.server);
  });
  after(async () => {
    await shared.browser?.close();
    await shared.server?.stop();
  });

  /** A page in a profile of its own; `options` are those of the context. */
  shared.page = async (options = {}) => {
    const context = await shared.browser.newContext({ viewport: { width: 1180, height: 860 }, locale: 'en-GB', timezoneId: 'Europe/Berlin', ...options });
    contexts.push(context);
    await context.grantPermissions(['clipboard-read', 'clipboard-write'], { origin: shared.server.origin });
    const page = await context.newPage();
    page.setDefaultTimeout(PATIENCE_MS);
    page.faults = [];
    page.on('pageerror', (error) => page.faults.push(error.message));
    page.on('console', (message) => {
      if (/Content Security Policy|TrustedHTML|Trusted/i.test(message.text())) {
        page.faults.push(message.text());
      }
    });
    return page;
  };

  /** The dashboard at `path`, signed in with `token`. */
  shared.open = async (token, path = '/', options = {}) => {
    const page = await shared.page(options);
    await page.addInitScript((text) => sessionStorage.getItem('user-api-token') ?? sessionStorage.setItem('user-api-token', text), token);
    await page.goto(`${shared.server.origin}/dashboard#${path}`);
    return page;
  };

  /** Ends a page, which did nothing wrong. */
  shared.close = async (page) => {
    assert.deepEqual(page.faults, []);
    await page.context().close();
  };
  return shared;
}

/** Waits until nothing on the page is still coming. */
export async function settled(page) {
  await page.locator('h1').waitFor();
  await page.waitForFunction(() => document.querySelector('[data-skeleton]') === null);
}
