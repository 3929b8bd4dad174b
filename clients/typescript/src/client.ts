// The client: one request with its deadline and repetitions, and the operations on top of it.
import { DeadlineError, NetworkError, ProblemError, SealError, UnexpectedResponseError, isProblem } from './errors.js';
import type { Problem } from './errors.js';
import { answersText, bodyType, isSealable, takesKey } from './routes.js';
import { isSealed, openSealed } from './seal.js';
import type { paths } from './schema.js';
import type { Answer, Input, Item, Lists, Method, PathsOf } from './types.js';
import { retryAfter, sleep, within } from './wait.js';

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
/** Most resources whose last version is remembered. */
const MAX_REMEMBERED = 100;
/** Statuses after which the same request may pass. */
const TRANSIENT = new Set([429, 502, 503, 504]);

interface Call {
  readonly method: Method;
  readonly path: string;
  readonly url: string;
  readonly body: string | undefined;
  readonly idempotencyKey: string | undefined;
  readonly ifMatch: string | undefined;
}

interface Raw {
  readonly status: number;
  readonly text: string;
  readonly etag: string | undefined;
  readonly requestId: string | undefined;
  readonly replayed: boolean;
}

interface Answered extends Raw {
  readonly retryAfter: number | undefined;
}

interface Flight {
  readonly promise: Promise<Raw>;
  readonly controller: AbortController;
  waiting: number;
}

export class UserApi {
  readonly #options: ClientOptions;
  readonly #fetch: typeof fetch;
  readonly #flights = new Map<string, Flight>();
  readonly #remembered = new Map<string, { etag: string; raw: Raw }>();
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

