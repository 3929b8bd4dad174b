// `make dev`: secrets on the first run, wrangler with rebuild on change, a demo customer, and lines to try it with.
import { DEFAULT_ENV_FILE, exited, parsePort, probePort, readEnvFile, run, stop } from './lib.mjs';
import { adminToken, demoToken, localUrl, ready, startWranglerDev } from './wrangler-dev.mjs';

const TOKEN_TTL_SECONDS = 86_400;
const say = (text) => console.log(`[dev] ${text}`);

function printHints(url, token, admin) {
  console.log(`
user-api runs on ${url} with a demo customer. Ctrl-C ends it; a change in src/ or dashboard/src/ rebuilds it.

The dashboard, signed in as the demo customer (open this in a browser):

${url}/dashboard#token=${token}

The same as an administrator:

${url}/dashboard#token=${admin}

A token of the demo customer, good for 24 hours (make token ARGS="…" prints others):

TOKEN=${token}

curl -H "Authorization: Bearer $TOKEN" ${url}/customer/me
curl -X PATCH -H "Authorization: Bearer $TOKEN" -H 'Content-Type: application/merge-patch+json' \\
  -d '{"companyName": "Example Ltd", "metadata": {"colour": "green"}}' ${url}/customer/me
curl -H "Authorization: Bearer $TOKEN" ${url}/customer/me/status
`);
}

await run(async () => {
  say('reading .dev.vars (on the first run the companion is compiled to make it: a minute or two)');
  const values = readEnvFile(DEFAULT_ENV_FILE, say);
  const port = await probePort('127.0.0.1', parsePort(process.env.PORT || '8787'));

  say('starting wrangler dev (the first build of the worker takes a minute or two, later ones seconds)');
  const child = startWranglerDev(port, values);
  let stopping;
  const end = () => (stopping ??= stop(child));
  process.on('SIGINT', end);
  process.on('SIGTERM', end);
  try {
    const url = localUrl(port);
    await ready(child, url, say);
    const token = await demoToken(url, values, TOKEN_TTL_SECONDS);
    printHints(url, token, adminToken(values, TOKEN_TTL_SECONDS));
    const code = await exited(child);
    process.exitCode = stopping ? 0 : code;
  } catch (error) {
    if (stopping === undefined) {
      throw error;
    }
  } finally {
    await end();
  }
});
