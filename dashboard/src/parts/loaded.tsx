// A resource in whichever state it is: there, still coming, or failed by itself with a way to try again.
import type { ComponentChildren } from 'preact';
import type { Resource } from '../store';
import { Failure } from './failure';
import { Skeleton } from './skeleton';

interface Props<T> {
  readonly of: Resource<T>;
  /** What it is, in words that fit "Loading …". */
  readonly what: string;
  readonly lines?: number;
  readonly children: (data: T) => ComponentChildren;
}

export function Loaded<T>({ of, what, lines = 3, children }: Props<T>) {
  const { data, error, reload } = of;
  return (
    <>
      {error !== undefined && <Failure error={error} retry={reload} />}
      {data !== undefined ? children(data) : error === undefined && <Skeleton what={what} lines={lines} />}
    </>
  );
}
