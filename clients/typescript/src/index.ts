export { UserApi } from './client.js';
export type { CallOptions, ClientOptions, Credential, DownloadOptions, Result } from './client.js';
export {
  DeadlineError,
  NetworkError,
  ProblemError,
  SealError,
  UnexpectedResponseError,
  isProblem,
} from './errors.js';
export type { Problem, ProblemCode } from './errors.js';
export { isSealed, openSealed, openSealedLines, unwrapCustomer } from './seal.js';
export type { Frame } from './seal.js';
export type { components, operations, paths } from './schema.js';
export type { Answer, Downloads, Input, Item, Lists, Method, PathsOf } from './types.js';
