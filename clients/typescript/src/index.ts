export { UserApi } from './client.js';
export type { CallOptions, ClientOptions, Credential, Result } from './client.js';
export {
  DeadlineError,
  NetworkError,
  ProblemError,
  SealError,
  UnexpectedResponseError,
  isProblem,
} from './errors.js';
export type { Problem, ProblemCode } from './errors.js';
export { isSealed, openSealed, unwrapCustomer } from './seal.js';
export type { Frame } from './seal.js';
export type { components, operations, paths } from './schema.js';
export type { Answer, Input, Item, Lists, Method, PathsOf } from './types.js';
