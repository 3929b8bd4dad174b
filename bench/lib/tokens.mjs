// The settings that all subjects share, and whose requests they get: the same tokens, the same header fields.
import { createHmac, generateKeyPairSync, sign } from 'node:crypto';

export const SECRET = 'bench-secret-0123456789abcdef0123456789abcdef';
export const ISSUER = 'https://login.bench.test';
export const AUDIENCE = 'https://api.bench.test';
export const SERVICE_KEY = 'bench-service-key-0123456789abcdef0123456789';

const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
export const JWKS = JSON.stringify({ keys: [{ ...publicKey.export({ format: 'jwk' }), kid: 'ec-1', alg: 'ES256', use: 'sig' }] });

// What a browser sends behind Cloudflare. It lengthens the requests of all subjects alike, and user-api and the peer
// write address and browser into their logs.
const AT_THE_EDGE = {
  'CF-Connecting-IP': '203.0.113.9', 'CF-IPCountry': 'DE', 'CF-Ray': '8f1c2d3e4f5a6b7c-FRA', 'CF-Visitor': '{"scheme":"https"}',
  'X-Forwarded-For': '203.0.113.9', 'X-Forwarded-Proto': 'https', 'CDN-Loop': 'cloudflare; loops=1',
};
const BROWSER = {
  'User-Agent': 'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36',
  Accept: 'application/json', 'Accept-Language': 'en-GB,en;q=0.9,de;q=0.8', 'Accept-Encoding': 'gzip, br',
  Referer: 'https://app.bench.test/profile', 'Sec-Fetch-Dest': 'empty', 'Sec-Fetch-Mode': 'cors', 'Sec-Fetch-Site': 'same-origin',
  'Sec-CH-UA': '"Chromium";v="142", "Not.A/Brand";v="99"', 'Sec-CH-UA-Mobile': '?0', 'Sec-CH-UA-Platform': '"Linux"', ...AT_THE_EDGE,
};
const PROGRAM = { 'User-Agent': 'acme-sync/2.4.1 (+https://acme.test/bot)', Accept: 'application/json', 'Accept-Encoding': 'gzip', ...AT_THE_EDGE };

/** The header fields of a user's request, which comes from a browser. */
export const byUser = (credential) => ({ Authorization: `Bearer ${credential}`, ...BROWSER });
/** Those of an integration's, which comes from a program. */
export const byProgram = (credential) => ({ Authorization: `Bearer ${credential}`, ...PROGRAM });

/** A token of the customer's user; `number` makes it another one. */
export function token(customer, { algorithm = 'HS256', number = 0, isAdmin = false } = {}) {
  const now = Math.floor(Date.now() / 1000);
  const claims = {
    iss: ISSUER, aud: AUDIENCE, sub: `auth0|${customer}`, customerId: customer, email: `${customer}@example.com`,
    email_verified: true, jti: `jti-${customer}-${number}`, scope: 'customer:owner', iat: now - 1, exp: now + 36_000,
    ...(isAdmin ? { isSuperAdmin: true } : {}),
  };
  const part = (value) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const input = `${part({ alg: algorithm, typ: 'JWT', kid: algorithm === 'HS256' ? 'hs-1' : 'ec-1' })}.${part(claims)}`;
  const signature = algorithm === 'HS256'
    ? createHmac('sha256', SECRET).update(input).digest()
    : sign('sha256', Buffer.from(input), { key: privateKey, dsaEncoding: 'ieee-p1363' });
  return `${input}.${signature.toString('base64url')}`;
}
