// Signing in and out: by a pasted token in development, by cookie otherwise; and what the page's policy says.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { launchBrowser } from '../../scripts/browser.mjs';
import { setUp, settled } from './support/open.mjs';
import { startServer, tokenFor, userId } from './support/server.mjs';

describe('in development', () => {
  const shared = setUp();

  test('a pasted token signs in, and signing out forgets it', async () => {
    const { token } = await shared.server.customer('pasted', { displayName: 'Pasted Ltd' });
    const page = await shared.page();
    await page.goto(`${shared.server.origin}/dashboard`);
    await page.getByRole('heading', { name: 'Sign in' }).waitFor();
    await page.getByLabel('Token').fill('not a token');
    await page.getByRole('button', { name: 'Sign in' }).click();
    await page.getByText('This is no token.').waitFor();
    // As it is printed by `make dev`, with a line break of the terminal in it.
    await page.getByLabel('Token').fill(`TOKEN=${token.slice(0, 40)}\n${token.slice(40)}\n`);
    await page.getByRole('button', { name: 'Sign in' }).click();
    await page.locator('.name', { hasText: 'Pasted Ltd' }).waitFor();
    await page.reload();
    await page.locator('.name', { hasText: 'Pasted Ltd' }).waitFor();
    await page.getByRole('button', { name: 'Sign out' }).click();
    await page.getByLabel('Token').waitFor();
    await page.reload();
    await page.getByLabel('Token').waitFor();
    await shared.close(page);
  });

  test('the address that make dev prints signs in, and keeps no token in it', async () => {
    const { token } = await shared.server.customer('fragment', { displayName: 'Fragment Ltd' });
    const page = await shared.page();
    await page.goto(`${shared.server.origin}/dashboard#token=${token}`);
    await page.locator('.name', { hasText: 'Fragment Ltd' }).waitFor();
    assert.equal(page.url(), `${shared.server.origin}/dashboard`);
    await shared.close(page);
  });

  test('such an address signs in somebody else in the tab that shows the dashboard already', async () => {
    const { token } = await shared.server.customer('second', { displayName: 'Second Ltd' });
    const admin = await shared.server.admin();
    const page = await shared.open(token, '/profile');
    await settled(page);
    await page.evaluate((text) => location.assign(`#token=${text}`), admin);
    await page.locator('.name', { hasText: 'The operators' }).waitFor();
    await page.getByRole('link', { name: 'Customers', exact: true }).waitFor();
    assert.equal(page.url(), `${shared.server.origin}/dashboard`);
    assert.equal(await page.getByText('Second Ltd').count(), 0);
    await page.reload();
    await page.locator('.name', { hasText: 'The operators' }).waitFor();
    // Signed out, too.
    await page.getByRole('button', { name: 'Sign out' }).click();
    await page.getByLabel('Token').waitFor();
    await page.evaluate((text) => location.assign(`#token=${text}`), token);
    await page.locator('.name', { hasText: 'Second Ltd' }).waitFor();
    await shared.close(page);
  });

  test('an expired token leads to signing in, and from there back to where one was', async () => {
    const { token, claims } = await shared.server.customer('expired');
    const page = await shared.open(tokenFor(claims, 2), '/profile');
    await page.getByLabel('Company').waitFor();
    await page.waitForTimeout(2_500);
    await page.getByLabel('Company').fill('Too Late Ltd');
    await page.getByRole('button', { name: 'Save' }).click();
    await page.getByText('Your session has ended.').waitFor();
    await page.getByLabel('Token').fill(token);
    await page.getByRole('button', { name: 'Sign in' }).click();
    await page.getByRole('heading', { name: 'Profile', level: 1 }).waitFor();
    await page.getByLabel('Company').waitFor();
    await shared.close(page);
  });

  test('a revoked token is told so', async () => {
    const { token } = await shared.server.customer('revoked');
    const page = await shared.open(token);
    await settled(page);
    await shared.server.call('POST', '/customer/me/tokens/revoke', { token, body: { all: true } });
    await page.getByRole('link', { name: 'API keys' }).click();
    await page.getByText('was revoked').waitFor();
    await shared.close(page);
  });
});

