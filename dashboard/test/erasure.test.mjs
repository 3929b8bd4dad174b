// The erasure: asked for by typing the id, its clock, its withdrawal; and what an erased customer sees.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setUp, settled } from './support/open.mjs';

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

test('an erased customer gets its certificate and nothing else', async () => {
  const { token } = await shared.server.customer('gone');
  const admin = await shared.server.admin();
  await shared.server.call('POST', '/admin/customers/gone/erasure', { token: admin, body: { reason: 'asked for', graceDays: 0 } });
  await new Promise((resolve) => setTimeout(resolve, 3_000));
  const page = await shared.open(token);
  await page.getByRole('heading', { name: 'The customer was erased' }).waitFor();
  for (let round = 0; round < 20 && (await page.locator('pre').count()) === 0; round += 1) {
    await page.waitForTimeout(500);
    await page.reload();
    await settled(page);
  }
  assert.match(await page.locator('pre').innerText(), /^[\w-]+\.[\w-]+\.[\w-]+$/);
  assert.equal(await page.getByRole('navigation').count(), 0);
  await shared.close(page);
});
