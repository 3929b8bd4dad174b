// The description of the interface is a valid OpenAPI document, and its page stands on its own.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { Validator } from '@seriousme/openapi-schema-validator';
import { page } from '../docs-page.mjs';
import { ROOT } from '../lib.mjs';
import { OPENAPI, TYPES, types } from '../openapi-types.mjs';

const document = JSON.parse(readFileSync(OPENAPI, 'utf8'));

test('the document is valid OpenAPI 3.1', async () => {
  const result = await new Validator().validate(structuredClone(document));
  assert.deepEqual(result.errors ?? [], []);
  assert.equal(result.valid, true);
});

test('the types of the TypeScript client are those of the document', async () => {
  assert.equal(readFileSync(TYPES, 'utf8'), await types(), 'stale: run `make openapi` and commit what it wrote');
});

test('the page shows every operation and schema, and loads nothing but its own style sheet', () => {
  const html = page(document);
  for (const methods of Object.values(document.paths)) {
    for (const operation of Object.values(methods)) {
      assert.ok(html.includes(`id="${operation.operationId}"`), operation.operationId);
    }
  }
  for (const name of Object.keys(document.components.schemas)) {
    assert.ok(html.includes(`>${name}</h3>`), name);
  }
  const loaded = [...html.matchAll(/\b(?:src|href)="([^"]*)"/g)].map(([, target]) => target);
  for (const target of loaded) {
    assert.match(target, /^(#|\/docs\.css$|\/openapi\.json$|\/problems\/)/);
  }
  for (const anchor of loaded.filter((target) => target.startsWith('#'))) {
    assert.ok(html.includes(`id="${anchor.slice(1)}"`), anchor);
  }
  assert.doesNotMatch(html, /<script|<style|style="|\bon\w+="|@import/);
  assert.doesNotMatch(readFileSync(join(ROOT, 'scripts/docs-page.css'), 'utf8'), /url\(|@import/);
});
