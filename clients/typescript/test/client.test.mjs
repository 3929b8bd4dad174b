// What the client does on its own: repetitions, deadlines, sharing, versions, problems, lists.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { DeadlineError, NetworkError, ProblemError, SealError, UnexpectedResponseError, UserApi, isProblem } from '../dist/index.js';
import { client, fails, hangs, json, problem } from './support.mjs';

test('a read is repeated after a failure on the way and after 503', async () => {
  const { api, seen } = client([fails, problem('unavailable', 503, { 'Retry-After': '0' }), json({ name: 'Ada' })]);
  assert.equal((await api.get('/customer/me')).data.name, 'Ada');
  assert.equal(seen.length, 3);
});

test('what is refused for good is not repeated, and is a typed problem', async () => {
  const faults = { code: 'validation_failed', status: 422, title: 'T', detail: 'D', errors: [{ pointer: '#/name', detail: 'Must be a string.' }] };
  const { api, seen } = client([json(faults, 422)]);
  const error = await api.patch('/customer/me', { body: { name: 'x' } }).catch((caught) => caught);
  assert.ok(isProblem(error, 'validation_failed') && !isProblem(error, 'not_ready') && error instanceof ProblemError);
  assert.equal(error.faults.get('#/name'), 'Must be a string.');
  assert.deepEqual([error.requestId, error.status, seen.length], ['req_1', 422, 1]);
});

test('Retry-After is waited for, and a wait beyond the deadline is not begun in vain', async () => {
  const { api, seen } = client([problem('quota_exceeded', 429, { 'Retry-After': '1' }), json({})]);
  await api.get('/customer/me');
  assert.ok(seen[1].at - seen[0].at >= 990, `${seen[1].at - seen[0].at}`);
  const late = client([problem('quota_exceeded', 429, { 'Retry-After': '3600' })]);
  await assert.rejects(late.api.get('/customer/me', { deadlineMs: 5_000 }), (error) => isProblem(error, 'quota_exceeded') && error.retryAfterSeconds === 3600);
});

test('a refusal by consume is an answer and not repeated', async () => {
  const { api, seen } = client([problem('quota_exceeded', 429, { 'Retry-After': '0' })]);
  await assert.rejects(api.post('/customer/me/limits/consume', { body: { policies: [{ name: 'mail' }] } }));
  assert.equal(seen.length, 1);
});

test('a change keeps one idempotency key through its repetitions, and the next has another', async () => {
  const { api, seen } = client([fails, json({}), json({})]);
  await api.patch('/customer/me', { body: {} });
  await api.patch('/customer/me', { body: {}, idempotencyKey: 'mine' });
  const keys = seen.map(({ headers }) => headers.get('Idempotency-Key'));
  assert.equal(keys[0], keys[1]);
  assert.match(keys[0], /^"[0-9a-f-]{36}"$/);
  assert.equal(keys[2], '"mine"');
});

test('ensuring a customer is repeated with a key, and importing without one, being safe by itself', async () => {
  const { api, seen } = client([fails, json({ customerId: 'demo', created: false })]);
  await api.post('/internal/customers', { body: { email: 'a@b.example' } });
  const [first, second] = seen.map(({ headers }) => headers.get('Idempotency-Key'));
  assert.ok(first !== null && first === second, `${first} and ${second}`);
  const lines = '{"line":1,"result":"created"}\n';
  const importing = client([fails, new Response(lines, { headers: { 'Content-Type': 'application/x-ndjson' } })]);
  assert.equal((await importing.api.post('/internal/import', { body: '{"customerId":"demo"}\n' })).data, lines);
  const [{ body, headers }, again] = importing.seen;
  assert.deepEqual([body, headers.get('Content-Type')], ['{"customerId":"demo"}\n', 'application/x-ndjson']);
  assert.deepEqual([headers.get('Idempotency-Key'), again.body], [null, body]);
});

test('an open 503 of a proxy is repeated, and not believed, where sealed answers are wanted', async () => {
  const { api, seen } = client([new Response('busy', { status: 503 })], { sealed: true, attempts: 2 });
  await assert.rejects(api.get('/customer/me'), UnexpectedResponseError);
  assert.equal(seen.length, 2);
});

test('keys are random UUIDs, also where the page is no secure context', async () => {
  const { api, seen } = client([json({})]);
  for (let number = 0; number < 50; number += 1) {
    await api.patch('/customer/me', { body: {} });
  }
  const keys = new Set(seen.map(({ headers }) => headers.get('Idempotency-Key')));
  assert.equal(keys.size, 50);
  for (const key of keys) {
    assert.match(key, /^"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"$/);
  }
});

