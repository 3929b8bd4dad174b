// What the client promises, tried against the real service: in node (live.test.mjs) and, bundled, in a browser's page
// (browser.test.mjs). A check gets `world`: `plain`, `losing` and `silent`, the addresses of a good path and two bad
// ones; `customer` and `stranger`, fresh customers with their tokens; `seen(road)`, the requests that went a path.
import {
  DeadlineError, NetworkError, ProblemError, SealError, UserApi, isProblem, openSealed,
} from '@user-api/client';

function assert(condition, told) {
  if (!condition) {
    throw new Error(`not so: ${told}`);
  }
}
function equal(found, wanted, told) {
  const [a, b] = [JSON.stringify(found), JSON.stringify(wanted)];
  assert(a === b, `${told}: ${a} instead of ${b}`);
}
/** The error with which it fails. */
async function failure(work) {
  const nothing = Symbol('nothing');
  const caught = await Promise.resolve(work).then(() => nothing, (error) => error);
  assert(caught !== nothing, 'it fails');
  return caught;
}
function refused(error, code, status) {
  assert(error instanceof ProblemError && isProblem(error, code), `${error} is ${code}`);
  equal(error.status, status, 'status');
  assert(/^req_/.test(error.requestId) && error.problem.instance === `urn:request:${error.requestId}`, 'the id of the request');
  return error;
}
const as = (world, options = {}) => new UserApi({ baseUrl: world.plain, credential: { token: world.customer.token }, ...options });
/** A fetch that sends other headers than the client wants. */
const meddling = (change) => (url, init) => {
  const headers = new Headers(init.headers);
  change(headers);
  return fetch(url, { ...init, headers });
};

/** What only a server does: a page of another origin may send no service key. */
export const serverChecks = {
  async 'the results of an import are opened where the service seals everything, asked or not'({ required }) {
    for (const sealed of [true, false]) {
      const api = new UserApi({ baseUrl: required.url, credential: { serviceKey: required.serviceKey }, sealed });
      const records = [1, 2].map((number) => {
        const id = `moved-${sealed}-${number}`;
        return { key: `customer:customer:${id}`, value: { email: `${id}@example.test` } };
      });
      const body = records.map((record) => `${JSON.stringify(record)}\n`).join('');
      const { data } = await api.post('/internal/import', { body });
      const results = data.trim().split('\n').map((line) => JSON.parse(line));
      equal(results.map(({ key }) => key), records.map(({ key }) => key), 'in the order of the lines');
      assert(results.every(({ outcome }) => outcome === 'created'), data);
    }
  },
};

