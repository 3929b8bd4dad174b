// The client: one request with its deadline and repetitions, and the operations on top of it.
import { DeadlineError, NetworkError, ProblemError, UnexpectedResponseError, isProblem } from './errors.js';
import { Flights } from './flights.js';
import { TRANSIENT, parsed, read, refusal } from './read.js';
import type { Raw, Reading } from './read.js';
import { answersFile, answersText, bodyType, isSealable, mayBeWrapped, takesKey } from './routes.js';
import { unwrapCustomer } from './seal.js';
import type { paths } from './schema.js';
import type { Answer, Downloads, Input, Item, Lists, Method, PathsOf } from './types.js';
import { Versions } from './versions.js';
import { sleep, within } from './wait.js';

/** How the caller proves who it is. */
export type Credential =
  /** A user's token; the function is asked before each request, with `true` after the service called it expired. */
  | { readonly token: string | ((expired: boolean) => string | Promise<string>) }
  | { readonly apiKey: string }
  | { readonly serviceKey: string }
  /** The browser's HttpOnly cookie. Such a caller can open no sealed response. */
  | { readonly cookie: true }
  | { readonly anonymous: true };

export interface ClientOptions {
  /** Where the service is, such as `https://api.example.com`. */
  readonly baseUrl: string;
  readonly credential: Credential;
  /** Ask for sealed responses, and take no open one. */
  readonly sealed?: boolean;
  /** How long a call may take with its repetitions, in milliseconds. */
  readonly deadlineMs?: number;
  /** How often a call is tried at most. */
  readonly attempts?: number;
  readonly fetch?: typeof fetch;
  /** For tests. */
  readonly random?: () => number;
}

export interface CallOptions {
  readonly signal?: AbortSignal;
  readonly deadlineMs?: number;
  /** The version that the resource must have, as `etag` of an earlier answer. */
  readonly ifMatch?: string;
  /** A key of the caller's own; one is made otherwise. */
  readonly idempotencyKey?: string;
}

export interface DownloadOptions {
  readonly signal?: AbortSignal;
  /** How long the head may take with its repetitions, in milliseconds. */
  readonly deadlineMs?: number;
  /** Told of the bytes so far, as they are read. */
  readonly onProgress?: (bytes: number) => void;
}

export interface Result<T> {
  readonly data: T;
  readonly status: number;
  readonly etag: string | undefined;
  readonly requestId: string | undefined;
  /** True where the service answered an unsafe request from memory. */
  readonly replayed: boolean;
}

const DEADLINE_MS = 10_000;
const ATTEMPTS = 4;
const BACKOFF_MS = 200;
const MAX_BACKOFF_MS = 4_000;

interface Call {
  readonly method: Method;
  readonly path: string;
  readonly url: string;
  readonly body: string | undefined;
  readonly idempotencyKey: string | undefined;
  readonly ifMatch: string | undefined;
}

export class UserApi {
  readonly #options: ClientOptions;
  readonly #fetch: typeof fetch;
  readonly #flights = new Flights<Raw>();
  readonly #versions = new Versions<Raw>();
  #csrf: string | undefined;

  constructor(options: ClientOptions) {
    if (options.sealed === true && ('cookie' in options.credential || 'anonymous' in options.credential)) {
      throw new TypeError('sealed responses need a token or a key that this client holds');
    }
    this.#options = options;
    this.#fetch = options.fetch ?? globalThis.fetch.bind(globalThis);
  }

  get<P extends PathsOf<'get'>>(path: P, ...rest: Rest<P, 'get'>): Promise<Result<Answer<P, 'get'>>> {
    return this.#call('get', path, rest[0]);
  }

  put<P extends PathsOf<'put'>>(path: P, ...rest: Rest<P, 'put'>): Promise<Result<Answer<P, 'put'>>> {
    return this.#call('put', path, rest[0]);
  }

  post<P extends PathsOf<'post'>>(path: P, ...rest: Rest<P, 'post'>): Promise<Result<Answer<P, 'post'>>> {
    return this.#call('post', path, rest[0]);
  }

  patch<P extends PathsOf<'patch'>>(path: P, ...rest: Rest<P, 'patch'>): Promise<Result<Answer<P, 'patch'>>> {
    return this.#call('patch', path, rest[0]);
  }

  delete<P extends PathsOf<'delete'>>(path: P, ...rest: Rest<P, 'delete'>): Promise<Result<Answer<P, 'delete'>>> {
    return this.#call('delete', path, rest[0]);
  }

