// Everything that the pages read, by the path that it is read from.
import { isProblem } from '@user-api/client';
import type { components } from '@user-api/client';
import { api } from './api';
import type { Source } from './store';

type Schemas = components['schemas'];
export type Customer = Schemas['Customer'];
export type Session = Schemas['Session'];
export type Usage = Schemas['Usage'];
export type User = Schemas['User'];
export type Preferences = Schemas['Preferences'];
export type ApiKey = Schemas['ApiKey'];
export type AuditEntry = Schemas['AuditEntry'];
export type Erasure = Schemas['Erasure'];
export type Status = Schemas['Status'];

export const session: Source<Session> = { key: 'session', load: () => api().get('/session') };
export const customer: Source<Customer> = { key: 'customer', load: () => api().get('/customer/me') };
export const usage: Source<Usage> = { key: 'usage', load: () => api().get('/customer/me/usage') };
export const user: Source<User> = { key: 'user', load: () => api().get('/user/me') };
export const preferences: Source<Preferences> = {
  key: 'preferences',
  load: () => api().get('/user/me/preferences'),
};
export const keys: Source<Schemas['ApiKeyList']> = {
  key: 'api-keys',
  load: () => api().get('/customer/me/api-keys'),
};
/** The newest entries, for the overview. */
export const recent: Source<Schemas['AuditPage']> = {
  key: 'recent',
  load: () => api().get('/customer/me/audit', { query: { limit: 5 } }),
};

/** That nobody asked for the erasure is an answer too: null. */
async function unlessAbsent<T>(read: Promise<T>): Promise<T | { data: null; etag: undefined }> {
  try {
    return await read;
  } catch (error) {
    if (isProblem(error, 'erasure_not_found')) {
      return { data: null, etag: undefined };
    }
    throw error;
  }
}

export const erasure: Source<Erasure | null> = {
  key: 'erasure',
  load: () => unlessAbsent(api().get('/customer/me/erasure')),
};

/** A customer as an administrator sees it. */
export const ofCustomer = (customerId: string) => {
  const path = { customerId };
  const key = (name: string): string => `admin/${customerId}/${name}`;
  return {
    customer: {
      key: key('customer'),
      load: () => api().get('/admin/customers/{customerId}', { path }),
    } satisfies Source<Customer>,
    usage: {
      key: key('usage'),
      load: () => api().get('/admin/customers/{customerId}/usage', { path }),
    } satisfies Source<Usage>,
    erasure: {
      key: key('erasure'),
      load: () => unlessAbsent(api().get('/admin/customers/{customerId}/erasure', { path })),
    } satisfies Source<Erasure | null>,
  };
};
