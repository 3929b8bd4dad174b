// What the client knows of single routes is what the document says, and its types have every operation.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { answersFile, answersLines, answersText, bodyType, isSealable, mayBeWrapped, takesKey } from '../dist/routes.js';

const read = (path) => readFileSync(new URL(path, import.meta.url), 'utf8');
const document = JSON.parse(read('../../../docs/openapi.json'));
const types = read('../src/schema.ts');
const METHODS = new Set(['get', 'put', 'post', 'patch', 'delete']);
const resolved = (value) =>
  value.$ref === undefined ? value : value.$ref.slice(2).split('/').reduce((inner, name) => inner[name], document);

const operations = Object.entries(document.paths).flatMap(([path, methods]) =>
  Object.entries(methods).map(([method, operation]) => {
    const parameters = [...(methods.parameters ?? []), ...(operation.parameters ?? [])].map(resolved);
    const successes = Object.entries(operation.responses).filter(([status]) => status.startsWith('2'));
    return {
      path, method, operation,
      names: new Set(parameters.map(({ name }) => name)),
      bodies: Object.keys(operation.requestBody === undefined ? {} : resolved(operation.requestBody).content),
      answers: successes.flatMap(([, response]) => Object.keys(resolved(response).content ?? {})),
    };
  }),
);

test('every operation of the document is one that the client can call, and typed', () => {
  assert.ok(operations.length >= 50);
  for (const { path, method, operation, names, answers } of operations) {
    assert.ok(METHODS.has(method), `${method} ${path}`);
    assert.ok(types.includes(`    "${path}": {`) && types.includes(`operations["${operation.operationId}"]`), operation.operationId);
    for (const [, variable] of path.matchAll(/\{(\w+)\}/g)) {
      assert.ok(names.has(variable), `${path} says what ${variable} is`);
    }
    const kinds = new Set(answers.map((type) => (/^application\/(?:[\w.-]+\+)?json$/.test(type) ? 'json' : type === 'application/zip' ? 'file' : 'text')));
    assert.ok(kinds.size <= 1, `${method} ${path} answers one kind`);
    assert.equal(answersText(path), kinds.has('text'), `${path} answers text: src/routes.ts says otherwise`);
    assert.equal(answersFile(path), kinds.has('file'), `${path} answers a file: src/routes.ts says otherwise`);
    assert.equal(answersLines(path), answers.includes('application/x-ndjson'), `${path} answers lines: src/routes.ts says otherwise`);
  }
});

test('bodies have a media type that the operation takes', () => {
  for (const { path, method, bodies } of operations.filter(({ bodies }) => bodies.length > 0)) {
    assert.ok(bodies.includes(bodyType(method, path)), `${method} ${path}: ${bodies}`);
  }
});

test('a key of idempotency is sent where one is taken, and every other change is safe to repeat', () => {
  for (const { path, method, names } of operations.filter(({ method }) => method !== 'get')) {
    assert.equal(takesKey(path), names.has('Idempotency-Key'), `${method} ${path}: src/routes.ts says otherwise`);
  }
});

test('only public answers and files may come open to who wants them sealed', () => {
  for (const { path, method, operation } of operations) {
    const isPublic = Array.isArray(operation.security) && operation.security.length === 0;
    assert.equal(isSealable(path), !isPublic, `${method} ${path}: src/routes.ts says otherwise`);
  }
});

test('what older services wrap are operations that answer a customer', () => {
  const wrapped = operations.filter(({ path }) => mayBeWrapped(path));
  assert.equal(new Set(wrapped.map(({ path }) => path)).size, 2);
  for (const { path, operation } of wrapped) {
    const { schema } = resolved(operation.responses[200]).content['application/json'];
    assert.equal(schema.$ref, '#/components/schemas/Customer', path);
  }
});