  /** A file, such as the export: the response as it comes, once its head is there. It is never sealed. */
  async download(path: string, options: CallOptions = {}): Promise<Response> {
    const call: Call = {
      method: 'get', path, url: this.#url(path, undefined), body: undefined,
      idempotencyKey: undefined, ifMatch: undefined,
    };
    const { signal, done } = this.#clock(options);
    try {
      // The body may take longer than the deadline of the head, so it is only the caller who ends it.
      const headers = await this.#headers(call, false, undefined, signal);
      headers.delete('X-Encrypt-Response');
      const response = await within(signal, this.#send(call, headers, options.signal));
      if (!response.ok) {
        throw await this.#refusal(await this.#read(response, await this.#secret(false, signal), false));
      }
      return response;
    } finally {
      done();
    }
  }

  async #call<P extends keyof paths, M extends Method>(
    method: M,
    path: P,
    given: unknown,
  ): Promise<Result<Answer<P, M>>> {
    const input = (given ?? {}) as AnyInput;
    const call = this.#prepare(method, path, input);
    const { signal, until, done } = this.#clock(input);
    try {
      const raw = await (method === 'get' ? this.#shared(call, signal, until) : this.#repeated(call, signal, until));
      const isBare = raw.text === '' && raw.status === 204;
      const data = isBare ? undefined : answersText(path) ? raw.text : parsed(raw.text, raw.status, raw.requestId);
      const { status, etag, requestId, replayed } = raw;
      return { data: data as Answer<P, M>, status, etag, requestId, replayed };
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

  /** A signal that fires at the deadline, or with the caller's own. */
  #clock(options: CallOptions): { signal: AbortSignal; until: number; done: () => void } {
    const deadlineMs = options.deadlineMs ?? this.#options.deadlineMs ?? DEADLINE_MS;
    const controller = new AbortController();
    const timer = setTimeout(() => controller.abort(new DeadlineError(deadlineMs)), deadlineMs);
    const passOn = (): void => controller.abort(options.signal?.reason);
    if (options.signal?.aborted === true) {
      passOn();
    }
    options.signal?.addEventListener('abort', passOn, { once: true });
    const done = (): void => {
      clearTimeout(timer);
      options.signal?.removeEventListener('abort', passOn);
    };
    return { signal: controller.signal, until: Date.now() + deadlineMs, done };
  }

  /** Identical reads at the same time are one request; it ends early only when nobody waits for it any more. */
  async #shared(call: Call, signal: AbortSignal, until: number): Promise<Raw> {
    const key = `${call.ifMatch ?? ''} ${call.url}`;
    let flight = this.#flights.get(key);
    if (flight === undefined) {
      const controller = new AbortController();
      const promise = this.#repeated(call, controller.signal, until).finally(() => this.#flights.delete(key));
      promise.catch(() => {});
      flight = { promise, controller, waiting: 0 };
      this.#flights.set(key, flight);
    }
    flight.waiting += 1;
    try {
      return await within(signal, flight.promise);
    } finally {
      flight.waiting -= 1;
      if (flight.waiting === 0) {
        if (this.#flights.get(key) === flight) {
          this.#flights.delete(key);
        }
        flight.controller.abort(new DOMException('nobody waits', 'AbortError'));
      }
    }
  }

  /** Tries until it succeeds, is refused for good, or the signal fires. */
  async #repeated(call: Call, signal: AbortSignal, until: number): Promise<Raw> {
    const attempts = this.#options.attempts ?? ATTEMPTS;
    let renewed = false;
    let expired = false;
    for (let attempt = 1; ; attempt += 1) {
      signal.throwIfAborted();
      let failure: Error;
      try {
        return await this.#once(call, expired, signal);
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
    const known = this.#remembered.get(`${secret ?? ''} ${call.url}`);
    const headers = await this.#headers(call, expired, secret, signal);
    if (call.method === 'get' && known !== undefined && call.ifMatch === undefined) {
      headers.set('If-None-Match', known.etag);
    }
    const response = await this.#send(call, headers, signal);
    const raw = await this.#read(response, secret, isSealable(call.path));
    if (raw.status === 304 && known !== undefined) {
      return { ...known.raw, requestId: raw.requestId };
    }
    if (!response.ok) {
      throw await this.#refusal(raw);
    }
    if (call.method === 'get' && raw.etag !== undefined) {
      this.#remember(`${secret ?? ''} ${call.url}`, raw.etag, raw);
    }
    return raw;
  }

  #remember(key: string, etag: string, raw: Raw): void {
    this.#remembered.delete(key);
    this.#remembered.set(key, { etag, raw });
    for (const oldest of this.#remembered.keys()) {
      if (this.#remembered.size <= MAX_REMEMBERED) {
        break;
      }
      this.#remembered.delete(oldest);
    }
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

  async #read(response: Response, secret: string | undefined, isSealable: boolean): Promise<Answered> {
    const { status, headers } = response;
    const requestId = headers.get('X-Request-Id') ?? undefined;
    let text;
    try {
      text = await response.text();
    } catch (cause) {
      throw new NetworkError('the answer broke off', { cause });
    }
    if (headers.get('X-Encrypted') === 'true') {
      if (secret === undefined) {
        throw new SealError('the response is sealed for a credential that this client does not hold');
      }
      text = await openSealed(parsed(text, status, requestId), secret, { status, requestId });
    } else if (this.#options.sealed === true && isSealable && text !== '' && status !== 401) {
      if (TRANSIENT.has(status)) {
        // Of whatever stands before the service; not a word of it is believed, and trying again does no harm.
        throw new UnexpectedResponseError(status, requestId, 'the answer is not sealed');
      }
      throw new SealError('the response should have been sealed and is not');
    } else if (text.startsWith('{"version":3,') && secret !== undefined) {
      const document = parsed(text, status, requestId);
      text = isSealed(document) ? await openSealed(document, secret, { status, requestId }) : text;
    }
    return {
      status,
      text,
      requestId,
      etag: headers.get('ETag') ?? undefined,
      replayed: headers.get('Idempotent-Replayed') === 'true',
      retryAfter: retryAfter(headers.get('Retry-After')),
    };
  }

  async #refusal(raw: Answered): Promise<Error> {
    const document = parsed(raw.text, raw.status, raw.requestId) as Partial<Problem> | null;
    if (typeof document?.code !== 'string' || document.status !== raw.status) {
      return new UnexpectedResponseError(raw.status, raw.requestId, 'the answer is no problem document');
    }
    return new ProblemError(document as Problem, raw.requestId, raw.retryAfter);
  }
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

/** A random UUID (RFC 9562, version 4); `crypto.randomUUID` is there in secure contexts alone. */
function uuid(): string {
  const hex = Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, '0')).join('');
  const variant = ((Number.parseInt(hex.charAt(16), 16) & 0x3) | 0x8).toString(16);
  return [hex.slice(0, 8), hex.slice(8, 12), `4${hex.slice(13, 16)}`, variant + hex.slice(17, 20), hex.slice(20)].join('-');
}

function parsed(text: string, status: number, requestId: string | undefined): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    throw new UnexpectedResponseError(status, requestId, 'the answer is not JSON');
  }
}
