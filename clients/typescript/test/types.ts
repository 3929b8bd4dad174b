// What the types allow and what they do not; types.test.mjs has it compiled.
import { UserApi } from '../dist/index.js';
import type { Downloads } from '../dist/index.js';

declare const api: UserApi;

export const files: Downloads[] = ['/customer/me/export', '/admin/customers/{customerId}/export'];
export const answers: Promise<Response>[] = [
  api.download('/customer/me/export'),
  api.download('/customer/me/export', { signal: AbortSignal.timeout(1), deadlineMs: 1, onProgress: (bytes: number) => void bytes }),
  api.download('/admin/customers/{customerId}/export', { path: { customerId: 'demo' } }),
];
export const name: Promise<string | null> = api.get('/customer/me').then(({ data }) => data.displayName);

// @ts-expect-error a file is no JSON
api.get('/customer/me/export');
// @ts-expect-error the path's variable is missing
api.download('/admin/customers/{customerId}/export');
// @ts-expect-error this answers no file
api.download('/customer/me');
// @ts-expect-error no such path
api.download('/customer/demo/export');
// @ts-expect-error no such member
api.get('/customer/me').then(({ data }) => data.nickname);