  /** The pages of a list, one request each, as they are asked for. */
  async *pages<P extends Lists>(path: P, ...rest: Rest<P, 'get'>): AsyncGenerator<Answer<P, 'get'>, void, undefined> {
    const input = (rest[0] ?? {}) as AnyInput;
    let cursor = input.query?.['cursor'];
    for (;;) {
      const query = { ...input.query, ...(cursor === undefined ? {} : { cursor }) };
      const { data } = await this.#call('get', path, { ...input, query });
      yield data as Answer<P, 'get'>;
      const { hasMore, nextCursor } = data as { hasMore: boolean; nextCursor: string | null };
      if (!hasMore || nextCursor === null) {
        return;
      }
      if (nextCursor === cursor) {
        throw new UnexpectedResponseError(200, undefined, 'the list does not go on');
      }
      cursor = nextCursor;
    }
  }

  /** The items of a list; pages are read as they are needed. */
  async *items<P extends Lists>(path: P, ...rest: Rest<P, 'get'>): AsyncGenerator<Item<P>, void, undefined> {
    for await (const page of this.pages(path, ...rest)) {
      yield* (page as unknown as { data: Item<P>[] }).data;
    }
  }

  /**
   * A file, such as the export: the response as it comes, once its head is there. It is never sealed. The deadline is
   * that of the head; how long the body may take says the caller's own signal.
   */
  async download<P extends Downloads>(path: P, ...rest: DownloadRest<P>): Promise<Response> {
    const input = (rest[0] ?? {}) as AnyInput & DownloadOptions;
    const call = this.#prepare('get', path, input);
    const { signal, until, done } = this.#clock(input);
    try {
      const response = await this.#repeated(call, signal, until, (expired) => this.#head(call, expired, signal));
      done({ keepsCaller: true });
      return input.onProgress === undefined ? response : counted(response, input.onProgress);
    } catch (error) {
      done();
      throw error;
    }
  }

  /** Forgets what was read: somebody else is signed in now. (A client with a credential of its own is for one only.) */
  forget(): void {
    this.#flights.close();
    this.#versions.clear();
    this.#csrf = undefined;
  }