export const checks = {
  async 'a customer is read, changed with its version, and asked for by its version'(world) {
    const api = as(world);
    const before = await api.get('/customer/me');
    equal([before.data.customerId, before.data.email], [world.customer.customerId, world.customer.email], 'the customer');
    const after = await api.patch('/customer/me', { body: { companyName: 'Analytical Engines' }, ifMatch: before.etag });
    equal([after.data.companyName, after.data.name], ['Analytical Engines', 'Ada'], 'a merge patch');
    assert(after.etag !== before.etag, 'another version');
    equal((await api.get('/customer/me')).data.companyName, 'Analytical Engines', 'read anew');
    const again = await api.get('/customer/me');
    equal([again.data.companyName, again.etag], ['Analytical Engines', after.etag], 'from memory');
    equal((await world.seen('plain')).map(({ status }) => status), [200, 200, 200, 304], 'statuses');
  },

  async 'a stale version is 412 and changes nothing'(world) {
    const api = as(world);
    const { etag } = await api.get('/customer/me');
    await api.put('/customer/me', { body: { name: 'Grace' }, ifMatch: etag });
    refused(await failure(api.patch('/customer/me', { body: { name: 'Late' }, ifMatch: etag })), 'stale_version', 412);
    equal((await api.get('/customer/me')).data.name, 'Grace', 'the name');
  },

  async 'problems are typed, with every fault at its field'(world) {
    const error = refused(await failure(as(world).patch('/customer/me', { body: { name: 'Ada', plan: 'pro' } })), 'field_not_writable', 422);
    assert(error.faults.has('#/plan'), 'the fault of the plan');
    const faulty = await failure(as(world).patch('/customer/me', { body: { name: 5, companyName: [] } }));
    equal([...refused(faulty, 'validation_failed', 422).faults.keys()].sort(), ['#/companyName', '#/name'], 'faults');
    refused(await failure(as(world).get('/customer/me/api-keys/{keyId}', { path: { keyId: 'none' } })), 'key_not_found', 404);
    refused(await failure(as(world, { credential: { token: 'a.b.c' } }).get('/customer/me')), 'invalid_token', 401);
    refused(await failure(as(world).get('/admin/customers')), 'forbidden', 403);
  },

  async 'a change whose answer is lost is made once'(world) {
    const api = as(world, { baseUrl: world.losing });
    const made = await api.post('/customer/me/api-keys', { body: { name: 'once', scopes: ['customer:read'] } });
    assert(made.replayed && made.data.secret.startsWith('uak_'), 'the first answer, repeated');
    const sent = (await world.seen('losing')).filter(({ method }) => method === 'POST');
    equal(sent.map(({ status }) => status), [201, 201], 'it was sent twice');
    equal((await as(world).get('/customer/me/api-keys')).data.data.length, 1, 'keys');
  },

  async 'a key of idempotency answers its own request again and no other'(world) {
    const api = as(world);
    const change = (name) => api.patch('/customer/me', { body: { name }, idempotencyKey: 'mine' });
    const [first, second] = [await change('One'), await change('One')];
    equal([first.replayed, second.replayed, second.etag], [false, true, first.etag], 'replayed');
    refused(await failure(change('Two')), 'idempotency_key_reused', 422);
  },

  async 'who is over a limit waits as long as Retry-After says, and gets in'(world) {
    const api = as(world, { credential: { token: world.limited.token } });
    const statuses = async () => (await world.seen('plain')).map(({ status }) => status);
    const began = performance.now();
    // One a second is restored, so a slow machine needs more than three to be over the limit.
    for (let number = 1; number <= 20 && !(await statuses()).includes(429); number += 1) {
      await api.get('/customer/me/status');
    }
    const all = await statuses();
    assert(all.includes(429) && all.at(-1) < 400 && performance.now() - began >= 900, `it waited: ${all}`);
    const impatient = async () => {
      for (let number = 1; number <= 20; number += 1) {
        await api.get('/customer/me/status', { deadlineMs: 900 });
      }
    };
    const error = refused(await failure(impatient()), 'quota_exceeded', 429);
    assert(error.retryAfterSeconds >= 1 && error.problem['violated-policies'][0] === 'burst', 'which limit');
  },

  async 'a sealed answer opens for its own credential, and tells nobody else anything'(world) {
    const api = as(world, { sealed: true });
    equal((await api.get('/customer/me')).data.email, world.customer.email, 'the e-mail');
    equal((await api.patch('/customer/me', { body: { name: 'Sealed' } })).data.name, 'Sealed', 'the name');
    const headers = { Authorization: `Bearer ${world.customer.token}`, 'X-Encrypt-Response': '1' };
    const response = await fetch(`${world.plain}/customer/me`, { headers });
    const text = await response.text();
    assert(!text.includes(world.customer.email), 'nothing in the open');
    const frame = { status: 200, requestId: response.headers.get('X-Request-Id') };
    const opened = await openSealed(JSON.parse(text), world.customer.token, frame);
    equal(JSON.parse(opened).email, world.customer.email, 'opened by hand');
    for (const [credential, how] of [[world.stranger.token, frame], [world.customer.token, { ...frame, status: 201 }]]) {
      assert((await failure(openSealed(JSON.parse(text), credential, how))) instanceof SealError, 'opens for no other');
    }
  },

  async 'an answer that is sealed for another token fails loudly'(world) {
    const other = meddling((headers) => headers.set('Authorization', `Bearer ${world.stranger.token}`));
    const error = await failure(as(world, { sealed: true, fetch: other }).get('/customer/me'));
    assert(error instanceof SealError && /another credential/.test(error.message), `${error}`);
    assert(!JSON.stringify({ ...error, message: error.message }).includes(world.stranger.email), 'it tells nothing');
  },

  async 'an open answer is not taken where a sealed one was asked for'(world) {
    const stripped = meddling((headers) => headers.delete('X-Encrypt-Response'));
    assert((await failure(as(world, { sealed: true, fetch: stripped }).get('/customer/me'))) instanceof SealError, 'refused');
  },

  async 'problems and 304 come through sealing'(world) {
    const api = as(world, { sealed: true });
    refused(await failure(api.patch('/customer/me', { body: { plan: 'free' } })), 'field_not_writable', 422);
    const [first, second] = [await api.get('/customer/me'), await api.get('/customer/me')];
    equal(second.data, first.data, 'from memory');
    equal((await world.seen('plain')).at(-1).status, 304, 'status');
    refused(await failure(as(world, { sealed: true, credential: { token: 'a.b.c' } }).get('/customer/me')), 'invalid_token', 401);
    equal((await api.get('/health')).status, 200, 'what is public is not sealed');
  },

  async 'an API key opens what is sealed for it, and nothing once it is revoked'(world) {
    const owner = as(world, { sealed: true });
    const { data: key } = await owner.post('/customer/me/api-keys', { body: { name: 'robot', scopes: ['customer:read'] } });
    const robot = as(world, { sealed: true, credential: { apiKey: key.secret } });
    equal((await robot.get('/customer/me')).data.customerId, world.customer.customerId, 'the customer');
    equal((await owner.delete('/customer/me/api-keys/{keyId}', { path: { keyId: key.keyId } })).status, 204, 'status');
    equal((await failure(robot.get('/customer/me'))).status, 401, 'status');
  },

  async 'where the service seals everything the client opens everything, asked or not'({ required }) {
    const { customer } = required;
    const made = (credential, options = {}) => new UserApi({ baseUrl: required.url, credential, ...options });
    for (const sealed of [true, false]) {
      const api = made({ token: customer.token }, { sealed });
      equal((await api.get('/customer/me')).data.email, customer.email, 'the e-mail');
      equal((await api.get('/customer/me')).data.email, customer.email, 'from memory');
      equal((await api.patch('/customer/me', { body: { name: 'Sealed' } })).data.name, 'Sealed', 'the name');
      const error = await failure(api.patch('/customer/me', { body: { plan: 'free' } }));
      refused(error, 'field_not_writable', 422);
      const entries = [];
      for await (const entry of api.items('/customer/me/audit', { query: { limit: 2 } })) {
        entries.push(entry.seq);
      }
      assert(entries.length >= 3 && new Set(entries).size === entries.length, `entries ${entries}`);
      equal((await (await api.download('/customer/me/export')).arrayBuffer()).byteLength > 1000, true, 'the archive');
    }
    const response = await fetch(`${required.url}/customer/me`, { headers: { Authorization: `Bearer ${customer.token}`, 'X-Encrypt-Response': '0' } });
    assert(!(await response.text()).includes(customer.email), 'nothing in the open');
    const anonymous = await failure(made({ anonymous: true }).get('/customer/me'));
    refused(anonymous, 'authentication_required', 401);
  },

  async 'a file comes as a stream, asked for again until its head is there'(world) {
    const told = [];
    const archive = await as(world).download('/customer/me/export', { onProgress: (bytes) => told.push(bytes) });
    const bytes = new Uint8Array(await archive.arrayBuffer());
    equal([bytes[0], bytes[1], told.at(-1)], [0x50, 0x4b, bytes.length], 'a ZIP, counted');
    const lost = await as(world, { baseUrl: world.losing }).download('/customer/me/export');
    await lost.arrayBuffer();
    equal((await world.seen('losing')).map(({ status }) => status), [200, 200], 'it was asked for twice');
    const path = { customerId: world.customer.customerId };
    refused(await failure(as(world).download('/admin/customers/{customerId}/export', { path })), 'forbidden', 403);
  },

  async 'the audit log is read page by page, every entry once, as far as it is wanted'(world) {
    const api = as(world);
    for (let number = 1; number <= 7; number += 1) {
      await api.patch('/customer/me', { body: { name: `Name ${number}` } });
    }
    const changes = [];
    for await (const entry of api.items('/customer/me/audit', { query: { limit: 2, action: 'customer.update' } })) {
      changes.push(entry.seq);
    }
    equal([changes.length, new Set(changes).size], [7, 7], 'entries');
    equal(changes, changes.toSorted((a, b) => b - a), 'newest first');
    const pages = async () => (await world.seen('plain')).filter(({ path }) => path.startsWith('/customer/me/audit')).length;
    const before = await pages();
    assert(before >= 4, `${before} pages`);
    for await (const entry of api.items('/customer/me/audit', { query: { limit: 2 } })) {
      assert(entry.seq >= changes[0], 'the newest');
      break;
    }
    equal((await pages()) - before, 1, 'pages read for one entry');
  },

  async 'a call ends with its caller and at its deadline, and its request with it'(world) {
    const api = as(world, { baseUrl: world.silent });
    const controller = new AbortController();
    const call = api.get('/customer/me', { signal: controller.signal });
    setTimeout(() => controller.abort(new Error('enough')), 100);
    equal((await failure(call)).message, 'enough', 'why');
    const began = performance.now();
    const late = await failure(api.patch('/customer/me', { body: { name: 'x' }, deadlineMs: 300 }));
    assert(late instanceof DeadlineError && performance.now() - began < 5_000, `${late}`);
    assert((await failure(api.download('/customer/me/export', { deadlineMs: 300 }))) instanceof DeadlineError, 'a file');
    for (let patience = 100; patience > 0; patience -= 1) {
      const seen = await world.seen('silent');
      if (seen.length === 3 && seen.every(({ brokenOff }) => brokenOff)) {
        return;
      }
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    assert(false, `the requests are broken off: ${JSON.stringify(await world.seen('silent'))}`);
  },

  async 'identical reads at the same time are one request'(world) {
    const api = as(world);
    const answers = await Promise.all(Array.from({ length: 20 }, () => api.get('/customer/me')));
    assert(answers.every(({ data }) => data.customerId === world.customer.customerId), 'all are answered');
    equal((await world.seen('plain')).length, 1, 'requests');
  },

  async 'an expired token is renewed and the request repeated'(world) {
    const asked = [];
    const token = (expired) => (asked.push(expired), expired ? world.customer.token : world.customer.expired);
    equal((await as(world, { credential: { token } }).get('/customer/me')).status, 200, 'status');
    equal(asked, [false, true], 'asked');
  },

  async 'a service that is not there is a network error'(world) {
    const error = await failure(as(world, { baseUrl: world.nowhere, attempts: 2 }).get('/customer/me'));
    assert(error instanceof NetworkError, `${error}`);
  },
};
