// The audit log in words. A word that this page does not know yet is shown as it is.
import type { AuditEntry } from '../sources';

export const ACTIONS: Readonly<Record<string, string>> = {
  'customer.read': 'Read the profile',
  'customer.update': 'Changed the profile',
  'customer.create': 'Made the customer',
  'customer.ensure': 'Found or made the account by its e-mail',
  'customer.verify': 'Verified the e-mail',
  'customer.import': 'Moved it in from an older service',
  'customer.erase': 'Erased the customer',
  'customer.erased': 'Finished the erasure',
  'customer.listed': 'Saw it in the list of customers',
  'customer.suspend': 'Suspended the customer',
  'customer.activate': 'Activated the customer',
  'status.read': 'Read the status',
  'status.update': 'Changed the status',
  'session.read': 'Asked who is signed in',
  'user.read': 'Read a user',
  'user.update': 'Changed a user',
  'preferences.read': 'Read the preferences',
  'preferences.update': 'Changed the preferences',
  'usage.read': 'Read the usage',
  'limits.read': 'Read the limits',
  'limits.update': 'Changed the limits',
  'limits.consume': 'Spent of a limit',
  'limits.release': 'Gave a lease back',
  'api_keys.list': 'Listed the API keys',
  'api_key.create': 'Made an API key',
  'api_key.read': 'Read an API key',
  'api_key.update': 'Changed an API key',
  'api_key.rotate': 'Rotated an API key',
  'api_key.revoke': 'Revoked an API key',
  'tokens.revoke': 'Revoked tokens',
  'audit.list': 'Looked at this log',
  'audit.read': 'Read an entry of this log',
  'audit.head': 'Read the end of this log',
  'export.read': 'Began an export',
  'export.completed': 'Got a whole export',
  'export.aborted': 'Broke off an export',
  'erasure.read': 'Looked at the erasure',
  'erasure.request': 'Asked for the erasure',
  'erasure.withdraw': 'Withdrew the erasure',
  'requests.refused': 'Many requests were refused',
};

export const OPERATOR_ACTIONS: Readonly<Record<string, string>> = {
  'customers.list': 'Listed the customers',
  'customers.import': 'Moved customers in',
  'keys.rewrap': 'Wrapped data keys anew',
  'customer.missed': 'Asked for a customer that there is not',
  'tokens.revoke': 'Revoked operators’ tokens',
  'audit.list': 'Looked at this log',
  'requests.refused': 'Many requests were refused',
};

export const ACTORS: Readonly<Record<string, string>> = {
  user: 'User',
  admin: 'Administrator',
  integration: 'API key',
  service: 'Service',
  system: 'The service itself',
};

export const OUTCOMES: readonly (readonly [string, string])[] = [
  ['', 'Any'],
  ['ok', 'Carried out'],
  ['forbidden', 'Refused: not allowed'],
  ['insufficient_scope', 'Refused: lacking scope'],
  ['token_revoked', 'Refused: revoked'],
  ['customer_suspended', 'Refused: suspended'],
  ['quota_exceeded', 'Refused: limit exceeded'],
  ['validation_failed', 'Refused: faulty body'],
  ['stale_version', 'Refused: out of date'],
];

export function actionWords(action: string): string {
  return ACTIONS[action] ?? OPERATOR_ACTIONS[action] ?? action;
}

/** How something ended that was not simply carried out. */
export function outcomeWords(outcome: string): string {
  const known = OUTCOMES.find(([code]) => code === outcome)?.[1];
  return outcome === 'erasure_not_found' ? 'none asked for' : (known ?? outcome.replaceAll('_', ' '));
}

/** An entry, and how many like it follow right behind: looking at the log fills the log. */
export interface Fold {
  readonly entry: AuditEntry;
  readonly times: number;
}

/** Entries with runs of looks at the log by the same one folded into their newest. */
export function folded(entries: readonly AuditEntry[]): Fold[] {
  const folds: Fold[] = [];
  for (const entry of entries) {
    const last = folds.at(-1);
    const isSame =
      last !== undefined &&
      entry.action === 'audit.list' &&
      last.entry.action === entry.action &&
      last.entry.actor.id === entry.actor.id &&
      last.entry.outcome === entry.outcome;
    if (isSame) {
      folds[folds.length - 1] = { entry: last.entry, times: last.times + 1 };
    } else {
      folds.push({ entry, times: 1 });
    }
  }
  return folds;
}
