// The erasure: asked for by typing the id, its clock, its withdrawal; and what an erased customer sees.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setUp, settled } from './support/open.mjs';
import { tokenFor, userId } from './support/server.mjs';

const shared = setUp();

test('an erasure is asked for with care, its clock runs, and it is withdrawn', async () => {
  const { token } = await shared.server.customer('leaving');
  const page = await shared.open(token, '/data');
  await page.getByRole('button', { name: 'Erase this customer…' }).click();
  await page.getByLabel('Type the customer id').fill('something else');
  await page.getByRole('button', { name: 'Schedule the erasure' }).click();
  await page.getByText('This is not the id of this customer.').waitFor();
  await page.getByLabel('Type the customer id').fill('leaving');
  await page.getByLabel('Why').fill('We close.');
  await page.getByRole('button', { name: 'Schedule the erasure' }).click();
  const clock = page.getByRole('timer');
  await clock.waitFor();
  assert.match(await clock.innerText(), /^\d+ days? 23 hours$/);
  await page.getByText('Everything will be erased').waitFor();
  assert.equal((await shared.server.call('GET', '/customer/me/erasure', { token })).status, 'scheduled');
  await page.reload();
  await page.getByRole('button', { name: 'Withdraw the erasure' }).click();
  await page.getByRole('button', { name: 'Erase this customer…' }).waitFor();
  assert.equal(await page.getByText('Everything will be erased').count(), 0);
  await assert.rejects(shared.server.call('GET', '/customer/me/erasure', { token }), /erasure_not_found/);
  await shared.close(page);
});

test('every user sees that it is coming, and who is not the owner asks nothing that is refused', async () => {
  const { token, claims } = await shared.server.customer('together');
  await shared.server.call('POST', '/customer/me/erasure', { token, body: {} });
  const page = await shared.open(tokenFor({ ...claims, sub: userId('colleague'), email: 'colleague@example.com' }), '/data');
  await page.getByText('Everything will be erased').waitFor();
  const card = page.getByRole('region', { name: 'Erasure' });
  await card.getByText('Everything of this customer will be erased on').waitFor();
  await card.getByText('Only the owner of this customer can withdraw that').waitFor();
  await settled(page);
  assert.equal(await page.getByRole('button', { name: 'Withdraw the erasure' }).count(), 0);
  const { data } = await shared.server.call('GET', '/customer/me/audit?outcome=forbidden', { token });
  assert.deepEqual(data, []);
  await shared.close(page);
});

test('what an administrator asked for is not offered to the owner to withdraw, but to administrators', async () => {
  const { token } = await shared.server.customer('ordered');
  const admin = await shared.server.admin();
  await shared.server.call('POST', '/admin/customers/ordered/erasure', { token: admin, body: { reason: 'by letter' } });
  const page = await shared.open(token, '/data');
  await page.getByText('only an administrator can withdraw it').waitFor();
  await page.getByText(/Asked for on .* by an administrator/).waitFor();
  assert.equal(await page.getByRole('button', { name: 'Withdraw the erasure' }).count(), 0);
  await shared.close(page);
  const theirs = await shared.open(admin, '/admin/customers/ordered');
  await theirs.getByRole('button', { name: 'Withdraw the erasure' }).click();
  await theirs.getByRole('region', { name: 'Erasure is scheduled' }).waitFor({ state: 'detached' });
  await assert.rejects(shared.server.call('GET', '/customer/me/erasure', { token }), /erasure_not_found/);
  await shared.close(theirs);
});

test('once it is due the page goes on by itself, to the certificate', async () => {
  const { token } = await shared.server.customer('waiting');
  await shared.server.call('POST', '/customer/me/erasure', { token, body: {} });
  const page = await shared.page();
  await page.addInitScript((text) => sessionStorage.setItem('user-api-token', text), token);
  // As if the seven days were over in six seconds.
  const dueAt = new Date(Date.now() + 6_000).toISOString();
  await page.route('**/customer/me/erasure', async (route) => {
    const response = await route.fetch();
    await route.fulfill({ response, json: { ...(await response.json()), dueAt } });
  });
  await page.goto(`${shared.server.origin}/dashboard#/data`);
  await page.getByRole('button', { name: 'Withdraw the erasure' }).waitFor();
  await shared.server.call('POST', '/admin/customers/waiting/erasure', { token: await shared.server.admin(), body: { reason: 'x', graceDays: 0 } });
  await page.getByRole('heading', { name: 'The customer was erased' }).waitFor({ timeout: 20_000 });
  await page.getByLabel('The certificate', { exact: true }).waitFor({ timeout: 30_000 });
  await shared.close(page);
});

test('an erased customer gets its certificate, which is checked in the page, and nothing else; so does an administrator', async () => {
  const { token } = await shared.server.customer('gone');
  const admin = await shared.server.admin();
  await shared.server.call('POST', '/admin/customers/gone/erasure', { token: admin, body: { reason: 'asked for', graceDays: 0 } });
  await new Promise((resolve) => setTimeout(resolve, 3_000));
  const page = await shared.open(token);
  await page.getByRole('heading', { name: 'The customer was erased' }).waitFor();
  const certificate = page.getByLabel('The certificate', { exact: true });
  await certificate.waitFor({ timeout: 30_000 });
  assert.match(await certificate.innerText(), /^[\w-]+\.[\w-]+\.[\w-]+$/);
  assert.equal(await page.getByRole('navigation').count(), 0);
  await page.getByRole('button', { name: 'Check it' }).click();
  await page.getByText('Checked: genuine').waitFor();
  await page.getByText(/by admin admin_[0-9a-f]{16}/).waitFor();
  await shared.close(page);
  const theirs = await shared.open(admin, '/admin/customers/gone');
  await theirs.getByText('This customer was erased').waitFor();
  assert.equal(await theirs.getByRole('alert').count(), 0);
  // One that was changed.
  await theirs.route('**/admin/customers/gone/erasure', async (route) => {
    const response = await route.fetch();
    const body = await response.json();
    await route.fulfill({ response, json: { ...body, certificate: `${body.certificate.slice(0, -8)}AAAAAAAA` } });
  });
  await theirs.reload();
  await theirs.getByRole('button', { name: 'Check it' }).click();
  await theirs.getByRole('alert').getByText(/It is not genuine: the certificate: /).waitFor();
  await shared.close(theirs);
});
