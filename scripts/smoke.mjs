// Proves wrangler.toml and what `make dev` does: starts `wrangler dev` on a free port with fresh secrets and storage,
// makes a customer, reads it with a token. USER_API_BUILD=none takes build/dev as it is.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseDotenv } from './dotenv.mjs';
import { companion, probePort, run, stop } from './lib.mjs';
import { demoToken, localUrl, persistArgs, ready, startWranglerDev } from './wrangler-dev.mjs';

const TOKEN_TTL_SECONDS = 300;

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
    console.log('wrangler dev: ready, customer made, read with its token, refused without');
  } finally {
    await end();
  }
});
