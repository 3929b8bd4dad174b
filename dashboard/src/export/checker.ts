// The worker that checks what the service signed, so that the page stays usable meanwhile: `src/verify` as a module,
// which only this loads. Of an archive a piece at a time is in memory.
import { loadVerifier } from '@user-api/client/verify';
import type { Job, Told } from './check';

/** How often it tells how far it is. */
const EVERY_MS = 100;

/** Only workers have it, so the types of pages lack it. */
declare class FileReaderSync {
  readAsArrayBuffer(blob: Blob): ArrayBuffer;
}

const tell = (told: Told): void => postMessage(told);

/** The archive's bytes, with a word of how far the check is. */
function bytesOf(archive: Blob) {
  const reader = new FileReaderSync();
  let last = 0;
  return {
    length: archive.size,
    read: (offset: number, length: number): Uint8Array => {
      if (Date.now() - last >= EVERY_MS) {
        last = Date.now();
        tell({ share: offset / archive.size });
      }
      return new Uint8Array(reader.readAsArrayBuffer(archive.slice(offset, offset + length)));
    },
  };
}

addEventListener('message', ({ data: job }: MessageEvent<Job>) => {
  loadVerifier()
    .then(({ checkExport, checkCertificate }) =>
      tell({ verdict: 'archive' in job ? checkExport(bytesOf(job.archive), job) : checkCertificate(job.certificate, job) }),
    )
    .catch((error: unknown) => tell({ error: String(error) }));
});
