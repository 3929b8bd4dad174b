// What an API key may be allowed, in words.
import type { components } from '@user-api/client';

export type Scope = components['schemas']['Scope'];

export const SCOPES: readonly (readonly [Scope, string])[] = [
  ['customer:read', 'Read the profile and the status'],
  ['customer:write', 'Change the profile'],
  ['usage:read', 'Read the usage'],
  ['audit:read', 'Read the audit log'],
  ['limits:consume', 'Spend of limits'],
  ['users:read', 'Read users'],
  ['preferences:write', 'Change preferences'],
];
