// One customer: its record, its limits and its audit log. Every request is one synchronous turn, so that the
// platform commits all of its rows together, and holds the answer until they are durable. The record and the state of
// the limits stay in memory, as the platform's documentation advises; only this object writes them.
//
// With GROUP_COMMIT (the subject `hono-grouped`) the requests that have arrived by the next turn share one
// transaction, each in a savepoint of its own: what that alone gains. It is no part of the peer proper.
import { DurableObject } from 'cloudflare:workers'
import { problemBody, type Caller, type Origin, type Outcome } from './api'
import type { Env } from './index'
import { headers as limitHeaders, spend, type Buckets, type Policy } from './limits'

interface Profile {
  email: string | null
  name: string | null
  companyName: string | null
  displayName: string | null
  metadata: Record<string, string>
}

type Row = {
  customer_id: string
  incarnation: string
  version: number
  status: string
  status_reason: string | null
  status_changed_at: number
  plan: string
  features: string
  profile: string
  created_at: number
  updated_at: number
  last_seen_at: number | null
}

/** The record as it is kept in memory: the row, and its documents parsed. */
type Known = { row: Row; profile: Profile; features: object }

type Step = { outcome: Outcome; changed?: object }

type Waiting = { work: () => Outcome; resolve: (outcome: Outcome) => void; reject: (error: unknown) => void }

const HOUR_MS = 3_600_000
const WRITABLE = new Set(['name', 'companyName', 'displayName', 'metadata'])
const iso = (ms: number | null) => (ms === null ? null : new Date(ms).toISOString())

