// The operations of the OpenAPI document as types: what a path takes, and what it answers.
import type { paths } from './schema.js';

export type Method = 'get' | 'put' | 'post' | 'patch' | 'delete';

type Operation<P extends keyof paths, M extends Method> = NonNullable<paths[P][M]>;
type Success = 200 | 201 | 202 | 204;

type HasMethod<P extends keyof paths, M extends Method> = [Operation<P, M>] extends [never] ? false : true;
type AnswersFile<P extends keyof paths> =
  HasMethod<P, 'get'> extends true
    ? Operation<P, 'get'> extends { responses: { 200: { content: { 'application/zip': unknown } } } }
      ? true
      : false
    : false;

/** The paths whose answer is a file: `download` is for them. */
export type Downloads = { [P in keyof paths]: AnswersFile<P> extends true ? P : never }[keyof paths];

/** The paths that have this method, but those of files. */
export type PathsOf<M extends Method> = {
  [P in keyof paths]: HasMethod<P, M> extends false ? never : M extends 'get' ? Exclude<P, Downloads> : P;
}[keyof paths];

type Content<R> = R extends { content: infer C } ? C[keyof C] : undefined;

/** What an operation answers when it succeeds; undefined for 204. */
export type Answer<P extends keyof paths, M extends Method> =
  Operation<P, M> extends { responses: infer R } ? { [S in keyof R]: S extends Success ? Content<R[S]> : never }[keyof R] : never;

type PathOf<O> = O extends { parameters: { path: infer T } } ? { path: T } : { path?: undefined };
type QueryOf<O> = O extends { parameters: { query?: infer T } } ? { query?: NonNullable<T> } : { query?: undefined };
type BodyOf<O> = O extends { requestBody: { content: infer C } }
  ? { body: C[keyof C] }
  : O extends { requestBody?: { content: infer C } }
    ? { body?: C[keyof C] }
    : { body?: undefined };

/** What an operation takes. */
export type Input<P extends keyof paths, M extends Method> = PathOf<Operation<P, M>> &
  QueryOf<Operation<P, M>> &
  BodyOf<Operation<P, M>>;

/** The items of a list that is read page by page. */
export type Item<P extends keyof paths> =
  Answer<P, 'get'> extends { data: (infer T)[]; nextCursor: string | null } ? T : never;

/** The lists. */
export type Lists = { [P in PathsOf<'get'>]: [Item<P>] extends [never] ? never : P }[PathsOf<'get'>];
