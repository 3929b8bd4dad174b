// Token buckets: `q` units in `w` seconds, all policies or none.

export interface Policy {
  name: string
  q: number
  w: number
}

/** What is left of a policy, and when that was so. */
export interface Bucket {
  left: number
  at: number
}

export type Buckets = Record<string, Bucket>

export interface Verdict {
  allowed: boolean
  buckets: Buckets
  retryAfter: number
}

const refilled = (policy: Policy, bucket: Bucket | undefined, now: number): number => {
  if (bucket === undefined) {
    return policy.q
  }
  const elapsed = Math.max(0, now - bucket.at)
  return Math.min(policy.q, bucket.left + (elapsed * policy.q) / (policy.w * 1000))
}

export function spend(policies: Policy[], costs: Record<string, number>, before: Buckets, now: number): Verdict {
  const buckets: Buckets = { ...before }
  let retryAfter = 0
  for (const policy of policies) {
    const cost = costs[policy.name] ?? 0
    const left = refilled(policy, before[policy.name], now)
    if (left < cost) {
      retryAfter = Math.max(retryAfter, Math.ceil(((cost - left) * policy.w) / policy.q))
    }
    buckets[policy.name] = { left: left - cost, at: Math.max(now, before[policy.name]?.at ?? 0) }
  }
  return retryAfter > 0 ? { allowed: false, buckets: before, retryAfter } : { allowed: true, buckets, retryAfter }
}

export function headers(policies: Policy[], { buckets, retryAfter }: Verdict): Record<string, string> {
  const left = (policy: Policy) => Math.max(0, Math.floor(buckets[policy.name]?.left ?? policy.q))
  const next = (policy: Policy) => Math.ceil(policy.w / policy.q)
  const told: Record<string, string> = {
    'RateLimit-Policy': policies.map((policy) => `"${policy.name}";q=${policy.q};w=${policy.w}`).join(','),
    RateLimit: policies.map((policy) => `"${policy.name}";r=${left(policy)};t=${next(policy)}`).join(','),
  }
  if (retryAfter > 0) {
    told['Retry-After'] = String(retryAfter)
  }
  return told
}
