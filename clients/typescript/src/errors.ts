// What can go wrong, as classes that a caller can tell apart.
import type { components } from './schema.js';

/** A problem document (RFC 9457), as the service sends it. */
export type Problem = components['schemas']['Problem'];
/** The stable names of all problems. */
export type ProblemCode = Problem['code'];

/** The service refused the request or failed, and said why. */
export class ProblemError<C extends ProblemCode = ProblemCode> extends Error {
  override readonly name = 'ProblemError';
  readonly code: C;
  readonly status: number;
  /** The id of the request, for the operator. */
  readonly requestId: string | undefined;
  /** Seconds after which the same request may pass, where the service says so. */
  readonly retryAfterSeconds: number | undefined;
  readonly problem: Problem;

  constructor(problem: Problem, requestId: string | undefined, retryAfterSeconds: number | undefined) {
    super(`${problem.title}: ${problem.detail}`);
    this.problem = problem;
    this.code = problem.code as C;
    this.status = problem.status;
    this.requestId = requestId;
    this.retryAfterSeconds = retryAfterSeconds;
  }

  /** The faults of the body by JSON Pointer, such as `#/name`. */
  get faults(): ReadonlyMap<string, string> {
    return new Map((this.problem.errors ?? []).map(({ pointer, detail }) => [pointer, detail]));
  }
}

/** Whether it is a problem, of that code if one is named. */
export function isProblem<C extends ProblemCode>(error: unknown, code?: C): error is ProblemError<C> {
  return error instanceof ProblemError && (code === undefined || error.code === code);
}

/** An answer that is not the service's own form: a proxy's page, say. */
export class UnexpectedResponseError extends Error {
  override readonly name = 'UnexpectedResponseError';
  constructor(
    readonly status: number,
    readonly requestId: string | undefined,
    why: string,
  ) {
    super(`status ${status}: ${why}`);
  }
}

/** A response cannot be opened, or is not sealed although it should be. It is never shown half. */
export class SealError extends Error {
  override readonly name = 'SealError';
}

/** The request was not answered within its deadline, its repetitions included. */
export class DeadlineError extends Error {
  override readonly name = 'DeadlineError';
  constructor(readonly deadlineMs: number) {
    super(`no answer within ${deadlineMs} ms`);
  }
}

/** The service could not be reached. */
export class NetworkError extends Error {
  override readonly name = 'NetworkError';
}
