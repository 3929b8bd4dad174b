// Writes the results of the last run into the documentation: tables in docs/PERFORMANCE.md, a picture beside it.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT, Refusal } from '../../scripts/lib.mjs';
import { page } from './report.mjs';
import { svg } from './svg.mjs';

const PAGE = join(ROOT, 'docs/PERFORMANCE.md');
const PICTURE = join(ROOT, 'docs/pictures/performance.svg');
const [BEGIN, END] = ['<!-- Made by `make bench ARGS=--publish` -->\n', '<!-- Until here -->\n'];

export function publish(run) {
  const old = readFileSync(PAGE, 'utf8');
  const [before, rest] = old.split(BEGIN);
  const after = rest?.split(END)[1];
  if (after === undefined) {
    throw new Refusal(`${PAGE} has lost the marks between which the results stand`);
  }
  writeFileSync(PAGE, `${before}${BEGIN}\n${page(run)}\n\n${END}${after}`);
  writeFileSync(PICTURE, svg(run));
  console.log(`${PAGE} and ${PICTURE} written`);
}
