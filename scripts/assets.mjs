// Gathers the static files that the worker serves into build/assets/: the description of the interface, the page that
// is made of it, and the dashboard with the check of exports that it loads on demand.
import { copyFileSync, mkdirSync, readFileSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { build } from 'vite';
import { page } from './docs-page.mjs';
import { ROOT, isMain } from './lib.mjs';
import { buildVerifier } from './verifier.mjs';

const FOLDER = join(ROOT, 'build/assets');
const DASHBOARD = join(ROOT, 'build/dashboard');
/** What the dashboard's page says of signing in, as dashboard/index.html has it. */
const BY_COOKIE = '<meta name="sign-in" content="cookie">';
const BY_TOKEN = '<meta name="sign-in" content="token">';

/** Writes a file whole: a server that reads meanwhile sees the old one or the new one. */
function put(name, text) {
  const path = join(FOLDER, name);
  writeFileSync(`${path}.new`, text);
  renameSync(`${path}.new`, path);
}

/**
 * Builds the dashboard. Its page comes in two forms, between which the worker chooses: only in development it takes
 * a pasted token.
 */
async function dashboard() {
  await build({ configFile: join(ROOT, 'dashboard/vite.config.ts'), logLevel: 'warn' });
  mkdirSync(join(FOLDER, 'dashboard'), { recursive: true });
  const html = readFileSync(join(DASHBOARD, 'index.html'), 'utf8');
  if (!html.includes(BY_COOKIE)) {
    throw new Error(`dashboard/index.html lacks ${BY_COOKIE}`);
  }
  const files = readdirSync(DASHBOARD).filter((name) => name !== 'index.html');
  // The files first: no page ever names one that is not there.
  for (const name of files) {
    copyFileSync(join(DASHBOARD, name), join(FOLDER, 'dashboard', name));
  }
  put('dashboard/production.html', html);
  put('dashboard/development.html', html.replace(BY_COOKIE, BY_TOKEN));
  const current = new Set([...files, 'production.html', 'development.html']);
  for (const name of readdirSync(join(FOLDER, 'dashboard')).filter((name) => !current.has(name))) {
    rmSync(join(FOLDER, 'dashboard', name));
  }
}

async function main() {
  const document = JSON.parse(readFileSync(join(ROOT, 'docs/openapi.json'), 'utf8'));
  mkdirSync(FOLDER, { recursive: true });
  put('openapi.json', JSON.stringify(document));
  put('docs.html', page(document));
  put('docs.css', readFileSync(join(ROOT, 'scripts/docs-page.css'), 'utf8'));
  buildVerifier();
  await dashboard();
}

if (isMain(import.meta)) {
  await main();
}