  async #call<P extends keyof paths, M extends Method>(
    method: M,
    path: P,
    given: unknown,
  ): Promise<Result<Answer<P, M>>> {
    const input = (given ?? {}) as AnyInput;
    if (method === 'get' && answersFile(path)) {
      throw new TypeError(`${path} answers a file: use download`);
    }
    const call = this.#prepare(method, path, input);
    const { signal, until, done } = this.#clock(input);
    try {
      const raw = await (method === 'get' ? this.#shared(call, signal, until) : this.#changed(call, signal, until));
      const { status, etag, requestId, replayed } = raw;
      return { data: dataOf(path, raw) as Answer<P, M>, status, etag, requestId, replayed };
    } finally {
      done();
    }
  }

  #prepare(method: Method, path: string, input: AnyInput): Call {
    const filled = path.replace(/\{(\w+)\}/g, (_, name: string) => {
      const value = input.path?.[name];
      if (value === undefined) {
        throw new TypeError(`${path} needs path.${name}`);
      }
      return encodeURIComponent(String(value));
    });
    const isUnsafe = method !== 'get';
    const key = isUnsafe && takesKey(path) ? (input.idempotencyKey ?? uuid()) : undefined;
    return {
      method,
      path,
      url: this.#url(filled, input.query),
      body: input.body === undefined || typeof input.body === 'string' ? input.body : JSON.stringify(input.body),
      idempotencyKey: key,
      ifMatch: input.ifMatch,
    };
  }

  #url(path: string, query: AnyInput['query']): string {
    const url = new URL(this.#options.baseUrl.replace(/\/$/, '') + path);
    for (const [name, value] of Object.entries(query ?? {}).sort(([a], [b]) => (a < b ? -1 : 1))) {
      if (value !== undefined) {
        url.searchParams.set(name, String(value));
      }
    }
    return url.href;
  }

  /** A signal that fires at the deadline, or with the caller's own; of the latter also afterwards, where it is kept. */
  #clock(options: CallOptions): Clock {
    const deadlineMs = options.deadlineMs ?? this.#options.deadlineMs ?? DEADLINE_MS;
    const controller = new AbortController();
    const timer = setTimeout(() => controller.abort(new DeadlineError(deadlineMs)), deadlineMs);
    const passOn = (): void => controller.abort(options.signal?.reason);
    if (options.signal?.aborted === true) {
      passOn();
    }
    options.signal?.addEventListener('abort', passOn, { once: true });
    const done = ({ keepsCaller = false } = {}): void => {
      clearTimeout(timer);
      if (!keepsCaller) {
        options.signal?.removeEventListener('abort', passOn);
      }
    };
    return { signal: controller.signal, until: Date.now() + deadlineMs, done };
  }

  /** Identical reads at the same time are one request. */
  #shared(call: Call, signal: AbortSignal, until: number): Promise<Raw> {
    const key = `${call.ifMatch ?? ''} ${call.url}`;
    return this.#flights.join(key, signal, (inFlight) =>
      this.#repeated(call, inFlight, until, (expired) => this.#once(call, expired, inFlight)),
    );
  }

  /** A change. What was asked before its end may not show it, so no later read joins such a request. */
  async #changed(call: Call, signal: AbortSignal, until: number): Promise<Raw> {
    this.#flights.close();
    try {
      return await this.#repeated(call, signal, until, (expired) => this.#once(call, expired, signal));
    } finally {
      this.#flights.close();
    }
  }

  /** Tries until it succeeds, is refused for good, or the signal fires. */
  async #repeated<T>(
    call: Call,
    signal: AbortSignal,
    until: number,
    once: (expired: boolean) => Promise<T>,
  ): Promise<T> {
    const attempts = this.#options.attempts ?? ATTEMPTS;
    let renewed = false;
    let expired = false;
    for (let attempt = 1; ; attempt += 1) {
      signal.throwIfAborted();
      let failure: Error;
      try {
        return await once(expired);
      } catch (error) {
        signal.throwIfAborted();
        failure = error as Error;
      }
      const isToken = 'token' in this.#options.credential && typeof this.#options.credential.token === 'function';
      const isStaleCsrf = isProblem(failure, 'csrf_failed') && 'cookie' in this.#options.credential;
      if (!renewed && ((isToken && isProblem(failure, 'token_expired')) || isStaleCsrf)) {
        // Refused before anything was done, so any request may be repeated.
        renewed = true;
        expired = true;
        this.#csrf = undefined;
        continue;
      }
      if (attempt >= attempts || !this.#isTransient(call, failure)) {
        throw failure;
      }
      const ceiling = Math.min(MAX_BACKOFF_MS, BACKOFF_MS * 2 ** (attempt - 1));
      const jitter = (this.#options.random ?? Math.random)() * ceiling;
      const told = failure instanceof ProblemError ? (failure.retryAfterSeconds ?? 0) * 1000 : 0;
      if (Date.now() + told > until) {
        throw failure;
      }
      await sleep(told + jitter, signal);
    }
  }

  #isTransient(call: Call, failure: Error): boolean {
    if (failure instanceof ProblemError) {
      // What consume refuses is an answer: the caller decides whether to wait.
      const isAnswer = failure.code === 'quota_exceeded' && call.path.endsWith('/limits/consume');
      return TRANSIENT.has(failure.status) && !isAnswer;
    }
    return (
      failure instanceof NetworkError || (failure instanceof UnexpectedResponseError && TRANSIENT.has(failure.status))
    );
  }

  async #once(call: Call, expired: boolean, signal: AbortSignal): Promise<Raw> {
    const secret = await this.#secret(expired, signal);
    // By cookie this client cannot tell whether the same person still asks, so it remembers nothing.
    const key = call.method === 'get' && !('cookie' in this.#options.credential) ? `${secret ?? ''} ${call.url}` : undefined;
    const known = key === undefined ? undefined : this.#versions.get(key);
    const headers = await this.#headers(call, expired, secret, signal);
    if (known !== undefined && call.ifMatch === undefined) {
      headers.set('If-None-Match', known.etag);
    }
    const response = await this.#send(call, headers, signal);
    const raw = await read(response, this.#reading(call, secret));
    if (raw.status === 304 && known !== undefined) {
      return { ...known.raw, requestId: raw.requestId };
    }
    if (!response.ok) {
      throw refusal(raw);
    }
    if (key !== undefined && raw.etag !== undefined) {
      this.#versions.set(key, raw.etag, raw);
    }
    return raw;
  }

  /** The head of a file. */
  async #head(call: Call, expired: boolean, signal: AbortSignal): Promise<Response> {
    const secret = await this.#secret(expired, signal);
    const response = await within(signal, this.#send(call, await this.#headers(call, expired, secret, signal), signal));
    if (!response.ok) {
      throw refusal(await read(response, this.#reading(call, secret)));
    }
    return response;
  }

  #reading({ path }: Call, secret: string | undefined): Reading {
    return { path, secret, mustBeSealed: this.#options.sealed === true && isSealable(path) };
  }

  /** The credential's text; undefined where this client does not hold it. */
  async #secret(expired: boolean, signal: AbortSignal): Promise<string | undefined> {
    const { credential } = this.#options;
    if ('token' in credential) {
      const { token } = credential;
      return typeof token === 'string' ? token : within(signal, Promise.resolve(token(expired)));
    }
    return 'apiKey' in credential ? credential.apiKey : 'serviceKey' in credential ? credential.serviceKey : undefined;
  }

  async #headers(call: Call, expired: boolean, known: string | undefined, signal: AbortSignal): Promise<Headers> {
    const headers = new Headers({ Accept: 'application/json, application/problem+json' });
    const { credential } = this.#options;
    const secret = known ?? (await this.#secret(expired, signal));
    if ('token' in credential) {
      headers.set('Authorization', `Bearer ${secret}`);
    } else if ('apiKey' in credential) {
      headers.set('X-API-Key', credential.apiKey);
    } else if ('serviceKey' in credential) {
      headers.set('X-Service-Key', credential.serviceKey);
    } else if ('cookie' in credential && call.method !== 'get') {
      headers.set('X-CSRF-Token', await this.#csrfToken(signal));
    }
    if (this.#options.sealed === true && isSealable(call.path)) {
      headers.set('X-Encrypt-Response', '1');
    }
    if (call.body !== undefined) {
      headers.set('Content-Type', bodyType(call.method, call.path));
    }
    if (call.idempotencyKey !== undefined) {
      headers.set('Idempotency-Key', JSON.stringify(call.idempotencyKey));
    }
    if (call.ifMatch !== undefined) {
      headers.set('If-Match', call.ifMatch);
    }
    return headers;
  }

  async #csrfToken(signal: AbortSignal): Promise<string> {
    if (this.#csrf === undefined) {
      const raw = await this.#shared(this.#prepare('get', '/session', {}), signal, Number.POSITIVE_INFINITY);
      this.#csrf = (JSON.parse(raw.text) as { csrf: string | null }).csrf ?? '';
    }
    return this.#csrf;
  }

  async #send(call: Call, headers: Headers, signal: AbortSignal | undefined): Promise<Response> {
    signal?.throwIfAborted();
    try {
      return await this.#fetch(call.url, {
        method: call.method.toUpperCase(),
        headers,
        cache: 'no-store',
        credentials: 'cookie' in this.#options.credential ? 'include' : 'omit',
        redirect: 'error',
        ...(call.body === undefined ? {} : { body: call.body }),
        ...(signal === undefined ? {} : { signal }),
      });
    } catch (cause) {
      throw new NetworkError('the service cannot be reached', { cause });
    }
  }
}