export class CustomerObject extends DurableObject<Env> {
  readonly #sql: SqlStorage
  readonly #isGrouped: boolean
  #policies: Policy[] = []
  #buckets: Buckets | undefined
  #known: Known | undefined
  #queue: Waiting[] = []

  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, env)
    this.#sql = ctx.storage.sql
    this.#isGrouped = env.GROUP_COMMIT === '1'
    this.#sql.exec(`
      CREATE TABLE IF NOT EXISTS customer (
        one INTEGER PRIMARY KEY CHECK (one = 1), customer_id TEXT NOT NULL, incarnation TEXT NOT NULL,
        version INTEGER NOT NULL, status TEXT NOT NULL, status_reason TEXT, status_changed_at INTEGER NOT NULL, plan TEXT NOT NULL, features TEXT NOT NULL,
        profile TEXT NOT NULL, created_at INTEGER NOT NULL, updated_at INTEGER NOT NULL, last_seen_at INTEGER
      ) STRICT;
      CREATE TABLE IF NOT EXISTS limiter (one INTEGER PRIMARY KEY CHECK (one = 1), buckets TEXT NOT NULL) STRICT;
      CREATE TABLE IF NOT EXISTS api_keys (digest TEXT PRIMARY KEY, scopes TEXT NOT NULL) STRICT, WITHOUT ROWID;
      CREATE TABLE IF NOT EXISTS audit (
        seq INTEGER PRIMARY KEY, at INTEGER NOT NULL, actor TEXT NOT NULL, action TEXT NOT NULL,
        outcome TEXT NOT NULL, request_id TEXT NOT NULL, detail TEXT NOT NULL
      ) STRICT;`)
    const [row] = this.#sql.exec<{ plan: string }>('SELECT plan FROM customer').toArray()
    this.#policies = this.#policiesOf(row?.plan)
  }

  #policiesOf(plan = 'pro'): Policy[] {
    return JSON.parse(plan === 'free' ? this.env.TIGHT_LIMITS : this.env.RATE_LIMITS)
  }

  create({ customerId, keyDigest, plan = 'pro' }: { customerId: string; keyDigest?: string; plan?: string }): Outcome {
    const now = Date.now()
    const profile: Profile = {
      email: `${customerId}@example.com`,
      name: 'Ada Lovelace',
      companyName: 'Analytical Engines Ltd',
      displayName: null,
      metadata: {},
    }
    const incarnation = crypto.getRandomValues(new Uint8Array(8)).toHex()
    this.#sql.exec(
      `INSERT INTO customer VALUES (1, ?, ?, 1, 'active', NULL, ?, ?, '{}', ?, ?, ?, NULL)`,
      customerId, incarnation, now, plan, JSON.stringify(profile), now, now,
    )
    this.#policies = this.#policiesOf(plan)
    if (keyDigest !== undefined) {
      this.#sql.exec(`INSERT INTO api_keys VALUES (?, 'limits:consume')`, keyDigest)
    }
    return { status: 201, body: JSON.stringify({ created: true, customerId }), headers: {} }
  }

  read(caller: Caller, origin: Origin, ifNoneMatch?: string): Outcome | Promise<Outcome> {
    return this.#charged(caller, origin, 'customer.read', (known) => {
      const etag = tag(known.row)
      return ifNoneMatch === etag
        ? { outcome: { status: 304, body: null, headers: { ETag: etag } } }
        : { outcome: shown(known) }
    })
  }

  patch(caller: Caller, origin: Origin, patch: unknown, ifMatch?: string): Outcome | Promise<Outcome> {
    return this.#charged(caller, origin, 'customer.update', (known, now) => {
      const { row, profile: before } = known
      if (ifMatch !== undefined && ifMatch !== tag(row)) {
        return { outcome: refusal(412, 'stale_version') }
      }
      const after = merged(before, patch)
      if (after === undefined) {
        return { outcome: refusal(422, 'validation_failed') }
      }
      const profile = JSON.stringify(after)
      if (profile === row.profile) {
        return { outcome: shown(known) }
      }
      const changed = { ...row, profile, version: row.version + 1, updated_at: now }
      this.#sql.exec('UPDATE customer SET profile = ?, version = ?, updated_at = ?', profile, changed.version, now)
      this.#known = { ...known, row: changed, profile: after }
      return { outcome: shown(this.#known), changed: { before, after } }
    })
  }

  consume(caller: Caller, origin: Origin, wanted: unknown): Outcome | Promise<Outcome> {
    return this.#turn(() => this.#consumed(caller, origin, wanted))
  }

  #consumed(caller: Caller, origin: Origin, wanted: unknown): Outcome {
    const costs: Record<string, number> = {}
    for (const { name, cost = 1 } of (wanted as { policies?: { name: string; cost?: number }[] }).policies ?? []) {
      if (!this.#policies.some((policy) => policy.name === name) || !Number.isInteger(cost) || cost < 1) {
        return refusal(422, 'validation_failed')
      }
      costs[name] = cost
    }
    const now = Date.now()
    if (caller.kind !== 'key' || !this.#sql.exec('SELECT 1 FROM api_keys WHERE digest = ?', caller.digest).toArray().length) {
      return refusal(401, 'invalid_api_key')
    }
    const verdict = spend(this.#policies, costs, this.#stored(), now)
    if (!verdict.allowed) {
      return { ...refusal(429, 'quota_exceeded'), headers: limitHeaders(this.#policies, verdict) }
    }
    this.#keep(verdict.buckets)
    this.#log(caller, origin, 'limits.consume', 'ok', { costs }, now)
    const policies = this.#policies
      .filter(({ name }) => name in costs)
      .map(({ name, q, w }) => {
        const left = verdict.buckets[name]!.left
        return { name, remaining: Math.floor(left), resetSeconds: Math.ceil(((q - left) * w) / q) }
      })
    const body = JSON.stringify({ allowed: true, policies })
    return { status: 200, body, headers: { 'Content-Type': 'application/json' } }
  }

  /** What every request of a user has in common: existence, limit, visit, audit row. */
  #charged(caller: Caller, origin: Origin, action: string, work: (known: Known, now: number) => Step): Outcome | Promise<Outcome> {
    return this.#turn(() => {
      const now = Date.now()
      const known = this.#load()
      if (known === undefined || known.row.customer_id !== caller.customerId) {
        return refusal(404, 'customer_not_found')
      }
      const costs = Object.fromEntries(this.#policies.map(({ name }) => [name, 1]))
      const verdict = spend(this.#policies, costs, this.#stored(), now)
      const told = limitHeaders(this.#policies, verdict)
      if (!verdict.allowed) {
        return { ...refusal(429, 'quota_exceeded'), headers: { ...refusal(429, '').headers, ...told } }
      }
      const hour = now - (now % HOUR_MS)
      if (known.row.last_seen_at !== hour) {
        known.row.last_seen_at = hour
        this.#sql.exec('UPDATE customer SET last_seen_at = ?', hour)
      }
      const { outcome, changed } = work(known, now)
      this.#keep(verdict.buckets)
      this.#log(caller, origin, action, outcome.status < 400 ? 'ok' : String(outcome.status), changed ?? {}, now)
      return { ...outcome, headers: { ...outcome.headers, ...told } }
    })
  }

  /** One request's work: at once, or in a transaction with what else has arrived by the next turn. */
  #turn(work: () => Outcome): Outcome | Promise<Outcome> {
    if (!this.#isGrouped) {
      return work()
    }
    return new Promise((resolve, reject) => {
      this.#queue.push({ work, resolve, reject })
      if (this.#queue.length === 1) {
        setTimeout(() => this.#flush(), 0)
      }
    })
  }

  #flush(): void {
    const queue = this.#queue.splice(0)
    const answers: (() => void)[] = []
    try {
      this.ctx.storage.transactionSync(() => {
        for (const { work, resolve, reject } of queue) {
          try {
            const outcome = this.ctx.storage.transactionSync(work)
            answers.push(() => resolve(outcome))
          } catch (error) {
            this.#forget()
            answers.push(() => reject(error))
          }
        }
      })
      answers.forEach((answer) => answer())
    } catch (error) {
      this.#forget()
      queue.forEach(({ reject }) => reject(error))
    }
  }

  #forget(): void {
    this.#known = undefined
    this.#buckets = undefined
  }

  #load(): Known | undefined {
    if (this.#known === undefined) {
      const [row] = this.#sql.exec<Row>('SELECT * FROM customer').toArray()
      this.#known = row && { row, profile: JSON.parse(row.profile), features: JSON.parse(row.features) }
    }
    return this.#known
  }

  #stored(): Buckets {
    if (this.#buckets === undefined) {
      const [row] = this.#sql.exec<{ buckets: string }>('SELECT buckets FROM limiter').toArray()
      this.#buckets = row === undefined ? {} : (JSON.parse(row.buckets) as Buckets)
    }
    return this.#buckets
  }

  #keep(buckets: Buckets): void {
    this.#buckets = buckets
    this.#sql.exec('INSERT OR REPLACE INTO limiter VALUES (1, ?)', JSON.stringify(buckets))
  }

  #log(caller: Caller, { requestId, ip, userAgent }: Origin, action: string, outcome: string, detail: object, now: number): void {
    const [actor, jti] = caller.kind === 'user' ? [caller.subject, caller.jti] : [caller.digest.slice(0, 12), undefined]
    this.#sql.exec(
      'INSERT INTO audit (at, actor, action, outcome, request_id, detail) VALUES (?, ?, ?, ?, ?, ?)',
      now, actor, action, outcome, requestId, JSON.stringify({ ...detail, ip, jti, userAgent }),
    )
  }
}

const tag = (row: Row) => `"${row.incarnation}.${row.version}"`

function shown({ row, profile, features }: Known): Outcome {
  const { email, name, companyName, displayName, metadata } = profile
  const body = JSON.stringify({
    customerId: row.customer_id,
    email,
    name,
    companyName,
    displayName,
    plan: row.plan,
    status: row.status,
    statusReason: row.status_reason,
    statusChangedAt: iso(row.status_changed_at),
    features,
    metadata,
    createdAt: iso(row.created_at),
    updatedAt: iso(row.updated_at),
    lastSeenAt: iso(row.last_seen_at),
  })
  return { status: 200, body, headers: { 'Content-Type': 'application/json', ETag: tag(row) } }
}

const refusal = (status: number, code: string): Outcome => ({
  status,
  body: problemBody(status, code),
  headers: { 'Content-Type': 'application/problem+json' },
})

/** RFC 7396, for the fields that a user may write; undefined where the patch is none of those. */
function merged(before: Profile, patch: unknown): Profile | undefined {
  if (typeof patch !== 'object' || patch === null || Array.isArray(patch)) {
    return undefined
  }
  const after = { ...before, metadata: { ...before.metadata } }
  for (const [field, value] of Object.entries(patch)) {
    if (!WRITABLE.has(field)) {
      return undefined
    }
    if (field === 'metadata') {
      for (const [key, item] of Object.entries((value ?? {}) as Record<string, unknown>)) {
        if (item === null) {
          delete after.metadata[key]
        } else if (typeof item === 'string' && item.length <= 500) {
          after.metadata[key] = item
        } else {
          return undefined
        }
      }
    } else if (value === null || (typeof value === 'string' && value.length > 0 && value.length <= 200)) {
      after[field as 'name'] = value
    } else {
      return undefined
    }
  }
  return after
}
