// Every view, with something in it, for what is looked at in all of them; and what comes up on top of them.
import { setTimeout as sleep } from 'node:timers/promises';
import { huge, slow } from './streams.mjs';

export async function furnish(server) {
  const owner = await server.customer('nordwind', {
    displayName: 'Nordwind Studio',
    name: 'Ada Lindqvist',
    companyName: 'Nordwind Studio AB',
    plan: 'pro',
    metadata: { colour: 'green', region: 'eu-north' },
    features: { betaReports: true, exportV2: false },
  });
  const { token } = owner;
  const admin = await server.admin();
  const report = await server.call('POST', '/customer/me/api-keys', {
    token,
    body: { name: 'Nightly report', scopes: ['customer:read', 'usage:read', 'limits:consume'], limit: { q: 100, w: 3_600 } },
  });
  const site = await server.call('POST', '/customer/me/api-keys', {
    token,
    body: { name: 'Website', scopes: ['customer:read'], allowedOrigins: ['https://www.nordwind.example'] },
  });
  await server.call('DELETE', `/customer/me/api-keys/${site.keyId}`, { token });
  await server.call('PUT', '/customer/me/limits', { token, body: [{ name: 'mail', q: 500, w: 86_400 }] });
  for (let count = 0; count < 8; count += 1) {
    await server.call('GET', '/customer/me', { headers: { 'X-API-Key': report.secret } });
  }
  await server.call('POST', '/customer/me/limits/consume', { headers: { 'X-API-Key': report.secret }, body: { policies: [{ name: 'mail', cost: 430 }] } });
  await server.call('PATCH', '/customer/me', { token, body: { companyName: 'Nordwind AB' } });
  await server.call('GET', '/admin/customers/nordwind', { token: admin });
  const others = [['Alpine Books', 'free'], ['Birch & Sons', 'starter'], ['Cedar Foods', 'pro'], ['Dune Travel', 'enterprise']];
  for (const [displayName, plan] of others) {
    await server.customer(displayName.split(' ')[0].toLowerCase(), { displayName, plan });
  }
  await server.call('POST', '/admin/customers/cedar/suspend', { token: admin, body: { reason: 'The invoice of October is unpaid.' } });
  const leaving = await server.customer('leaving', { displayName: 'Leaving Ltd' });
  await server.call('POST', '/customer/me/erasure', { token: leaving.token, body: {} });
  const gone = await server.customer('gone');
  await server.call('POST', '/admin/customers/gone/erasure', { token: admin, body: { reason: 'asked by letter', graceDays: 0 } });
  while ((await server.call('GET', '/admin/customers/gone/erasure', { token: admin })).certificate == null) {
    await sleep(500);
  }
  const cedar = await server.customer('cedar');
  const [secretive, edited] = await Promise.all(['secretive', 'edited'].map((id) => server.customer(id, { name: 'Ada', companyName: 'Edited Ltd' })));
  const views = {
    overview: [token, '/'],
    profile: [token, '/profile'],
    user: [token, '/user'],
    usage: [token, '/usage'],
    keys: [token, '/keys'],
    audit: [token, '/audit'],
    data: [token, '/data'],
    erasure: [leaving.token, '/data'],
    customers: [admin, '/admin'],
    customer: [admin, '/admin/customers/cedar'],
    operators: [admin, '/admin/audit'],
    nowhere: [token, '/nowhere'],
    suspended: [cedar.token, '/'],
    erased: [gone.token, '/'],
    'erased-customer': [admin, '/admin/customers/gone'],
  };
  return { views, states: statesOf({ server, token, admin, secretive, edited }) };
}

/** States by their name: who comes where, what is done there, and what is changed before the page runs. */
function statesOf({ server, token, admin, secretive, edited }) {
  let changes = 0;
  const dialog = (page) => page.getByRole('dialog');
  const press = (name) => async (page) => page.getByRole('button', { name, exact: true }).click();
  const flipped = async (route) => {
    const response = await route.fetch();
    const bytes = await response.body();
    bytes[bytes.indexOf('"action":"customer.') + 12] ^= 1;
    await route.fulfill({ response, body: bytes });
  };
  const exported = async (page) => {
    await press('Export everything')(page);
    await page.getByText('Checked: genuine and complete').waitFor();
  };
  return {
    'key-fault': [token, '/keys', async (page) => {
      await press('New key')(page);
      await press('Make the key')(page);
      await dialog(page).locator('.fault:visible').waitFor();
    }],
    secret: [secretive.token, '/keys', async (page) => {
      await press('New key')(page);
      await dialog(page).getByLabel('Name').fill('Nightly report');
      await press('Make the key')(page);
      await page.getByLabel('I have kept it').waitFor();
    }],
    rotate: [token, '/keys', press('Rotate Nightly report')],
    revoke: [token, '/keys', press('Revoke Nightly report')],
    erase: [token, '/data', press('Erase this customer…')],
    suspend: [admin, '/admin/customers/nordwind', press('Suspend…')],
    conflict: [edited.token, '/profile', async (page) => {
      await page.getByLabel('Company').fill('Mine Ltd');
      changes += 1;
      const theirs = `Theirs Ltd ${changes}`;
      await server.call('PATCH', '/customer/me', { token: edited.token, body: { companyName: theirs, name: 'Bo' } });
      await press('Save')(page);
      await page.getByText('Somebody else changed this').waitFor();
    }],
    failure: [token, '/usage', async (page) => page.getByRole('alert').waitFor(), (page) => page.route('**/customer/me/usage', (route) => route.abort())],
    waiting: [token, '/', async (page) => page.getByText('The network is slow').first().waitFor(), (page) => page.route('**/customer/**', () => {})],
    entry: [token, '/audit', async (page) => page.locator('.entry summary').nth(1).click()],
    export: [token, '/data', exported],
    exporting: [token, '/data', async (page) => {
      await press('Export everything')(page);
      await page.getByText('so far').waitFor();
    }, (page) => page.addInitScript(slow)],
    'export-fault': [token, '/data', async (page) => {
      await press('Export everything')(page);
      await page.getByText('This archive is not what the service signed').waitFor();
    }, (page) => page.route('**/customer/me/export', flipped)],
    'export-large': [token, '/data', async (page) => {
      await press('Export everything')(page);
      await page.getByText('too large for the page').waitFor();
    }, (page) => page.addInitScript(huge)],
    certificate: [admin, '/admin/customers/gone', async (page) => {
      await press('Check it')(page);
      await page.getByText('Checked: genuine').waitFor();
    }],
  };
}
