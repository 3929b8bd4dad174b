// The export: downloaded and checked in the page; and each way in which it fails, told for what it is.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { setUp, settled } from './support/open.mjs';
import { tokenFor, userId } from './support/server.mjs';
import { broken, huge, slow } from './support/streams.mjs';

const shared = setUp();
const EXPORT = '**/customer/me/export';
const begin = (page) => page.getByRole('button', { name: 'Export everything' }).click();
const card = (page) => page.getByRole('region', { name: 'Export' });
const genuine = (page) => card(page).getByText('Checked: genuine and complete').waitFor();

/** The page's export, changed on its way by `change`. */
const changed = (page, change) =>
  page.route(EXPORT, async (route) => {
    const response = await route.fetch();
    const bytes = await response.body();
    await route.fulfill({ response, body: change(bytes) ?? bytes });
  });

/** Flips a bit of the byte that follows `text`. */
const flip = (text) => (bytes) => {
  bytes[bytes.indexOf(text) + text.length] ^= 1;
};

test('an export is saved and checked in the page, and what checks it is loaded only then', async () => {
  const { token } = await shared.server.customer('exporter', { displayName: 'Exporter Ltd' });
  const page = await shared.open(token, '/data');
  const loaded = [];
  page.on('request', (request) => loaded.push(new URL(request.url()).pathname));
  await settled(page);
  assert.equal(loaded.some((path) => /checker|wasm/.test(path)), false);
  const coming = page.waitForEvent('download');
  await begin(page);
  const download = await coming;
  assert.match(download.suggestedFilename(), /^user-api-exporter-\d{4}-\d\d-\d\d\.zip$/);
  await genuine(page);
  assert.equal(loaded.filter((path) => path.endsWith('.wasm')).length, 1);
  const bytes = readFileSync(await download.path());
  assert.equal(bytes.subarray(0, 2).toString(), 'PK');
  assert.ok(bytes.includes('Exporter Ltd'));
  const text = await card(page).innerText();
  assert.match(text, /\d entries, from /);
  assert.match(text, /key sig-1/);
  // The log tells it, with the digest of what was handed out.
  await page.getByRole('link', { name: 'Who looked at my data' }).click();
  await page.locator('.entry', { hasText: 'Got a whole export' }).waitFor();
  await shared.close(page);
});

for (const [what, text, told] of [
  ['an entry of the log', '"action":"customer.create', /audit entry \d+: /],
  ['a file', '"displayName": "Flip', /customer\.json: its bytes were changed/],
  ['the manifest', '"format":"', /manifest\.json/],
]) {
  test(`a single bit that is flipped in ${what} is found and named`, async () => {
    const id = `flipped${text.length}`;
    const { token } = await shared.server.customer(id, { displayName: 'Flipped Ltd' });
    const page = await shared.open(token, '/data');
    await changed(page, (bytes) => {
      // However the file is laid out.
      const found = [text, text.replace(': ', ':')].find((each) => bytes.includes(each));
      assert.notEqual(found, undefined, text);
      flip(found)(bytes);
    });
    await begin(page);
    const alert = card(page).getByRole('alert');
    await alert.getByText('This archive is not what the service signed').waitFor();
    assert.match(await alert.innerText(), told);
    assert.match(await alert.innerText(), /do not rely on it/);
    await page.unroute(EXPORT);
    await alert.getByRole('button', { name: 'Export again' }).click();
    await genuine(page);
    await shared.close(page);
  });
}

test('half an archive is no archive, and somebody else’s is told to be that', async () => {
  const { token } = await shared.server.customer('halved');
  const other = await shared.server.customer('other');
  const page = await shared.open(token, '/data');
  await changed(page, (bytes) => bytes.subarray(0, bytes.length / 2));
  await begin(page);
  const alert = card(page).getByRole('alert');
  await alert.getByText(/the archive: /).waitFor();
  await page.unroute(EXPORT);
  await page.route(EXPORT, (route) => route.continue({ headers: { ...route.request().headers(), authorization: `Bearer ${other.token}` } }));
  await alert.getByRole('button', { name: 'Export again' }).click();
  await alert.getByText('it is genuine, but of another customer').waitFor();
  await shared.close(page);
});

