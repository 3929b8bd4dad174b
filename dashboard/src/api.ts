// Who is signed in, and the client that calls as that. In development a pasted token, kept for this tab only;
// otherwise the browser's HttpOnly cookie, which this page never sees.
import { UserApi, isProblem } from '@user-api/client';

const STORED = 'user-api-token';
/** A slow network is shown as slow; past this it counts as failed. */
const DEADLINE_MS = 30_000;
const ATTEMPTS = 3;

/** Whether the service takes pasted tokens: only one in development says so. */
export const takesTokens = document.querySelector('meta[name="sign-in"]')?.getAttribute('content') === 'token';

let client: UserApi | undefined;

/** The pasted token of this tab. */
export function token(): string | undefined {
  return takesTokens ? (sessionStorage.getItem(STORED) ?? undefined) : undefined;
}

export function api(): UserApi {
  const pasted = token();
  client ??= new UserApi({
    baseUrl: location.origin,
    credential: pasted === undefined ? { cookie: true } : { token: pasted },
    deadlineMs: DEADLINE_MS,
    attempts: ATTEMPTS,
  });
  return client;
}

/** Takes a token, or forgets the one there was. */
export function use(pasted: string | undefined): void {
  if (pasted === undefined) {
    sessionStorage.removeItem(STORED);
  } else {
    sessionStorage.setItem(STORED, pasted);
  }
  renew();
}

/** Forgets the client with all that it remembers: by cookie, too, somebody else may be signed in now. */
export function renew(): void {
  client = undefined;
}

/**
 * Takes the token of an address like `/dashboard#token=…`, as `make dev` prints it, and removes it from the address.
 * A fragment is never sent, and outside development it is only removed. Says whether there was one.
 */
export function takeFragment(): boolean {
  const found = /^#token=([A-Za-z0-9._-]+)$/.exec(location.hash);
  if (found === null) {
    return false;
  }
  history.replaceState(null, '', location.pathname);
  if (takesTokens) {
    use(found[1]);
  }
  return true;
}

/** Whether the caller is not, or no longer, signed in. */
export function isSignedOut(error: unknown): boolean {
  return isProblem(error) && error.status === 401;
}
