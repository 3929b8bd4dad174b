// What front and object share.

export type Caller =
  | { kind: 'user'; customerId: string; subject: string; jti: string }
  | { kind: 'key'; customerId: string; digest: string }

/** Where a request comes from, for the audit log. */
export interface Origin {
  requestId: string
  ip: string | undefined
  userAgent: string | undefined
}

export interface Outcome {
  status: number
  body: string | null
  headers: Record<string, string>
}

export function problemBody(status: number, code: string, members: object = {}): string {
  return JSON.stringify({ type: `/problems/${code}`, title: code.replaceAll('_', ' '), status, code, ...members })
}

export function problem(status: number, code: string, headers: Record<string, string> = {}): Response {
  const all = { ...headers, 'Content-Type': 'application/problem+json' }
  return new Response(problemBody(status, code), { status, headers: all })
}

declare global {
  // In V8 since 13.8; TypeScript's own library does not name it yet.
  interface Uint8Array {
    toHex(): string
  }
}
