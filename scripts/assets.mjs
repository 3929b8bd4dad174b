// Gathers the static files that the worker serves into build/assets/: the description of the interface, and the
// page that is made of it.
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { page } from './docs-page.mjs';
import { ROOT, isMain } from './lib.mjs';

const FOLDER = join(ROOT, 'build/assets');

/** Writes a file whole: a server that reads meanwhile sees the old one or the new one. */
function put(name, text) {
  const path = join(FOLDER, name);
  writeFileSync(`${path}.new`, text);
  renameSync(`${path}.new`, path);
}

function main() {
  const document = JSON.parse(readFileSync(join(ROOT, 'docs/openapi.json'), 'utf8'));
  mkdirSync(FOLDER, { recursive: true });
  put('openapi.json', JSON.stringify(document));
  put('docs.html', page(document));
  put('docs.css', readFileSync(join(ROOT, 'scripts/docs-page.css'), 'utf8'));
}

if (isMain(import.meta)) {
  main();
}
