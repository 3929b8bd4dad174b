// What went wrong, in the service's own words, with the id for whoever runs it, and a way to try again.
import { useEffect, useState } from 'preact/hooks';
import { DeadlineError, NetworkError, ProblemError, UnexpectedResponseError } from '@user-api/client';
import { Copy } from './copy';

interface Told {
  readonly title: string;
  readonly detail: string;
  readonly requestId?: string | undefined;
  readonly wait?: number | undefined;
}

/** An error as a person can read it. */
export function told(error: unknown): Told {
  if (error instanceof ProblemError) {
    const { problem, requestId, retryAfterSeconds } = error;
    return { title: problem.title, detail: problem.detail, requestId, wait: retryAfterSeconds };
  }
  if (error instanceof DeadlineError) {
    return { title: 'No answer in time', detail: `The service did not answer within ${error.deadlineMs / 1000} seconds.` };
  }
  if (error instanceof NetworkError) {
    return { title: 'The service cannot be reached', detail: 'Check the connection, then try again.' };
  }
  if (error instanceof UnexpectedResponseError) {
    return { title: 'An unexpected answer', detail: `Something on the way answered ${error.status}.`, requestId: error.requestId };
  }
  return { title: 'Something went wrong', detail: error instanceof Error ? error.message : 'Try again.' };
}

/** Seconds left of a wait, counted down. */
function useCountdown(from: number | undefined, error: unknown): number {
  const [left, setLeft] = useState(from ?? 0);
  useEffect(() => {
    const until = Date.now() + (from ?? 0) * 1000;
    const tick = (): void => setLeft(Math.max(0, Math.ceil((until - Date.now()) / 1000)));
    tick();
    const timer = setInterval(tick, 500);
    return () => clearInterval(timer);
  }, [from, error]);
  return left;
}

export function Failure({ error, retry, what }: { error: unknown; retry?: (() => void) | undefined; what?: string }) {
  const { title, detail, requestId, wait } = told(error);
  const left = useCountdown(wait, error);
  return (
    <div class="failure" role="alert">
      <p class="failure-title">
        {what === undefined ? '' : `${what}: `}
        {title}
      </p>
      {detail !== title && <p>{detail}</p>}
      {requestId !== undefined && (
        <p class="failure-id">
          Request <code>{requestId}</code> <Copy text={requestId} what="the request's id" isSmall />
        </p>
      )}
      {retry !== undefined && (
        <button type="button" class="button" onClick={retry} disabled={left > 0}>
          {left > 0 ? `Try again in ${left} s` : 'Try again'}
        </button>
      )}
    </div>
  );
}