interface Clock {
  readonly signal: AbortSignal;
  readonly until: number;
  readonly done: (how?: { keepsCaller?: boolean }) => void;
}

interface AnyInput extends CallOptions {
  readonly path?: Readonly<Record<string, unknown>>;
  readonly query?: Readonly<Record<string, unknown>>;
  readonly body?: unknown;
}

/** The input may be left out where nothing in it is required. */
type Rest<P extends keyof paths, M extends Method> = {} extends Input<P, M>
  ? [input?: Input<P, M> & CallOptions]
  : [input: Input<P, M> & CallOptions];

type DownloadRest<P extends Downloads> = undefined extends Input<P, 'get'>['path']
  ? [options?: DownloadOptions]
  : [options: DownloadOptions & { readonly path: Input<P, 'get'>['path'] }];

/** A random UUID (RFC 9562, version 4); `crypto.randomUUID` is there in secure contexts alone. */
function uuid(): string {
  const hex = Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, '0')).join('');
  const variant = ((Number.parseInt(hex.charAt(16), 16) & 0x3) | 0x8).toString(16);
  return [hex.slice(0, 8), hex.slice(8, 12), `4${hex.slice(13, 16)}`, variant + hex.slice(17, 20), hex.slice(20)].join('-');
}

/** What a successful answer holds. */
function dataOf(path: string, raw: Raw): unknown {
  if (raw.text === '' && raw.status === 204) {
    return undefined;
  }
  if (answersText(path)) {
    return raw.text;
  }
  const document = parsed(raw.text, raw.status, raw.requestId);
  return mayBeWrapped(path) ? unwrapCustomer(document) : document;
}

/** The same response, whose bytes are counted as they are read. */
function counted(response: Response, onProgress: (bytes: number) => void): Response {
  let bytes = 0;
  const counter = new TransformStream<Uint8Array, Uint8Array>({
    transform(chunk, controller) {
      bytes += chunk.byteLength;
      onProgress(bytes);
      controller.enqueue(chunk);
    },
  });
  const { status, statusText, headers } = response;
  return new Response(response.body?.pipeThrough(counter) ?? null, { status, statusText, headers });
}
