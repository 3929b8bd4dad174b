// Sealed responses of both versions, as fixed vectors: those of version 4 the service's tests open too.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { SealError, openSealed, openSealedLines, unwrapCustomer } from '../dist/index.js';
import { client } from './support.mjs';

const read = (path) => JSON.parse(readFileSync(new URL(path, import.meta.url), 'utf8'));
const V4 = read('../../../tests/data/sealed-v4.json');
const LINES = read('../../../tests/data/sealed-lines-v4.json');
const V3 = read('./legacy-sealed-v3.json');
const frame = ({ status, sealed }) => ({ status, requestId: sealed.requestId });

test('version 4 opens for its own credential', async () => {
  assert.ok(V4.length >= 3);
  for (const vector of V4) {
    assert.equal(await openSealed(vector.sealed, vector.token, frame(vector)), vector.plaintext);
  }
});

test('version 4 opens for no other credential, request, status or media type, and not when changed', async () => {
  for (const vector of V4) {
    const { sealed, token } = vector;
    const refuse = (document, credential, how) => assert.rejects(openSealed(document, credential, how), SealError);
    await refuse(sealed, `${token}x`, frame(vector));
    await refuse(sealed, token, { ...frame(vector), status: 418 });
    await refuse(sealed, token, { ...frame(vector), requestId: 'another' });
    await refuse({ ...sealed, requestId: 'another' }, token, { status: vector.status });
    await refuse({ ...sealed, contentType: 'text/html' }, token, frame(vector));
    await refuse({ ...sealed, data: sealed.data.replace(/^./, (c) => (c === 'A' ? 'B' : 'A')) }, token, frame(vector));
    for (const broken of [{ nonce: 'AAAA' }, { salt: '' }, { data: '!' }, { data: undefined }, { version: 5 }, { kdf: 'none' }]) {
      await refuse({ ...sealed, ...broken }, token, frame(vector));
    }
  }
  await assert.rejects(openSealed({}, 'x', { status: 200 }), SealError);
  await assert.rejects(openSealed(null, 'x', { status: 200 }), SealError);
});

test('sealed lines open whole and in their order, and not otherwise', async () => {
  assert.ok(LINES.length >= 2);
  for (const { token, requestId, plaintext, lines } of LINES) {
    const frame = { status: 200, requestId };
    assert.equal(await openSealedLines(`${lines.join('\n')}\n`, token, frame), plaintext);
    const refuse = (some, credential = token) => assert.rejects(openSealedLines(some.join('\n'), credential, frame), SealError);
    await refuse(lines, 'another');
    await refuse(lines.slice(0, -1));
    await refuse([]);
    await refuse([...lines, lines.at(-1)]);
    await refuse([...lines.slice(0, -1), 'nonsense', lines.at(-1)]);
    if (lines.length > 2) {
      await refuse([lines[1], lines[0], lines[2]]);
      await refuse([lines[0], lines[0], lines[2]]);
      await refuse([lines[0], lines[2]]);
    }
  }
});

test('the results of an import are opened by the client, and no open ones taken where sealed ones are wanted', async () => {
  const [{ token, requestId, plaintext, lines }] = LINES;
  const answer = (text, headers) => new Response(text, { headers: { 'Content-Type': 'application/x-ndjson', 'X-Request-Id': requestId, ...headers } });
  const sealed = answer(lines.join('\n'), { 'X-Encrypted': 'true' });
  for (const options of [{}, { sealed: true }]) {
    const { api, seen } = client([sealed], { credential: { serviceKey: token }, ...options });
    assert.equal((await api.post('/internal/import', { body: '{}\n' })).data, plaintext);
    assert.equal(seen[0].headers.get('X-Encrypt-Response'), options.sealed ? '1' : null);
  }
  const open = client([answer(plaintext, {})], { credential: { serviceKey: token }, sealed: true });
  await assert.rejects(open.api.post('/internal/import', { body: '{}\n' }), SealError);
});

test('version 3 opens for its own token and no other', async () => {
  assert.equal(V3.length, 3);
  for (const { token, plaintext, sealed } of V3) {
    assert.deepEqual(JSON.parse(await openSealed(sealed, token, { status: 200 })), plaintext);
    await assert.rejects(openSealed(sealed, `${token}x`, { status: 200 }), SealError);
    const data = sealed.data.replace(/^./, (c) => (c === 'A' ? 'B' : 'A'));
    await assert.rejects(openSealed({ ...sealed, data }, token, { status: 200 }), SealError);
  }
});

test('a customer is the same bare and in the old wrapper', () => {
  const customer = { customerId: 'demo', name: 'Ada' };
  assert.equal(unwrapCustomer(customer), customer);
  assert.equal(unwrapCustomer({ success: true, customer }), customer);
  assert.deepEqual(unwrapCustomer(V3[1].plaintext), V3[1].plaintext.customer);
});
