// What is asked of the subjects, and what must come back. A workload whose route a subject lacks is skipped with a word.
import { token } from './subjects.mjs';

const ALL = ['user-api', 'bare', 'hono'];
const HOT = 'bench-hot';
const MANY = 1000;
const bearer = (text) => ({ Authorization: `Bearer ${text}` });
const read = (customer, options) => ({ method: 'GET', path: '/customer/me', headers: bearer(token(customer, options)) });

const sealed = (customer) => ({ ...read(customer), headers: { ...read(customer).headers, 'X-Encrypt-Response': '1' } });

/** Two values that never follow each other, so that every PATCH changes the record. */
const patch = (customer, number) => ({
  method: 'PATCH',
  path: '/customer/me',
  headers: { ...bearer(token(customer)), 'Content-Type': 'application/merge-patch+json' },
  body: JSON.stringify({ displayName: `Ada ${String(number).padStart(4, '0')}` }),
});
const patches = (customer) => Array.from({ length: 997 }, (_, number) => patch(customer, number));

export const WORKLOADS = [
  { name: 'get', what: 'GET /customer/me, one hot customer', subjects: ALL, make: ([customer]) => [read(customer)] },
  { name: 'patch', what: 'PATCH /customer/me, one hot customer, each changes it', subjects: ALL, make: ([customer]) => patches(customer) },
  {
    name: 'get-es256', what: 'GET /customer/me, the token signed by ES256', subjects: ALL, connections: [16],
    make: ([customer]) => [read(customer, { algorithm: 'ES256' })],
  },
  {
    name: 'get-new-tokens', what: 'GET /customer/me, 20,000 tokens in turn (HS256)', subjects: ALL, connections: [16],
    make: ([customer]) => Array.from({ length: 20_000 }, (_, number) => read(customer, { number })),
  },
  {
    name: 'get-many', what: `GET /customer/me over ${MANY} customers`, subjects: ['user-api', 'hono'], customers: MANY, connections: [16, 64],
    make: (customers) => customers.map((customer) => read(customer)),
  },
  {
    name: 'mix', what: '80 reads to 20 PATCHes, one hot customer', subjects: ALL, connections: [16, 64],
    make: ([customer]) => patches(customer).flatMap((one) => [...Array.from({ length: 4 }, () => read(customer)), one]),
    expect: { length: undefined },
  },
  {
    name: 'consume', what: 'POST /customer/me/limits/consume by an API key', subjects: ALL, connections: [16, 64], needsKey: true,
    make: (_, key) => [{
      method: 'POST', path: '/customer/me/limits/consume', headers: { ...bearer(key), 'Content-Type': 'application/json' },
      body: JSON.stringify({ policies: [{ name: 'burst', cost: 1 }] }),
    }],
    expect: { length: undefined, contains: '"allowed":true' }, // of bare: its one fixed reply
  },
  {
    name: 'refused', what: 'GET /customer/me, refused by a limit (429)', subjects: ['user-api', 'hono'], tight: true, connections: [16, 64],
    make: ([customer]) => [read(customer)], expect: { status: 429, length: undefined, contains: 'quota' },
  },
  {
    name: 'sealed', what: 'GET /customer/me, the response sealed to the caller', subjects: ['user-api'], connections: [16],
    make: ([customer]) => [sealed(customer)], expect: { contains: '"version":4,"encrypted":true' },
  },
  {
    name: 'admin-page', what: 'GET /admin/customers, one page', subjects: ['user-api'], connections: [16],
    missing: 'the route is not there yet', isAbsent: true,
  },
];

/** Makes the customers of a workload and asks once; what wrk and oha are to send and to expect. */
export async function prepare(workload, { subject, port }) {
  if (workload.isAbsent) {
    return undefined;
  }
  const count = workload.customers ?? 1;
  const base = workload.tight ? 'bench-tight' : HOT;
  const names = Array.from({ length: count }, (_, number) => (number === 0 ? base : `${base}-${number}`));
  const made = (subject.made ??= new Set());
  for (const name of names.filter((name) => !made.has(name))) {
    await subject.create(port, name, { tight: workload.tight });
    made.add(name);
  }
  let key = 'bare-takes-any';
  if (workload.needsKey && subject.apiKey !== undefined) {
    const owner = `${base}-key`;
    if (subject.name === 'user-api') {
      await subject.create(port, owner);
    }
    key = await subject.apiKey(port, owner);
  }
  const requests = workload.make(names, key);
  if (workload.isFilled) {
    return { requests: names.map((name) => read(name)) };
  }
  // One answer is looked at by us; that all others are like it is looked at by the load generator.
  const [{ method, path, headers, body }] = requests;
  const ask = () => fetch(`http://127.0.0.1:${port}${path}`, { method, headers, body });
  if (workload.tight) {
    await (await ask()).arrayBuffer();
  }
  const response = await ask();
  const text = await response.text();
  const isBare = subject.name === 'bare';
  const expect = { status: 200, length: Buffer.byteLength(text), contains: '"customerId":"', ...(isBare ? {} : workload.expect) };
  if (response.status !== expect.status || !text.includes(expect.contains)) {
    throw new Error(`${subject.name} answers ${response.status} to ${workload.name}: ${text}`);
  }
  return { requests, expect };
}
