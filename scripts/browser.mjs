// The browser that tests drive: the machine's Chromium, headless, with a profile of its own that is gone afterwards.
//
//   CHROMIUM (the first of chromium, chromium-browser, google-chrome on the PATH): another executable
//
// It resolves no name but loopback's, so that a page which needs a foreign host fails here and not at a customer's.
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import { chromium } from 'playwright-core';
import { Refusal } from './lib.mjs';

const NAMES = ['chromium', 'chromium-browser', 'google-chrome'];
const LAUNCH_WITHIN_MS = 60_000;
const FLAGS = [
  '--disable-gpu',
  '--disable-background-networking',
  '--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost',
];

/** The executable that is driven. */
export function browserPath() {
  const named = process.env.CHROMIUM;
  const candidates = named
    ? [named]
    : (process.env.PATH ?? '').split(delimiter).flatMap((folder) => NAMES.map((name) => join(folder, name)));
  for (const path of candidates) {
    try {
      accessSync(path, constants.X_OK);
      return path;
    } catch {
      // The next one.
    }
  }
  throw new Refusal(named ? `CHROMIUM ${named} cannot be run` : 'no Chromium: apt-get install chromium, or name one in CHROMIUM');
}

/**
 * A browser. Playwright gives it a fresh profile, and ends it by its own process id, also when this process ends; call
 * its `close` when done.
 */
export function launchBrowser(options = {}) {
  return chromium.launch({
    executablePath: browserPath(),
    headless: true,
    // Containers grant no user namespaces, and every page here is our own.
    chromiumSandbox: false,
    timeout: LAUNCH_WITHIN_MS,
    ...options,
    args: [...FLAGS, ...(options.args ?? [])],
  });
}

/** Calls `use` with a new page in a context of its own (`contextOptions` as Playwright's), and closes what it opened. */
export async function withPage(use, contextOptions = {}) {
  const browser = await launchBrowser();
  try {
    const context = await browser.newContext(contextOptions);
    return await use(await context.newPage(), context);
  } finally {
    await browser.close();
  }
}