test('a call ends at its deadline, and with its caller', async () => {
  const { api } = client([hangs]);
  await assert.rejects(api.get('/customer/me', { deadlineMs: 30 }), DeadlineError);
  const controller = new AbortController();
  const call = api.patch('/customer/me', { body: {}, signal: controller.signal });
  controller.abort(new Error('enough'));
  await assert.rejects(call, /enough/);
  await assert.rejects(api.get('/customer/me', { signal: AbortSignal.abort(new Error('before')) }), /before/);
});

test('identical reads at the same time are one request, which outlives whoever gives up', async () => {
  const { api, seen } = client([async () => (await sleep(50), json({ name: 'Ada' }))]);
  const controller = new AbortController();
  const first = api.get('/customer/me', { signal: controller.signal });
  const others = Array.from({ length: 20 }, () => api.get('/customer/me'));
  const other = api.get('/customer/me/status');
  controller.abort(new Error('gone'));
  await assert.rejects(first, /gone/);
  const answers = await Promise.all(others);
  await other;
  assert.equal(seen.length, 2);
  assert.notEqual(answers[0].data, answers[1].data, 'no two callers share an object');
  await api.get('/customer/me');
  assert.equal(seen.length, 3);
});

test('a request that nobody waits for any more is ended', async () => {
  let ended = false;
  const { api } = client([({ signal }) => new Promise((_, reject) => signal.addEventListener('abort', () => ((ended = true), reject(signal.reason))))]);
  await assert.rejects(api.get('/customer/me', { deadlineMs: 20 }), DeadlineError);
  assert.ok(ended);
});

test('a known version is asked for, and 304 is answered from memory', async () => {
  const { api, seen } = client([json({ name: 'Ada' }, 200, { ETag: '"1.1"' }), json(undefined, 304, { ETag: '"1.1"' })]);
  const [first, second] = [await api.get('/customer/me'), await api.get('/customer/me')];
  assert.deepEqual(second.data, first.data);
  assert.equal(seen[1].headers.get('If-None-Match'), '"1.1"');
  assert.equal(second.etag, '"1.1"');
});

test('an expired token is renewed once', async () => {
  const asked = [];
  const token = (expired) => (asked.push(expired), expired ? 'new' : 'old');
  const { api, seen } = client([problem('token_expired', 401), json({})], { credential: { token } });
  await api.get('/customer/me');
  assert.deepEqual(seen.map(({ headers }) => headers.get('Authorization')), ['Bearer old', 'Bearer new']);
  const never = client([problem('token_expired', 401)], { credential: { token } });
  await assert.rejects(never.api.get('/customer/me'), (error) => isProblem(error, 'token_expired'));
  assert.equal(never.seen.length, 2);
});

test('by cookie, changes carry the CSRF token of the session', async () => {
  const { api, seen } = client([json({ csrf: 'c1' }), json({}), json({})], { credential: { cookie: true } });
  await api.patch('/customer/me', { body: {} });
  await api.delete('/customer/me/api-keys/{keyId}', { path: { keyId: 'a/b' } });
  assert.deepEqual(seen.map(({ method, headers }) => [method, headers.get('X-CSRF-Token')]), [['GET', null], ['PATCH', 'c1'], ['DELETE', 'c1']]);
  assert.ok(seen[2].url.endsWith('/api-keys/a%2Fb'));
  assert.equal(seen[1].credentials, 'include');
});

test('lists are read page by page, as far as they are wanted', async () => {
  const page = (data, nextCursor) => json({ data, hasMore: nextCursor !== null, nextCursor });
  const { api, seen } = client([page([{ seq: 3 }, { seq: 2 }], 'n1'), page([], 'n2'), page([{ seq: 1 }], null)]);
  const found = [];
  for await (const entry of api.items('/customer/me/audit', { query: { actor: 'user' } })) {
    found.push(entry.seq);
  }
  assert.deepEqual(found, [3, 2, 1]);
  assert.deepEqual(seen.map(({ url }) => new URL(url).search), ['?actor=user', '?actor=user&cursor=n1', '?actor=user&cursor=n2']);
  const stuck = client([page([], 'same')]);
  await assert.rejects(async () => { for await (const _ of stuck.api.pages('/customer/me/audit')); }, UnexpectedResponseError);
});

test('an open answer is not taken where a sealed one was asked for', async () => {
  const { api, seen } = client([json({ name: 'Ada' })], { sealed: true });
  await assert.rejects(api.get('/customer/me'), SealError);
  assert.equal(seen[0].headers.get('X-Encrypt-Response'), '1');
  assert.throws(() => new UserApi({ baseUrl: 'https://x', credential: { cookie: true }, sealed: true }), TypeError);
});

test('what is no answer of the service is told as such', async () => {
  const { api } = client([new Response('<h1>Bad gateway</h1>', { status: 403 })]);
  await assert.rejects(api.get('/customer/me'), UnexpectedResponseError);
  const portal = client([new Response('<h1>Sign in to the network</h1>')]);
  await assert.rejects(portal.api.get('/customer/me'), UnexpectedResponseError);
});
