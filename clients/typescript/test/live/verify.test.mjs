// The verifier in node: an export of the real worker is genuine, and nothing else is.
import assert from 'node:assert/strict';
import { closeSync, mkdtempSync, openSync, readSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { loadVerifier } from '@user-api/client/verify';
import { startServer } from '../../../../scripts/test-server.mjs';

let server;
let verifier;
let jwks;
before(async () => {
  [server, verifier] = await Promise.all([startServer(), loadVerifier()]);
  jwks = await (await fetch(`${server.url}/.well-known/jwks.json`)).json();
});
after(() => server?.stop());

const get = (path, token) => fetch(server.url + path, { headers: { Authorization: `Bearer ${token}` } });

/** A customer with some log, its kept head, and its export. */
async function exported() {
  const customer = await server.customer();
  await get('/customer/me', customer.token);
  const { checkpoint } = await (await get('/customer/me/audit/head', customer.token)).json();
  await get('/user/me', customer.token);
  const archive = new Uint8Array(await (await get('/customer/me/export', customer.token)).arrayBuffer());
  return { ...customer, checkpoint, archive };
}

test('an export is genuine, says of whom and until when, and extends the head that was kept', async () => {
  const { customerId, checkpoint, archive } = await exported();
  const { report, fault } = verifier.checkExport(archive, { jwks, head: checkpoint });
  assert.equal(fault, undefined);
  assert.equal(report.customerId, customerId);
  assert.equal(report.madeBy.kind, 'user');
  assert.deepEqual([report.kid, report.unreadable, report.files.length], ['sig', 0, 9]);
  assert.ok(report.log.entries >= 4);
  assert.match(report.log.checkpoint, new RegExp(`^user-api/audit/v1/${customerId}\n${report.log.entries}\n`));
  const other = await exported();
  const meeting = verifier.checkExport(other.archive, { jwks, head: checkpoint }).fault;
  assert.deepEqual([meeting.place, meeting.seq], ['entry', Number(checkpoint.split('\n')[1])]);
  assert.match(meeting.what, /not the one of the older checkpoint/);
});

test('every byte that is changed is found, and where', async () => {
  const { archive } = await exported();
  const places = new Set();
  for (let at = 0; at < archive.length; at += 7) {
    archive[at] ^= 1;
    const { fault } = verifier.checkExport(archive, { jwks });
    assert.notEqual(fault, undefined, `byte ${at}`);
    assert.ok(fault.text.length > 10);
    places.add(fault.place);
    archive[at] ^= 1;
  }
  assert.deepEqual([...places].sort(), ['archive', 'entry', 'file']);
  assert.notEqual(verifier.checkExport(archive, { jwks }).report, undefined);
  assert.equal(verifier.checkExport(archive.subarray(0, -1), { jwks }).fault.place, 'archive');
  assert.equal(verifier.checkExport(new Uint8Array(), { jwks }).fault.place, 'archive');
});

test('a file is checked where it lies', async () => {
  const { archive } = await exported();
  const folder = mkdtempSync(join(tmpdir(), 'user-api-verify-'));
  const file = join(folder, 'export.zip');
  writeFileSync(file, archive);
  const handle = openSync(file);
  let largest = 0;
  const read = (offset, length) => {
    largest = Math.max(largest, length);
    const bytes = new Uint8Array(length);
    return bytes.subarray(0, readSync(handle, bytes, 0, length, offset));
  };
  try {
    assert.notEqual(verifier.checkExport({ length: archive.length, read }, { jwks: JSON.stringify(jwks) }).report, undefined);
    assert.ok(largest <= 262_144);
    const failing = { length: archive.length, read: () => assert.fail('no disk') };
    assert.equal(verifier.checkExport(failing, { jwks }).fault.place, 'archive');
  } finally {
    closeSync(handle);
    rmSync(folder, { recursive: true });
  }
});

test('under other keys nothing is genuine', async () => {
  const { archive } = await exported();
  const [key] = jwks.keys;
  for (const keys of [[], [{ ...key, kid: 'another' }], [{ ...key, x: 'AAAA' }]]) {
    const { fault } = verifier.checkExport(archive, { jwks: { keys } });
    assert.match(fault.place, /^(keys|file)$/);
  }
  assert.equal(verifier.checkExport(archive, { jwks: 'no JSON' }).fault.place, 'keys');
});

test('the certificate of an erasure is genuine, and nothing like it', async () => {
  const customer = await server.customer();
  const path = `${server.url}/admin/customers/${customer.customerId}/erasure`;
  const headers = { Authorization: `Bearer ${server.admin}`, 'Content-Type': 'application/json' };
  await fetch(path, { method: 'POST', headers, body: JSON.stringify({ reason: 'by letter', graceDays: 0 }) });
  let certificate;
  while (typeof certificate !== 'string') {
    ({ certificate } = await (await fetch(path, { headers })).json());
  }
  const { report } = verifier.checkCertificate(certificate, { jwks });
  assert.equal(report.certificate.customerId, customer.customerId);
  assert.equal(report.certificate.askedBy.kind, 'admin');
  assert.notEqual(verifier.checkCertificate(JSON.stringify({ certificate }), { jwks }).report, undefined);
  assert.equal(verifier.checkCertificate(`${certificate.slice(0, -4)}AAAA`, { jwks }).fault.place, 'certificate');
  assert.equal(verifier.checkCertificate('', { jwks }).fault.place, 'certificate');
});
