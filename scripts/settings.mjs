// Every setting by name, and which of them a deployment needs. Their forms are in docs/OPERATIONS.md; the worker
// alone judges values. workerd.capnp binds the same names: scripts/test/settings.test.mjs holds them together.

export const SECRETS = ['INDEX_KEY', 'JWT_SECRET', 'MASTER_KEYS', 'SERVICE_API_KEYS', 'SIGNING_KEYS'];

export const PLAIN = [
  'ADMIN_CLAIM',
  'ALLOWED_ORIGINS',
  'AUDIT_RETENTION_DAYS',
  'DIRECTORY_SHARDS',
  'ENVIRONMENT',
  'ERASURE_GRACE_DAYS',
  'JWKS',
  'JWKS_URL',
  'JWT_AUDIENCE',
  'JWT_ISSUER',
  'JWT_MAX_TTL_SECONDS',
  'LEGACY_API_KEYS',
  'OBJECT_DEADLINE_MS',
  'RATE_LIMITS',
  'RESPONSE_ENCRYPTION',
  'SUPER_ADMIN_EMAILS',
];

export const SETTINGS = [...SECRETS, ...PLAIN].sort();

// What production refuses to start without: each entry is met by any one of its names.
export const REQUIRED_SECRETS = [
  ['JWT_SECRET', 'JWKS_URL', 'JWKS'],
  ['SERVICE_API_KEYS'],
  ['MASTER_KEYS'],
  ['INDEX_KEY'],
  ['SIGNING_KEYS'],
];
export const REQUIRED_PLAIN = ['JWT_ISSUER', 'JWT_AUDIENCE'];
