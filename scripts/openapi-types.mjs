// The types of the TypeScript client, made from the description of the interface: part of `make openapi`.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import openapiTypescript, { COMMENT_HEADER, astToString } from 'openapi-typescript';
import { ROOT, isMain } from './lib.mjs';

export const OPENAPI = join(ROOT, 'docs/openapi.json');
export const TYPES = join(ROOT, 'clients/typescript/src/schema.ts');

/** The text of the types' file. */
export async function types() {
  // The document is read here, so that the result does not depend on where the checkout lies.
  const document = JSON.parse(readFileSync(OPENAPI, 'utf8'));
  const ast = await openapiTypescript(document, { alphabetize: true, cwd: pathToFileURL(`${ROOT}/`) });
  return `${COMMENT_HEADER}${astToString(ast)}`;
}

if (isMain(import.meta)) {
  writeFileSync(TYPES, await types());
}
