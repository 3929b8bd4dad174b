// From a response to its text: opened where it is sealed, refused where it should be and is not.
import { NetworkError, ProblemError, SealError, UnexpectedResponseError } from './errors.js';
import type { Problem } from './errors.js';
import { answersLines } from './routes.js';
import { isOlderSealed, openSealed, openSealedLines } from './seal.js';
import { retryAfter } from './wait.js';

/** Statuses after which the same request may pass. */
export const TRANSIENT: ReadonlySet<number> = new Set([429, 502, 503, 504]);

export interface Raw {
  readonly status: number;
  readonly text: string;
  readonly etag: string | undefined;
  readonly requestId: string | undefined;
  readonly replayed: boolean;
  readonly retryAfter: number | undefined;
}

/** How a response is to be read. */
export interface Reading {
  readonly path: string;
  /** The credential's text; undefined where this client does not hold it. */
  readonly secret: string | undefined;
  /** Whether no open answer is taken. */
  readonly mustBeSealed: boolean;
}

export async function read(response: Response, how: Reading): Promise<Raw> {
  const { status, headers } = response;
  const requestId = headers.get('X-Request-Id') ?? undefined;
  let text;
  try {
    text = await response.text();
  } catch (cause) {
    throw new NetworkError('the answer broke off', { cause });
  }
  return {
    status,
    text: await opened(text, status, headers, how),
    requestId,
    etag: headers.get('ETag') ?? undefined,
    replayed: headers.get('Idempotent-Replayed') === 'true',
    retryAfter: retryAfter(headers.get('Retry-After')),
  };
}

async function opened(text: string, status: number, headers: Headers, how: Reading): Promise<string> {
  const requestId = headers.get('X-Request-Id') ?? undefined;
  const isMarked = headers.get('X-Encrypted') === 'true';
  // An older service says nothing of it in a header.
  const older = isMarked ? undefined : olderSealed(text);
  if (isMarked || older !== undefined) {
    if (how.secret === undefined) {
      throw new SealError('the response is sealed for a credential that this client does not hold');
    }
    const frame = { status, requestId };
    if (status === 200 && answersLines(how.path)) {
      return openSealedLines(text, how.secret, frame);
    }
    return openSealed(older ?? parsed(text, status, requestId), how.secret, frame);
  }
  if (how.mustBeSealed && text !== '' && status !== 401) {
    if (TRANSIENT.has(status)) {
      // Of whatever stands before the service; not a word of it is believed, and trying again does no harm.
      throw new UnexpectedResponseError(status, requestId, 'the answer is not sealed');
    }
    throw new SealError('the response should have been sealed and is not');
  }
  return text;
}

function olderSealed(text: string): unknown {
  if (!text.includes('"encrypted"')) {
    return undefined;
  }
  try {
    const document: unknown = JSON.parse(text);
    return isOlderSealed(document) ? document : undefined;
  } catch {
    return undefined;
  }
}

/** What the service refuses with. */
export function refusal(raw: Raw): Error {
  const document = parsed(raw.text, raw.status, raw.requestId) as Partial<Problem> | null;
  if (typeof document?.code !== 'string' || document.status !== raw.status) {
    return new UnexpectedResponseError(raw.status, raw.requestId, 'the answer is no problem document');
  }
  return new ProblemError(document as Problem, raw.requestId, raw.retryAfter);
}

export function parsed(text: string, status: number, requestId: string | undefined): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    throw new UnexpectedResponseError(status, requestId, 'the answer is not JSON');
  }
}
