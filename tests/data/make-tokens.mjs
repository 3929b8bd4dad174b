// Makes tests/data/tokens-jose.json with the npm package `jose`. Usage: npm i jose && node make-tokens.mjs > tokens-jose.json
import { SignJWT, exportJWK, generateKeyPair } from 'jose'
import { createRequire } from 'node:module'

const now = 1_800_000_000
const secret = 'a secret of the older login service, 40+'
const claims = {
  iss: 'https://login.example', aud: ['cust_pinned0001', 'other'], sub: 'cust_pinned0001', customerId: 'cust_pinned0001',
  iat: now - 10, exp: now + 890, scope: 'profile customer:owner', csrf: 'csrf-value', keyId: 'key_1', jti: 'jti-1',
  email_verified: true,
}
const keys = [], good = {}
for (const [name, alg] of [['RS256', 'RS256'], ['ES256', 'ES256'], ['EdDSA', 'EdDSA'], ['Ed25519', 'Ed25519'], ['RS256 of 4096 bits', 'RS256']]) {
  const { publicKey, privateKey } = await generateKeyPair(alg, { extractable: true, modulusLength: name.includes('4096') ? 4096 : 2048 })
  const kid = `jose-${keys.length}`
  keys.push({ ...(await exportJWK(publicKey)), kid })
  good[name] = await new SignJWT(claims).setProtectedHeader({ alg, kid, typ: 'JWT' }).sign(privateKey)
}
good.HS256 = await new SignJWT(claims).setProtectedHeader({ alg: 'HS256' }).sign(new TextEncoder().encode(secret))
const { version } = createRequire(import.meta.url)('jose/package.json')
console.log(JSON.stringify({ madeBy: `jose ${version}`, now, secret, jwks: { keys }, good }, null, 1))
