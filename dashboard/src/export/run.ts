// An export from the request to its verdict: downloaded, given to the browser to keep, checked.
import { useEffect, useRef, useState } from 'preact/hooks';
import type { ExportReport, Verdict } from '@user-api/client/verify';
import { api } from '../api';
import { report } from '../store';
import { checkArchive } from './check';
import { gather, nameOf, save } from './gather';

/** A file that is here. */
export interface Archive {
  readonly blob: Blob;
  readonly name: string;
  readonly url: string;
}

export type Stage =
  | { readonly kind: 'none' }
  | { readonly kind: 'coming'; readonly bytes: number }
  | { readonly kind: 'failed'; readonly error: unknown }
  | { readonly kind: 'checking'; readonly archive: Archive; readonly share: number }
  | { readonly kind: 'unchecked'; readonly archive: Archive; readonly error: unknown }
  | { readonly kind: 'checked'; readonly archive: Archive; readonly verdict: Verdict<ExportReport> };

export interface Export {
  readonly stage: Stage;
  readonly begin: () => void;
  readonly end: () => void;
  readonly checkAgain: () => void;
}

/** How often the page is drawn anew while bytes come. */
const EVERY_MS = 100;
const NONE: Stage = { kind: 'none' };

/** What is sound by itself, but of somebody else. */
function ofCustomer(verdict: Verdict<ExportReport>, customerId: string | undefined): Verdict<ExportReport> {
  const found = verdict.report?.customerId;
  if (found === undefined || customerId === undefined || found === customerId) {
    return verdict;
  }
  const what = 'it is genuine, but of another customer';
  return { fault: { place: 'archive', file: null, seq: null, what, text: `the archive: ${what}` } };
}

export function useExport(customerId: string | undefined): Export {
  const [stage, setStage] = useState<Stage>(NONE);
  const current = useRef<{ readonly controller: AbortController; archive?: Archive } | undefined>(undefined);

  const end = (): void => {
    current.current?.controller.abort();
    if (current.current?.archive !== undefined) {
      URL.revokeObjectURL(current.current.archive.url);
    }
    current.current = undefined;
  };
  useEffect(() => end, []);

  const check = async (archive: Archive, signal: AbortSignal): Promise<void> => {
    const set = (next: Stage): void => (signal.aborted ? undefined : setStage(next));
    set({ kind: 'checking', archive, share: 0 });
    try {
      const verdict = await checkArchive(archive.blob, (share) => set({ kind: 'checking', archive, share }), signal);
      set({ kind: 'checked', archive, verdict: ofCustomer(verdict, customerId) });
    } catch (error) {
      set({ kind: 'unchecked', archive, error });
    }
  };

  const begin = async (): Promise<void> => {
    end();
    const controller = new AbortController();
    const { signal } = controller;
    const own: { readonly controller: AbortController; archive?: Archive } = { controller };
    current.current = own;
    setStage({ kind: 'coming', bytes: 0 });
    try {
      const response = await api().download('/customer/me/export', { signal });
      let drawn = 0;
      const blob = await gather(response.body as ReadableStream<Uint8Array<ArrayBuffer>>, (bytes) => {
        if (!signal.aborted && Date.now() - drawn >= EVERY_MS) {
          drawn = Date.now();
          setStage({ kind: 'coming', bytes });
        }
      });
      signal.throwIfAborted();
      const archive = { blob, name: nameOf(response), url: URL.createObjectURL(blob) };
      own.archive = archive;
      save(archive.url, archive.name);
      await check(archive, signal);
    } catch (error) {
      if (!signal.aborted) {
        setStage({ kind: 'failed', error });
        report(error);
      }
    }
  };

  return {
    stage,
    begin: () => void begin(),
    end: () => {
      end();
      setStage(NONE);
    },
    checkAgain: () => {
      if (current.current?.archive !== undefined) {
        void check(current.current.archive, current.current.controller.signal);
      }
    },
  };
}
