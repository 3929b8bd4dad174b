// Proves wrangler.toml and what `make dev` does: starts `wrangler dev` on a free port with fresh secrets and storage,
// makes a customer, reads it with a token, gets the dashboard with all its files, and lists customers as the
// administrator of the second address that is printed. USER_API_BUILD=none takes build/dev as it is.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseDotenv } from './dotenv.mjs';
import { companion, probePort, run, stop } from './lib.mjs';
import { adminToken, demoToken, localUrl, persistArgs, ready, startWranglerDev } from './wrangler-dev.mjs';

const TOKEN_TTL_SECONDS = 300;

/** The dashboard as a browser gets it: the page that takes tokens, what it names, and what that loads on demand. */
async function dashboard(url) {
  const load = async (path, type) => {
    const response = await fetch(url + path);
    assert.equal(response.status, 200, path);
    assert.match(response.headers.get('Content-Type'), type, path);
    return response;
  };
  const html = await (await load('/dashboard', /^text\/html/)).text();
  assert.match(html, /<meta name="sign-in" content="token">/);
  const [script] = /\/dashboard\/[\w-]+\.js/.exec(html);
  const [style] = /\/dashboard\/[\w-]+\.css/.exec(html);
  await load(style, /^text\/css/);
  const [checker] = /\/dashboard\/checker-[\w-]+\.js/.exec(await (await load(script, /^text\/javascript/)).text());
  const [module] = /[\w-]+\.wasm/.exec(await (await load(checker, /^text\/javascript/)).text());
  const wasm = await load(`/dashboard/${module}`, /^application\/wasm$/);
  assert.ok(WebAssembly.validate(await wasm.arrayBuffer()));
}

await run(async () => {
  const folder = mkdtempSync(join(tmpdir(), 'user-api-smoke-'));
  const vars = companion(['keygen']);
  writeFileSync(join(folder, 'vars'), vars, { mode: 0o600 });
  const values = parseDotenv(vars);
  const port = await probePort('127.0.0.1', 0);
  const url = localUrl(port);
  const child = startWranglerDev(port, values, {
    args: persistArgs(folder),
    build: process.env.USER_API_BUILD ?? 'dev',
  });
  const end = async () => {
    await stop(child);
    rmSync(folder, { recursive: true, force: true });
  };
  process.once('SIGTERM', () => end().then(() => process.exit(143)));
  process.once('SIGINT', () => end().then(() => process.exit(130)));
  try {
    await ready(child, url);
    const token = await demoToken(url, values, TOKEN_TTL_SECONDS);
    const get = (headers) => fetch(`${url}/customer/me`, { headers });

    const response = await get({ Authorization: `Bearer ${token}` });
    const text = await response.text();
    assert.equal(response.status, 200, text);
    assert.equal(JSON.parse(text).customerId, 'demo');

    const stranger = await get({});
    assert.equal(stranger.status, 401, await stranger.text());

    await dashboard(url);
    const listed = await fetch(`${url}/admin/customers`, {
      headers: { Authorization: `Bearer ${adminToken(values, TOKEN_TTL_SECONDS)}` },
    });
    const list = await listed.text();
    assert.equal(listed.status, 200, list);
    assert.ok(JSON.parse(list).data.some(({ customerId }) => customerId === 'demo'), list);
    console.log('wrangler dev: ready, customer made, read with its token, refused without; dashboard whole; administrator lists');
  } finally {
    await end();
  }
});
