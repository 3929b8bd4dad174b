// What is asked of the subjects in closed loops, and what must come back.
import { Refusal } from '../../scripts/lib.mjs';
import { byProgram, byUser, token } from './tokens.mjs';

const REFERENCES = ['user-api', 'bare', 'hono'];
const ALL = [...REFERENCES, 'hono-grouped'];
const HOT = 'bench-hot';
const MANY = 1000;
/** Customers that are made at the same time. */
const AT_ONCE = 16;

/** GET /customer/me by the customer's user. */
export const read = (customer, options) => ({ method: 'GET', path: '/customer/me', headers: byUser(token(customer, options)) });
const sealed = (customer) => ({ ...read(customer), headers: { ...read(customer).headers, 'X-Encrypt-Response': '1' } });

/** Two values that never follow each other, so that every PATCH changes the record. */
const patch = (customer, number) => ({
  method: 'PATCH',
  path: '/customer/me',
  headers: { ...byUser(token(customer)), 'Content-Type': 'application/merge-patch+json' },
  body: JSON.stringify({ displayName: `Ada ${String(number).padStart(4, '0')}` }),
});
/** So many PATCHes, each of which changes the customer. */
export const patches = (customer) => Array.from({ length: 997 }, (_, number) => patch(customer, number));
/** The newest page of the customer's log. */
export const auditPage = (customer) => ({ ...read(customer), path: '/customer/me/audit?limit=20' });

export const WORKLOADS = [
  { name: 'get', what: 'GET `/customer/me`, one hot customer', subjects: ALL, isSame: true, make: ([customer]) => [read(customer)] },
  { name: 'patch', what: 'PATCH `/customer/me`, one hot customer, each changes it', subjects: ALL, isSame: true, make: ([customer]) => patches(customer) },
  {
    name: 'get-es256', what: 'GET `/customer/me`, the token signed by ES256', subjects: REFERENCES, connections: [16],
    make: ([customer]) => [read(customer, { algorithm: 'ES256' })],
  },
  {
    name: 'get-new-tokens', what: 'GET `/customer/me`, 20,000 tokens in turn (HS256)', subjects: REFERENCES, connections: [16],
    make: ([customer]) => Array.from({ length: 20_000 }, (_, number) => read(customer, { number })),
  },
  {
    name: 'get-many', what: 'GET `/customer/me` over 1,000 customers', subjects: ALL, customers: MANY,
    make: (customers) => customers.map((customer) => read(customer)),
  },
  {
    name: 'mix', what: '80 reads to 20 PATCHes, one hot customer', subjects: ALL,
    make: ([customer]) => patches(customer).flatMap((one) => [...Array.from({ length: 4 }, () => read(customer)), one]),
    expect: { length: undefined },
  },
  {
    name: 'consume', what: 'POST `/customer/me/limits/consume` by an API key', subjects: ALL, needsKey: true,
    make: (_, key) => [{
      method: 'POST', path: '/customer/me/limits/consume', headers: { ...byProgram(key), 'Content-Type': 'application/json' },
      body: JSON.stringify({ policies: [{ name: 'burst', cost: 1 }] }),
    }],
    expect: { length: undefined, contains: '"allowed":true' }, // of bare: its one fixed reply
  },
  {
    name: 'refused', what: 'GET `/customer/me`, refused by a limit (429)', subjects: ['user-api', 'hono'], tight: true,
    make: ([customer]) => [read(customer)], expect: { status: 429, length: undefined, contains: 'quota' },
  },
  {
    name: 'sealed', what: 'GET `/customer/me`, the response sealed to the caller, beside the plain one', subjects: ['user-api'],
    make: ([customer]) => [read(customer)],
    variants: [
      { name: 'plain' },
      { name: 'sealed', make: ([customer]) => [sealed(customer)], expect: { contains: '"version":4,"encrypted":true' } },
    ],
  },
  {
    name: 'admin-page', what: 'GET `/admin/customers?limit=50` of 1,000 customers', subjects: ['user-api'], customers: MANY, connections: [1, 4], narrow: [4], leastSeconds: 4,
    make: ([, own]) => [{ method: 'GET', path: '/admin/customers?limit=50', headers: byUser(token(own, { isAdmin: true })) }],
    expect: { length: undefined, contains: '"hasMore":true' },
  },
];

/** Makes those customers that are not there yet. */
export async function make({ subject, port, made }, names, options = {}) {
  const missing = names.filter((name) => !made.has(name));
  while (missing.length > 0) {
    await Promise.all(missing.splice(0, AT_ONCE).map((name) => subject.create(port, name, options)));
  }
  names.forEach((name) => made.add(name));
}

/** Makes the customers of a workload and asks once; what the load generators are to send and to expect. */
export async function prepare(workload, server) {
  const { subject, port } = server;
  const base = workload.tight ? 'bench-tight' : HOT;
  const numbered = (_, number) => (number === 0 ? base : `${base}-${number}`);
  const names = workload.names ?? Array.from({ length: workload.customers ?? 1 }, numbered);
  await make(server, names, { tight: workload.tight });
  let key = 'bare-takes-any';
  if (workload.needsKey && subject.apiKey !== undefined) {
    server.key ??= await subject.apiKey(port, `${base}-key`);
    key = server.key;
  }
  const made = workload.make(names, key);
  const requests = subject.addressed && workload.customers > 1 ? made.map((each, number) => subject.addressed(each, number)) : made;
  // Some answers are looked at by us; that all others are like them is looked at by the load generator.
  const [{ method, path, headers, body }] = requests;
  const ask = () => fetch(`http://127.0.0.1:${port}${path}`, { method, headers, body });
  await (await ask()).arrayBuffer();
  const response = await ask();
  const text = await response.text();
  const length = Buffer.byteLength(text);
  const expect = { status: 200, length: workload.customers > 1 ? undefined : length, contains: '"customerId":"' };
  Object.assign(expect, subject.name === 'bare' ? {} : workload.expect);
  if (response.status !== expect.status || !text.includes(expect.contains)) {
    throw new Refusal(`${subject.name} answers ${response.status} to ${workload.name}: ${text}`);
  }
  // The connection's own fields are the server's, and the same for all.
  const fields = [...response.headers.keys()].filter((name) => !['connection', 'keep-alive', 'date'].includes(name));
  return { requests, expect, sample: { length, fields } };
}

/** The same bytes out: every subject's body is as long as ours, and the peer's header fields are ours. */
export function sameBytes(workload, [own, ...others]) {
  for (const { name, length, fields } of others) {
    const isBare = name === 'bare';
    // Bare has one reply for all: that of GET.
    const isAsLong = length === own.length || (isBare && workload !== 'get');
    if (!isAsLong || (!isBare && fields.join() !== own.fields.join())) {
      const told = JSON.stringify({ length, fields, own });
      throw new Refusal(`${name} does not answer the same bytes to ${workload}: ${told}`);
    }
  }
}
