// Every view, with something in it, for what is looked at in all of them.
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
  return {
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
  };
}
