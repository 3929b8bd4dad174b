// The front: checks the credential, hands the request to the customer's object, dresses the answer.
import { Hono } from 'hono'
import { createMiddleware } from 'hono/factory'
import { HTTPException } from 'hono/http-exception'
import { createLocalJWKSet, errors, jwtVerify, type JWTVerifyGetKey } from 'jose'
import { problem, type Caller, type Origin, type Outcome } from './api'
import type { CustomerObject } from './customer'

export { CustomerObject } from './customer'

export interface Env {
  CUSTOMERS: DurableObjectNamespace<CustomerObject>
  JWT_SECRET: string
  JWT_ISSUER: string
  JWT_AUDIENCE: string
  JWKS: string
  SERVICE_KEY: string
  RATE_LIMITS: string
  TIGHT_LIMITS: string
  GROUP_COMMIT: string | null
}

type App = { Bindings: Env; Variables: { caller: Caller; origin: Origin } }

const MAX_BODY_BYTES = 262_144

const COMMON_HEADERS = {
  'Cache-Control': 'private, no-store',
  'Content-Security-Policy': "default-src 'none'; frame-ancestors 'none'",
  'Referrer-Policy': 'no-referrer',
  'Strict-Transport-Security': 'max-age=63072000; includeSubDomains',
  Vary: 'Authorization, Cookie, Origin, X-API-Key, X-Encrypt-Response, X-Service-Key',
  'X-Content-Type-Options': 'nosniff',
}

// Imported once an isolate: a CryptoKey for the secret, and jose's own set for the public keys.
let keys: JWTVerifyGetKey | undefined

async function keysOf(env: Env): Promise<JWTVerifyGetKey> {
  if (keys === undefined) {
    const hmac = { name: 'HMAC', hash: 'SHA-256' }
    const secret = await crypto.subtle.importKey('raw', new TextEncoder().encode(env.JWT_SECRET), hmac, false, ['verify'])
    const set = createLocalJWKSet(JSON.parse(env.JWKS))
    keys = (header, token) => (header.alg === 'HS256' ? secret : set(header, token))
  }
  return keys
}

const unauthorized = (code: string) =>
  new HTTPException(401, { res: problem(401, code, { 'WWW-Authenticate': `Bearer error="${code}"` }) })

const user = createMiddleware<App>(async (c, next) => {
  const [scheme, token] = (c.req.header('Authorization') ?? '').split(' ')
  if (scheme !== 'Bearer' || !token) {
    throw unauthorized('authentication_required')
  }
  try {
    const { payload } = await jwtVerify(token, await keysOf(c.env), {
      algorithms: ['HS256', 'RS256', 'ES256', 'EdDSA'],
      issuer: c.env.JWT_ISSUER,
      audience: c.env.JWT_AUDIENCE,
      requiredClaims: ['sub', 'exp', 'iat', 'jti'],
    })
    if (typeof payload['customerId'] !== 'string') {
      throw unauthorized('invalid_token')
    }
    c.set('caller', { kind: 'user', customerId: payload['customerId'], subject: payload.sub!, jti: payload.jti! })
  } catch (error) {
    throw error instanceof errors.JWTExpired ? unauthorized('token_expired') : unauthorized('invalid_token')
  }
  await next()
})

// `uak_live_<customerId>.<secret>`: the object knows the digest.
const integration = createMiddleware<App>(async (c, next) => {
  const key = c.req.header('Authorization')?.slice('Bearer '.length) ?? ''
  const [, customerId] = /^uak_live_([a-z0-9_-]+)\.[A-Za-z0-9_-]{20,}$/.exec(key) ?? []
  if (customerId === undefined) {
    throw unauthorized('invalid_api_key')
  }
  const digest = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(key))
  c.set('caller', { kind: 'key', customerId, digest: new Uint8Array(digest).toHex() })
  await next()
})

const origin = createMiddleware<App>(async (c, next) => {
  const requestId = `req_${crypto.randomUUID().replaceAll('-', '')}`
  c.set('origin', { requestId, ip: c.req.header('CF-Connecting-IP'), userAgent: c.req.header('User-Agent') })
  await next()
  c.header('X-Request-Id', requestId)
})

async function jsonBody(request: Request, type: string): Promise<unknown> {
  if (request.headers.get('Content-Type')?.split(';')[0] !== type) {
    throw new HTTPException(415, { res: problem(415, 'unsupported_media_type') })
  }
  if (Number(request.headers.get('Content-Length') ?? 0) > MAX_BODY_BYTES) {
    throw new HTTPException(413, { res: problem(413, 'body_too_large') })
  }
  try {
    return await request.json()
  } catch {
    throw new HTTPException(400, { res: problem(400, 'malformed_body') })
  }
}

const respond = ({ status, body, headers }: Outcome) =>
  new Response(body, { status, headers: { ...COMMON_HEADERS, ...headers } })

const app = new Hono<App>()
app.use(origin)

app.get('/customer/me', user, async (c) => {
  const caller = c.get('caller')
  const stub = c.env.CUSTOMERS.getByName(caller.customerId)
  return respond(await stub.read(caller, c.get('origin'), c.req.header('If-None-Match')))
})

app.patch('/customer/me', user, async (c) => {
  const caller = c.get('caller')
  const patch = await jsonBody(c.req.raw, 'application/merge-patch+json')
  const stub = c.env.CUSTOMERS.getByName(caller.customerId)
  return respond(await stub.patch(caller, c.get('origin'), patch, c.req.header('If-Match')))
})

app.post('/customer/me/limits/consume', integration, async (c) => {
  const caller = c.get('caller')
  const wanted = await jsonBody(c.req.raw, 'application/json')
  const stub = c.env.CUSTOMERS.getByName(caller.customerId)
  return respond(await stub.consume(caller, c.get('origin'), wanted))
})

// Sets the benchmark up: a customer, and a key for it.
app.post('/internal/customers', async (c) => {
  if (c.req.header('X-Service-Key') !== c.env.SERVICE_KEY) {
    throw unauthorized('invalid_service_key')
  }
  const customer = await c.req.json<{ customerId: string; keyDigest?: string; plan?: string }>()
  const stub = c.env.CUSTOMERS.getByName(customer.customerId)
  return respond(await stub.create(customer))
})

app.notFound(() => problem(404, 'route_not_found', COMMON_HEADERS))
app.onError((error) => {
  if (error instanceof HTTPException) {
    return error.getResponse()
  }
  console.error(error)
  return problem(500, 'internal_error', COMMON_HEADERS)
})

export default app
