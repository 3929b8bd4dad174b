// Having an archive or a certificate checked by the worker, under the keys that the service publishes.
import type { CertificateReport, ExportReport, Verdict } from '@user-api/client/verify';
import { api } from '../api';
import address from './checker.ts?worker&url';

interface Keys {
  readonly jwks: object;
}
export type Job = Keys & ({ readonly archive: Blob } | { readonly certificate: string });
export type Told = { readonly share: number } | { readonly verdict: Verdict<unknown> } | { readonly error: string };

/** The check could not be carried out: that says nothing about what was to be checked. */
export class NotChecked extends Error {}

interface TrustedTypes {
  createPolicy(name: string, rules: { createScriptURL: () => string }): { createScriptURL(given: string): string };
}

let trusted: string | undefined;

/** The worker's address. Some browsers take addresses of scripts by a policy alone: this one knows no other. */
function workerAddress(): string {
  const { trustedTypes } = globalThis as { trustedTypes?: TrustedTypes };
  trusted ??= trustedTypes?.createPolicy('verifier', { createScriptURL: () => address }).createScriptURL('') ?? address;
  return trusted;
}

function run<T>(job: Job, progress: (share: number) => void, signal: AbortSignal): Promise<Verdict<T>> {
  const worker = new Worker(workerAddress(), { type: 'module' });
  return new Promise<Verdict<T>>((resolve, reject) => {
    const fail = (why: string): void => reject(new NotChecked(why));
    signal.addEventListener('abort', () => fail('It was ended'));
    worker.onerror = () => fail('Its program cannot be loaded');
    worker.onmessage = ({ data }: MessageEvent<Told>) => {
      if ('share' in data) {
        progress(data.share);
      } else if ('verdict' in data) {
        resolve(data.verdict as Verdict<T>);
      } else {
        fail(data.error);
      }
    };
    worker.postMessage(job);
  }).finally(() => worker.terminate());
}

export async function checkArchive(archive: Blob, progress: (share: number) => void, signal: AbortSignal): Promise<Verdict<ExportReport>> {
  const { data: jwks } = await api().get('/.well-known/jwks.json');
  return run(jwksJob({ archive }, jwks), progress, signal);
}

export async function checkCertificate(certificate: string, signal: AbortSignal): Promise<Verdict<CertificateReport>> {
  const { data: jwks } = await api().get('/.well-known/jwks.json');
  return run(jwksJob({ certificate }, jwks), () => {}, signal);
}

const jwksJob = <T extends object>(what: T, jwks: object): T & Keys => ({ ...what, jwks });