describe('in production', () => {
  let server;
  let browser;
  before(async () => {
    [server, browser] = await Promise.all([startServer({ ENVIRONMENT: 'production' }), launchBrowser()]);
  });
  after(async () => {
    await browser?.close();
    await server?.stop();
  });

  test('the page takes no pasted token, and names the login service', async () => {
    const { token } = await server.customer('nopaste');
    const page = await browser.newPage();
    await page.goto(`${server.origin}/dashboard#token=${token}`);
    await page.getByRole('link', { name: 'login.browser.test' }).waitFor();
    assert.equal(await page.locator('textarea').count(), 0);
    assert.equal(page.url(), `${server.origin}/dashboard`);
    await page.evaluate((text) => location.assign(`#token=${text}`), token);
    await page.waitForFunction(() => location.hash === '');
    assert.equal(await page.evaluate(() => sessionStorage.length), 0);
    await page.close();
  });

  test('the cookie signs in, and changes go out with the CSRF token of the session', async () => {
    const { claims } = await server.customer('cookie', { displayName: 'Cookie Ltd' });
    const context = await browser.newContext();
    const { hostname } = new URL(server.origin);
    const value = tokenFor({ ...claims, csrf: 'n6SeqA5pmbdQvHJHiTYkPQ' });
    await context.addCookies([{ name: 'auth_token', value, domain: hostname, path: '/', httpOnly: true, sameSite: 'Strict' }]);
    const page = await context.newPage();
    await page.goto(`${server.origin}/dashboard#/profile`);
    await page.getByLabel('Company').fill('Crumb Ltd');
    const sent = page.waitForRequest((request) => request.method() === 'PATCH');
    await page.getByRole('button', { name: 'Save' }).click();
    assert.equal((await (await sent).allHeaders())['x-csrf-token'], 'n6SeqA5pmbdQvHJHiTYkPQ');
    await page.getByText('Saved', { exact: true }).waitFor();
    assert.equal(await page.getByRole('button', { name: 'Sign out' }).count(), 0);
    await context.close();
  });

  test('who signs in by cookie after somebody else sees nothing of them', async () => {
    const { claims } = await server.customer('desk');
    const context = await browser.newContext();
    const { hostname } = new URL(server.origin);
    const signIn = async (name) => {
      const value = tokenFor({ ...claims, sub: userId(name), email: `${name}@example.com` });
      await context.addCookies([{ name: 'auth_token', value, domain: hostname, path: '/', httpOnly: true, sameSite: 'Strict' }]);
    };
    await signIn('first');
    const page = await context.newPage();
    await page.goto(`${server.origin}/dashboard#/user`);
    await page.getByText('first@example.com').waitFor();
    await context.clearCookies();
    await page.getByRole('link', { name: 'Overview' }).click();
    await page.getByRole('heading', { name: 'Sign in' }).waitFor();
    await signIn('second');
    await page.getByRole('button', { name: 'I have signed in' }).click();
    await page.getByRole('link', { name: 'You and preferences' }).click();
    await page.getByText('second@example.com').waitFor();
    assert.equal(await page.getByText('first@example.com').count(), 0);
    await context.close();
  });

  test('the policy lets nothing inline and nothing foreign in, and files are kept for ever by their names', async () => {
    const answer = await fetch(`${server.origin}/dashboard`);
    const policy = answer.headers.get('Content-Security-Policy');
    assert.match(policy, /^default-src 'none'; script-src 'self'; style-src 'self';/);
    assert.doesNotMatch(policy, /unsafe|https?:|\*|data:/);
    assert.equal(answer.headers.get('Cache-Control'), 'private, no-store');
    const html = await answer.text();
    assert.doesNotMatch(html, /<script(?![^>]*\ssrc=)|<style|\sstyle=|\son\w+=|https?:\/\//);
    for (const [, path] of html.matchAll(/(?:src|href)="(\/dashboard\/[^"]+)"/g)) {
      const file = await fetch(server.origin + path);
      assert.equal(file.status, 200, path);
      assert.equal(file.headers.get('Cache-Control'), 'public, max-age=31536000, immutable');
      assert.equal(file.headers.get('X-Content-Type-Options'), 'nosniff');
    }
    for (const path of ['/dashboard/nothing-here.js', '/dashboard/development.html', '/dashboard/..%2fdocs.css', '/dashboard/']) {
      assert.equal((await fetch(server.origin + path)).status, 404, path);
    }
  });
});
