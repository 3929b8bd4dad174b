// What was read, by key: each resource is read once for all parts of the page that show it, stays shown while it is
// read again, and fails by itself.
import { useEffect, useState } from 'preact/hooks';
import type { Result } from '@user-api/client';
import { isSignedOut } from './api';

/** Where a resource comes from. The key names it, for whoever is signed in. */
export interface Source<T> {
  readonly key: string;
  readonly load: () => Promise<Pick<Result<T>, 'data' | 'etag'>>;
}

interface Entry {
  data: unknown;
  etag: string | undefined;
  error: unknown;
  isLoading: boolean;
  readonly watchers: Set<() => void>;
}

/** A resource as a component sees it: at least one of `data`, `error` and `isLoading` is there. */
export interface Resource<T> {
  readonly data: T | undefined;
  readonly etag: string | undefined;
  readonly error: unknown;
  readonly isLoading: boolean;
  readonly reload: () => void;
  /** Replaces it by what a change answered. */
  readonly put: (result: Pick<Result<T>, 'data' | 'etag'>) => void;
}

let entries = new Map<string, Entry>();
let whenSignedOut: (error: unknown) => void = () => {};

/** Who is told that a request found nobody signed in. */
export function onSignedOut(told: (error: unknown) => void): void {
  whenSignedOut = told;
}

/** Tells of an error that concerns the whole page. */
export function report(error: unknown): void {
  if (isSignedOut(error)) {
    whenSignedOut(error);
  }
}

/** Forgets everything: somebody else is signed in now. */
export function forgetAll(): void {
  entries = new Map();
}

function entryOf(key: string): Entry {
  let entry = entries.get(key);
  if (entry === undefined) {
    entry = { data: undefined, etag: undefined, error: undefined, isLoading: false, watchers: new Set() };
    entries.set(key, entry);
  }
  return entry;
}

function update(entry: Entry, change: Partial<Entry>): void {
  Object.assign(entry, change);
  for (const watcher of entry.watchers) {
    watcher();
  }
}

async function load<T>(source: Source<T>, entry: Entry): Promise<void> {
  if (entry.isLoading) {
    return;
  }
  update(entry, { isLoading: true, error: undefined });
  try {
    const { data, etag } = await source.load();
    update(entry, { data, etag, isLoading: false });
  } catch (error) {
    update(entry, { error, isLoading: false });
    if (entries.get(source.key) === entry) {
      report(error);
    }
  }
}

/** Reads a resource, and again whenever a part of the page that shows it comes up. */
export function useResource<T>(source: Source<T>): Resource<T> {
  const [, redraw] = useState(0);
  const entry = entryOf(source.key);
  useEffect(() => {
    const watcher = (): void => redraw((count) => count + 1);
    entry.watchers.add(watcher);
    void load(source, entry);
    return () => {
      entry.watchers.delete(watcher);
    };
  }, [source.key, entry]);
  return {
    data: entry.data as T | undefined,
    etag: entry.etag,
    error: entry.error,
    isLoading: entry.isLoading || (entry.data === undefined && entry.error === undefined),
    reload: () => void load(source, entry),
    put: ({ data, etag }) => update(entry, { data, etag, error: undefined }),
  };
}
