// Files: typed paths, repetitions up to the head, the deadline of the head, and progress.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DeadlineError, SealError, isProblem } from '../dist/index.js';
import { client, fails, hangs, problem } from './support.mjs';

const EXPORT = '/customer/me/export';
const zip = (...chunks) => () => {
  const body = new ReadableStream({
    async pull(controller) {
      const chunk = chunks.shift();
      await chunk?.after;
      return chunk === undefined ? controller.close() : controller.enqueue(chunk.bytes ?? chunk);
    },
  });
  return new Response(body, { headers: { 'Content-Type': 'application/zip', 'X-Request-Id': 'req_1' } });
};
const bytes = (length) => new Uint8Array(length);

test('a file comes as a stream, with its bytes counted', async () => {
  const told = [];
  const { api, seen } = client([zip(bytes(3), bytes(4))]);
  const response = await api.download(EXPORT, { onProgress: (count) => told.push(count) });
  assert.equal(response.headers.get('Content-Type'), 'application/zip');
  assert.equal((await response.arrayBuffer()).byteLength, 7);
  assert.deepEqual([told, seen[0].method], [[3, 7], 'GET']);
  const plain = await api.download('/admin/customers/{customerId}/export', { path: { customerId: 'a/b' } });
  assert.ok(plain.body !== null && seen[1].url.endsWith('/admin/customers/a%2Fb/export'));
});

test('it is asked for again after a failure on the way, 503 and an expired token, and not after a refusal', async () => {
  const token = (expired) => (expired ? 'new' : 'old');
  const answers = [fails, problem('unavailable', 503, { 'Retry-After': '0' }), problem('token_expired', 401), zip(bytes(1))];
  const { api, seen } = client(answers, { credential: { token } });
  assert.equal((await (await api.download(EXPORT)).arrayBuffer()).byteLength, 1);
  assert.deepEqual(seen.map(({ headers }) => headers.get('Authorization')), ['Bearer old', 'Bearer old', 'Bearer old', 'Bearer new']);
  const refused = client([problem('forbidden', 403)]);
  await assert.rejects(refused.api.download(EXPORT), (error) => isProblem(error, 'forbidden'));
  assert.equal(refused.seen.length, 1);
});

test('the deadline is that of the head, and ends the request', async () => {
  const { api, seen } = client([hangs]);
  await assert.rejects(api.download(EXPORT, { deadlineMs: 30 }), DeadlineError);
  assert.ok(seen[0].signal.aborted);
  const after = new Promise((resolve) => setTimeout(resolve, 100));
  const slow = client([zip(bytes(1), { after, bytes: bytes(2) })]);
  const response = await slow.api.download(EXPORT, { deadlineMs: 50 });
  assert.equal((await response.arrayBuffer()).byteLength, 3);
  assert.ok(!slow.seen[0].signal.aborted);
});

test('its caller ends it at any time', async () => {
  const controller = new AbortController();
  const { api, seen } = client([zip(bytes(1))]);
  await api.download(EXPORT, { signal: controller.signal });
  controller.abort(new Error('enough'));
  assert.match(`${seen[0].signal.reason}`, /enough/);
  await assert.rejects(api.download(EXPORT, { signal: controller.signal }), /enough/);
});

test('get does not take a file for JSON', async () => {
  const { api, seen } = client([zip(bytes(1))]);
  await assert.rejects(api.get(EXPORT), TypeError);
  assert.equal(seen.length, 0);
});

test('where sealed answers are wanted the file comes open, and a refusal of it does not', async () => {
  const { api } = client([zip(bytes(1))], { sealed: true });
  assert.equal((await api.download(EXPORT)).status, 200);
  await assert.rejects(client([problem('forbidden', 403)], { sealed: true }).api.download(EXPORT), SealError);
});
