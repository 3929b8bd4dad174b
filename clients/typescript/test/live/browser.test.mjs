// The client in a browser's page, which is of another origin than the service, against the real worker.
import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { fileURLToPath } from 'node:url';
import { after, before, test } from 'node:test';
import { build } from 'esbuild';
import { launchBrowser } from '../../../../scripts/browser.mjs';
import { checks } from './checks.mjs';
import { startWorld } from './world.mjs';

const HTML = '<!doctype html><title>client</title><script type="module" src="/checks.js"></script>';
// As strict as the page of an application should be; the client needs no more.
const POLICY = "default-src 'none'; script-src 'self'; connect-src http://127.0.0.1:*";
let site;
let world;
let browser;
let page;
let current;
const faults = [];

/** The page and the checks, bundled as an application would bundle them. */
async function serveSite() {
  const { outputFiles } = await build({
    stdin: {
      contents: "import { checks } from './checks.mjs'; globalThis.checks = checks;",
      resolveDir: fileURLToPath(new URL('.', import.meta.url)),
    },
    bundle: true, format: 'esm', platform: 'browser', target: 'es2022', write: false,
  });
  const server = createServer((request, response) => {
    const isScript = request.url === '/checks.js';
    response.setHeader('Content-Security-Policy', POLICY);
    response.setHeader('Content-Type', isScript ? 'text/javascript' : 'text/html');
    response.end(isScript ? outputFiles[0].text : HTML);
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  return server;
}

before(async () => {
  site = await serveSite();
  const origin = `http://127.0.0.1:${site.address().port}`;
  world = await startWorld([origin]);
  browser = await launchBrowser();
  page = await browser.newPage();
  page.on('pageerror', (error) => faults.push(error.message));
  await page.exposeFunction('seenOn', (road) => current.seen(road));
  await page.goto(origin);
  await page.waitForFunction(() => globalThis.checks !== undefined);
});
after(async () => {
  await browser?.close();
  await world?.stop();
  site?.close();
});

for (const name of Object.keys(checks)) {
  test(`in the browser, ${name}`, async () => {
    current = await world.fresh();
    const told = await page.evaluate(
      async ([name, data]) =>
        globalThis.checks[name]({ ...data, seen: globalThis.seenOn }).then(() => 'ok', (error) => `${error.stack}`),
      [name, current.data],
    );
    assert.equal(told, 'ok');
    assert.deepEqual(faults, []);
  });
}
