// What the client must know of single routes beyond their types. test/routes.test.mjs holds it to the document.

/** Routes that anyone may call. Their answers are never sealed. */
const PUBLIC: ReadonlySet<string> = new Set([
  '/.well-known/jwks.json',
  '/.well-known/oauth-protected-resource',
  '/dashboard',
  '/dashboard/{file}',
  '/docs',
  '/docs.css',
  '/health',
  '/openapi.json',
  '/problems/{code}',
  '/ready',
]);
/** Routes that answer text, not JSON. */
const TEXT: ReadonlySet<string> = new Set([
  '/dashboard',
  '/dashboard/{file}',
  '/docs',
  '/docs.css',
  '/internal/import',
  '/problems/{code}',
]);
/** Routes that answer a file, which may be too long to hold. */
const FILES: ReadonlySet<string> = new Set(['/admin/customers/{customerId}/export', '/customer/me/export']);
/** Routes that answer a customer which older services wrap. */
const WRAPPED: ReadonlySet<string> = new Set(['/admin/customers/me', '/customer/me']);
const IMPORT = '/internal/import';
/** Unsafe routes that take no idempotency key, since they are safe to repeat by themselves. */
const KEYLESS: ReadonlySet<string> = new Set([IMPORT]);

/** Whether its answers are text, to be handed on as they are. */
export const answersText = (path: string): boolean => TEXT.has(path);

/** Whether its answers are lines of JSON. */
export const answersLines = (path: string): boolean => path === IMPORT;

/** Whether its answer is a file, for `download`. */
export const answersFile = (path: string): boolean => FILES.has(path);

/** Whether its answer is a customer that may come in the wrapper of an older service. */
export const mayBeWrapped = (path: string): boolean => WRAPPED.has(path);

/** Whether its answers can be sealed. Of a file only what is said instead of it. */
export const isSealable = (path: string): boolean => !PUBLIC.has(path);

/** Whether a change takes an idempotency key. */
export const takesKey = (path: string): boolean => !KEYLESS.has(path);

/** The media type in which it takes its body. */
export function bodyType(method: string, path: string): string {
  if (path === IMPORT) {
    return 'application/x-ndjson';
  }
  return method === 'patch' ? 'application/merge-patch+json' : 'application/json';
}