test('a download that breaks off says so, saves nothing, and begins anew', async () => {
  const { token } = await shared.server.customer('broken');
  const page = await shared.page();
  await page.addInitScript(broken);
  await page.addInitScript((text) => sessionStorage.setItem('user-api-token', text), token);
  let downloads = 0;
  page.on('download', () => (downloads += 1));
  await page.goto(`${shared.server.origin}/dashboard#/data`);
  await begin(page);
  const alert = card(page).getByRole('alert');
  await alert.getByText('The download broke off').waitFor();
  await alert.getByText(/nothing was saved/).waitFor();
  assert.equal(downloads, 0);
  await alert.getByRole('button', { name: 'Try again' }).click();
  await genuine(page);
  await shared.close(page);
});

test('a slow download shows how much is here, and can be stopped', async () => {
  const { token } = await shared.server.customer('trickle');
  const page = await shared.page();
  await page.addInitScript(slow);
  await page.addInitScript((text) => sessionStorage.setItem('user-api-token', text), token);
  await page.goto(`${shared.server.origin}/dashboard#/data`);
  await begin(page);
  await card(page).getByText(/\d kB so far/).waitFor();
  const before = await card(page).locator('.amount').innerText();
  await page.waitForFunction((old) => document.querySelector('.amount')?.textContent !== old, before);
  await card(page).getByRole('button', { name: 'Stop' }).click();
  await page.getByRole('button', { name: 'Export everything' }).waitFor();
  assert.equal(await page.getByRole('alert').count(), 0);
  await shared.close(page);
});

test('an archive that is too large for the page is left to other tools, by name', async () => {
  const { token } = await shared.server.customer('huge');
  const page = await shared.page();
  await page.addInitScript(huge);
  await page.addInitScript((text) => sessionStorage.setItem('user-api-token', text), token);
  await page.goto(`${shared.server.origin}/dashboard#/data`);
  await begin(page);
  const alert = card(page).getByRole('alert');
  await alert.getByText('at most 512 MB').waitFor();
  assert.match(await alert.innerText(), /user-api verify export\.zip --jwks keys\.json/);
  assert.match(await alert.innerText(), /curl -H "Authorization: Bearer \$TOKEN" -o export\.zip \S+\/customer\/me\/export/);
  await shared.close(page);
});

test('where the check cannot be loaded, that is said and nothing else, and it is tried again without another download', async () => {
  const { token } = await shared.server.customer('unchecked');
  const page = await shared.open(token, '/data');
  await page.context().route('**/*.wasm', (route) => route.abort());
  let exports = 0;
  page.on('request', (request) => (exports += request.url().endsWith('/export') ? 1 : 0));
  await begin(page);
  await card(page).getByText('That says nothing against it.').waitFor();
  await page.context().unroute('**/*.wasm');
  await card(page).getByRole('button', { name: 'Try again' }).click();
  await genuine(page);
  assert.equal(exports, 1);
  await shared.close(page);
});

test('a suspended customer exports, too', async () => {
  const { token } = await shared.server.customer('halted');
  await shared.server.call('POST', '/admin/customers/halted/suspend', { token: await shared.server.admin(), body: { reason: 'x' } });
  const page = await shared.open(token, '/data');
  await begin(page);
  await genuine(page);
  await shared.close(page);
});

test('who is not the owner is told so and asks for nothing that would be refused', async () => {
  const { claims, token } = await shared.server.customer('company');
  const member = tokenFor({ ...claims, sub: userId('member'), email: 'member@example.com' });
  const page = await shared.open(member, '/');
  await settled(page);
  for (const name of ['API keys', 'Export and erasure']) {
    await page.getByRole('link', { name }).click();
    await page.getByText('Only the owner of this customer can').first().waitFor();
  }
  await settled(page);
  for (const name of ['Export everything', 'Erase this customer…']) {
    assert.equal(await page.getByRole('button', { name }).count(), 0);
  }
  const { data } = await shared.server.call('GET', '/customer/me/audit?outcome=forbidden', { token });
  assert.deepEqual(data, []);
  // Even if the page believed otherwise, the service's word counts.
  await page.route('**/session', async (route) => {
    const response = await route.fetch();
    await route.fulfill({ response, json: { ...(await response.json()), isOwner: true } });
  });
  await page.reload();
  await begin(page);
  await card(page).getByRole('alert').getByText('Only the owner of the customer may do this.').waitFor();
  await shared.close(page);
});
